"""Text and a font -> pages: grey images and the boxes of their characters.

    face = open_font("DejaVu Sans", 50.0)
    for page in render_pages(text, face, Settings(max_pages=2)):
        page.image, page.boxes

Source: Tesseract src/training/text2image.cpp, src/training/pango/stringrenderer.cpp.
"""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from lstmjax.constants import MINSTD_MODULUS
from lstmjax.data.random import MinStd
from lstmjax.errors import DataError
from lstmjax.render import boxes as box_rules
from lstmjax.render.characters import words
from lstmjax.render.clusters import CharBox, cluster_boxes
from lstmjax.render.degrade import NoiseState, degrade, distort, draw_angle
from lstmjax.render.face import UNITS, Face
from lstmjax.render.layout import Layout, Line
from lstmjax.render.page_text import (
    Coverage,
    Stripped,
    add_ligatures,
    to_full_width,
    to_half_width,
)
from lstmjax.render.paint import Span, paint
from lstmjax.render.settings import Settings
from lstmjax.render.style import LayoutStyle

MOST_CHARACTERS = 15000
"""Most characters of the text that are tried to fill a page."""

T = TypeVar("T")
Fallback = Callable[[str], Face | None]


@dataclass(frozen=True, eq=False)
class CleanPage:
    """A page before degradation.

    Attributes:
      index: index of the page.
      image: [H, W] uint8, 0 black.
      boxes: clusters in logical order, y growing downwards; spaces have no rectangle.
      stripped: the text on the page, and the words and characters left out.
      consumed: number of characters of the text that the page took.
      mirrors: index of the page with the same text turned the other way.
    """

    index: int
    image: NDArray[np.uint8]
    boxes: list[CharBox]
    stripped: Stripped
    consumed: int
    mirrors: int | None = None


@dataclass(frozen=True, eq=False)
class Page:
    """A finished page.

    Attributes:
      index: index of the page.
      image: [H, W] uint8, 0 black; degraded if the settings say so.
      boxes: boxes turned with the image; `boxes.to_box_file` finishes those of all pages together.
      stripped: the text on the page, and the words and characters left out.
      angle: angle in radians clockwise by which the page was turned.
    """

    index: int
    image: NDArray[np.uint8]
    boxes: list[CharBox]
    stripped: Stripped
    angle: float


class PageRenderer:
    """Renders pages of one font with one set of settings."""

    def __init__(self, face: Face, settings: Settings, fallback: Fallback | None = None):
        """Make a renderer.

        Args:
          face: the font at its size.
          settings: settings of the pages.
          fallback: function from a character that the font lacks to a face that has it. Such
            characters are left out of pages, but take up room when a page is filled.
        """
        self.face, self.settings = face, settings
        self._coverage = Coverage(face)
        self._layout = Layout(
            LayoutStyle(
                face=face, width=settings.line_width, leading=settings.leading,
                letter_spacing=settings.letter_spacing, ligatures=settings.ligatures,
                vertical=settings.vertical, upright=settings.writing_mode == "vertical-upright",
                fallback=fallback,
            )
        )  # fmt: skip

    def page_end(self, text: str) -> int:
        """Number of characters of a text that fit on a page; 0 if not even a line does."""
        # No more than the original tries: where pages break depends on it.
        text = text[:MOST_CHARACTERS]
        top = None
        for line in self._layout.lines(text):
            low, high = _ink_rows(line)
            top = low if top is None else top
            if high - top > self.settings.block_height:
                return line.start
        return len(text)

    def prepare(self, text: str) -> Stripped:
        """The text of a page as it is drawn, without words that the font cannot show."""
        settings = self.settings
        if settings.writing_mode == "vertical-upright":
            text = to_full_width(text)
        stripped = self._coverage.strip(text, words_too=settings.strip_unrenderable_words)
        if settings.ligatures:
            stripped = replace(stripped, text=self._coverage.add_ligatures(stripped.text))
        return stripped

    def draw(
        self, text: str, index: int = 0, *, blank: bool = False, top: int | None = None
    ) -> CleanPage:
        """Draw one page with as much of the text as fits.

        Args:
          text: the part of the text that is not on a page yet.
          index: index of the page.
          blank: whether to lay out only and leave the image white.
          top: row at which the text begins, by default below the margin.
        Returns: the page; `consumed` is 0 if not even a line fits.
        """
        settings = self.settings
        # The text before words are stripped decides on the page's end, as in the original.
        consumed = self.page_end(text)
        stripped = self.prepare(text[:consumed])
        lines = list(self._layout.lines(stripped.text)) if consumed else []
        shape = (settings.height, settings.width)
        margin = settings.margin
        # Vertical text is laid out lying, from the top right corner, and turned as a whole.
        origin = (
            settings.width - margin if settings.vertical else margin,
            margin if top is None else top,
        )
        if blank:
            image = np.full(shape, 255, np.uint8)
        else:
            image = paint(
                shape, lines, origin, vertical=settings.vertical,
                underlines=self._underlines(stripped.text),
            )  # fmt: skip
        boxes = self._boxes(stripped.text, lines, index, origin)
        return CleanPage(index, image, boxes, stripped, consumed)

    def _boxes(
        self, text: str, lines: list[Line], index: int, origin: tuple[int, int]
    ) -> list[CharBox]:
        settings = self.settings
        found = cluster_boxes(
            text, lines, index, padding=settings.box_padding, vertical=settings.vertical
        )
        found = box_rules.move(found, *origin)
        if settings.vertical:
            found = box_rules.turn(found, np.pi / 2, origin)
        if settings.writing_mode == "vertical-upright":
            found = [replace(box, text=to_half_width(box.text)) for box in found]
        if settings.ligatures:
            found = [replace(box, text=add_ligatures(box.text)) for box in found]
        return box_rules.merge_words(found) if settings.word_boxes else found

    def _underlines(self, text: str) -> list[Span]:
        return underlined_words(
            text, self.settings.underline_start, self.settings.underline_continuation
        )


