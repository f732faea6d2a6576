"""Where compiled operations are kept, and how they are compiled ahead, in other processes.

The first run on a machine compiles them while it loads JAX and its lines. Whoever needs a module
waits until no other process compiles it, and then finds it in the cache.
"""

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib import import_module
from pathlib import Path
from threading import Thread

from lstmjax.cache import cache_directory

try:
    import fcntl
except ImportError:  # Windows: each process compiles for itself
    fcntl = None

PACKAGE = "lstmjax.kernels"
GROUPS = (("lstm_loops",), ("conv_pool_loops", "ctc_loops", "orthogonal_loops"))
"""Modules that nearly every network needs; each group takes about as long to compile."""
FOR_LAYERS = (("L2", ("lstm2d_loops",)),)
"""How layers begin in a net_spec that need modules of their own."""


def directory() -> Path | None:
    """Where numba keeps what it compiles of this package, None without a usable cache.

    numba notices changes of one file only, so the name has the fingerprint of all files here.
    """
    sources = sorted(Path(__file__).parent.glob("*.py"))
    fingerprint = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()
    return cache_directory(f"kernels-{fingerprint[:12]}")


@contextmanager
def claimed(module: str) -> Iterator[None]:
    """Be the only process that compiles a module; waits for others."""
    place = directory()
    if place is None or fcntl is None:
        yield
        return
    with (place / f"{module}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def is_kept(module: str) -> bool:
    """Whether something of a module has been compiled on this machine."""
    place = directory()
    return place is not None and any(place.rglob(f"{module}.*.nbi"))


def start(net_spec: str = "") -> None:
    """Compile ahead what a network needs and was never compiled here, without waiting for it."""
    if directory() is None or fcntl is None or os.environ.get("NUMBA_CACHE_DIR"):
        return
    for group in (*GROUPS, *(modules for layer, modules in FOR_LAYERS if layer in net_spec)):
        missing = [module for module in group if not is_kept(module)]
        if missing and sys.executable:
            _start_process(missing)


def _start_process(modules: list[str]) -> None:
    command = [sys.executable, "-m", f"{PACKAGE}.kept", *modules]
    # What is vectors already is as fast without LLVM's higher levels, in two thirds of the time.
    environment = {**os.environ, "NUMBA_OPT": "1"}
    nothing = subprocess.DEVNULL
    try:
        process = subprocess.Popen(
            command, env=environment, stdin=nothing, stdout=nothing, stderr=nothing
        )
    except OSError:  # then the run itself compiles
        return
    Thread(target=process.wait, daemon=True).start()


def _compile(modules: list[str]) -> None:
    with ExitStack() as all_claims:
        claims = {module: ExitStack() for module in modules}
        for module, claim in claims.items():  # all at once: nobody is to begin with a later one
            all_claims.enter_context(claim).enter_context(claimed(module))
        for module, claim in claims.items():
            import_module(f"{PACKAGE}.{module}")
            claim.close()


if __name__ == "__main__":
    _compile(sys.argv[1:])
