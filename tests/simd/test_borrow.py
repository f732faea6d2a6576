"""Arrays live as long as loops hold their addresses."""

import sys
from typing import NamedTuple

import numpy as np

from lstmjax.simd.borrow import borrowed, keep_alive
from lstmjax.simd.compile import vector_kernel
from lstmjax.simd.operations import read_float


@vector_kernel
def _first_of_a_copy(x):
    copy = x + np.float32(1)
    address = copy.ctypes.data
    other = x + np.float32(2)  # numba would give it the memory of the copy
    first = read_float(address, 0)
    keep_alive(copy)
    return first + 0 * other[0]


@vector_kernel
def _kept_alive(x, y):
    keep_alive(x)
    keep_alive(x, y)
    return len(x) + len(y)


class _Pair(NamedTuple):
    first: np.ndarray
    rest: tuple[np.ndarray, int]


@vector_kernel
def _total(pair):
    lent = borrowed(pair)
    return lent.first.sum() + lent.rest[0][1] + lent.rest[1]


def test_tuples_are_borrowed_with_all_that_is_in_them():
    first, second = np.arange(4.0), np.arange(3, dtype=np.int32)
    before = sys.getrefcount(first)
    assert _total(_Pair(first, (second, 10))) == 6 + 1 + 10
    assert sys.getrefcount(first) == before


def test_an_array_that_is_kept_alive_holds_its_numbers():
    for size in (1, 100, 100_000):
        assert _first_of_a_copy(np.ones(size, np.float32)) == 2


def test_any_number_of_arrays_of_any_kind():
    assert _kept_alive(np.zeros(3), np.zeros((2, 2), np.int8)) == 5
