"""One run at a time writes to a model_output.

The lock is the operating system's and ends with the process, however that ends; so a file that a
killed run left behind keeps nobody out. The number in it is for messages.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from lstmjax.errors import TrainError
from lstmjax.run_paths import RunPaths


@contextmanager
def locked(model_output: str) -> Iterator[None]:
    """Hold `<model_output>.lock` while the context lasts.

    Raises: TrainError: another process trains with this model_output.
    """
    path = RunPaths(model_output).lock
    file = _hold(path, model_output)
    try:
        yield
    finally:
        # Still locked: once it is closed, the name could belong to the file of another run.
        with suppress(FileNotFoundError):
            os.unlink(path)
        os.close(file)


def _hold(path: str, model_output: str) -> int:
    while True:
        try:
            file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as err:
            raise TrainError(f"{path}: cannot be written: {err.strerror}") from err
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(file, 20).decode("ascii", "replace").strip() or "unknown"
            os.close(file)
            raise TrainError(
                f"another run (process {holder}) is writing to {model_output}; wait for it, stop "
                "it, or choose another --model_output"
            ) from None
        except OSError:  # a file system without locks
            pass
        # Between opening and locking, the holder may have removed the file. A lock on a file
        # without a name keeps nobody out, so look, and open again.
        if _is_still_there(file, path):
            os.ftruncate(file, 0)
            os.write(file, f"{os.getpid()}\n".encode())
            return file
        os.close(file)  # whoever held it took it away just now


def _is_still_there(file: int, path: str) -> bool:
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return False
    mine = os.fstat(file)
    return (mine.st_dev, mine.st_ino) == (found.st_dev, found.st_ino)


def holder(model_output: str) -> int | None:
    """The process that trains with this model_output now, None if none does."""
    try:
        with open(RunPaths(model_output).lock, encoding="ascii", errors="replace") as file:
            number = int(file.read(20))
    except (OSError, ValueError):
        return None
    return number if _lives(number) else None


def _lives(process: int) -> bool:
    if process <= 0:
        return False
    try:
        # Signal 0 only asks; a process of another user refuses, but it exists.
        os.kill(process, 0)
    except PermissionError:
        return True
    except (OSError, OverflowError):
        return False
    return True
