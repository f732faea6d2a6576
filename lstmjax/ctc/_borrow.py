"""Arrays for inner loops, without the counting of references that costs more than the loops.

A compiled function counts up and down, with locked instructions, whenever it is given an array
or takes it out of a tuple. What is borrowed is not counted.
"""

from typing import Any

from numba.core import cgutils
from numba.extending import intrinsic


@intrinsic
def _borrowed(typingctx, array):
    """The same array, not counted; its owner must be named once more when all is done."""
    del typingctx

    def write(context, builder, signature, args):
        kind = signature.args[0]
        view = context.make_array(kind)(context, builder, args[0])
        for name in ("meminfo", "parent"):
            setattr(view, name, cgutils.get_null_value(getattr(view, name).type))
        return view._getvalue()

    return array(array), write


borrowed: Any = _borrowed  # called without the typing context
