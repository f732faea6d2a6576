"""Boxes of the clusters of a layout; a cluster becomes one box of a box file.

Source: Tesseract src/training/pango/stringrenderer.cpp.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from lstmjax.render.characters import WHITE_SPACE
from lstmjax.render.face import UNITS
from lstmjax.render.layout import Line, Run

_WORD_JOINER = "\u2060"


@dataclass
class CharBox:
    """A cluster and its ink on the page; y grows downwards.

    Attributes:
      text: characters of the cluster; a space for a cluster without ink.
      rect: left, top, width, height in pixels; None without ink.
      page: page index.
    """

    text: str
    rect: tuple[int, int, int, int] | None
    page: int


def cluster_boxes(
    text: str, lines: Iterable[Line], page: int, *, padding: int = 0, vertical: bool = False
) -> list[CharBox]:
    """Make the boxes of a page in logical order, relative to the corner of the layout.

    Args:
      text: text of the layout.
      lines: lines of the layout.
      page: page index to write into the boxes.
      padding: pixels added on each side.
      vertical: whether `boxes.turn` will give the layout a quarter turn, which moves it by a
        pixel.
    """
    found: dict[int, tuple[int, int, int, int] | None] = {}
    ends: dict[int, int] = {}
    for line in lines:
        for run in line.runs:
            _collect(run, line, found, ends, padding, UNITS if vertical else 0)
    boxes = []
    for start in sorted(found):
        label = text[start : ends[start]]
        rect = found[start]
        if label == _WORD_JOINER:
            continue
        if rect is None or all(c in WHITE_SPACE for c in label):
            boxes.append(CharBox(" ", None, page))
        else:
            boxes.append(CharBox(label, rect, page))
    return boxes


def _collect(
    run: Run, line: Line, found: dict[int, tuple[int, int, int, int] | None],
    ends: dict[int, int], padding: int, lower: int,
) -> None:  # fmt: skip
    """Add the ink and the ends of the clusters of a run to `found` and `ends`."""
    glyphs, item = run.glyphs, run.item
    starts = sorted(set(glyphs.clusters))
    ends.update(zip(starts, [*starts[1:], item.start + item.length], strict=True))
    x = line.x + run.x
    i, count = 0, len(glyphs.glyphs)
    while i < count:
        end = i
        cluster = glyphs.clusters[i]
        rects = []
        while end < count and glyphs.clusters[end] == cluster:
            rects += _ink(run, end, x, line.baseline + run.shift + lower)
            x += glyphs.widths[end]
            end += 1
        found[cluster] = _to_pixels(rects, padding) if rects else None
        i = end


def _ink(run: Run, i: int, x: int, baseline: int) -> list[tuple[int, int, int, int]]:
    """The ink of a glyph as left, top, right, bottom in units; an empty list without ink."""
    glyphs = run.glyphs
    left, top, width, height = run.item.face.glyph(glyphs.glyphs[i]).ink
    if not width or not height:
        return []
    if run.stands:  # a vertical layout is made lying on its side, where upright glyphs lie, too
        left, top, width, height = top, -left - width, height, width
    x0 = x + glyphs.x[i] + left * UNITS
    y0 = baseline + glyphs.y[i] + top * UNITS
    return [(x0, y0, x0 + width * UNITS, y0 + height * UNITS)]


def _to_pixels(
    rects: list[tuple[int, int, int, int]], padding: int
) -> tuple[int, int, int, int] | None:
    """The pixels that a union of rectangles touches, as left, top, width, height."""
    left = min(r[0] for r in rects) // UNITS
    top = min(r[1] for r in rects) // UNITS
    width = -(-max(r[2] for r in rects) // UNITS) - left
    height = -(-max(r[3] for r in rects) // UNITS) - top
    if padding:
        left, top = max(0, left - padding), max(0, top - padding)
        width, height = width + 2 * padding, height + 2 * padding
    return clip((left, top, width, height))


def clip(rect: tuple[int, int, int, int]) -> tuple[int, int, int, int] | None:
    """Cut off the part left of or above the origin; None if nothing remains."""
    left, top, width, height = rect
    width, height = width + min(0, left), height + min(0, top)
    return (max(0, left), max(0, top), width, height) if width > 0 and height > 0 else None
