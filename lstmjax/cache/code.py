"""The directory for numba's machine code: one for each version of everything it depends on."""

import hashlib
import os
import sys
from functools import cache
from pathlib import Path

from lstmjax.cache.directories import cache_directory, private_directory

SOURCES = (
    "constants.py",
    "ctc/_*.py",
    "exact/*.py",
    "infer/host/*.py",
    "kernels/*.py",
    "simd/*.py",
    "training/tesseract/step.py",
    "*/_*_loops.py",
)
"""Modules of this package whose functions or constants can become part of machine code.

A test follows the names in all compiled functions and demands that each is defined in one of these.
"""
_PACKAGES = ("numba", "llvmlite", "numpy")
# Settings of numba that change no code, or only how hard LLVM works on it.
_HARMLESS = frozenset({"NUMBA_OPT", "NUMBA_CACHE_DIR", "NUMBA_NUM_THREADS"})


def code_directory() -> Path | None:
    """Return the directory for machine code; None without a usable cache.

    It lies in the user's cache directory, or where `NUMBA_CACHE_DIR` says. Its name has a
    fingerprint of the sources of all compiled code, the versions of what compiles it, the processor
    and numba's settings, so all code in it fits.
    """
    return _directory(os.environ.get("NUMBA_CACHE_DIR"), os.environ.get("XDG_CACHE_HOME"))


@cache  # every loop asks for it
def _directory(own: str | None, _cache_home: str | None) -> Path | None:
    if own:
        return private_directory(Path(own).absolute(), f"lstmjax-{fingerprint()}", of_version=True)
    return cache_directory(f"code-{fingerprint()}", of_version=True)


@cache
def fingerprint() -> str:
    """Return 12 hexadecimal digits for everything that compiled code depends on."""
    digest = hashlib.sha256()
    for part in (*_of_sources(Path(__file__).parents[1]), *_of_compiler()):
        digest.update(f"{len(part)} ".encode() + part)  # so that parts cannot run together
    return digest.hexdigest()[:12]


def _of_sources(package: Path) -> list[bytes]:
    paths = {path for pattern in SOURCES for path in package.glob(pattern)}
    names = {path.relative_to(package).as_posix(): path for path in paths}
    return [part for name in sorted(names) for part in (name.encode(), names[name].read_bytes())]


def _of_compiler() -> list[bytes]:
    from importlib import metadata

    import llvmlite.binding as llvm  # takes a tenth of the time that numba takes

    settings = sorted(
        f"{name}={value}"
        for name, value in os.environ.items()
        if name.startswith("NUMBA_") and name not in _HARMLESS
    )
    try:
        features = llvm.get_host_cpu_features().flatten()
    except RuntimeError:  # LLVM cannot tell on every machine; numba then takes none, too
        features = ""
    # From the metadata: importing numba takes long, and often its code is not needed.
    versions = [f"{name} {metadata.version(name)}" for name in _PACKAGES]
    return [
        text.encode(errors="surrogateescape")
        for text in (sys.version, llvm.get_host_cpu_name(), features, *versions, *settings)
    ]
