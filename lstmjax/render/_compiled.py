"""The one way this package compiles loops: numba, cached in the user's own cache directory.

Only modules that hold compiled loops import this one, because importing it imports numba.
"""

from collections.abc import Callable
from typing import Any

import numba
from numba.core import config

from lstmjax.cache import cache_directory


def kernel(function: Callable) -> Any:
    """Compile a loop on its first call; the GIL is free while it runs."""
    own = getattr(config, "CACHE_DIR", "")
    directory = own or cache_directory("numba")
    if not directory:
        return numba.njit(nogil=True)(function)
    config.CACHE_DIR = str(directory)  # pyright: ignore  # read once, by the decorator below
    try:
        return numba.njit(cache=True, nogil=True)(function)
    finally:
        config.CACHE_DIR = own  # pyright: ignore
