"""Lines for recipe tesseract, one at a time, by their place in the run.

Any trainer may ask for any place, again and again, so a run can go back. What Tesseract says about
a line it cannot use comes with every visit.
Source: Tesseract src/training/unicharset/lstmtrainer.cpp, src/lstm/lstmrecognizer.cpp.
"""

import os
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from lstmjax.charset.failures import TextError
from lstmjax.data.batch import Batch, BatchShape, pad
from lstmjax.data.borders import Borders, draw_borders
from lstmjax.data.image import Pixels, invert, normalise
from lstmjax.data.lines import Line
from lstmjax.data.random import MinStd
from lstmjax.data.skips import Skip, SkipReason, classify
from lstmjax.data.stream import LineStream
from lstmjax.errors import DataError
from lstmjax.netspec.tree import Node

_LOADED_AHEAD = 4


class Inputs(NamedTuple):
    """A line as the network reads it, with the borders its convolutions see."""

    batch: Batch
    borders: tuple[Borders, ...]


class Page(NamedTuple):
    """A usable line.

    line: which one; codes: codes of its text, reversed if it is turned; pixels: scaled.
    sample: seed of its random numbers.
    inputs: input of the network.
    padded: whether padding drew random numbers before the borders did.
    """

    line: Line
    codes: np.ndarray
    pixels: Pixels
    sample: int
    inputs: Inputs
    padded: bool


class Refusal(NamedTuple):
    """An unusable line, and what the original prints about it."""

    line: Line
    texts: tuple[str, ...]


class PageSource:
    """The lines of a stream by place; use it as a context manager."""

    def __init__(self, stream: LineStream, network: Node, *, simple_text: bool):
        self._stream = stream
        self._network = network
        self._simple_text = simple_text
        self._codes: dict[int, np.ndarray | tuple[str, ...]] = {}
        self._unreadable: set[int] = set()
        # One thread: lines are prepared in the order in which they are asked for.
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="pages")
        self._ahead: dict[tuple[int, bool], Future[Page | Refusal]] = {}

    def __enter__(self) -> "PageSource":
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    @property
    def round(self) -> int:
        """Visits after which every line was met."""
        return self._stream.round

    def visit(self, serial: int, *, rotate: bool) -> Page | Refusal:
        """The line at a place of the run; the next ones are prepared meanwhile."""
        rotate = rotate and self._stream.settings.randomly_rotate
        wanted = [(serial + i, rotate) for i in range(_LOADED_AHEAD + 1)]
        # Places no longer wanted are dropped: a run that goes back asks for quite other ones.
        self._ahead = {key: self._ahead[key] for key in wanted if key in self._ahead}
        for key in wanted:
            if key not in self._ahead:
                self._ahead[key] = self._pool.submit(self.load, *key)
        return self._ahead.pop(wanted[0]).result()

    def load(self, serial: int, rotate: bool = False) -> Page | Refusal:
        """The line at a place of the run."""
        stream = self._stream
        document, page = stream.order(serial, stream.index.pages)
        number = int(stream.index.number(document, page))
        line = numbered(stream.index[number])
        # Judged once, but told at each visit: the original encodes a line anew each time.
        if number not in self._codes:
            self._codes[number] = self._encode(line)
        codes = self._codes[number]
        if isinstance(codes, tuple):
            return Refusal(line, codes)
        try:
            pixels = stream.store.scaled(number).pixels
        except DataError as err:
            return self._unreadable_line(line, err)
        if rotate and float(MinStd.for_sample(serial).signed(1)[0]) > 0:
            # Half a turn: both axes of the image, and the one that codes have.
            pixels, codes = pixels[::-1, ::-1], codes[::-1]
        return self._page(line, codes, pixels, serial)

    def again(self, page: Page, sample: int) -> Page:
        """The same line with the random numbers of another place."""
        return self._page(page.line, page.codes, page.pixels, sample)

    def inverted(self, page: Page) -> Inputs:
        """The inputs with black and white exchanged."""
        return self._inputs(page.codes, invert(page.pixels), page.sample)[0]

    def restarted(self, page: Page) -> Inputs:
        """The inputs as they were, with borders drawn as if padding had drawn nothing."""
        return self._with_borders(page.inputs.batch, MinStd.for_sample(page.sample))

    def _page(self, line: Line, codes: np.ndarray, pixels: Pixels, sample: int) -> Page:
        inputs, padded = self._inputs(codes, pixels, sample)
        return Page(line, codes, pixels, sample, inputs, padded)

    def _inputs(self, codes: np.ndarray, pixels: Pixels, sample: int) -> tuple[Inputs, bool]:
        stream, shape = MinStd.for_sample(sample), self._stream.geometry.shape
        # One stream for both, padding first: the borders' numbers depend on how many padding drew.
        start = stream.state
        block = normalise(pixels, shape, stream)
        drew = stream.state != start
        room = BatchShape(block.shape[0], block.shape[1], len(codes))
        return self._with_borders(pad([block], [codes], room, 1), stream), drew

    def _with_borders(self, batch: Batch, stream: MinStd) -> Inputs:
        height, width = batch.images.shape[:2]
        return Inputs(batch, draw_borders(self._network, height, width, stream))

    def _encode(self, line: Line) -> np.ndarray | tuple[str, ...]:
        """The codes of a line, or what the original prints on each visit."""
        codec, geometry = self._stream.codec, self._stream.geometry
        found = classify(line, codec, geometry)
        if not isinstance(found, Skip):
            return found
        if found.reason is SkipReason.TOO_LONG and self._simple_text:
            codes = codec.encode(line.text)  # these need no room for nulls between equal codes
            if len(codes) <= geometry.steps(geometry.shape.width or geometry.scaled(line)[0]):
                return codes
        return tuple(self._texts(line, found))

    def _texts(self, line: Line, skip: Skip) -> Iterable[str]:
        name = line.name
        if isinstance(skip.error, TextError):
            return skip.error.log().split("\n")
        if skip.reason is SkipReason.TOO_LONG:
            return no_targets_texts(line, simple_text=self._simple_text)
        refused = f"Image {name} not trainable"
        if skip.reason is SkipReason.UNDECODABLE:
            return "Bad pix from ImageData!", "Line cannot be recognized!!", refused
        width, height = self._stream.geometry.scaled(line)
        if skip.reason is SkipReason.TOO_SMALL:
            least = self._stream.geometry.min_side
            small = f"Image too small to scale!! ({width}x{height} vs min width of {least})"
            return small, "Line cannot be recognized!!", refused
        return f"Image too large to learn!! Size = {width}x{height}", refused

    def _unreadable_line(self, line: Line, err: DataError) -> Refusal:
        """A line whose image is broken, or whose file has gone: named once, then as originally."""
        skip = Skip(SkipReason.UNDECODABLE, str(err))
        if line.number not in self._unreadable:
            self._unreadable.add(line.number)
            self._stream.report(line.number, skip)
        texts = self._texts(line, skip) if os.path.exists(line.path) else ()
        return Refusal(line, tuple(texts))


def numbered(line: Line) -> Line:
    """The line as texts name it: below a file's own name its place there counts, from 0."""
    return replace(line, page_number=line.page) if line.name == line.path else line


def no_targets_texts(line: Line, *, simple_text: bool) -> tuple[str, ...]:
    """What the original prints when a text does not fit the time steps."""
    kind = "simple" if simple_text else "CTC"
    return (f"Compute {kind} targets failed for {line.name}!",)
