"""The one way this package compiles loops: numba, cached in the user's own cache directory.

Only modules that hold compiled loops import this one, because importing it imports numba.
"""

from collections.abc import Callable
from typing import Any, Literal

import numba
from numba.core import config

from lstmjax.cache import cache_directory


def kernel(function: Callable) -> Any:
    """Compile a loop on its first call; the GIL is free while it runs.

    A user's own `NUMBA_CACHE_DIR` is respected. Without a usable cache directory the loop is
    compiled afresh in every process.
    """
    return _compiled(function, "python")


def float_kernel(function: Callable) -> Any:
    """Likewise, but divide as floats are divided: by zero, too, so loops can become vectors."""
    return _compiled(function, "numpy")


def _compiled(function: Callable, error_model: Literal["python", "numpy"]) -> Any:
    own = getattr(config, "CACHE_DIR", "")
    directory = own or cache_directory("numba")
    if not directory:
        return numba.njit(nogil=True, error_model=error_model)(function)
    config.CACHE_DIR = str(directory)  # pyright: ignore  # read once, by the decorator below
    try:
        return numba.njit(cache=True, nogil=True, error_model=error_model)(function)
    finally:
        config.CACHE_DIR = own  # pyright: ignore
