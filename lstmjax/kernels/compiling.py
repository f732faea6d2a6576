"""Compiling loops made of vector operations, for XLA and for Python to call.

What is compiled is kept; see `simd.compiling`.
"""

from collections.abc import Callable
from typing import Any

from numba import int64, njit

from lstmjax.simd.compiling import callback, keep, part_options


def handler(function: Callable[..., Any]) -> Any:
    """Compile a function of one frame that returns 0, for XLA to call; see `xla`."""
    return callback(function, int64(int64))


def vector_kernel(function: Callable[..., Any]) -> Any:
    """Compile a loop that Python calls; the GIL is free while it runs."""
    return keep(njit(nogil=True)(function))


def inner(function: Callable[..., Any]) -> Any:
    """Compile a part of loops, which only loops can call: what Python would need is left out.

    Pieces of code that were compiled in different processes find each other by name, so functions
    that differ need names that differ: those made inside of others have to be given one.
    """
    assert "<locals>" not in function.__qualname__
    compile_it: Any = njit  # checkers do not know these options
    return compile_it(**part_options())(function)
