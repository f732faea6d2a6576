"""The one way this package compiles loops: numba, cached in the user's own cache directory.

Loops are decorated with `kernel`, which imports numba. In packages that load without numba they
are plain functions in a module of their own, which `compiled` turns into kernels when they are
first needed. Importing this module imports nothing heavy.
"""

from collections.abc import Callable
from functools import cache
from importlib import import_module
from threading import RLock
from types import FunctionType, ModuleType
from typing import Any, Literal

_LOCK = RLock()


def kernel(function: Callable[..., Any]) -> Any:
    """Compile a loop on its first call; the GIL is free while it runs.

    What is compiled is kept, see `simd.compiling`; without a usable cache directory the loop is
    compiled afresh in every process.
    """
    return _compile(function, "python")


def float_kernel(function: Callable[..., Any]) -> Any:
    """Compile like `kernel`, but divide by zero as floats do, so that loops can become vectors."""
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
    from numba import njit

    from lstmjax.simd.compiling import keep

    return keep(njit(nogil=True, error_model=error_model)(function))
