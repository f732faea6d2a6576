"""The one way this package compiles loops: numba, cached in the user's own cache directory.

Only modules that hold compiled loops import this one, because importing it imports numba.
"""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
from numba.core import config


def cache_directory(environ: dict[str, str] | None = None) -> Path | None:
    """Return a private directory for compiled code, made if need be, or None without one.

    Compiled code is loaded without any check of what it does, so a directory is only used when
    this user owns it and nobody else may write to it.

    Args:
      environ: environment variables; the process's own by default. Reads `XDG_CACHE_HOME`.
    Returns: `$XDG_CACHE_HOME/lstmjax/numba`, or the same under `~/.cache`; None when it cannot be
      made, cannot be written or is not private.
    """
    environ = dict(os.environ) if environ is None else environ
    try:
        # The XDG rules say to ignore a value that is not an absolute path.
        given = Path(environ.get("XDG_CACHE_HOME", ""))
        parent = (given if given.is_absolute() else Path.home() / ".cache") / "lstmjax"
        path = parent / "numba"
        for folder in (parent, path):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not _is_private(folder):
                return None
        with tempfile.TemporaryFile(dir=path):
            return path
    except (OSError, RuntimeError):  # RuntimeError: no home directory can be found
        return None


def _is_private(folder: Path) -> bool:
    if not hasattr(os, "getuid"):  # Windows: the profile directory is private already
        return True
    status = folder.stat()
    return status.st_uid == os.getuid() and not status.st_mode & 0o022


def kernel(function: Callable) -> Any:
    """Compile a loop on its first call; the GIL is free while it runs.

    A user's own `NUMBA_CACHE_DIR` is respected. Without a usable cache directory the loop is
    compiled afresh in every process.
    """
    own = getattr(config, "CACHE_DIR", "")
    directory = own or cache_directory()
    if not directory:
        return numba.njit(nogil=True)(function)
    config.CACHE_DIR = str(directory)  # pyright: ignore  # read once, by the decorator below
    try:
        return numba.njit(cache=True, nogil=True)(function)
    finally:
        config.CACHE_DIR = own  # pyright: ignore
