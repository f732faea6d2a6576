"""A cache of the machine code that numba makes, each file with a digest.

numba's own cache has an index of pickles for each function, none of them with a checksum, and looks
at the source of that one function only. Here the code of a function for one signature is a file of
its own, named after all that numba distinguishes it by, in a directory for everything else that it
depends on.

Uses private parts of numba. Tried with numba 0.68, read in 0.61 to 0.68. Importing this module
raises `ImportError` where they have changed; `hooks` then compiles in every process.
"""

import hashlib
import pickle
import re
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

from numba.core import codegen, compiler
from numba.core.serialize import dumps

from lstmjax.cache import entries, problems

_Result: Any = compiler.CompileResult
# Looked at before anything is cached: a changed numba is found on import, not in a run.
for place, name in (
    (_Result, "_reduce"),
    (_Result, "_rebuild"),
    (codegen.CPUCodegen, "magic_tuple"),
):
    if not hasattr(place, name):
        raise ImportError(f"numba's {place.__name__} has no {name}")


class CodeCache:
    """The cache of one function's code; takes the place of numba's `FunctionCache`.

    Args:
      function: function of a source file, without a closure.
      directory: directory of the cached files.
    """

    def __init__(self, function: Callable[..., Any], directory: Path):
        self._directory = directory
        source = Path(function.__code__.co_filename)
        self._name = re.sub(r"[^\w.]", "", f"{source.stem}.{function.__qualname__}")
        # Two functions of one name differ in their first line, or in their source.
        self._identity = (function.__code__.co_firstlineno, _digest(source))

    @property
    def cache_path(self) -> str:
        """Directory of the cached files, which numba shows in statistics."""
        return str(self._directory)

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return the code for a signature; None if it has to be compiled."""
        # Functions may have been added to numba since.
        target_context.refresh()
        key, path = self._place(sig, target_context.codegen())
        content = entries.read(path)
        if content is None:
            return None
        try:
            known, parts = pickle.loads(content)
            # The name holds a part of a digest only, so the whole key is compared.
            if known == (key, sig):
                return _Result._rebuild(target_context, *parts)
        except Exception:  # whatever pickle or numba raises: the loop is compiled again
            entries.discard(path)
        return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Write the code for a signature, if possible."""
        try:
            # Such code holds addresses that are right in this process alone.
            if data.library.has_dynamic_globals or any(not one.can_cache for one in data.lifted):
                return
            key, path = self._place(sig, data.codegen)
            content = dumps(((key, sig), data._reduce()))
        except Exception as err:  # a run does not end because its code cannot be cached
            problems.unusable(self._directory, f"{self._name} cannot be kept, {err}")
            return
        entries.write(path, content)

    def flush(self) -> None:
        """Do nothing: files are named after their content, so none becomes stale."""

    def _place(self, sig: Any, codegen: Any) -> tuple[str, Path]:
        """Return the key of the code for a signature, and its file."""
        # numba's name of the processor and its features belongs to the key.
        key = repr((self._name, self._identity, str(sig), codegen.magic_tuple()))
        digest = hashlib.sha256(key.encode()).hexdigest()[:20]
        return key, self._directory / f"{self._name}-{digest}"


@lru_cache
def _digest(source: Path) -> str:
    return hashlib.sha256(source.read_bytes()).hexdigest()
