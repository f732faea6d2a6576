"""Starting a training command again with a memory setting that makes it faster."""

import os
import platform
import sys

NO_RESTART = "LSTMJAX_NO_REEXEC"
"""Set this in the environment to keep a command in the process that it was started in."""

_SETTING = "glibc.malloc.hugetlb"


def use_large_pages(*arguments: str) -> None:
    """Start Python with these arguments in the place of this process, once, where that helps.

    The large temporary buffer of an update otherwise costs tens of thousands of page faults each
    time: freed memory goes back to the system at once unless it is kept in one arena, untrimmed
    and never mapped by itself. Only glibc has these settings, and only a new process takes them.
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
