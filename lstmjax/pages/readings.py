"""Lines as a model read them, and box files of them in Tesseract's forms.

Source: Tesseract 5.3.0 src/api/lstmboxrenderer.cpp, src/api/wordstrboxrenderer.cpp.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from lstmjax.pages.crop import Rect
from lstmjax.pages.ink import ink_bounds, ink_mask
from lstmjax.pages.positions import character_boxes
from lstmjax.pages.records import Line

_BEHIND = 5  # Tesseract's entries for ends of lines reach this far beyond the line


@dataclass(frozen=True, eq=False)
class Reading:
    """A line and a model's reading of it.

    Attributes:
      line: the line with its place on the page.
      symbols: characters in the order of the image, a space between words.
      spans: [n, 2] columns of the crop that the time steps of each symbol cover; those of spaces
        are not used.
      tight: whether the line's box is that of the ink in its crop, not of the boxes it came with.
    """

    line: Line
    symbols: tuple[str, ...]
    spans: Float[np.ndarray, "n 2"]
    tight: bool = False

    @property
    def text(self) -> str:
        """All symbols together."""
        return "".join(self.symbols)

    def bounds(self) -> Rect:
        """Left, bottom, right, top of the line on its page."""
        line = self.line
        if self.tight:
            found = ink_bounds(ink_mask(line.crop.colours()))
            if found is not None:
                return self._on_page(found)
        if not len(line.boxes):
            return line.rect
        low, high = line.boxes.min(0).tolist(), line.boxes.max(0).tolist()
        return self._on_page((low[0], low[1], high[2], high[3]))

    def boxes(self) -> list[Rect]:
        """The boxes of the symbols on the page; a space lies between its neighbours."""
        solid = [i for i, symbol in enumerate(self.symbols) if symbol != " "]
        found = character_boxes(self.line.crop.colours(), self.spans[solid])
        by_place = dict(zip(solid, found, strict=True))
        places = []
        for i in range(len(self.symbols)):
            if i in by_place:
                places.append(by_place[i])
                continue
            # -1 and one beyond cannot occur: a space is always between two words.
            before, after = by_place[i - 1], by_place[i + 1]
            bottom, top = min(before[1], after[1]), max(before[3], after[3])
            left = before[2]
            places.append((left, bottom, max(after[0], left + 1), top))
        return [self._on_page(place) for place in places]

    def _on_page(self, box: Rect) -> Rect:
        """Move a box from the crop to the page, turned back if the crop was turned upright."""
        left, bottom, right, top = box
        if self.line.vertical:
            height = self.line.rect[3] - self.line.rect[1]
            # The reverse of the turn in `lines.turned_upright`.
            left, bottom, right, top = bottom, height - right, top, height - left
        x, y = self.line.rect[:2]
        return left + x, bottom + y, right + x, top + y


def lstmbox_text(readings: Iterable[Reading]) -> str:
    """A box for each symbol, all as large as the line; a tab ends each line."""
    rows = []
    for reading in readings:
        left, bottom, right, top = reading.bounds()
        place = f"{left} {bottom} {right + _BEHIND} {top} {reading.line.page}"
        rows += [f"{symbol} {place}\n" for symbol in (*reading.symbols, "\t")]
    return "".join(rows)


def wordstr_text(readings: Iterable[Reading]) -> str:
    """A box for each line, with its text after a `#`."""
    rows = []
    for reading in readings:
        left, bottom, right, top = reading.bounds()
        page = reading.line.page
        rows.append(f"WordStr {left} {bottom} {right} {top} {page} #{reading.text} \n")
        rows.append(f"\t {right + 1} {bottom} {right + _BEHIND} {top} {page}\n")
    return "".join(rows)


def char_box_text(readings: Iterable[Reading]) -> str:
    """A box for each symbol at its place, spaces and ends of lines included, as in text2image."""
    rows = []
    for reading in readings:
        page = reading.line.page
        places = reading.boxes()
        rows += [
            f"{symbol} {' '.join(map(str, place))} {page}\n"
            for symbol, place in zip(reading.symbols, places, strict=True)
        ]
        _, _, right, top = places[-1]
        rows.append(f"\t {right + 1} {top - 1} {right + 2} {top} {page}\n")
    return "".join(rows)
