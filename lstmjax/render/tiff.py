"""Multi-page 1 bit TIFF files with CCITT group 4 compression, as text2image writes them.

Source: TIFF 6.0; Leptonica src/tiffio.c (the tags).
"""

import io
import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lstmjax.errors import DataError

RESOLUTION = 300
"""Pixels per inch in the files, whatever the resolution of the pages, as in the original."""

_LIMIT = 2**32 - 2**16
_SHORT, _LONG, _RATIONAL = 3, 4, 5
_ENTRIES = 14


@dataclass(frozen=True)
class Strip:
    """The compressed pixels of a page."""

    width: int
    height: int
    data: bytes


def compress(ink: NDArray[np.bool_]) -> Strip:
    """Compress a page.

    Args:
      ink: [H, W] True where the page is black.

    Raises:
      DataError: Pillow cannot compress pages, or does it in another way than `pack` expects.
    """
    from PIL import Image, features

    if not features.check("libtiff"):
        raise DataError("Pillow was built without libtiff, which compresses pages; install one")
    height, width = ink.shape
    buffer = io.BytesIO()
    # Pillow takes set bits for white; `pack` says that they are black. One strip holds all rows.
    Image.fromarray(ink).save(buffer, "TIFF", compression="group4", tiffinfo={278: height})
    with Image.open(io.BytesIO(buffer.getvalue())) as image:
        tags = image.tag_v2  # pyright: ignore  # TIFF images have it
        (offset,), (count,) = tags[273], tags[279]
        if tags[262] != 1:
            raise DataError(
                f"Pillow wrote a TIFF with photometric interpretation {tags[262]}, expected 1 "
                "(black is zero); install another version of Pillow"
            )
    return Strip(width, height, buffer.getvalue()[offset : offset + count])


def pack(pages: list[Strip]) -> bytes:
    """Put pages into one little-endian TIFF file.

    Raises:
      DataError: the file would be larger than its format allows (4 GiB).
    """
    if sum(len(page.data) + 256 for page in pages) > _LIMIT:
        raise DataError("the pages are larger than a TIFF file can be (4 GiB); use --max_pages")
    out = bytearray(b"II*\0\0\0\0\0")
    link = 4  # where the offset of the next directory belongs
    for page in pages:
        strip = len(out)
        # Offsets must be even.
        out += page.data + b"\0" * (len(page.data) % 2)
        struct.pack_into("<I", out, link, len(out))
        entries = _entries(page, strip, len(out) + 2 + 12 * _ENTRIES + 4)
        out += struct.pack("<H", _ENTRIES)
        for tag, kind, value in entries:
            field = struct.pack("<HH", value, 0) if kind == _SHORT else struct.pack("<I", value)
            out += struct.pack("<HHI", tag, kind, 1) + field
        # Where the next directory's offset goes: 0 here, if this page is the last.
        link = len(out)
        out += struct.pack("<IIIII", 0, RESOLUTION, 1, RESOLUTION, 1)
    return bytes(out)


def _entries(page: Strip, strip: int, resolution: int) -> list[tuple[int, int, int]]:
    """The directory of a page: tag, type and value or offset."""
    return [
        (256, _SHORT, page.width),
        (257, _SHORT, page.height),
        (258, _SHORT, 1),  # bits per sample
        (259, _SHORT, 4),  # compression: group 4
        (262, _SHORT, 0),  # photometric: white is zero
        (273, _LONG, strip),
        (274, _SHORT, 1),  # orientation
        (277, _SHORT, 1),  # samples per pixel
        (278, _SHORT, page.height),  # rows per strip
        (279, _LONG, len(page.data)),
        (282, _RATIONAL, resolution),
        (283, _RATIONAL, resolution + 8),
        (284, _SHORT, 1),  # samples lie together
        (296, _SHORT, 2),  # inches
    ]
