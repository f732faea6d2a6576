"""Resize line images exactly as Leptonica 1.82 does, so that networks see the pixels they expect.

Models are trained on images scaled by `pixScale`; common image libraries differ from it by three
to five grey levels a pixel, so its integer arithmetic is repeated here, on whole arrays.

Source: Leptonica 1.82 src/scale1.c, src/scale2.c, src/enhance.c.
"""

import numpy as np
from numpy.typing import NDArray

from lstmjax.simd.compile import compiled

Pixels = NDArray[np.uint8]
_Index = NDArray[np.int64]

# Factor -> number of halvings.
_HALVINGS = {0.5: 1, 0.25: 2, 0.125: 3, 0.0625: 4}
_BLOCKS_BELOW, _AREA_BELOW = 0.02, 0.7
_SHARPEN_DOWN_ABOVE, _SHARPEN_UP_BELOW = 0.2, 1.4


def scaled_side(side: int, factor: np.float32) -> int:
    """The new length of one side, in pixels; may be 0."""
    return int(float(np.float32(factor) * np.float32(side)) + 0.5)


def scaled_size(
    width: int, height: int, factor: np.float32, *, two_valued: bool = False
) -> tuple[int, int]:
    """The width and height of an image scaled by `scale`, from its size; a side may be 0.

    Repeated halving drops odd rows and columns where every other method rounds.
    """
    halvings = 0 if two_valued else _HALVINGS.get(float(factor), 0)
    if halvings:
        return width >> halvings, height >> halvings
    return scaled_side(width, factor), scaled_side(height, factor)


def scale(pixels: NDArray, factor: np.float32) -> Pixels:
    """Scale an image by one factor in both directions, with Leptonica's choice of method.

    That is averaging of areas for factors below 0.7 and linear interpolation above; results of
    moderate factors are sharpened. Two-valued images keep their two values.

    Args:
      pixels: [h, w] grey, [h, w, 3] colour, or [h, w] bool for two-valued images (True is white).
      factor: float32; it is compared as the double it widens to, so float32(0.7) is below 0.7.
    Returns: [h', w'] or [h', w', 3] uint8; two-valued images come back as 0 and 255.
    Raises: ValueError: the factor is not positive or a side of the result would be empty; or it
        is below 0.02 and a side is shorter than one target pixel.
    Source: Leptonica 1.82 src/scale1.c, pixScale, pixScaleGeneral.
    """
    factor = np.float32(factor)
    f = float(factor)
    h, w = pixels.shape[:2]
    two_valued = pixels.dtype == np.bool_
    width, height = scaled_size(w, h, factor, two_valued=two_valued)
    blocks = f < _BLOCKS_BELOW and not two_valued
    if not (f > 0 and height and width) or (blocks and min(h, w) < _block_size(f)):
        raise ValueError(f"cannot scale {pixels.shape[:2]} by {factor}: the result is empty")
    if two_valued:
        return _scale_two_valued(pixels, f, height, width)
    if f == 1:
        return pixels.copy()
    if f < _AREA_BELOW:
        if f in _HALVINGS:  # exactly one of these: a factor next to it averages areas
            scaled = pixels
            for _ in range(_HALVINGS[f]):
                scaled = _halve(scaled)
        elif f < _BLOCKS_BELOW:
            scaled = _block_means(pixels, f, height, width)
        else:
            scaled = _area_map(pixels, height, width)
        return _sharpen(scaled, 1, 0.2) if f > _SHARPEN_DOWN_ABOVE else scaled
    if f in (2, 4):
        return _enlarge(pixels, int(f))
    scaled = _interpolate(pixels, height, width)
    return _sharpen(scaled, 2, 0.4) if f < _SHARPEN_UP_BELOW else scaled


def _scale_two_valued(pixels: NDArray, f: float, height: int, width: int) -> Pixels:
    """Take the nearest pixel. Source: src/scale1.c, scaleBinaryLow."""
    if f != 1:
        rows, columns = _nearest(pixels.shape[0], height), _nearest(pixels.shape[1], width)
        if columns[-1] == 0:  # the original remembers a column's pixel from one row to the next
            rows[:] = 0
        pixels = pixels[rows[:, None], columns]
    return np.where(pixels, np.uint8(255), np.uint8(0))


def _nearest(side: int, new_side: int) -> _Index:
    ratio = np.float32(side) / np.float32(new_side)
    at = (ratio * np.arange(new_side, dtype=np.float32)).astype(np.float64) + 0.5
    return np.minimum(at.astype(np.int64), side - 1)


def _halve(pixels: Pixels) -> Pixels:
    """Average blocks of 2 x 2, rounding down; an odd last row or column is dropped."""
    height, width = pixels.shape[0] // 2 * 2, pixels.shape[1] // 2 * 2
    p = pixels[:height, :width].astype(np.uint16)
    total = p[::2, ::2] + p[::2, 1::2] + p[1::2, ::2] + p[1::2, 1::2]
    return (total >> 2).astype(np.uint8)


def _sixteenths(side: int, new_side: int) -> np.float32:
    """Source pixels per target pixel, in sixteenths."""
    return np.float32(16.0 * side / new_side)


def _starts(side: int, new_side: int) -> _Index:
    """The start of each target pixel in the source, in sixteenths of a source pixel."""
    steps = _sixteenths(side, new_side) * np.arange(new_side, dtype=np.float32)
    return steps.astype(np.int64)


def _block_size(f: float) -> int:
    return min(max(2, int(1.0 / f + 0.5)), 10000)


