"""The one way this package compiles loops: numba, cached in the user's own cache directory.

Loops are decorated with `kernel`, which imports numba. In packages that load without numba they
are plain functions in a module of their own, which `compiled` turns into kernels when they are
first needed. Importing this module imports nothing heavy.
"""

from collections.abc import Callable
from functools import cache
from importlib import import_module
from threading import Lock
from types import FunctionType, ModuleType
from typing import Any, Literal

from lstmjax.cache import cache_directory

_LOCK = Lock()


def kernel(function: Callable[..., Any]) -> Any:
    """Compile a loop on its first call; the GIL is free while it runs.

    A user's own `NUMBA_CACHE_DIR` is respected. Without a usable cache directory the loop is
    compiled afresh in every process.
    """
    with _LOCK:
        return _compile(function, "python")


def float_kernel(function: Callable[..., Any]) -> Any:
    """Likewise, but divide as floats are divided: by zero, too, so loops can become vectors."""
    with _LOCK:
        return _compile(function, "numpy")


def compiled(module: str) -> Any:
    """Import a module of loops and make a `kernel` of each of its functions, once.

    Several threads may call it.
    """
    loops = import_module(module)  # without the lock, which an import may wait for
    with _LOCK:
        _compile_all(loops)
    return loops


@cache
def _compile_all(loops: ModuleType) -> None:
    for name, value in list(vars(loops).items()):
        if isinstance(value, FunctionType) and value.__module__ == loops.__name__:
            setattr(loops, name, _compile(value, "python"))


def _compile(function: Callable[..., Any], error_model: Literal["python", "numpy"]) -> Any:
    import numba
    from numba.core import config

    own = getattr(config, "CACHE_DIR", "")
    directory = own or cache_directory("numba")
    if directory:
        config.CACHE_DIR = str(directory)  # pyright: ignore  # read once, by the decorator below
    try:
        return numba.njit(cache=bool(directory), nogil=True, error_model=error_model)(function)
    finally:
        config.CACHE_DIR = own  # pyright: ignore
