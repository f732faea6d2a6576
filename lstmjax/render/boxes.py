"""From clusters to the boxes of a box file: line ends, spaces, visual order of right-to-left text.

Coordinates grow downwards; only the boxes that `to_box_file` returns have their origin below.
Source: Tesseract src/training/pango/boxchar.cpp; Leptonica src/affinecompose.c.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from lstmjax.formats.box import Box
from lstmjax.render.bidi import direction
from lstmjax.render.clusters import CharBox, clip

_NEWLINE_RATIO = 5
_Rect = tuple[int, int, int, int]


def move(boxes: Sequence[CharBox], dx: int, dy: int) -> list[CharBox]:
    """Shift boxes by whole pixels."""
    return [
        box
        if box.rect is None
        else replace(box, rect=(box.rect[0] + dx, box.rect[1] + dy, *box.rect[2:]))
        for box in boxes
    ]


def turn(boxes: Sequence[CharBox], angle: float, centre: tuple[int, int]) -> list[CharBox]:
    """Turn boxes clockwise about a point; a box becomes the extent of its turned corner pixels.

    Args:
      boxes: boxes of a page.
      angle: angle in radians.
      centre: x and y of the point.
    """
    rects = [box.rect for box in boxes if box.rect is not None]
    if not rects:
        return list(boxes)
    turned = iter(_turn_rects(np.array(rects, np.int64), np.float32(angle), centre))
    return [box if box.rect is None else replace(box, rect=clip(next(turned))) for box in boxes]


def _turn_rects(rects: np.ndarray, angle: np.float32, centre: tuple[int, int]) -> list[_Rect]:
    """Turn rectangles, [n, 4] left, top, width, height, rounding as the original does."""
    sine, cosine = (np.float32(f(float(angle))) for f in (math.sin, math.cos))
    near, far = rects[:, :2], rects[:, :2] + rects[:, 2:] - 1
    # Corners [4, n, 2]: left top, right top, left bottom, right bottom.
    x = np.stack([near[:, 0], far[:, 0], near[:, 0], far[:, 0]]).astype(np.float32)
    y = np.stack([near[:, 1], near[:, 1], far[:, 1], far[:, 1]]).astype(np.float32)
    x0, y0 = np.float32(centre[0]), np.float32(centre[1])
    dx, dy = x - x0, y - y0
    # float32 for places and double for the rounding, as in Leptonica.
    columns = np.trunc((x0 + dx * cosine - dy * sine).astype(np.float64) + 0.5).astype(np.int64)
    rows = np.trunc((y0 + dx * sine + dy * cosine).astype(np.float64) + 0.5).astype(np.int64)
    left, right = np.minimum(columns[0], columns[2]), np.maximum(columns[1], columns[3])
    top, bottom = np.minimum(rows[0], rows[1]), np.maximum(rows[2], rows[3])
    sides = (left, top, right - left + 1, bottom - top + 1)
    return list(zip(*(side.tolist() for side in sides), strict=True))


def merge_words(boxes: Sequence[CharBox]) -> list[CharBox]:
    """Join the boxes between spaces into one for each word.

    A box far from the word, as after a line break, begins another word, with a space in between.
    """
    result: list[CharBox] = []
    started = False
    for box in boxes:
        if box.text == " " or box.rect is None:
            result.append(box)
            started = False
            continue
        if not started:
            result.append(replace(box))
            started = True
            continue
        last = result[-1]
        assert last.rect is not None
        joined = _union(last.rect, box.rect)
        if joined[2] > last.rect[2] + 5 * box.rect[2]:
            result += [CharBox(" ", None, 0), replace(box)]
            continue
        last.text += box.text
        last.rect = joined
    return result


def _union(a: _Rect, b: _Rect) -> _Rect:
    left, top = min(a[0], b[0]), min(a[1], b[1])
    right, bottom = max(a[0] + a[2], b[0] + b[2]), max(a[1] + a[3], b[1] + b[3])
    return left, top, right - left, bottom - top


def to_box_file(boxes: Sequence[CharBox], height: int) -> list[Box]:
    """Finish the boxes of all pages together.

    Args:
      boxes: boxes of all pages, in logical order, spaces without rectangles.
      height: height of the pages in pixels.
    """
    rtl = _mostly_rtl(boxes)
    vertical = _mostly_vertical(boxes)
    boxes = _end_lines(boxes, rtl, vertical)
    _place_spaces(boxes, rtl, vertical)
    if rtl:
        boxes = _visual_order(boxes)
    result = []
    for box in boxes:
        if box.rect is not None:
            x, y, width, tall = box.rect
            result.append(Box(box.text, x, height - y - tall, x + width, height - y, box.page))
    return result


def _votes(text: str) -> tuple[int, int]:
    """Numbers of characters that run from right to left and from left to right."""
    rtl = ltr = 0
    for character in text:
        kind = direction(character)
        if kind in ("R", "AL"):
            rtl += 1
        elif kind not in ("NSM", "BN"):
            ltr += 1
    return rtl, ltr


def _mostly_rtl(boxes: Sequence[CharBox]) -> bool:
    votes = [_votes(box.text) for box in boxes]
    return sum(v[0] for v in votes) > sum(v[1] for v in votes)


def _mostly_vertical(boxes: Sequence[CharBox]) -> bool:
    """Whether steps from box to box go down rather than across; diagonal ones do not count."""
    across = down = 0
    for one, other in itertools.pairwise(boxes):
        if one.rect is None or other.rect is None or one.page != other.page:
            continue
        dx, dy = other.rect[0] - one.rect[0], other.rect[1] - one.rect[1]
        if abs(dx) > abs(dy) * _NEWLINE_RATIO or abs(dy) > abs(dx) * _NEWLINE_RATIO:
            # Squares: the few long steps to the next line count more than many short ones.
            across += dx * dx
            down += dy * dy
    return down > across


def _end_lines(boxes: Sequence[CharBox], rtl: bool, vertical: bool) -> list[CharBox]:
    """Put a tab where the writing goes back by more than any step forward on the line."""
    result: list[CharBox] = []
    pending: CharBox | None = None  # a space that may become a line end
    last: CharBox | None = None
    furthest = 0
    for box in boxes:
        if box.rect is None:
            # Several spaces count as one; those before the first box and at line ends as none.
            if last is not None and pending is None:
                pending = box
            continue
        if last is not None and last.rect is not None:
            step = box.rect[0] - last.rect[0]
            if vertical:
                step = box.rect[1] - last.rect[1]
            elif rtl:
                step = -step
            if -step > furthest:
                page = box.page if pending is None else pending.page
                result.append(_line_end(last.rect, page, rtl, vertical))
                # A space at the end of a line vanishes: the tab takes its place.
                pending, furthest = None, 0
            else:
                furthest = max(furthest, step)
        if pending is not None:
            result.append(pending)
            pending = None
        result.append(replace(box))
        last = box
    return result


def _line_end(last: _Rect, page: int, rtl: bool, vertical: bool) -> CharBox:
    """A tab of one pixel after the last box of a line."""
    x, y, width, height = last
    if vertical:
        return CharBox("\t", (x, y + height, 1, 1), page)
    if rtl:
        return CharBox("\t", (max(0, x - 1), y, 1, 1), page)
    return CharBox("\t", (x + width, y, 1, 1), page)


def _place_spaces(boxes: list[CharBox], rtl: bool, vertical: bool) -> None:
    """Give spaces the rectangle between their neighbours, at least a pixel wide, in place."""
    for i in range(1, len(boxes) - 1):
        before, after = boxes[i - 1].rect, boxes[i + 1].rect
        if boxes[i].rect is not None or before is None or after is None:
            continue
        top, bottom = min(before[1], after[1]), max(before[1] + before[3], after[1] + after[3])
        left, right = before[0] + before[2], after[0]
        if vertical:
            top, bottom = before[1] + before[3], after[1]
            left = min(before[0], after[0])
            right = max(before[0] + before[2], after[0] + after[2])
        elif rtl:
            left, right = _rtl_gap(boxes, i, before, after)
        rect = (left, top, max(1, right - left), max(1, bottom - top))
        boxes[i] = CharBox(" ", rect, boxes[i].page)


def _rtl_gap(boxes: list[CharBox], i: int, before: _Rect, after: _Rect) -> tuple[int, int]:
    """The gap between the words around a space of right-to-left text.

    A word can hold left-to-right text, so the boxes next to the space need not be its outermost.
    """
    right, left = before[0], after[0] + after[2]
    for j in range(i - 2, -1, -1):
        rect = boxes[j].rect
        if boxes[j].text in (" ", "\t") or rect is None:
            break
        right = min(right, rect[0])
    for j in range(i + 2, len(boxes)):
        rect = boxes[j].rect
        if rect is None or boxes[j].text == "\t":
            break
        left = max(left, rect[0] + rect[2])
    return left, right


def _visual_order(boxes: list[CharBox]) -> list[CharBox]:
    """Order each line from left to right; right-to-left characters by their place in the text."""
    keys: list[int] = []  # place of right-to-left boxes, -1 for others
    for i, box in enumerate(boxes):
        rtl, ltr = _votes(box.text)
        keys.append(i if rtl > ltr else -1)
        if rtl > ltr:
            box.text = box.text[::-1]
    result: list[CharBox] = []
    start = 0
    while start < len(boxes):
        end = start + 1
        while end < len(boxes) and boxes[end].text != "\t":
            end += 1
        result += _sort_line(boxes[start:end], keys[start:end])
        result += boxes[end : end + 1]
        start = end + 1
    return result


def _sort_line(line: list[CharBox], keys: list[int]) -> list[CharBox]:
    """Sort the boxes of a line as GNU's C++ library does with the same comparison.

    The comparison is not transitive (two right-to-left boxes compare by their index, all others
    by x), so the result depends on the steps of the sorting algorithm.
    """
    from lstmjax.render.introsort import introsort

    def before(a: tuple[CharBox, int], b: tuple[CharBox, int]) -> bool:
        if a[1] >= 0 and b[1] >= 0:
            return b[1] < a[1]
        if a[0].rect is None:
            return True
        if b[0].rect is None:
            return False
        return a[0].rect[0] < b[0].rect[0]

    return [entry[0] for entry in introsort(list(zip(line, keys, strict=True)), before)]