def render_pages(
    text: str, face: Face, settings: Settings, *, fallback: Fallback | None = None,
    workers: int = 1,
) -> Iterator[Page]:  # fmt: skip
    """Yield the pages of a text, in order.

    The same arguments give the same pages, whatever the number of workers.

    Args:
      text: text to be rendered.
      face: the font, at the size that the settings ask for (`settings.pixels`).
      settings: settings of the pages.
      fallback: function from a character that the font lacks to a face that has it; see
        `PageRenderer`.
      workers: number of threads that degrade pages.

    Raises:
      DataError: not even one line fits on a page.
    """
    return map_pages(lambda page: page, text, face, settings, fallback=fallback, workers=workers)


def map_pages(
    work: Callable[[Page], T], text: str, face: Face, settings: Settings, *,
    fallback: Fallback | None = None, workers: int = 1,
) -> Iterator[T]:  # fmt: skip
    """Yield `work(page)` for each page, in order; it runs in the thread that degrades the page.

    The other arguments are those of `render_pages`.
    """
    clean = _clean_pages(text, PageRenderer(face, settings, fallback))
    if settings.degradation.distort and settings.width * settings.height % 2:
        workers = 1  # one of a pair of random numbers is left over for the next page
    degrader = PageDegrader(settings)
    if workers <= 1:
        for page in clean:
            yield work(degrader.next_task(page)())
        return
    with ThreadPoolExecutor(workers) as pool:
        waiting: deque[Future[T]] = deque()
        for page in clean:
            task = degrader.next_task(page)
            waiting.append(pool.submit(lambda task=task: work(task())))
            # One page more than there are workers: pages come out in order, and few wait in memory.
            if len(waiting) > workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _clean_pages(text: str, renderer: PageRenderer) -> Iterator[CleanPage]:
    """Yield the pages of the text, twice if they are turned both ways."""
    settings = renderer.settings
    index = 0
    for again in range(2 if settings.degradation.both_ways else 1):
        start, count = 0, 0
        while start < len(text) and not 0 < settings.max_pages <= count:
            page = renderer.draw(text[start : start + MOST_CHARACTERS + 1], index)
            if not page.consumed:
                raise DataError(
                    f"no line fits on a page: letters are {settings.pixels:.0f} pixels high, "
                    f"{settings.block_height} pixels are left between the margins; choose a "
                    "larger page, a smaller margin or smaller letters"
                )
            yield replace(page, mirrors=count) if again else page
            start += page.consumed
            index, count = index + 1, count + 1


