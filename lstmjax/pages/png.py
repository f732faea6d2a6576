"""PNG files as Tesseract's libraries write them, byte for byte.

The same pixels give the same bytes as long as Python was built with the stock zlib; zlib-ng and
others compress the same data into other bytes.
Source: Leptonica 1.82 src/pngio.c; libpng 1.6 pngwutil.c; zlib 1.2 deflate.c.
"""

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_GREY, _RGB, _PALETTE = 0, 2, 3
_IDAT_BYTES = 8192
_LEVEL, _MEM_LEVEL = 6, 8
_INCHES_PER_METRE = 39.37
_BLOCK_BYTES = 1 << 20  # image bytes filtered at once

Pixels = NDArray[np.uint8]


def encode(
    pixels: Pixels, resolution: tuple[int, int] = (0, 0), palette: Pixels | None = None
) -> bytes:
    """Encode an image.

    Args:
      pixels: [h, w] grey or indices into `palette`, or [h, w, 3] colour; h, w >= 1.
      resolution: dots per inch across and down, 0 where unknown.
      palette: [n, 3] red, green, blue; 1 <= n <= 256.
    """
    height, width = pixels.shape[:2]
    kind = _PALETTE if palette is not None else (_RGB if pixels.ndim == 3 else _GREY)
    parts = [SIGNATURE, _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0))]
    if palette is not None:
        parts.append(_chunk(b"PLTE", palette.tobytes()))
    parts.append(_chunk(b"pHYs", _density(resolution)))
    data = _compress(pixels, filtered=palette is None)
    parts += [
        _chunk(b"IDAT", data[start : start + _IDAT_BYTES])
        for start in range(0, len(data), _IDAT_BYTES)
    ]
    return b"".join([*parts, _chunk(b"IEND", b"")])


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _density(resolution: tuple[int, int]) -> bytes:
    if 0 in resolution:
        return struct.pack(">IIB", 0, 0, 0)
    per_metre = [int(_INCHES_PER_METRE * dots + 0.5) for dots in resolution]
    return struct.pack(">IIB", *per_metre, 1)


def _compress(pixels: Pixels, *, filtered: bool) -> bytes:
    rows = pixels.reshape(len(pixels), -1)
    size = rows.shape[0] * (rows.shape[1] + 1)
    # As libpng: palette images are not filtered, and get the default strategy.
    strategy = zlib.Z_FILTERED if filtered else zlib.Z_DEFAULT_STRATEGY
    stream = zlib.compressobj(_LEVEL, zlib.DEFLATED, _window_bits(size), _MEM_LEVEL, strategy)
    parts: list[bytes] = []
    # In blocks, which bounds the memory of the five filtered versions.
    step = max(1, _BLOCK_BYTES // rows.shape[1])
    for start in range(0, len(rows), step):
        block = rows[start : start + step]
        if filtered:
            above = rows[start - 1] if start else np.zeros_like(rows[0])
            lines = _filter(block, above, 3 if pixels.ndim == 3 else 1, len(rows))
        else:
            lines = np.pad(block, ((0, 0), (1, 0)))
        parts.append(stream.compress(lines.tobytes()))
    return _narrow_header(b"".join([*parts, stream.flush()]), size)


def _window_bits(size: int) -> int:
    """The window that libpng asks for, given the bytes to compress."""
    bits, half = 15, 1 << 14
    while size <= 1 << 14 and size + 262 <= half:
        half >>= 1
        bits -= 1
    return max(bits, 9)  # zlib makes 9 of 8 itself


def _narrow_header(data: bytes, size: int) -> bytes:
    """Declare the smallest window that holds the image, as libpng does after compressing."""
    if size > 1 << 14:
        return data
    bits = data[0] >> 4  # of the window, less 8
    while bits > 0 and size <= 1 << (bits + 7):
        bits -= 1
    first = bits << 4 | data[0] & 0x0F
    second = data[1] & 0xE0
    # The header's last five bits make it a multiple of 31.
    second += 0x1F - (first << 8 | second) % 0x1F
    return bytes([first, second]) + data[2:]


def _filter(rows: Pixels, above: Pixels, step: int, height: int) -> Pixels:
    """Filter rows, each in the way that leaves the smallest sum of absolute differences.

    Args:
      rows: [h, n] some rows of an image.
      above: [n] the row before them.
      step: bytes of a pixel.
      height: number of rows of the whole image.
    Returns: [h, n + 1] filtered rows, each after the kind of its filter.
    """
    up = np.concatenate([above[None], rows[:-1]])
    left, corner = np.zeros_like(rows), np.zeros_like(rows)
    left[:, step:], corner[:, step:] = rows[:, :-step], up[:, :-step]
    # libpng leaves out filters that cannot differ from others for a single row or column.
    kinds = [0]
    kinds += [1] if rows.shape[1] > step else []
    kinds += [2] if height > 1 else []
    kinds += [3, 4] if rows.shape[1] > step and height > 1 else []
    filtered = np.stack([_difference(kind, rows, left, up, corner) for kind in kinds])
    size = np.minimum(filtered, 0 - filtered)  # |byte| as a signed number
    best = size.sum(2, dtype=np.int64).argmin(0)  # [h], the first of equals
    out = np.empty((len(rows), rows.shape[1] + 1), np.uint8)
    out[:, 0] = np.array(kinds, np.uint8)[best]
    out[:, 1:] = filtered[best, np.arange(len(rows))]
    return out


def _difference(kind: int, rows: Pixels, left: Pixels, up: Pixels, corner: Pixels) -> Pixels:
    """Rows less the prediction of a kind of filter, modulo 256."""
    if kind == 0:
        return rows
    if kind in (1, 2):
        return rows - (left if kind == 1 else up)
    if kind == 3:
        # The floor of the mean of two bytes, without a ninth bit.
        one = np.uint8(1)
        return rows - ((left >> one) + (up >> one) + (left & up & one))
    a, b, c = (side.astype(np.int16) for side in (left, up, corner))
    from_left, from_up, from_corner = abs(b - c), abs(a - c), abs(a + b - 2 * c)
    nearest = np.where(from_up <= from_corner, up, corner)
    use_left = (from_left <= from_up) & (from_left <= from_corner)
    return rows - np.where(use_left, left, nearest)
