"""Whether the compiled operations can be used here at all.

They are made of LLVM's instructions, by ways into numba that may change with its next version.
Whoever would use them asks first; before that, nothing heavy is loaded.
"""

from functools import cache
from importlib import import_module

from lstmjax.cache.problems import missing


@cache
def works() -> bool:
    """Whether numba's target has the vectors, and a small operation gives what it should."""
    try:
        if not import_module("lstmjax.simd.vectors").SUPPORTED:
            return False
        right = import_module("lstmjax.simd.trial_loops").gives_what_it_should()
    except Exception:  # whatever an unknown numba or LLVM raises
        right = False
    if not right:
        missing("numba is not as it is known", "networks are computed by XLA alone, more slowly")
    return right
