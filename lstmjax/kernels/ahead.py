"""Compiling operations ahead, in other processes.

The first run on a machine compiles them while it loads JAX and its lines. A process that needs a
module waits until no other one is compiling it, and then finds it in the cache.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from importlib import import_module
from pathlib import Path
from threading import Thread

from lstmjax.cache.code import code_directory

try:
    import fcntl
except ImportError:  # Windows: each process compiles for itself
    fcntl = None

PACKAGE = "lstmjax.kernels"
GROUPS = (("lstm_loops",), ("conv_pool_loops", "ctc_loops", "orthogonal_loops"))
"""Modules that nearly every network needs; the groups take about equally long to compile."""
FOR_LAYERS = (("L2", ("lstm2d_loops",)),)
"""Modules that only some layers need, with how such layers begin in a net_spec."""
_LEAST_ROOM = 64 << 20  # bytes; on a fuller disk the cache could not be written


@contextmanager
def claimed(module: str) -> Iterator[None]:
    """Be the only process that compiles a module; wait for others to finish."""
    with ExitStack() as stack:
        place = code_directory()
        if place is not None and fcntl is not None:
            with suppress(OSError):  # a full disk, a damaged cache: then several may compile it
                lock = stack.enter_context((place / f".{module}.lock").open("w"))
                fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def is_cached(module: str) -> bool:
    """Return whether the cache has code of a module."""
    place = code_directory()
    return place is not None and any(place.glob(f"{module}.*"))


def start(net_spec: str = "") -> None:
    """Start compiling what a network needs and the cache lacks, without waiting for it."""
    place = code_directory()
    if place is None or fcntl is None or _is_full(place):
        return
    for group in (*GROUPS, *(modules for layer, modules in FOR_LAYERS if layer in net_spec)):
        missing = [module for module in group if not is_cached(module)]
        # Without an interpreter of its own, as in some applications, there is nothing to start.
        if missing and sys.executable:
            _start_process(missing)


def _is_full(place: Path) -> bool:
    try:
        return shutil.disk_usage(place).free < _LEAST_ROOM
    except OSError:
        return True


def _start_process(modules: list[str]) -> None:
    command = [sys.executable, "-m", f"{PACKAGE}.ahead", *modules]
    # Code that is vector instructions already gains nothing from LLVM's higher levels, which take
    # half as long again.
    environment = {**os.environ, "NUMBA_OPT": "1"}
    nothing = subprocess.DEVNULL
    try:
        process = subprocess.Popen(
            command, env=environment, stdin=nothing, stdout=nothing, stderr=nothing
        )
    except OSError:  # the run itself compiles then
        return
    # Somebody has to wait for it, or it would remain in the table of processes.
    Thread(target=process.wait, daemon=True).start()


def _compile(modules: list[str]) -> None:
    with ExitStack() as all_claims:
        claims = {module: ExitStack() for module in modules}
        for module, claim in claims.items():  # all first: no other process starts one
            all_claims.enter_context(claim).enter_context(claimed(module))
        for module, claim in claims.items():
            import_module(f"{PACKAGE}.{module}")
            claim.close()


if __name__ == "__main__":
    _compile(sys.argv[1:])