class PageDegrader:
    """Makes tasks for degrading pages, each with its own part of the random numbers."""

    def __init__(self, settings: Settings):
        self._settings = settings
        self._state = NoiseState(MinStd.seed(settings.degradation.seed))
        self._angles: list[float] = []

    def next_task(self, page: CleanPage) -> Callable[[], Page]:
        """Make the task for the next page; tasks share no state, so they can run in parallel.

        The state goes on to the next page at once, by the numbers that the task will draw.
        """
        options = self._settings.degradation
        # With an even number of pixels no number is left over; otherwise tasks run one by one.
        even = page.image.size % 2 == 0
        spare = np.zeros(2, np.float32) if even else self._state.spare
        state = NoiseState(MinStd(self._state.draws.state), spare)
        angle = None if page.mirrors is None else -self._angles[page.mirrors]
        if options.degrade and options.rotate:
            # An angle of 0 counts as none, as in `degrade`: both draw the same numbers.
            turned = angle or draw_angle(self._state)
        else:
            turned = 0.0
        self._angles.append(turned)
        if options.degrade:
            # One number for each pixel, whatever the page shows.
            self._state.draws.skip(page.image.size)
        if options.distort:
            _skip_distort(self._state, self._settings)
        return lambda: _spoil(page, state, self._settings, angle)


def _skip_distort(state: NoiseState, settings: Settings) -> None:
    """Advance the state by the numbers that `distort` draws."""
    options = settings.degradation
    # The first number decides on noise; only then is a seed drawn, as in `distort`.
    if (options.white_noise or options.smooth_noise) and state.draws.signed(1)[0] > 0:
        state.draws.skip(1)
    if options.blur:
        state.draws.skip(1)
    if options.invert:
        state.draws.skip(1)


def _spoil(page: CleanPage, state: NoiseState, settings: Settings, angle: float | None) -> Page:
    """Degrade a page and turn its boxes with it."""
    options = settings.degradation
    image, turned = page.image, 0.0
    if options.degrade:
        image, turned = degrade(
            image, state, exposure=options.exposure, rotate=options.rotate, angle=angle
        )
    if options.distort:
        image = distort(
            image, state, invert=options.invert, white_noise=options.white_noise,
            smooth_noise=options.smooth_noise, blurred=options.blur,
        )  # fmt: skip
    centre = (settings.width // 2, settings.height // 2)
    boxes = box_rules.turn(page.boxes, turned, centre) if turned else page.boxes
    return Page(page.index, image, boxes, page.stripped, turned)


def _ink_rows(line: Line) -> tuple[int, int]:
    """The first row with ink of a line, and the row after the last one."""
    rows: list[tuple[int, int]] = []
    for run in line.runs:
        base = line.baseline + run.shift
        for number, dy in zip(run.glyphs.glyphs, run.glyphs.y, strict=True):
            left, top, width, height = run.item.face.glyph(number).ink
            # Lying on its side, a glyph's left edge is its top.
            if run.stands:
                top, height, width = -left - width, width, height
            if width and height:
                rows.append((base + dy + top * UNITS, base + dy + (top + height) * UNITS))
    if not rows:
        rows = [(line.baseline, line.baseline)]
    return min(r[0] for r in rows) // UNITS, -(-max(r[1] for r in rows) // UNITS)


def underlined_words(text: str, start: float, continuation: float) -> list[Span]:
    """Choose the words of a page that are underlined, at random.

    Args:
      text: text of the page.
      start: probability that a word starts an underline.
      continuation: probability that an underline goes on to the next word.

    Returns: first and end character of each underline.
    """
    if start <= 0:
        return []
    draws = MinStd()

    def decide(probability: float) -> bool:
        # Certain cases draw nothing, as in the original.
        if probability <= 0 or probability >= 1:
            return probability >= 1
        return bool(draws.integers(1)[0] / MINSTD_MODULUS < probability)

    spans: list[list[int]] = []
    going_on = False
    for begin, end in words(text):
        if going_on and decide(continuation):
            spans[-1][1] = end
            continue
        going_on = decide(start)
        if going_on:
            spans.append([begin, end])
    if going_on:
        spans[-1][1] = len(text)
    return [(begin, end) for begin, end in spans]
