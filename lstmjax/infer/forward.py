"""Running a model on line images: prepared as Tesseract prepares them, in batches.

The result for a line does not depend on the lines beside it. Every line gets the random numbers
that its place in the run gives it, so an evaluation has the same digits as `lstmeval`.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import numpy as np
from jaxtyping import Float32, Int32

from lstmjax.array_types import Params
from lstmjax.data import image as image_module
from lstmjax.data.batch import Buckets, fit_buckets
from lstmjax.data.image import Pixels
from lstmjax.data.random import MinStd
from lstmjax.infer.model import LoadedModel
from lstmjax.netspec.tree import x_scale

BATCH = 8  # number of lines that the loops of `host` multiply at once
_SHAPE_COST = 64  # compiling for one more width costs as much as reading this many lines
_MOST_SHAPES = 6
# How a line is read: as it is; inverted; or, when that did not help, as it is with the borders of
# convolutions drawn anew, as if padding to a fixed width had drawn nothing.
_AS_IS, _INVERTED, _RESTARTED = range(3)


class LineToRead(NamedTuple):
    """A line ready to be read.

    pixels: image scaled to the network's height, uint8.
    sample: place of the line in the run, which seeds its random numbers.
    invert_below: mean probability of the reading below which white on black is tried; 0: never.
    levels: grey levels of ink and paper in `pixels`, if they are known.
    """

    pixels: Pixels
    sample: int
    invert_below: float = 0.0
    levels: tuple[np.float32, np.float32] | None = None


class Prepared(NamedTuple):
    """A line as network input, and its random numbers after padding."""

    block: image_module.Input
    stream: MinStd


class _Doubtful(NamedTuple):
    """The outputs for a line that may be white on black."""

    probs: np.ndarray
    certainty: float


Prepare = Callable[[list[int]], list[Prepared]]
Result = TypeVar("Result")


@dataclass(frozen=True)
class Forward(ABC):
    """A model ready to run; make it with `choose.make_forward`."""

    model: LoadedModel

    @property
    def has_process(self) -> bool:
        """Whether this process is there for reading alone, so that it may be forked."""
        return False

    @abstractmethod
    def with_weights(self, params: Params, sample_iteration: int) -> "Forward":
        """The same network with other weights; nothing is compiled again.

        Args:
          params: weights on the host.
          sample_iteration: number of lines visited in training, which seeds printed readings.
        """

    def probs(
        self, lines: Sequence[LineToRead], *, batch: int = BATCH, buckets: Buckets | None = None
    ) -> list[np.ndarray]:
        """Class probabilities [T, K] float32 of each line, in order; see `outputs`."""
        out: list[np.ndarray] = [np.empty((0, 0), np.float32)] * len(lines)
        for place, probs in self.outputs(lines, batch=batch, buckets=buckets):
            out[place] = probs
        return out

    def outputs(
        self, lines: Sequence[LineToRead], *, batch: int = BATCH, buckets: Buckets | None = None
    ) -> Iterator[tuple[int, np.ndarray]]:
        """Yield place and class probabilities [T, K] float32 of each line, as they are ready.

        Args:
          lines: lines to read.
          batch: number of lines computed at once.
          buckets: widths to compile for, where JAX does it; fitted to these lines if missing.
        """
        return self.results(lines, lambda _, probs: probs, batch=batch, buckets=buckets)

    def results(
        self,
        lines: Sequence[LineToRead],
        read: Callable[[int, np.ndarray], Result],
        *,
        batch: int = BATCH,
        buckets: Buckets | None = None,
    ) -> Iterator[tuple[int, Result]]:
        """Yield place and `read(place, probabilities)` of each line; it runs in several threads.

        See `outputs` for the other arguments.
        """
        buckets = buckets or self.buckets([line.pixels.shape[1] for line in lines])
        null_char = self.model.null_char

        def read_if_sure(place: int, probs: np.ndarray) -> Result | _Doubtful:
            limit = lines[place].invert_below
            # 0 asks for no second reading, whatever the certainty.
            if limit and (sure := certainty(probs, null_char)) < limit:
                return _Doubtful(probs, sure)
            return read(place, probs)

        def look_again(place: int, probs: np.ndarray) -> Result | None:
            before = doubtful[place]
            if certainty(probs, null_char) > before.certainty:
                return read(place, probs)
            # The original reads the first input again, with fresh random numbers: without a fixed
            # width the padding drew none, and that reading would be this one.
            return None if self.model.input_shape.width else read(place, before.probs)

        doubtful: dict[int, _Doubtful] = {}
        all_places = range(len(lines))
        # Doubtful lines wait until all have been read, so that they too fill batches.
        for place, result in self._run(lines, all_places, _AS_IS, batch, buckets, read_if_sure):
            if isinstance(result, _Doubtful):
                doubtful[place] = result
            else:
                yield place, result
        again: list[int] = []
        places = list(doubtful)
        for place, result in self._run(lines, places, _INVERTED, batch, buckets, look_again):
            if result is None:
                again.append(place)
            else:
                yield place, result
        yield from self._run(lines, again, _RESTARTED, batch, buckets, read)

    def buckets(self, widths: Sequence[int]) -> Buckets:
        """Choose the widths to compile for, given those of (a sample of) all scaled lines."""
        fixed = self.model.input_shape.width
        # A fixed width pads every line to itself.
        found = np.array([fixed] if fixed else widths or [1], np.int64)
        choices = [
            fit_buckets(
                found, np.ones(len(found), int), most=most, multiple=x_scale(self.model.root)
            )
            for most in range(1, _MOST_SHAPES + 1)
        ]

        def cost(choice: Buckets) -> float:
            used = np.array(choice.widths)[np.searchsorted(choice.widths, found)]
            # Padding to be computed, and a price for each width that has to be compiled.
            return float(used.sum() + len(choice.widths) * _SHAPE_COST * found.mean())

        return min(choices, key=cost)

    def _run(
        self,
        lines: Sequence[LineToRead],
        places: Sequence[int],
        way: int,
        batch: int,
        buckets: Buckets,
        read: Callable[[int, np.ndarray], Result],
    ) -> Iterator[tuple[int, Result]]:
        """Yield what is read of the lines at `places`."""
        groups = _groups({place: lines[place].pixels.shape for place in places}, batch)

        def prepare(group: list[int]) -> list[Prepared]:
            return [self._prepare(lines[place], way) for place in group]

        return self._run_groups(groups, prepare, read, batch, buckets)

    @abstractmethod
    def _run_groups(
        self,
        groups: Iterable[list[int]],
        prepare: Prepare,
        read: Callable[[int, np.ndarray], Result],
        batch: int,
        buckets: Buckets,
    ) -> Iterator[tuple[int, Result]]:
        """Yield what is read in groups of at most `batch` lines of one height."""

    def _prepare(self, line: LineToRead, way: int) -> Prepared:
        # Both ways start from the line's own seed: readings do not depend on what was read before.
        stream = MinStd.for_sample(line.sample)
        model, pixels, levels = self.model, line.pixels, line.levels
        if way == _INVERTED:
            pixels, levels = image_module.invert(pixels), None
        block = image_module.normalise(
            pixels, model.input_shape, stream, int8=model.int_mode, levels=levels
        )
        # `stream` has drawn the padding's noise; a fresh one has drawn nothing.
        return Prepared(block, MinStd.for_sample(line.sample) if way == _RESTARTED else stream)


def _groups(shapes: dict[int, tuple[int, ...]], batch: int) -> Iterator[list[int]]:
    """Lines of one height and similar width together, at most `batch` of them."""
    group: list[int] = []
    # Sorted by width, so that the lines of a group need little padding.
    for place in sorted(shapes, key=lambda place: shapes[place][:2]):
        if group and (len(group) == batch or shapes[group[0]][0] != shapes[place][0]):
            yield group
            group = []
        group.append(place)
    if group:
        yield group


def certainty(probs: Float32[np.ndarray, "T K"], null_char: int) -> float:
    """Mean probability of the best class where it is not the null; 0 if it always is.

    Source: Tesseract src/lstm/lstmrecognizer.cpp, OutputStats.
    """
    best: Int32[np.ndarray, " T"] = probs.argmax(1)
    chosen = probs[np.arange(len(probs)), best][best != null_char]
    if not len(chosen):
        return 0.0
    # In whole 127ths, cut off: the original makes a histogram of such numbers.
    return float((127 * chosen).astype(np.int64).sum() / (len(chosen) * 127))
