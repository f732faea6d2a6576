"""Where compiled code is kept between runs: below the user's own cache directory."""

import os
import tempfile
from pathlib import Path


def cache_directory(kind: str, environ: dict[str, str] | None = None) -> Path | None:
    """Return a private directory for compiled code, made if need be, or None without one.

    Compiled code is loaded without any check of what it does, so a directory is only used when
    this user owns it and nobody else may write to it.

    Args:
      kind: name of the directory, such as "numba".
      environ: environment variables; the process's own by default. Reads `XDG_CACHE_HOME`.
    Returns: `$XDG_CACHE_HOME/lstmjax/<kind>`, or the same under `~/.cache`; None when it cannot be
      made, cannot be written or is not private.
    """
    environ = dict(os.environ) if environ is None else environ
    try:
        # The XDG rules say to ignore a value that is not an absolute path.
        given = Path(environ.get("XDG_CACHE_HOME", ""))
        parent = (given if given.is_absolute() else Path.home() / ".cache") / "lstmjax"
        path = parent / kind
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