def _block_means(pixels: Pixels, f: float, height: int, width: int) -> Pixels:
    """Average one square block of source pixels for each target pixel, rounding down.

    Source: src/scale2.c, pixScaleSmooth, scaleSmoothLow.
    """
    h, w = pixels.shape[:2]
    size = _block_size(f)
    sums = pixels.astype(np.int64)
    # Rows, then columns: each pass leaves its axis last, so after two all are in place.
    for side, new_side in ((h, height), (w, width)):
        ratio = np.float32(side) / np.float32(new_side)
        start = (ratio * np.arange(new_side, dtype=np.float32)).astype(np.int64)
        start = np.minimum(start, side - size)
        sums = _weighted_sums(sums, 16 * start, 16 * (start + size)).swapaxes(0, 1)
    norm = np.float32(1.0 / size**2)
    # By 256, as a whole pixel counts 16 in each direction.
    return ((sums >> 8).astype(np.float32) * norm).astype(np.uint8, order="C")


def _area_map(pixels: Pixels, height: int, width: int) -> Pixels:
    """Average the source area under each target pixel, to a sixteenth of a pixel.

    Target pixels whose area reaches the last source row or column are not averaged: they take the
    pixel at the area's start, as in the original.

    Source: src/scale2.c, scaleGrayAreaMapLow, scaleColorAreaMapLow.
    """
    h, w = pixels.shape[:2]
    top, left = _starts(h, height), _starts(w, width)
    bottom, right = _ends(h, height), _ends(w, width)
    # Only areas that end before the last row and column are averaged.
    deep, wide = int(np.sum((bottom >> 4) <= h - 2)), int(np.sum((right >> 4) <= w - 2))
    out = pixels[(top >> 4)[:, None], left >> 4]
    areas = out.reshape(height, width, -1)[:deep, :wide]
    source = np.ascontiguousarray(pixels).reshape(h, w, -1)
    loops = compiled("lstmjax.data._scale_loops")
    loops.average_areas(source, top[:deep], bottom[:deep], left[:wide], right[:wide], areas)
    return out


def _ends(side: int, new_side: int) -> _Index:
    # The original widens to double here but not in `_starts`.
    step = float(_sixteenths(side, new_side))
    return (step * np.arange(1, new_side + 1, dtype=np.float64)).astype(np.int64)


def _weighted_sums(values: NDArray, start: _Index, end: _Index) -> NDArray[np.int64]:
    """Sum `values` [n, ...] over start..end, in sixteenths of an entry, along the first axis."""
    shape = (len(start),) + (1,) * (values.ndim - 1)
    first, last = start >> 4, end >> 4
    # Without a tail, the entry after the last may not exist; its weight is 0.
    beyond = np.minimum(last, values.shape[0] - 1)
    running = np.zeros((values.shape[0] + 1, *values.shape[1:]), np.int64)
    np.cumsum(values, axis=0, dtype=np.int64, out=running[1:])
    whole = (running[last] - running[first]) << 4
    head = values[first] * (start & 15).reshape(shape)
    tail = values[beyond] * (end & 15).reshape(shape)
    return whole - head + tail


def _interpolate(pixels: Pixels, height: int, width: int) -> Pixels:
    """Mix the four pixels around each source position, which is a corner and not a centre.

    Source: src/scale1.c, scaleGrayLILow, scaleColorLILow.
    """
    h, w = pixels.shape[:2]
    rows = _mix(pixels.astype(np.int32), _starts(h, height))
    both = _mix(rows.swapaxes(0, 1), _starts(w, width)).swapaxes(0, 1)
    # Both mixes multiplied by 16; 128 rounds to the nearest.
    return ((both + 128) >> 8).astype(np.uint8, order="C")


def _mix(values: NDArray[np.int32], at: _Index) -> NDArray[np.int32]:
    """Interpolate [n, ...] along the first axis at sixteenths; results are 16 times larger."""
    part = (at & 15).astype(np.int32).reshape((-1,) + (1,) * (values.ndim - 1))
    here = at >> 4
    there = np.minimum(here + 1, values.shape[0] - 1)
    return values[here] * (16 - part) + values[there] * part


def _enlarge(pixels: Pixels, times: int) -> Pixels:
    """Interpolate by exactly 2 or 4, rounding down. Source: scaleGray2xLILow, scaleGray4xLILow."""
    h, w = pixels.shape[:2]
    at_rows, at_columns = (np.arange(side * times) * (16 // times) for side in (h, w))
    rows = _mix(pixels.astype(np.int32), at_rows)
    both = _mix(rows.swapaxes(0, 1), at_columns).swapaxes(0, 1)
    return (both >> 8).astype(np.uint8, order="C")


def _sharpen(pixels: Pixels, reach: int, fraction: float) -> Pixels:
    """Add `fraction` of the difference from the mean of a square of 2 * reach + 1 pixels.

    The outer `reach` rows and columns stay as they are.

    Source: src/enhance.c, pixUnsharpMaskingGray2D.
    """
    size = 2 * reach + 1
    height, width = pixels.shape[0] - 2 * reach, pixels.shape[1] - 2 * reach
    if height <= 0 or width <= 0:
        return pixels
    # 25 pixels of 255 fit into 16 bits.
    p = pixels.astype(np.int16)
    columns = sum((p[i : i + height] for i in range(1, size)), p[:height])
    sums = sum((columns[:, i : i + width] for i in range(1, size)), columns[:, :width])
    mean = sums.astype(np.float32) * np.float32(1.0 / size**2)
    inner = (slice(reach, reach + height), slice(reach, reach + width))
    value = pixels[inner].astype(np.float32)
    sharp = value + np.float32(fraction) * (value - mean) + np.float32(0.5)
    out = pixels.copy()
    out[inner] = np.clip(sharp, 0, 255).astype(np.uint8)
    return out
