"""Text -> lines of shaped runs, wrapped to a width and placed below each other.

Source: the behaviour of PangoLayout 1.50, as `text2image` uses it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from lstmjax.render.bidi import base_direction, embedding_levels
from lstmjax.render.face import UNITS, Face, GlyphRun, round_units
from lstmjax.render.itemize import Item, itemize
from lstmjax.render.line_break import Breaks, find_breaks
from lstmjax.render.style import LayoutStyle
from lstmjax.render.wrap import Wrapper

_ENDS = ("\n", "\r", "\u2029")


@dataclass
class Run:
    """An item on a line with its glyphs.

    Attributes:
      item: the item.
      glyphs: glyphs in visual order; their clusters are indices in the text of the layout.
      x: left end in units from the left end of the line.
      shift: units below the baseline, from centring vertical lines.
      stands: whether the characters stand in a vertical line.
    """

    item: Item
    glyphs: GlyphRun
    x: int = 0
    shift: int = 0
    stands: bool = False


@dataclass
class Line:
    """A line of runs, in visual order.

    Attributes:
      start: index of the first character in the text.
      runs: runs from left to right.
      x: left end in units.
      baseline: place of the baseline in units from the top of the layout.
      ascent: units above the baseline.
      height: height in units.
    """

    start: int
    runs: list[Run]
    x: int = 0
    baseline: int = 0
    ascent: int = 0
    height: int = 0


class Layout:
    """Lays texts out; paragraphs are cached."""

    def __init__(self, style: LayoutStyle):
        self.style = style
        self._known: dict[tuple[str, str, bool], list[Line]] = {}

    def lines(self, text: str) -> Iterator[Line]:
        """Yield the lines of a text from top to bottom, laying each paragraph out when needed."""
        top = 0
        direction = base_direction(text) or "L"
        for start, end, following in paragraphs(text):
            body = text[start:end]
            # A paragraph without strong characters keeps the direction of the one before.
            direction = base_direction(body) or direction
            for line in self._paragraph(body, text[end:following], direction):
                placed = replace(line, start=line.start + start, runs=_moved(line.runs, start))
                placed.baseline = top + placed.ascent
                top += placed.height + self.style.leading * UNITS
                yield placed

    def _paragraph(self, body: str, end: str, direction: str) -> list[Line]:
        known = self._known.get((body, direction, bool(end)))
        if known is None:
            known = self._lay_out(body, end, direction)
            if len(self._known) > 4096:
                self._known.clear()
            self._known[body, direction, bool(end)] = known
        return known

    def _lay_out(self, body: str, end: str, direction: str) -> list[Line]:
        style = self.style
        if not body:
            return [_finish(Line(0, []), style, direction)]
        levels = [0] * len(body) if style.vertical else embedding_levels(body, direction)
        items = itemize(body, 0, levels, self._face_for)
        # With the character that ends it, which can forbid a break before it.
        breaks = find_breaks(body + end)
        wrapper = Wrapper(body, _cut(breaks, len(body)), items, style, self._shape)
        lines = []
        for start, runs in wrapper.lines():
            visual = _reorder([Run(item, glyphs) for item, glyphs in runs])
            lines.append(_finish(Line(start, visual), style, direction))
        return lines

    def _face_for(self, character: str) -> Face:
        style = self.style
        if style.fallback is None or style.face.glyph_of(character):
            return style.face
        return style.fallback(character) or style.face

    def _shape(self, text: str, item: Item) -> GlyphRun:
        style = self.style
        return item.face.shape(
            text, item.start, item.length, level=item.level, script=item.script,
            features=style.features, vertical=style.stands(item),
        )  # fmt: skip


def paragraphs(text: str) -> Iterator[tuple[int, int, int]]:
    """Yield the start of each paragraph, its end, and the start of the next."""
    start, i = 0, 0
    while i < len(text):
        if text[i] not in _ENDS:
            i += 1
            continue
        following = i + 2 if text[i : i + 2] == "\r\n" else i + 1
        yield start, i, following
        start = i = following
    yield start, len(text), len(text)


def _cut(breaks: Breaks, size: int) -> Breaks:
    """Drop the characters that end the paragraph."""
    return Breaks(breaks.line[: size + 1], breaks.inside[: size + 1], breaks.white[:size])


def _moved(runs: list[Run], start: int) -> list[Run]:
    """Shift the indices of runs from the paragraph to the text."""
    if not start:
        return runs
    return [
        Run(
            replace(run.item, start=run.item.start + start),
            replace(run.glyphs, clusters=[c + start for c in run.glyphs.clusters]),
            run.x,
            run.shift,
            run.stands,
        )
        for run in runs
    ]


def _reorder(runs: list[Run]) -> list[Run]:
    """Put runs from logical into visual order (rule L2)."""
    if not runs:
        return runs
    highest = max(run.item.level for run in runs)
    lowest_odd = min((run.item.level for run in runs if run.item.level % 2), default=highest + 1)
    for level in range(highest, lowest_odd - 1, -1):
        i = 0
        while i < len(runs):
            end = i
            while end < len(runs) and runs[end].item.level >= level:
                end += 1
            runs[i:end] = runs[i:end][::-1]
            i = max(end, i + 1)
    return runs


def _finish(line: Line, style: LayoutStyle, direction: str) -> Line:
    """Set the places of the runs, and the height and the place of the line."""
    _trim_letter_spacing(line, style)
    x = 0
    for run in line.runs:
        run.x = x
        run.stands = style.stands(run.item)
        if style.vertical:
            run.shift = -_lift(run.item.face, stands=run.stands)
        x += run.glyphs.width
    if direction == "R" and not style.vertical:
        line.x = style.width * UNITS - x
    spans = {_span(run.item.face, style, stands=run.stands) for run in line.runs}
    spans = spans or {_span(style.face, style, stands=style.upright)}
    above = max(span[0] for span in spans)
    below = max(span[1] for span in spans)
    line.ascent, line.height = above * UNITS, (above + below) * UNITS
    return line


def _span(face: Face, style: LayoutStyle, *, stands: bool) -> tuple[int, int]:
    """Pixels above and below the baseline of a line."""
    above = face.ascent + (_lift(face, stands=stands) // UNITS if style.vertical else 0)
    if style.vertical and stands:
        above += face.middle - face.ascent
    return above, face.ascent + face.descent - above


def _lift(face: Face, *, stands: bool) -> int:
    """Units by which characters of a vertical line are raised to centre them on its axis."""
    height = face.ascent + face.descent
    above = face.middle if stands else face.ascent
    return round_units(height * UNITS // 2 - above * UNITS)


def _trim_letter_spacing(line: Line, style: LayoutStyle) -> None:
    """Remove the letter spacing before the first glyph and after the last one."""
    if not style.letter_spacing or not line.runs:
        return
    # As in `_add_letter_spacing`, so that exactly what was added is taken away.
    left = (style.letter_spacing * UNITS // 2 + UNITS // 2) & -UNITS
    right = style.letter_spacing * UNITS - left
    first, last = line.runs[0].glyphs, line.runs[-1].glyphs
    for i, width in enumerate(first.widths):
        if width:
            first.widths[i] -= left
            first.x[i] -= left
            break
    for i in range(len(last.widths) - 1, -1, -1):
        if last.widths[i]:
            last.widths[i] = max(0, last.widths[i] - right)
            break
