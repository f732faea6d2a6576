"""Arrays and calls inside compiled code, beyond what numba offers.

`borrowed(array)` is the same array, or tuple with arrays, without reference counting: a compiled
function counts up and down, with locked instructions, whenever it is given an array or takes it out
of a tuple, which costs more than what inner loops do. The owner must outlive it.

`keep_alive(a, b, ...)` does nothing but use the arrays. numba frees an array after its last use,
and does not see that loops still hold its address, or a borrowed copy of it.

`always_inline()` forces LLVM to inline the function that calls it into its callers. Otherwise each
array is passed as seven or more numbers, and a tuple of arrays as all of theirs.

All use private parts of numba. Tried with numba 0.68, read in 0.61 to 0.68. If a small trial fails,
plain functions take their places: the results are the same, only slower.
"""

from typing import Any

import numpy as np
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from lstmjax.cache.problems import missing
from lstmjax.simd.hooks import cached


def _without_owner(context: Any, builder: Any, kind: Any, value: Any) -> Any:
    """An array, or a tuple's arrays, without what numba counts references to."""
    if isinstance(kind, types.BaseTuple):
        kinds: Any = kind  # checkers do not see that tuples of types can be iterated over
        parts = [
            _without_owner(context, builder, each, builder.extract_value(value, i))
            for i, each in enumerate(kinds)
        ]
        return context.make_tuple(builder, kind, parts)
    if not isinstance(kind, types.Array):
        return value
    view = context.make_array(kind)(context, builder, value)
    # Without an owner there is nothing for numba to count.
    for name in ("meminfo", "parent"):
        setattr(view, name, cgutils.get_null_value(getattr(view, name).type))
    return view._getvalue()


@intrinsic
def _borrowed(typingctx, array):
    """Return the array, or the tuple of arrays, as one that nobody owns."""
    del typingctx

    def write(context, builder, signature, args):
        return _without_owner(context, builder, signature.args[0], args[0])

    return array(array), write


@intrinsic
def _keep_alive(typingctx, *arrays):
    """Use arrays, without any instructions."""
    del typingctx

    def write(context, builder, signature, args):
        del builder, signature, args
        return context.get_dummy_value()

    return types.void(types.StarArgTuple(arrays)), write


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


def _use(*arrays):
    pass


borrowed: Any = _borrowed  # called without the typing context
keep_alive: Any = _keep_alive
always_inline: Any = _always_inline


@njit
def _second_of(array):
    always_inline()
    return array[1]


@njit
def _second(array):
    second = _second_of(borrowed(array))
    keep_alive(array)
    return second + len(array)


def _works() -> bool:
    array = np.arange(3.0)
    try:
        return cached(_second)(array) == 4
    except Exception:  # whatever an unknown numba raises
        return False


if not _works():
    missing("numba's arrays are not as they are known", "decoding takes longer")
    borrowed, keep_alive, always_inline = njit(_same), njit(_use), njit(_nothing)
