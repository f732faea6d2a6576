"""A cache of the programs that XLA compiles, each file with a digest.

JAX's own cache takes whatever a file holds for a program, and XLA may end the process when it is
given a damaged one. So JAX is given a cache of ours, in the user's own cache directory. JAX has no
public place for that: where its private parts have changed, nothing is cached.

The private parts that are used were read in JAX 0.10 to 0.12.
"""

import hashlib
import os
import time
from pathlib import Path
from typing import Any

from lstmjax.cache import entries
from lstmjax.cache.directories import cache_directory
from lstmjax.cache.problems import missing

_MIN_COMPILE_SECONDS = 0.1  # steps that compile faster are not worth a file
_MOST_BYTES = 1 << 30
_DAY = 86400


class ProgramCache:
    """A cache of programs, with the methods of JAX's `CacheInterface`.

    Args:
      directory: directory of the cached files.
    """

    def __init__(self, directory: Path):
        self._path = directory  # JAX's name, which it shows in its log

    def get(self, key: str) -> bytes | None:
        """Return the program with a key; None if it has to be compiled."""
        path = self._file(key)
        content = entries.read(path)
        name = key.encode()
        # File names are hashes, so the key inside tells whether this is the program asked for.
        if content is None or not content.startswith(name):
            return None
        _note_use(path)
        return content[len(name) :]

    def put(self, key: str, value: bytes) -> None:
        """Write a program, if possible, and remove those that were not used for long."""
        if entries.write(self._file(key), key.encode() + value):
            _remove_oldest(self._path)

    def _file(self, key: str) -> Path:
        return self._path / hashlib.sha256(key.encode()).hexdigest()[:32]


def _note_use(path: Path) -> None:
    """Set a file's time to its last use, to the day."""
    try:
        if time.time() - path.stat().st_mtime > _DAY:
            os.utime(path)
    except OSError:
        return


def _remove_oldest(directory: Path) -> None:
    """Remove the least recently used files beyond a total size."""
    try:
        status = [(each.stat(follow_symlinks=False), each.path) for each in os.scandir(directory)]
        room = _MOST_BYTES
        for each, path in sorted(status, key=lambda one: -one[0].st_mtime):
            room -= each.st_size
            if room < 0:
                os.unlink(path)
    except OSError:  # another process was faster
        return


def keep_programs() -> None:
    """Cache what XLA compiles in this process; a cache that the user gave JAX stays in use."""
    import jax

    if jax.config.values["jax_compilation_cache_dir"]:
        return
    directory = cache_directory("programs")
    if directory is None:
        return
    if _install(ProgramCache(directory), str(directory)):
        jax.config.update("jax_persistent_cache_min_compile_time_secs", _MIN_COMPILE_SECONDS)
        return
    jax.config.update("jax_compilation_cache_dir", None)
    missing("JAX's cache is not as it is known", "networks are compiled in every process")


def _install(cache: ProgramCache, path: str) -> bool:
    """Put our cache in the place of JAX's; return whether that worked."""
    import jax

    try:
        from jax._src import compilation_cache

        inner: Any = compilation_cache
        usual = inner.get_file_cache
        # Other directories, which a user may set later, stay with JAX's own cache.
        inner.get_file_cache = lambda given: (cache, given) if given == path else usual(given)
        jax.config.update("jax_compilation_cache_dir", path)
        # JAX makes its cache once: forget an earlier one, and see that the new one is ours.
        inner.reset_cache()
        inner._initialize_cache()
        return inner._cache is cache
    except (ImportError, AttributeError, TypeError, AssertionError):
        return False
