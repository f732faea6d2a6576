"""Cached files with a digest: they are read as they were written, or not at all.

Format: `MAGIC`, the SHA-256 of the content (32 bytes), the content. The digest tells damage, not
malice: whoever can write to the user's cache can do anything else as well. It is compared before
anything looks at the content, because neither pickles nor machine code survive a wrong bit.
"""

import hashlib
import os
import shutil
import tempfile
from pathlib import Path

from lstmjax.cache import problems

MAGIC = b"lstmjax kept 01\n"
_HEADER = len(MAGIC) + hashlib.sha256().digest_size


def read(path: Path) -> bytes | None:
    """Return the content of a cached file.

    Returns: None if there is none. None also if it is damaged or cannot be read; a line on stderr
      says so, and the file is removed if possible.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError:  # also a directory in its place
        discard(path)
        return None
    content = memoryview(data)[_HEADER:]
    if data[:_HEADER] != MAGIC + hashlib.sha256(content).digest():
        discard(path)
        return None
    return bytes(content)


def write(path: Path, content: bytes) -> bool:
    """Write a cached file; readers see all of it or nothing.

    Returns: False if it could not be written, which a line on stderr says.
    """
    temporary = None
    try:
        # In the same directory: renaming is atomic within a file system only.
        handle, temporary = tempfile.mkstemp(prefix=".new-", dir=path.parent)
        with os.fdopen(handle, "wb") as out:
            out.write(MAGIC + hashlib.sha256(content).digest())
            out.write(content)
        os.replace(temporary, path)
    except OSError as err:
        if temporary is not None:
            _remove(Path(temporary))
        problems.unusable(path.parent, err)
        return False
    return True


def discard(path: Path) -> None:
    """Warn that a cached file is damaged, and remove it if possible."""
    problems.damaged(path)
    _remove(path)


def _remove(path: Path) -> None:
    try:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    except OSError:
        return
