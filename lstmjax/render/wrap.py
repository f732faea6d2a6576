"""Breaking a paragraph into lines of a width.

A line takes items until one does not fit. That one is cut at the last break opportunity where the
part before it, shaped by itself, still fits; without such an opportunity, between graphemes.
Source: the behaviour of PangoLayout 1.50 with word and character wrapping.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import accumulate

from lstmjax.render.face import EMPTY, UNITS, GlyphRun
from lstmjax.render.itemize import Item
from lstmjax.render.line_break import Breaks
from lstmjax.render.style import LayoutStyle

_LINE_SEPARATOR = "\u2028"
_TAB_SPACES = 8
_SAMPLE = "The quick brown fox jumps over the lazy dog."
_Piece = tuple[Item, GlyphRun]


class Wrapper:
    """Wraps one paragraph."""

    def __init__(
        self,
        text: str,
        breaks: Breaks,
        items: list[Item],
        style: LayoutStyle,
        shape: Callable[[str, Item], GlyphRun],
    ):
        """Make a wrapper.

        Args:
          text: the paragraph.
          breaks: break opportunities of the paragraph.
          items: items of the paragraph, in order; wrapping changes them.
          style: style of the layout.
          shape: function from the text and an item to the item's glyphs.
        """
        # Reversed: items are taken off and put back at the end of the list.
        self._text, self._breaks, self._items, self._style = text, breaks, items[::-1], style
        self._shape_item = shape
        self._width = style.width * UNITS
        # The width of a part shaped by itself is taken to differ from the sum of its characters'
        # widths by less than three average characters.
        self._safe = self._shape_sample().width // len(_SAMPLE) * 3
        # Running sums of the characters' widths in the item at the front.
        self._sums: list[int] = []
        self._sums_start = 0
        self._fresh: Item | None = None

    def lines(self) -> Iterator[tuple[int, list[_Piece]]]:
        """Yield the start of each line and its items with their glyphs, in logical order."""
        while self._items:
            start = self._items[-1].start
            pieces, wrapped = self._line()
            if wrapped and pieces:
                self._drop_last_space(pieces[-1])
            yield start, pieces

    def _line(self) -> tuple[list[_Piece], bool]:
        """Take one line off the items; also return whether it was wrapped."""
        pieces: list[_Piece] = []
        remaining = self._width
        kept, kept_remaining = 0, 0  # pieces before the last one with a break, and the room there
        have_break = False
        while self._items:
            item = self._items[-1]
            room = remaining
            if self._text[item.start] == _LINE_SEPARATOR:
                pieces.append((self._items.pop(), GlyphRun([EMPTY], [item.start], [0], [0], [0])))
                return pieces, True
            whole = self._whole(item, pieces, remaining)
            if whole is not None:
                pieces.append((item, whole))
                self._items.pop()
                remaining = max(0, remaining - whole.width)
                if self._text[item.start] != "\t" and self._has_break(item, first=len(pieces) == 1):
                    have_break, kept, kept_remaining = True, len(pieces) - 1, room
                continue
            cut = self._cut(item, pieces, remaining, force=not have_break, at_end=True)
            if cut is None:  # go back to the item with the last break
                self._items += [piece[0] for piece in reversed(pieces[kept:])]
                del pieces[kept:]
                cut = self._cut(self._items[-1], pieces, kept_remaining, force=True, at_end=False)
            self._take(cut or 0, pieces)
            return pieces, bool(self._items)
        return pieces, False

    def _take(self, length: int, pieces: list[_Piece]) -> None:
        """Move the first characters of the front item to the line."""
        item = self._items[-1]
        if not length:
            return
        if length == item.length:
            pieces.append((self._items.pop(), self._shape(item)))
            return
        part = replace(item, length=length)
        pieces.append((part, self._shape(part)))
        item.start += length
        item.length -= length

    def _whole(self, item: Item, pieces: list[_Piece], remaining: int) -> GlyphRun | None:
        """The glyphs of an item that fits on the line, None if it does not."""
        if self._text[item.start] == "\t":
            return self._tab(item, pieces)
        self._measure(item)
        end = item.start + item.length
        extra = self._extra(end) if self._can_break(end, item) else 0
        single = item.length == 1 and not pieces  # taken even if it is too wide
        if not single and self._sum(item, item.length) + extra > remaining:
            return None
        glyphs = self._shape(item)
        return glyphs if single or glyphs.width + extra <= remaining else None

    def _measure(self, item: Item) -> None:
        """Compute the running sums for the item at the front, unless they are known."""
        if self._fresh is item:
            return
        glyphs = self._shape(item)
        self._sums = [0, *accumulate(_character_widths(item, glyphs))]
        self._sums_start, self._fresh = item.start, item

    def _sum(self, item: Item, length: int) -> int:
        """Width of the first characters of the rest of an item."""
        begin = item.start - self._sums_start
        return self._sums[begin + length] - self._sums[begin]

    def _can_break(self, place: int, item: Item, *, anywhere: bool = False) -> bool:
        # The end of the text is a break; that of a paragraph inside it is not one by itself.
        return self._breaks.inside[place] if anywhere else self._breaks.line[place]

    def _has_break(self, item: Item, *, first: bool) -> bool:
        # A break before the first character of a line would leave the line empty.
        begin = item.start + (1 if first else 0)
        return any(self._breaks.line[begin : item.start + item.length])

    def _extra(self, place: int) -> int:
        """The change in width of a line that ends at a place: less the space before it."""
        if place > self._sums_start and self._breaks.white[place - 1]:
            offset = place - self._sums_start
            return self._sums[offset - 1] - self._sums[offset]
        return 0

    def _cut(
        self, item: Item, pieces: list[_Piece], remaining: int, *, force: bool, at_end: bool
    ) -> int | None:
        """Choose how many characters of an item go on the line.

        Args:
          item: the item at the front.
          pieces: pieces on the line already.
          remaining: room in units.
          force: whether to choose a place even if nothing fits.
          at_end: whether the whole item may be taken.
        Returns: the count; None if nothing fits.
        """
        self._measure(item)
        # First at breaks of words, then, if nothing fits, between any graphemes.
        for anywhere in (False, True):
            count, width = self._best(item, pieces, remaining, anywhere=anywhere, at_end=at_end)
            if width <= remaining or not force:
                break
        return count if force or width <= remaining else None

    def _best(
        self, item: Item, pieces: list[_Piece], remaining: int, *, anywhere: bool, at_end: bool
    ) -> tuple[int, int]:
        """The best place to cut an item and the width up to there."""
        end = item.start + item.length
        whole_extra = self._extra(end) if at_end and self._can_break(end, item) else 0
        best, best_width = item.length, self._sum(item, item.length) + whole_extra
        last = item.length if at_end else item.length - 1
        begin = self._sure_start(item, pieces, remaining, last, anywhere)
        for count in range(begin, last + 1):
            width = self._sum(item, count)
            extra = self._extra(item.start + count) if count else 0
            if min(width + extra, width) > remaining + self._safe and best < item.length:
                break  # nothing further on can fit
            if not (count or pieces) or not self._can_break(
                item.start + count, item, anywhere=anywhere
            ):
                continue
            if count == 0 or width + extra < remaining - self._safe:
                best, best_width = count, width + extra
                continue
            # A close case: only shaping the part tells its width.
            measured = self._shape(replace(item, length=count)).width
            measured += extra if count < item.length or len(self._items) > 1 else 0
            if best == item.length or measured <= remaining or measured < best_width:
                best, best_width = count, measured
        return best, best_width

    def _sure_start(
        self, item: Item, pieces: list[_Piece], remaining: int, last: int, anywhere: bool
    ) -> int:
        """The last break that certainly fits; there is no need to try those before it."""
        begin = item.start - self._sums_start
        limit = self._sums[begin] + remaining - self._safe
        count = min(last, bisect_left(self._sums, limit, begin, begin + last + 1) - begin - 1)
        while count > 0 and not self._can_break(item.start + count, item, anywhere=anywhere):
            count -= 1
        return max(0, count)

    def _shape(self, item: Item) -> GlyphRun:
        glyphs = self._shape_item(self._text, item)
        if self._style.letter_spacing:
            _add_letter_spacing(item, glyphs, self._breaks.inside, self._style.letter_spacing)
        return glyphs

    def _shape_sample(self) -> GlyphRun:
        return self._style.face.shape(_SAMPLE, 0, len(_SAMPLE), script="Latn")

    def _tab(self, item: Item, pieces: list[_Piece]) -> GlyphRun:
        """A space up to the next multiple of eight spaces."""
        space = self._style.face.shape(" ", 0, 1, script="Latn").width
        used = sum(glyphs.width for _, glyphs in pieces)
        step = max(UNITS, _TAB_SPACES * space)
        width = (used // step + 1) * step - used
        return GlyphRun([EMPTY], [item.start], [width], [0], [0])

    def _drop_last_space(self, piece: _Piece) -> None:
        """Remove the width of the space at which a line was wrapped."""
        item, glyphs = piece
        if not self._breaks.white[item.start + item.length - 1]:
            return
        # In right-to-left text the last character is the first glyph.
        last, neighbour = (0, 1) if item.level % 2 else (-1, -2)
        clusters = glyphs.clusters
        if len(clusters) > 1 and clusters[last] == clusters[neighbour]:
            return
        glyphs.widths[last] = 0
        glyphs.glyphs[last] = EMPTY


def _character_widths(item: Item, glyphs: GlyphRun) -> list[int]:
    """Spread the width of each cluster evenly over its characters."""
    totals: dict[int, int] = {}
    for cluster, width in zip(glyphs.clusters, glyphs.widths, strict=True):
        totals[cluster] = totals.get(cluster, 0) + width
    starts = sorted(totals)
    widths = [0] * item.length
    for begin, end in zip(starts, [*starts[1:], item.start + item.length], strict=True):
        # Parts of a ligature share its width; the remainder goes to the first character.
        each = totals[begin] // (end - begin)
        widths[begin - item.start : end - item.start] = [each] * (end - begin)
        widths[begin - item.start] += totals[begin] - each * (end - begin)
    return widths


def _add_letter_spacing(item: Item, glyphs: GlyphRun, graphemes: list[bool], pixels: int) -> None:
    """Add half of the spacing before and half after each grapheme, on whole pixels."""
    total = pixels * UNITS
    left = (total // 2 + UNITS // 2) & -UNITS
    right = total - left
    count = len(glyphs.glyphs)
    for i in range(count):
        cluster = glyphs.clusters[i]
        first = i == 0 or glyphs.clusters[i - 1] != cluster
        final = i == count - 1 or glyphs.clusters[i + 1] != cluster
        if not graphemes[cluster]:
            if first and not glyphs.widths[i]:
                glyphs.x[i] += left if item.level % 2 else -right
            continue
        if first:
            glyphs.widths[i] += left
            glyphs.x[i] += left
        if final:
            glyphs.widths[i] += right
