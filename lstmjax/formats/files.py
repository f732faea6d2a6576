"""Whole files in and out: errors name the path, a file is replaced at once or not at all."""

import hashlib
import os
import tempfile
from pathlib import Path

from lstmjax.errors import FormatError, LstmjaxError

PathLike = str | os.PathLike[str]


def read_bytes(path: PathLike) -> bytes:
    """Read a whole file.

    Raises:
      FormatError: it does not exist or cannot be read; names the file.
    """
    try:
        return Path(path).read_bytes()
    except OSError as err:
        raise unreadable(path, err) from err


def digest_file(path: PathLike) -> str:
    """The SHA-256 of a file's content, in hexadecimal.

    Raises: LstmjaxError: it cannot be read.
    """
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as err:
        raise LstmjaxError(f"{os.fspath(path)}: cannot be read: {err.strerror or err}") from err


def unreadable(path: PathLike, err: OSError) -> FormatError:
    """Make the error that says why `path` could not be read."""
    return FormatError(f"cannot be read: {err.strerror or err}", file=os.fspath(path))


def write_atomically(path: PathLike, data: bytes) -> None:
    """Write a file so that readers see the old or the new content, never a part.

    The bytes go to a temporary name in the same directory, reach the disk, and are renamed. A
    symbolic link is followed, an existing file keeps its permissions, and something that is no
    regular file (a device, a pipe) is written to directly.

    Raises:
      LstmjaxError: the file cannot be written; names it. An old file is unharmed.
    """
    target = os.path.realpath(path)
    try:
        if os.path.exists(target) and not os.path.isfile(target):
            with open(target, "wb") as out:
                out.write(data)
            return
        _replace(target, data)
    except OSError as err:
        problem = f"{os.fspath(path)}: cannot be written: {err.strerror or err}"
        raise LstmjaxError(problem) from err


def _replace(target: str, data: bytes) -> None:
    folder, name = os.path.split(target)
    # In the same folder: renaming is atomic within a file system only.
    handle, temporary = tempfile.mkstemp(prefix=f".{name[:100]}.", suffix=".tmp", dir=folder)
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(data)
            out.flush()
            os.fchmod(out.fileno(), _mode(target))
            # On the disk before the rename, or a power failure could leave an empty file.
            os.fsync(out.fileno())
        os.replace(temporary, target)
    except BaseException:
        os.unlink(temporary)
        raise
    _sync_folder(folder)


def _mode(target: str) -> int:
    """The permissions a new file at `target` should get."""
    try:
        return os.stat(target).st_mode & 0o7777
    except FileNotFoundError:
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask


def _sync_folder(folder: str) -> None:
    """Make the rename itself durable where the file system allows it."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    except OSError:
        pass  # some network file systems cannot sync a directory; the file itself is safe
    finally:
        os.close(handle)
