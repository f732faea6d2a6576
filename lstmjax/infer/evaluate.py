"""How well a model reads lines: Tesseract's measures, and true edit distances."""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float32, Int32

from lstmjax.ctc import error_rates
from lstmjax.ctc.beam import beam_search
from lstmjax.ctc.best_path import best_path
from lstmjax.ctc.error_rates import ErrorCounts
from lstmjax.ctc.targets import ctc_targets, normalise_probs, simple_text_targets
from lstmjax.data.lines import Line, LineIndex
from lstmjax.data.skips import Geometry, Skip, SkipReason
from lstmjax.data.store import ImageStore
from lstmjax.errors import DataError
from lstmjax.infer.forward import BATCH, Forward
from lstmjax.infer.model import LoadedModel
from lstmjax.infer.preparing import Ahead, Chunk, Preparer
from lstmjax.spec.shape import output_width
from lstmjax.spec.tree import x_scale

_FIRST_CHUNK, _CHUNK = 64, 512  # lines prepared at a time, fewer if their outputs would be large
_CHUNK_BYTES = 1 << 27
_SAMPLE = 4096  # lines whose widths decide what is compiled


@dataclass(frozen=True, eq=False)
class LineReading:
    """One line as read.

    Attributes:
      line: which one.
      truth: its codes, without nulls.
      truth_text: what these codes say; it may differ from the transcription in quotes and spaces.
      text: what was read.
      bcer, bwer: Tesseract's measures, fractions.
      delta: outputs off by at least one half, per time step; 0 is a perfect line.
      chars, words: edit distances between transcription and reading.
    """

    line: Line
    truth: Int32[np.ndarray, " L"]
    truth_text: str
    text: str
    bcer: float
    bwer: float
    delta: float
    chars: ErrorCounts
    words: ErrorCounts


@dataclass(frozen=True, eq=False)
class Evaluation:
    """The readings of an evaluation.

    Attributes:
      readings: in the order Tesseract visits them; it goes round the data until it has as many
        usable lines as there are lines, so with unusable lines early ones count twice.
      skipped: unusable lines by number.
    """

    readings: tuple[LineReading, ...]
    skipped: dict[int, Skip]

    @cached_property
    def distinct(self) -> tuple[LineReading, ...]:
        """Each line once."""
        return tuple({reading.line.number: reading for reading in self.readings}.values())

    @property
    def bcer(self) -> float:
        """Tesseract's character error, a fraction."""
        return float(np.mean([reading.bcer for reading in self.readings]))

    @property
    def bwer(self) -> float:
        """Tesseract's word error, a fraction."""
        return float(np.mean([reading.bwer for reading in self.readings]))

    @property
    def cer(self) -> ErrorCounts:
        """True character errors over all distinct lines."""
        return sum((reading.chars for reading in self.distinct), ErrorCounts())

    @property
    def wer(self) -> ErrorCounts:
        """True word errors over all distinct lines."""
        return sum((reading.words for reading in self.distinct), ErrorCounts())


def geometry_of(model: LoadedModel) -> Geometry:
    """What the network of a model makes of image sizes."""
    root = model.root
    return Geometry(model.input_shape, x_scale(root), lambda width: output_width(root, width))


def decode(model: LoadedModel, probs: Float32[np.ndarray, "T K"]) -> Int32[np.ndarray, " L"]:
    """The codes of a line from normalised probabilities, by beam search without dictionary."""
    if model.simple_text:
        best = probs.argmax(1)[:, None]
        return best_path(best, np.array([len(probs)]), model.null_char, merge_repeats=False)[0]
    return beam_search(probs, model.beam_tables, model.null_char).codes


def _delta(model: LoadedModel, probs: np.ndarray, codes: np.ndarray) -> float | None:
    """Tesseract's delta error of a line; None if the codes do not fit."""
    if model.simple_text:
        targets = simple_text_targets(codes, len(probs), probs.shape[1], model.null_char)
    else:
        labels = np.full(2 * len(codes) + 1, model.null_char, np.int32)
        labels[1::2] = codes
        targets = ctc_targets(probs, labels, model.null_char)
    return None if targets is None else error_rates.delta_error(targets - probs)


def read_line(
    model: LoadedModel,
    line: Line,
    truth: Int32[np.ndarray, " L"],
    probs: Float32[np.ndarray, "T K"],
    *,
    with_delta: bool = True,
) -> LineReading | Skip:
    """Decode the outputs for a line and compare with its truth.

    Without delta (which costs as much as a beam search) every line with an error counts as 1.
    """
    if not model.simple_text:
        probs = normalise_probs(probs)
    delta = _delta(model, probs, truth) if with_delta else None
    if with_delta and delta is None:
        return Skip(SkipReason.TOO_LONG, f"{len(truth)} codes do not fit {len(probs)} time steps")
    codes = decode(model, probs)
    text = model.codec.decode(codes)
    truth_text = model.codec.decode(truth)
    bcer = error_rates.bcer(truth, codes, model.null_char)
    return LineReading(
        line,
        truth,
        truth_text,
        text,
        bcer,
        error_rates.bwer(truth_text, text),
        float(bcer > 0) if delta is None else delta,
        error_rates.char_counts(line.text, text),
        error_rates.word_counts(line.text, text),
    )


