"""Whether compiled operations work with the numba that is installed.

They are made of LLVM instructions, by ways into numba that may change with its next version.
Callers ask first; until then nothing heavy is imported.
"""

from functools import cache
from importlib import import_module

from lstmjax.cache.problems import missing


@cache
def works() -> bool:
    """Return whether the target has vectors, and a small operation gives the right result."""
    try:
        if not import_module("lstmjax.simd.vectors").SUPPORTED:
            return False
        right = import_module("lstmjax.simd.trial_loops").gives_what_it_should()
    except Exception:  # whatever an unknown numba or LLVM raises
        right = False
    if not right:
        missing("numba is not as it is known", "networks are computed by XLA alone, more slowly")
    return right
