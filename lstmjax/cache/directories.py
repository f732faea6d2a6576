"""The directories of the cache: private, and removed when they are no longer used."""

import os
import re
import shutil
import tempfile
import time
from pathlib import Path

from lstmjax.cache.problems import unusable

_OF_A_VERSION = re.compile(r"(lstmjax|code|kernels)-[0-9a-f]{12}|numba|jax")
"""Names of directories that belong to one version of the sources, also those of former versions."""
_MOST = 4
_DAY = 86400
_LONGEST = 30 * _DAY


def cache_directory(
    kind: str, environ: dict[str, str] | None = None, *, of_version: bool = False
) -> Path | None:
    """Return a private directory below the user's cache directory, made if need be.

    Compiled code is loaded without any check of what it does, so a directory is only used when
    this user owns it and nobody else may write to it.

    Args:
      kind: name of the directory, such as "index".
      environ: environment variables; the process's own by default. Reads `XDG_CACHE_HOME`.
      of_version: the name belongs to one version of the sources. When such a directory is made,
        those of former versions are removed.
    Returns: `$XDG_CACHE_HOME/lstmjax/<kind>`, or the same under `~/.cache`; None, which is said
      once, when it cannot be made, cannot be written or is not private.
    """
    environ = dict(os.environ) if environ is None else environ
    # The XDG rules say to ignore a value that is not an absolute path.
    given = Path(environ.get("XDG_CACHE_HOME", ""))
    try:
        parent = (given if given.is_absolute() else Path.home() / ".cache") / "lstmjax"
    except RuntimeError as err:  # no home directory can be found
        unusable("lstmjax", err)
        return None
    return _prepared([parent, parent / kind], of_version)


def private_directory(parent: Path, name: str, *, of_version: bool = False) -> Path | None:
    """Return a private directory in one that need not be private; see `cache_directory`."""
    return _prepared([parent / name], of_version)


def _prepared(folders: list[Path], of_version: bool) -> Path | None:
    """Return the last of some directories, each inside the one before, made if need be."""
    path = folders[-1]
    is_new = not path.exists()
    for folder in folders:
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not _is_private(folder):
                unusable(folder, "others may write to it")
                return None
        except OSError as err:
            unusable(folder, err)
            return None
    try:
        # A write is the only sure test: permissions do not tell of full disks or read-only mounts.
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as err:
        unusable(path, err)
        return None
    if of_version:
        _mark_used(path)
        # Only a new version looks for old ones, so most runs do not list the directory.
        if is_new:
            remove_unused(path.parent)
    return path


def _is_private(folder: Path) -> bool:
    if not hasattr(os, "getuid"):  # Windows: the profile directory is private already
        return True
    status = folder.stat()
    return status.st_uid == os.getuid() and not status.st_mode & 0o022


def _mark_used(directory: Path) -> None:
    """Note, at most once a day, that a directory is used, for `remove_unused`."""
    try:
        if time.time() - directory.stat().st_mtime > _DAY:
            os.utime(directory)
    except OSError:
        return


def remove_unused(parent: Path) -> None:
    """Remove directories of versions of the sources that nobody uses any more.

    A few that were used last stay, unless that is a month ago; one that was used within a day
    stays in any case, because a process may be using it now.

    Args:
      parent: directory that holds them; other things in it are left alone.
    """
    now = time.time()
    try:
        found = [
            (entry.stat(follow_symlinks=False).st_mtime, entry.path)
            for entry in os.scandir(parent)
            if _OF_A_VERSION.fullmatch(entry.name) and entry.is_dir(follow_symlinks=False)
        ]
    except OSError:
        return
    for place, (used, path) in enumerate(sorted(found, reverse=True)):
        age = now - used
        if age > _LONGEST or (place >= _MOST and age > _DAY):
            shutil.rmtree(path, ignore_errors=True)