def evaluate(
    forward: Forward,
    index: LineIndex,
    *,
    max_bytes: int,
    on_line: Callable[[LineReading], None] | None = None,
    on_skip: Callable[[Line, Skip], None] | None = None,
    with_delta: bool = True,
    batch: int = BATCH,
) -> Evaluation:
    """Read all lines of an index as `lstmeval` does.

    Lines are prepared ahead in a thread (or a process, where `forward` has this one for itself).

    Args:
      forward: the compiled model.
      index: the lines.
      max_bytes: memory for scaled images.
      on_line: called with each reading, in order.
      on_skip: called once with each unusable line, when it is met.
      with_delta: whether to find out which lines are perfect.
      batch: lines computed at once.
    Raises: DataError: no line is usable.
    """
    total = int(index.pages[0]) * len(index.documents)
    readings: list[LineReading] = []
    geometry, skipped = geometry_of(forward.model), dict[int, Skip]()
    store = ImageStore(index, geometry.shape, max_bytes)
    preparer = Preparer(index, forward.model.codec, geometry, store, skipped)
    with Ahead(preparer, with_helper=forward.has_process) as ahead:
        reader = _Reader(forward, index, geometry, skipped, with_delta, batch, ahead)
        for result in reader.results(total):
            if isinstance(result, LineReading):
                readings.append(result)
                if on_line:
                    on_line(result)
                if len(readings) == total:
                    break
            elif on_skip:
                on_skip(*result)
    return Evaluation(tuple(readings), skipped)


@dataclass(eq=False)
class _Reader:
    """Reads lines by serial number, remembering which are unusable."""

    forward: Forward
    index: LineIndex
    geometry: Geometry
    skipped: dict[int, Skip]
    with_delta: bool
    batch: int
    ahead: Ahead

    def __post_init__(self) -> None:
        model = self.forward.model
        widths = self._sample_widths()
        self.buckets = self.forward.buckets(widths)
        steps = self.geometry.steps(int(np.mean(widths or [1])))
        room = _CHUNK_BYTES // (4 * model.codec.num_codes * max(steps, 1))
        self.chunk = max(self.batch, min(_CHUNK, room))

    def _sample_widths(self) -> list[int]:
        """Scaled widths of a few thousand lines at most."""
        step = -(-len(self.index) // _SAMPLE)
        lines = (self.index[number] for number in range(0, len(self.index), step))
        return [self.geometry.scaled(line)[0] for line in lines if line.width and line.height]

    def results(self, total: int) -> Iterator[LineReading | tuple[Line, Skip]]:
        """Readings without end, and each unusable line when it is first met.

        Raises: DataError: a whole round of `total` lines without any reading.
        """
        any_reading = False
        for serial, chunk in self._chunks(total):
            if serial >= total and not any_reading:
                raise DataError(
                    f"none of the {len(self.index)} lines can be used; the messages above say why"
                )
            for result in self._read(chunk):
                any_reading = any_reading or isinstance(result, LineReading)
                yield result

    def _chunks(self, total: int) -> Iterator[tuple[int, Chunk]]:
        """Chunks with their first serial; in the first round one is prepared ahead."""
        serial = 0
        size = min(_FIRST_CHUNK, self.chunk)  # the network is not to wait long for the first
        coming: deque[tuple[int, Future[Chunk]]] = deque()
        while True:
            while not coming or (len(coming) == 1 and serial < total):
                end = serial + min(size, total - serial % total)
                coming.append((serial, self.ahead.submit(range(serial, end))))
                serial, size = end, min(2 * size, self.chunk)
            first, chunk = coming.popleft()
            yield first, chunk.result()

    def _read(self, chunk: Chunk) -> Iterator[LineReading | tuple[Line, Skip]]:
        usable = [(line, codes) for line, codes in chunk.lines if not isinstance(codes, Skip)]

        def read(place: int, probs: np.ndarray) -> LineReading | Skip:
            line, codes = usable[place]
            return read_line(self.forward.model, line, codes, probs, with_delta=self.with_delta)

        results = dict(
            self.forward.results(chunk.scaled, read, batch=self.batch, buckets=self.buckets)
        )
        place = 0
        for line, codes in chunk.lines:
            result: LineReading | Skip
            if isinstance(codes, Skip):
                result = codes
            else:
                result = results[place]
                place += 1
            if isinstance(result, LineReading):
                yield result
            elif line.number not in self.skipped:
                self.skipped[line.number] = result
                yield line, result
