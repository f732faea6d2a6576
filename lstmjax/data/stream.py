"""Lines in training order, as batches: planned exactly, loaded ahead in the background.

Lines are visited in an order of `order`, a window at a time. Inside a window they are grouped by
width and the groups shuffled by seed, so a plan is a pure function of the data, the settings and
a `Position`; a resumed run goes on with the very batch that would have come next.
"""

import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from jaxtyping import Int32

from lstmjax.data.augment import augment
from lstmjax.data.augmentation import NO_AUGMENTATION, Augmentation
from lstmjax.data.batch import Batch, BatchShape, Buckets, fit_buckets, pad
from lstmjax.data.image import normalise
from lstmjax.data.lines import LineIndex
from lstmjax.data.order import Order, round_length
from lstmjax.data.random import MinStd
from lstmjax.data.skips import Codec, Geometry, Skip, SkipReason, classify
from lstmjax.data.store import ImageStore
from lstmjax.errors import DataError

_SAMPLE_FOR_BUCKETS = 4096
_VISITS_AT_ONCE = 128
_USABLE, _UNUSABLE = 1, 2
_LOADED_AHEAD = 6

Report = Callable[[int, Skip], None]


class Position(NamedTuple):
    """The place of a batch: serial of the window's first line, windows and batches before it."""

    serial: int = 0
    window: int = 0
    batch: int = 0


@dataclass(frozen=True)
class Plan:
    """One batch before its images are loaded.

    Attributes:
      numbers: number of each line in the index.
      samples: serial number of each line in the run.
      skipped: number of unusable lines just before each line.
      codes: codes of each line, without nulls.
      shape: shape of the batch.
      after: position of the next batch.
    """

    numbers: tuple[int, ...]
    samples: tuple[int, ...]
    skipped: tuple[int, ...]
    codes: tuple[Int32[np.ndarray, " L"], ...]
    shape: BatchShape
    after: Position


@dataclass(frozen=True)
class LoadedBatch:
    """A batch with its images, and its plan without the lines whose images are broken."""

    batch: Batch
    plan: Plan

    def first(self, count: int) -> "LoadedBatch":
        """The batch with its first lines only; its shape stays, so nothing is compiled anew."""
        if count >= len(self.plan.numbers):
            return self
        weights = self.batch.weights.copy()
        weights[count:] = 0
        plan = replace(
            self.plan,
            numbers=self.plan.numbers[:count],
            samples=self.plan.samples[:count],
            skipped=self.plan.skipped[:count],
            codes=self.plan.codes[:count],
        )
        return replace(self, batch=self.batch._replace(weights=weights), plan=plan)


class _Usable(NamedTuple):
    number: int
    sample: int
    skipped: int
    width: int
    height: int
    codes: Int32[np.ndarray, " L"]


@dataclass(frozen=True)
class StreamSettings:
    """How lines become batches; `training.config.TrainConfig` explains most fields.

    Attributes:
      buckets: greatest number of widths of batches.
      padding: acceptable padding, with which fewer widths are enough; see `batch.fit_buckets`.
    """

    batch: int
    window_batches: int
    curriculum_lines: int
    seed: int
    randomly_rotate: bool = False
    buckets: int = 6
    augment: Augmentation = NO_AUGMENTATION
    padding: float = 0.0


