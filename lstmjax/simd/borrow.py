"""Two ways to make calls from loop to loop cheap.

`borrowed(array)` is the same array without the counting of references: a compiled function counts
up and down, with locked instructions, whenever it is given an array or takes it out of a tuple,
which costs more than what inner loops do. Its owner must be named once more when all is done.

`always_inline()` forces LLVM to inline the function that calls it into its callers. Otherwise each
array is passed as seven or more numbers, and a tuple of arrays as all of theirs.

Both use private parts of numba. Tried with numba 0.68, read in 0.61 to 0.68. If a small trial
fails, both do nothing: the results are the same, only slower.
"""

from typing import Any

import numpy as np
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from lstmjax.cache.problems import missing
from lstmjax.simd.hooks import keep


@intrinsic
def _borrowed(typingctx, array):
    """Return the array as one that nobody owns."""
    del typingctx

    def write(context, builder, signature, args):
        kind = signature.args[0]
        view = context.make_array(kind)(context, builder, args[0])
        for name in ("meminfo", "parent"):
            setattr(view, name, cgutils.get_null_value(getattr(view, name).type))
        return view._getvalue()

    return array(array), write


@intrinsic
def _always_inline(typingctx):
    """Mark the function that is being compiled."""
    del typingctx

    def write(context, builder, signature, args):
        del signature, args
        builder.function.attributes.add("alwaysinline")
        return context.get_dummy_value()

    return types.void(), write


def _same(array):
    return array


def _nothing():
    pass


borrowed: Any = _borrowed  # called without the typing context
always_inline: Any = _always_inline


@njit
def _second_of(array):
    always_inline()
    return array[1]


@njit
def _second(array):
    total = _second_of(borrowed(array))
    return total + len(array)


def _works() -> bool:
    array = np.arange(3.0)
    try:
        return keep(_second)(array) == 4
    except Exception:  # whatever an unknown numba raises
        return False


if not _works():
    missing("numba's arrays are not as they are known", "decoding takes longer")
    borrowed, always_inline = njit(_same), njit(_nothing)
