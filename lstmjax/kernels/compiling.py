"""Compiling loops made of vector operations, for XLA and for Python to call.

What numba keeps of them is found again as long as all files of this package are the same.
"""

from collections.abc import Callable
from typing import Any

from numba import cfunc, int64, njit

from lstmjax.compiled import kept_in
from lstmjax.kernels.kept import directory
from lstmjax.kernels.parts import PartCompiler


def handler(function: Callable[..., Any]) -> Any:
    """Compile a function of one frame that returns 0, for XLA to call; see `xla`."""
    with kept_in(directory()) as keeps:
        return cfunc(int64(int64), cache=keeps)(function)


def vector_kernel(function: Callable[..., Any]) -> Any:
    """Compile a loop that Python calls; the GIL is free while it runs."""
    with kept_in(directory()) as keeps:
        return njit(nogil=True, cache=keeps)(function)


def inner(function: Callable[..., Any]) -> Any:
    """Compile a part of loops, which only loops can call: what Python would need is left out.

    Pieces of code that were compiled in different processes find each other by name, so functions
    that differ need names that differ: those made inside of others have to be given one.
    """
    assert "<locals>" not in function.__qualname__
    compile_it: Any = njit  # checkers do not know these options
    return compile_it(no_cpython_wrapper=True, no_cfunc_wrapper=True, pipeline_class=PartCompiler)(
        function
    )
