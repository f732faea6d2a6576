"""Parts of loops that are put in where they are called.

A compiled function is given each array as seven or more numbers, and a tuple of arrays as all of
theirs: calling one costs more than the little that the parts of a beam search do.
"""

from typing import Any

from numba import types
from numba.extending import intrinsic


@intrinsic
def _put_in(typingctx):
    """Have the compiler put the function that names this in where it is called."""
    del typingctx

    def write(context, builder, signature, args):
        del signature, args
        builder.function.attributes.add("alwaysinline")
        return context.get_dummy_value()

    return types.void(), write


put_in: Any = _put_in  # called without the typing context
