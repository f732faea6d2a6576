"""What is said about a cache that does not work: one line in a process, whatever happens."""

import os
import sys

_said: set[str] = set()


def damaged(path: str | os.PathLike[str]) -> None:
    """Say that a kept file is damaged or cannot be read, and is made again."""
    _say_once("cache", f"{os.fspath(path)} in the cache is damaged; it is made again")


def unusable(place: str | os.PathLike[str], reason: object) -> None:
    """Say that nothing can be kept in a place.

    Args:
      place: file or directory that cannot be used.
      reason: an `OSError`, or a text.
    """
    if isinstance(reason, OSError):
        reason = reason.strerror or reason
    text = f"the cache {os.fspath(place)} is not used, so starting takes longer: {reason}"
    _say_once("cache", text)


def missing(part: str, instead: str) -> None:
    """Say that another package is not as this one knows it, and what is done about that.

    Args:
      part: what is not as it was.
      instead: what is done.
    """
    _say_once(part, f"{part}; {instead}")


def _say_once(kind: str, text: str) -> None:
    if kind not in _said:
        _said.add(kind)
        print(f"Warning: {text}.", file=sys.stderr, flush=True)
