"""How much to spend on compiling a run, by its length, and what to do about what it leaves behind.

Every shape of a batch costs seconds to compile, and saves some per cent of padding from then on.
XLA's newer code generator for CPUs takes twice as long as the older one for code that is a tenth
faster. The figures behind the bounds are in docs/performance.md.
"""

import ctypes
import os
from collections.abc import Sequence
from typing import Any

from lstmjax.devices import Device

_BUCKETS_FOR = ((4_000, 2), (30_000, 4), (100_000, 6))  # up to so many lines, so many widths
_MOST_BUCKETS = 8
_LONG = 40_000  # lines from which faster code pays for the time it takes to compile

Options = dict[str, Any]


def num_buckets(end: int | None) -> int:
    """Widths that batches are padded to, for a run of `end` lines (None: without end)."""
    if end is None:
        return _MOST_BUCKETS
    return next((most for lines, most in _BUCKETS_FOR if end <= lines), _MOST_BUCKETS)


def options_for(end: int | None, devices: Sequence[Device]) -> Options:
    """Options of XLA's compiler for a run of `end` lines (None: without end).

    Args:
      end: lines of the run.
      devices: that it computes on; none stands for a CPU.
    """
    if devices and devices[0].platform != "cpu":
        return {}
    options: Options = {"xla_backend_optimization_level": 1}  # 2 and 3: longer, no faster
    if end is not None and end < _LONG:
        options["xla_cpu_use_fusion_emitters"] = False
    return options


def give_back_memory() -> None:
    """Return freed memory to the system, where the C library can: after compiling it is much."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if os.name == "posix" else None
    if trim is not None:
        trim(ctypes.c_size_t(0))
