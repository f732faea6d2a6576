"""The one way in which this package compiles loops: numba, with a cache of our own.

`kernel` and `float_kernel` compile loops over arrays; `vector_kernel`, `handler` and `inner`
compile loops over addresses that are made of vector operations. In packages that load without
numba, loops are plain functions in a module of their own, which `compiled` turns into kernels when
they are first needed. Importing this module imports nothing heavy; using a decorator imports numba.
"""

from collections.abc import Callable
from functools import cache
from importlib import import_module
from threading import RLock
from types import FunctionType, ModuleType
from typing import Any, Literal

_LOCK = RLock()


def kernel(function: Callable[..., Any]) -> Any:
    """Compile a loop on its first call; it releases the GIL while it runs.

    Machine code is cached, see `simd.hooks`; without a usable cache directory the loop is compiled
    in every process.
    """
    return _compile(function, "python")


def float_kernel(function: Callable[..., Any]) -> Any:
    """Compile like `kernel`, but division by zero gives inf or NaN, which LLVM can vectorise."""
    return _compile(function, "numpy")


def compiled(module: str) -> Any:
    """Import a module of loops and make a `kernel` of each of its functions, once.

    Several threads may call it.
    """
    loops = import_module(module)  # outside the lock: the import may need it in another thread
    with _LOCK:
        _compile_all(loops)
    return loops


# Once for each module, so that no kernel is compiled twice.
@cache
def _compile_all(loops: ModuleType) -> None:
    for name, value in list(vars(loops).items()):
        if isinstance(value, FunctionType) and value.__module__ == loops.__name__:
            setattr(loops, name, _compile(value, "python"))


def _compile(function: Callable[..., Any], error_model: Literal["python", "numpy"]) -> Any:
    # Here, because importing this module must not import numba.
    from numba import njit

    from lstmjax.simd.hooks import cached

    return cached(njit(nogil=True, error_model=error_model)(function))


def handler(function: Callable[..., Any]) -> Any:
    """Compile a function that takes a call frame of XLA and returns 0; see `xla`."""
    from numba import int64

    from lstmjax.simd.hooks import callback

    return callback(function, int64(int64))


def vector_kernel(function: Callable[..., Any]) -> Any:
    """Compile a loop of vector operations that Python calls; it releases the GIL while it runs."""
    from numba import njit

    from lstmjax.simd.hooks import cached

    return cached(njit(nogil=True)(function))


def inner(function: Callable[..., Any]) -> Any:
    """Compile a helper that only compiled loops call: what Python would need is left out.

    Code that was compiled in different processes is linked by name, so functions that differ need
    names that differ: a function made inside another one has to be given a `__qualname__`.

    Raises: ValueError: a function without a name of its own.
    """
    from numba import njit

    from lstmjax.simd.hooks import inner_options

    # Functions made in one place would have one name.
    if "<locals>" in function.__qualname__:
        raise ValueError(f"{function.__qualname__} needs a __qualname__ of its own to be compiled")
    compile_it: Any = njit  # checkers do not know these options
    return compile_it(**inner_options())(function)
