"""Warnings about a cache that does not work: one line per process, whatever happens."""

import os
import sys

_said: set[str] = set()


def damaged(path: str | os.PathLike[str]) -> None:
    """Warn that a cached file is damaged or cannot be read, and is made again."""
    _say_once("cache", f"{os.fspath(path)} in the cache is damaged; it is made again")


def unusable(place: str | os.PathLike[str], reason: object) -> None:
    """Warn that a cache directory cannot be used.

    Args:
      place: file or directory that cannot be used.
      reason: `OSError` or text.
    """
    if isinstance(reason, OSError):
        reason = reason.strerror or reason
    text = f"the cache {os.fspath(place)} is not used, so starting takes longer: {reason}"
    _say_once("cache", text)


def missing(part: str, instead: str) -> None:
    """Warn that private parts of another package have changed, so that a fallback is used.

    Args:
      part: sentence on the part that has changed.
      instead: effect of the fallback.
    """
    _say_once(part, f"{part}; {instead}")


def _say_once(kind: str, text: str) -> None:
    if kind not in _said:
        _said.add(kind)
        print(f"Warning: {text}.", file=sys.stderr, flush=True)
