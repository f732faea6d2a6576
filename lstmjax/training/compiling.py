"""How much to spend on compiling a run, and what to do about what it leaves behind.

Every shape of a batch costs seconds to compile, and saves some per cent of padding from then on:
less on a CPU, whose compiled operations stop where a line ends. The figures behind the bounds are
in docs/performance.md.
"""

import ctypes
import functools
import os
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np

from lstmjax.devices import Device

_BUCKETS_FOR = ((4_000, 2), (30_000, 4), (100_000, 6))  # up to so many lines, so many widths
_MOST_BUCKETS = 8
_PADDING_ON_CPU = 1.0  # so much costs less than to compile another width

Options = dict[str, Any]


def num_buckets(end: int | None) -> int:
    """Most widths that batches are padded to, for a run of `end` lines (None: without end)."""
    if end is None:
        return _MOST_BUCKETS
    return next((most for lines, most in _BUCKETS_FOR if end <= lines), _MOST_BUCKETS)


def padding_for(devices: Sequence[Device]) -> float:
    """How much padding makes do with fewer widths, as a fraction of the area of all lines.

    Args:
      devices: devices that compute; none stands for a CPU.
    """
    return _PADDING_ON_CPU if _on_cpu(devices) else 0.0


def _on_cpu(devices: Sequence[Device]) -> bool:
    return not devices or devices[0].platform == "cpu"


def options_for(devices: Sequence[Device], *, elementwise: bool = False) -> Options:
    """Options of XLA's compiler, of those that the installed version has.

    XLA's newer code generator for CPUs takes more than twice as long as the older one, and beside
    compiled operations its code is no faster; so with higher levels of optimisation. But only the
    newer one makes vectors of long formulas.

    Args:
      devices: devices that compute; none stands for a CPU.
      elementwise: whether most of the work is done number by number.
    """
    if not _on_cpu(devices):
        return {}
    return available(
        {"xla_backend_optimization_level": 1, "xla_cpu_use_fusion_emitters": elementwise}
    )


def call_once(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function of arrays as one program, whose code need not be fast.

    Args:
      function: can be traced by JAX.
      arguments: arrays, or trees of them.
    Returns: its result in NumPy arrays, each with memory of its own.
    """
    options: Options = {}
    if jax.default_backend() == "cpu":
        options = available(
            {"xla_backend_optimization_level": 0, "xla_cpu_use_fusion_emitters": False}
        )
    results = jax.device_get(jax.jit(function, compiler_options=options)(*arguments))
    return jax.tree.map(np.array, results)  # where results are equal JAX gives one array twice


def available(options: Options) -> Options:
    """Leave out the options that the installed compiler does not have: they only save time."""
    return {name: value for name, value in options.items() if has_option(name, value)}


@functools.cache
def has_option(name: str, value: Any) -> bool:
    """Whether XLA's compiler for CPUs takes an option.

    Options come and go with the versions of jaxlib, which lists them nowhere and refuses to compile
    anything with one that it does not know. So the smallest of programs is compiled with it, which
    takes about 15 ms.
    """
    try:
        with jax.default_device(jax.local_devices(backend="cpu")[0]):
            jax.jit(lambda: 0).lower().compile(compiler_options={name: value})
    except jax.errors.JaxRuntimeError:
        return False
    return True


def give_back_memory() -> None:
    """Return freed memory to the system, where the C library can: after compiling it is much."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if os.name == "posix" else None
    if trim is not None:
        trim(ctypes.c_size_t(0))