class LineStream:
    """Plans and loads the batches of a run.

    Attributes:
      round: number of visits after which every line was met.
      buckets: widths of the batches.
    """

    def __init__(
        self,
        index: LineIndex,
        store: ImageStore,
        codec: Codec,
        geometry: Geometry,
        order: Order,
        settings: StreamSettings,
        report: Report,
        *,
        multiple: int,
    ):
        """Fit the buckets to (a sample of) the data.

        Args:
          index: all lines.
          store: store of their images.
          codec: character set of the network.
          geometry: geometry of the network.
          order: order in which lines are visited.
          settings: settings of the run.
          report: called once for each unusable line, with its number.
          multiple: number that bucket widths are multiples of.
        Raises: DataError: no line is usable.
        """
        self.index, self.store, self.codec, self.geometry = index, store, codec, geometry
        self.order, self.settings, self.report = order, settings, report
        self._judged = np.zeros(len(index), np.uint8)
        self.round = round_length(order, index.pages)
        self.buckets = self._fit_buckets(multiple)

    def _judge(self, number: int) -> Int32[np.ndarray, " L"] | None:
        """The codes of a line; None if it cannot be used, which is reported once.

        Text is encoded again on each visit: that takes 20 microseconds, 0.5 % of training on a
        line, while the codes of a million lines would take hundreds of megabytes.
        """
        verdict = self._judged[number]
        if verdict == _UNUSABLE:
            return None
        if verdict == _USABLE:
            return self.codec.encode(self.index.text(number))
        found = classify(self.index[number], self.codec, self.geometry)
        if isinstance(found, Skip):
            self._give_up(number, found)
            return None
        self._judged[number] = _USABLE
        return found

    def _give_up(self, number: int, skip: Skip) -> None:
        self._judged[number] = _UNUSABLE
        self.report(number, skip)

    def _visits(self, serial: int, end: int) -> Iterator[tuple[int, int]]:
        """Yield serials and line numbers, in blocks, since a block costs as much as one line."""
        for start in range(serial, end, _VISITS_AT_ONCE):
            serials = np.arange(start, min(start + _VISITS_AT_ONCE, end))
            numbers = self.index.number(*self.order(serials, self.index.pages))
            yield from zip(serials.tolist(), numbers.tolist(), strict=True)

    def _fit_buckets(self, multiple: int) -> Buckets:
        visited = min(self.round, _SAMPLE_FOR_BUCKETS)
        sample = self._collect(0, visited, visited)[0]
        if not sample:  # go on until there is one usable line
            sample = self._collect(0, 1, self.round)[0]
        if not sample:
            raise DataError(
                f"none of the {len(self.index)} lines can be used for training; "
                "the messages above say why"
            )
        widths = [line.width for line in sample]
        labels = [len(line.codes) for line in sample]
        most, padding = self.settings.buckets, self.settings.padding
        return fit_buckets(widths, labels, most=most, multiple=multiple, padding=padding)

    def _collect(self, serial: int, wanted: int, visits: int) -> tuple[list[_Usable], int]:
        """Usable lines from a serial on, and the serial after them."""
        found: list[_Usable] = []
        skipped = 0
        for at, number in self._visits(serial, serial + visits):
            if len(found) == wanted:
                return found, at
            codes = self._judge(number)
            if codes is None:
                skipped += 1
                continue
            width, height = self.geometry.scaled(self.index[number])
            width = self.geometry.shape.width or width
            found.append(_Usable(number, at, skipped, width, height, codes))
            skipped = 0
        return found, serial + visits

    def _window(self, at: Position) -> tuple[list[list[_Usable]], int]:
        """The batches of a window in order, and the serial after it."""
        size = self.settings.batch * self.settings.window_batches
        ascending = at.window == 0 and self.settings.curriculum_lines > 0
        if ascending:
            size = max(size, min(self.settings.curriculum_lines, self.round))
        # A whole number of batches: a curriculum may have any length.
        size = -(-size // self.settings.batch) * self.settings.batch
        lines, after = self._collect(at.serial, size, size + 2 * self.round)
        if not lines:
            raise DataError("no usable line is left; the messages above say why")
        groups = []
        # One batch has one height: only widths are padded.
        for height in sorted({line.height for line in lines}):
            same = sorted((line for line in lines if line.height == height), key=lambda x: x.width)
            step = self.settings.batch
            groups += [same[i : i + step] for i in range(0, len(same), step)]
        if not ascending:
            # Seeded by the window alone, so a resumed run shuffles as the first one did.
            shuffle = np.random.default_rng([self.settings.seed, at.window])
            groups = [groups[i] for i in shuffle.permutation(len(groups))]
        return groups, after

    def plans(self, at: Position) -> Iterator[Plan]:
        """Yield the batches from a position on, without end."""
        while True:
            groups, after = self._window(at)
            self.store.read_ahead(line.number for group in groups[at.batch :] for line in group)
            for i, group in enumerate(groups):
                if i < at.batch:
                    continue
                following = Position(at.serial, at.window, i + 1)
                if i + 1 == len(groups):
                    following = Position(after, at.window + 1, 0)
                yield self._plan(group, following)
            at = Position(after, at.window + 1, 0)

    def _plan(self, group: list[_Usable], after: Position) -> Plan:
        longest = max(len(line.codes) for line in group)
        # A network of height 1 takes columns as features: one row, however high the image.
        rows = group[0].height if self.geometry.shape.height != 1 else 1
        shape = self.buckets.shape(rows, max(line.width for line in group), longest)
        numbers, samples, skipped, _, _, codes = zip(*group, strict=True)
        return Plan(numbers, samples, skipped, codes, shape, after)

    def load(self, plan: Plan) -> LoadedBatch:
        """Read, scale and pad the images of a batch; lines whose image is broken drop out."""
        images, kept = [], []
        for i, number in enumerate(plan.numbers):
            try:
                line = self.store.scaled(number)
            except DataError as err:
                # A line can be planned several batches ahead and fail in each: told once.
                if self._judged[number] != _UNUSABLE:
                    self._give_up(number, Skip(SkipReason.UNDECODABLE, str(err)))
                continue
            pixels, codes = line.pixels, plan.codes[i]
            if self.settings.randomly_rotate and _rotates(plan.samples[i]):
                pixels, codes = pixels[::-1, ::-1], codes[::-1]
            pixels = augment(pixels, self.settings.augment, self.settings.seed, plan.samples[i])
            levels = line.levels if pixels is line.pixels else None  # those of the cached image
            images.append((normalise(pixels, self.geometry.shape, levels=levels), codes))
            kept.append(i)
        plan = replace(
            plan,
            numbers=tuple(plan.numbers[i] for i in kept),
            samples=tuple(plan.samples[i] for i in kept),
            skipped=tuple(plan.skipped[i] for i in kept),
            codes=tuple(codes for _, codes in images),
        )
        batch = pad([x for x, _ in images], plan.codes, plan.shape, self.settings.batch)
        return LoadedBatch(batch, plan)

    def batches(self, at: Position) -> "Prefetched":
        """Loaded batches from a position on; use it as a context manager."""
        return Prefetched(lambda: map(self.load, self.plans(at)))


def _rotates(sample: int) -> bool:
    """Whether --randomly_rotate turns a sample. Source: lstmtrainer.cpp, PrepareForBackward."""
    return float(MinStd.for_sample(sample).signed(1)[0]) > 0


class Prefetched:
    """Runs an iterator in a background thread, a few items ahead; its errors are raised here."""

    def __init__(self, make: Callable[[], Iterator[LoadedBatch]]):
        self._queue: queue.Queue[LoadedBatch | BaseException] = queue.Queue(_LOADED_AHEAD)
        self._stop = threading.Event()
        self._make = make
        self._thread = threading.Thread(target=self._run, name="loader", daemon=True)

    def _run(self) -> None:
        try:
            for item in self._make():
                if not self._put(item):
                    return
        # Raised in the thread that trains, not lost in this one.
        except BaseException as err:
            self._put(err)

    def _put(self, item: LoadedBatch | BaseException) -> bool:
        while not self._stop.is_set():
            try:
                # A timeout instead of waiting for good: the trainer may have stopped taking.
                self._queue.put(item, timeout=0.1)
                return True
            except queue.Full:
                continue
        return False

    def __enter__(self) -> Iterator[LoadedBatch]:
        self._thread.start()
        return self._items()

    def _items(self) -> Iterator[LoadedBatch]:
        while True:
            item = self._queue.get()
            if isinstance(item, BaseException):
                raise item
            yield item

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
