"""Restart of a training command with memory settings that make it faster."""

import os
import platform
import sys

NO_RESTART = "LSTMJAX_NO_REEXEC"
"""Environment variable that forbids the restart."""

_SETTING = "glibc.malloc.hugetlb"


def use_large_pages(*arguments: str) -> None:
    """Replace this process once by Python with these arguments and large memory pages.

    Without these settings the large temporary buffer of every update costs tens of thousands of
    page faults, because freed memory returns to the system at once. They keep it in one arena,
    which is never trimmed, and keep large blocks from being mapped on their own. Only glibc has
    them, and it reads them only when a process starts.
    """
    tunables = os.environ.get("GLIBC_TUNABLES", "")
    if os.environ.get(NO_RESTART) or _SETTING in tunables:
        return
    if platform.libc_ver()[0] != "glibc" or not hasattr(os, "execve"):
        return
    environ = {
        **os.environ,
        "GLIBC_TUNABLES": f"{tunables}:{_SETTING}=1".lstrip(":"),
        "MALLOC_TRIM_THRESHOLD_": "-1",
        "MALLOC_TOP_PAD_": str(1 << 28),
        "MALLOC_ARENA_MAX": "1",
        "MALLOC_MMAP_THRESHOLD_": str(1 << 32),
        NO_RESTART: "1",
    }
    os.execve(sys.executable, [sys.executable, *arguments], environ)
