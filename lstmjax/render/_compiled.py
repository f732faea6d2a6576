"""Compiles loops with numba when they are first needed; importing this imports nothing heavy.

Compiled code is kept in the user's own cache directory.
"""

from functools import cache
from importlib import import_module
from threading import Lock
from typing import Any

from lstmjax.cache import cache_directory

_LOCK = Lock()


def compiled(module: str) -> Any:
    """Import a module of loops and compile those that its `KERNELS` names, each one once.

    A loop can call those named before it. The GIL is free while one runs.
    """
    with _LOCK:
        return _compile(module)


@cache
def _compile(module: str) -> Any:
    numba, config = import_module("numba"), import_module("numba.core.config")
    loops = import_module(module)
    own = getattr(config, "CACHE_DIR", "")
    directory = own or cache_directory("numba")
    if directory:
        config.CACHE_DIR = str(directory)  # pyright: ignore  # read by the decorators below
    try:
        for name in loops.KERNELS:
            function = numba.njit(cache=bool(directory), nogil=True)(getattr(loops, name))
            setattr(loops, name, function)
    finally:
        config.CACHE_DIR = own  # pyright: ignore
    return loops
