"""A small operation with a known result, built in every way that the others use."""

import ctypes

import numpy as np
from numba import int64

from lstmjax.simd.borrow import keep_alive
from lstmjax.simd.compile import handler, inner, vector_kernel
from lstmjax.simd.operations import copy_float, make_block, read_float, read_int64
from lstmjax.simd.vectors import LANES

_block = make_block(1, 1)


@inner
def _copied(out, x, count):
    for i in range(count):
        copy_float(out + 4 * i, x + 4 * i)
    return count


@vector_kernel
def _product(out, start, x, w):
    """Write `start + x @ w`, with a copy of x; return the first number of it."""
    copied = np.empty_like(x)
    count = _copied(copied.ctypes.data, x.ctypes.data, len(x))
    _block(
        out.ctypes.data, int64(0), start.ctypes.data, int64(0), copied.ctypes.data, int64(0),
        int64(1), count, w.ctypes.data,
    )  # fmt: skip
    keep_alive(copied)
    return read_float(out.ctypes.data, int64(0))


@handler
def _second(frame):
    """Return the second integer after an address."""
    return read_int64(frame, int64(1))


def gives_what_it_should() -> bool:
    """Compile, or load, the functions above, and compare their results."""
    start, x = np.arange(LANES, dtype=np.float32), np.array([1, 2, 3], np.float32)
    w = np.arange(3 * LANES, dtype=np.float32).reshape(3, LANES)
    out = np.empty(LANES, np.float32)
    first = _product(out, start, x, w)
    frame = np.array([5, 7], np.int64)
    read = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)(_second.address)(frame.ctypes.data)
    return first == out[0] and read == 7 and np.array_equal(out, start + x @ w)
