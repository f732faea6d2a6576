"""How loops are compiled: with private parts of numba, or the plain way.

Where private parts of numba have changed, loops are compiled the plain way, or their code is not
cached: the numbers are the same, starting takes longer, and a line on stderr says so.
Tried with numba 0.68.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from numba import cfunc

from lstmjax.cache.code import code_directory
from lstmjax.cache.problems import missing

_PLAIN: dict[str, Any] = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}


def inner_options() -> dict[str, Any]:
    """Return the options of `njit` for a helper that only compiled loops call."""
    try:
        from lstmjax.simd.inline import InlineCompiler
    except ImportError:
        missing("numba's compiler is not as it is known", "the first start takes longer")
        return _PLAIN
    return {**_PLAIN, "pipeline_class": InlineCompiler}


def cached(dispatcher: Any) -> Any:
    """Give a function that `njit` returned our code cache, if possible; return it."""
    function = getattr(dispatcher, "py_func", None)  # None if numba is told to compile nothing
    if function is not None:
        _attach(dispatcher, function)
    return dispatcher


def callback(function: Callable[..., Any], signature: Any) -> Any:
    """Do what `cfunc(signature)(function)` does, with our code cache if possible."""
    try:
        from numba.core.ccallback import CFunc

        make: Any = CFunc
        made = make(function, (signature.args, signature.return_type), locals={}, options={})
        # The cache comes first: `cfunc` would compile before there is one.
        if _attach(made, function):
            made.compile()
            return made
    except (ImportError, TypeError, AttributeError):
        _warn_not_cached()
    return cfunc(signature)(function)


def _attach(made: Any, function: Callable[..., Any]) -> bool:
    """Give a compiled function our code cache; return whether that was possible."""
    directory = code_directory()
    is_in_file = Path(function.__code__.co_filename).is_file()
    # Cached code is found by the source; a closure could change what it means.
    if directory is None or not is_in_file or function.__closure__ is not None:
        return False
    try:
        from lstmjax.simd.code_cache import CodeCache
    except ImportError:
        _warn_not_cached()
        return False
    if not hasattr(getattr(made, "_cache", None), "load_overload"):
        _warn_not_cached()
        return False
    made._cache = CodeCache(function, directory)
    return True


def _warn_not_cached() -> None:
    missing("numba's cache is not as it is known", "loops are compiled in every process")
