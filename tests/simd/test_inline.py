"""Parts of loops are compiled in the loops only."""

import numpy as np
from numba import int64

from lstmjax.simd.compile import inner, vector_kernel
from lstmjax.simd.operations import copy_float


@inner
def _copied(out, x, count):
    for i in range(count):
        copy_float(out + 4 * i, x + 4 * i)
    return max(count, int64(3))


@inner
def _copied_twice(out, x, count):
    return _copied(out, x, count) + _copied(out + 4 * count, x, count)


@vector_kernel
def _loop(out, x):
    return _copied_twice(out.ctypes.data, x.ctypes.data, len(x))


def test_a_loop_has_the_code_of_its_parts():
    x, out = np.arange(5, dtype=np.float32), np.zeros(10, np.float32)
    assert _loop(out, x) == 10
    assert out.tolist() == [0, 1, 2, 3, 4] * 2


def test_a_part_has_none_of_its_own():
    _copied_twice.compile((int64, int64, int64))
    for part in (_copied, _copied_twice):
        for compiled in part.overloads.values():
            name = compiled.fndesc.llvm_func_name
            assert not compiled.library.get_pointer_to_function(name)
