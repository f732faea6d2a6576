"""Drawing laid out lines into a grey image.

Source: Cairo 1.16, image surfaces: glyphs lie on whole pixels; overlapping ink adds up.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from lstmjax.render.face import UNITS
from lstmjax.render.layout import Line, Run

Span = tuple[int, int]


def paint(
    shape: tuple[int, int], lines: Iterable[Line], origin: tuple[int, int], *,
    vertical: bool = False, underlines: Iterable[Span] = (),
) -> NDArray[np.uint8]:  # fmt: skip
    """Draw lines black on white.

    Args:
      shape: rows and columns of the image.
      lines: lines of the layout.
      origin: x and y of the corner of the layout, the top right one for vertical lines.
      vertical: whether to give the layout a quarter turn clockwise.
      underlines: first and end character of each underline.

    Returns: [H, W] uint8, 0 black.
    """
    page = np.full(shape, 255, np.uint8)
    marked = sorted(underlines)
    for line in lines:
        for run in line.runs:
            _paint_run(page, line, run, origin, vertical)
            if marked:
                _underline(page, line, run, origin, marked, vertical)
    return page


def _paint_run(
    page: NDArray[np.uint8], line: Line, run: Run, origin: tuple[int, int], vertical: bool
) -> None:
    glyphs, face = run.glyphs, run.item.face
    x, y = line.x + run.x, line.baseline + run.shift
    half = UNITS // 2
    for number, width, dx, dy in zip(glyphs.glyphs, glyphs.widths, glyphs.x, glyphs.y, strict=True):
        along, across = x + dx, y + dy
        x += width
        glyph = face.glyph(number)
        if not glyph.bitmap.size:
            continue
        bitmap, left, top = glyph.bitmap, glyph.left, glyph.top
        if not vertical:
            # Rounded to the nearest whole pixel, like Cairo's glyphs.
            column, row = (along + half) // UNITS, (across + half) // UNITS
        else:
            column, row = (half - across) // UNITS, (along + half) // UNITS
            if not run.stands:  # a quarter turn clockwise
                left, top = -top - bitmap.shape[0], left
                bitmap = np.rot90(bitmap, -1)
        _blend(page, bitmap, origin[0] + column + left, origin[1] + row + top)


def _blend(page: NDArray[np.uint8], bitmap: NDArray[np.uint8], left: int, top: int) -> None:
    """Darken a part of the page by a bitmap, clipped to the page."""
    height, width = bitmap.shape
    rows = slice(max(0, top), min(page.shape[0], top + height))
    columns = slice(max(0, left), min(page.shape[1], left + width))
    if rows.start >= rows.stop or columns.start >= columns.stop:
        return
    ink = bitmap[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
    part = page[rows, columns]
    # Saturating: overlapping ink must not wrap around.
    part -= np.minimum(part, ink)


def _underline(
    page: NDArray[np.uint8], line: Line, run: Run, origin: tuple[int, int],
    marked: list[Span], vertical: bool,
) -> None:  # fmt: skip
    """Draw the line below the underlined characters of a run."""
    offset, thickness = run.item.face.underline
    glyphs = run.glyphs
    x = line.x + run.x
    y = line.baseline + run.shift + offset
    cover = _coverage(y, thickness)
    row = y // UNITS
    for cluster, width in zip(glyphs.clusters, glyphs.widths, strict=True):
        start, x = x, x + width
        if width <= 0 or not any(begin <= cluster < end for begin, end in marked):
            continue
        low, high = (start + UNITS // 2) // UNITS, (x + UNITS // 2) // UNITS
        bar = np.repeat(cover[:, None], high - low, axis=1)
        if vertical:
            bar = np.rot90(bar, -1)
            _blend(page, bar, origin[0] - row - len(cover), origin[1] + low)
        else:
            _blend(page, bar, origin[0] + low, origin[1] + row)


def _coverage(top: int, thickness: int) -> NDArray[np.uint8]:
    """[rows] share of each row that a bar covers, 255 for all of it."""
    first, last = top // UNITS, -(-(top + thickness) // UNITS)
    rows = np.arange(first, last)
    upper = np.maximum(rows * UNITS, top)
    lower = np.minimum((rows + 1) * UNITS, top + thickness)
    return ((lower - upper) * 255 // UNITS).astype(np.uint8)
