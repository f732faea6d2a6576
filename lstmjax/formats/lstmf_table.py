"""The pages of whole lstmf documents as tables, many times as fast as `lstmf.scan`.

For large data only: the loop must be compiled first, or at least numba imported and the compiled
loop loaded. A damaged or big-endian document is left to `lstmf.scan`, which describes the damage.
"""

import mmap
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstmjax.formats.files import PathLike
from lstmjax.formats.lstmf import MIN_PAGE_SIZE
from lstmjax.simd.compile import compiled

_LOOPS = "lstmjax.formats._lstmf_loops"

Column = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class PageTable:
    """The pages of a document; each column is [n] int64, as in `lstmf.PageInfo`.

    Attributes:
      strings: the name and the transcription of each page, one after the other, undecoded.
      string_sizes: [2n] sizes in bytes of the parts of `strings`.
    """

    offset: Column
    length: Column
    width: Column
    height: Column
    bit_depth: Column
    color_type: Column
    page_number: Column
    boxes: Column
    strings: bytes
    string_sizes: Column


def make_reader() -> Callable[[PathLike], PageTable | None]:
    """Make a function that reads the table of a document, which several threads may call.

    Returns: a function of the path; it gives None if the document is damaged or big-endian.
    """
    loops = compiled(_LOOPS)
    return lambda path: _read(path, loops)


def _read(path: PathLike, loops: Any) -> PageTable | None:
    try:
        with (
            open(path, "rb") as file,
            mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data,
        ):
            table = _walk(data, loops)
            return None if table is None else _table(data, table, loops)
    except (OSError, ValueError):  # ValueError: an empty file cannot be mapped
        return None


def _walk(data: mmap.mmap, loops: Any) -> NDArray[np.int64] | None:
    number = int.from_bytes(data[:4], "little")
    if number == 0 or number > (len(data) - 4) // MIN_PAGE_SIZE:
        return None
    table = np.empty((number, loops.FIELDS), np.int64)
    pixels = np.frombuffer(data, np.uint8)  # released on return, before the map is closed
    return table if loops.walk(pixels, table) else None


def _table(data: mmap.mmap, table: NDArray[np.int64], loops: Any) -> PageTable:
    places = table[:, [loops.NAME, loops.TEXT]].reshape(-1)
    sizes = table[:, [loops.NAME_SIZE, loops.TEXT_SIZE]].reshape(-1)
    ends = (places + sizes).tolist()
    strings = b"".join([data[a:b] for a, b in zip(places.tolist(), ends, strict=True)])
    return PageTable(
        *(
            table[:, getattr(loops, name)]
            for name in (
                "OFFSET", "LENGTH", "WIDTH", "HEIGHT", "BIT_DEPTH", "COLOR_TYPE",
                "PAGE_NUMBER", "BOXES",
            )
        ),
        strings=strings,
        string_sizes=sizes,
    )  # fmt: skip
