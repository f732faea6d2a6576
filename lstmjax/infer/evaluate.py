"""How well a model reads lines: Tesseract's measures, and true edit distances."""

from collections.abc import Callable, Iterator, Sequence
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
from lstmjax.data.order import sequential
from lstmjax.data.skips import Geometry, Skip, SkipReason, classify
from lstmjax.data.store import ImageStore
from lstmjax.errors import DataError
from lstmjax.infer.forward import Forward, ScaledLine
from lstmjax.infer.model import LoadedModel
from lstmjax.spec.shape import output_width
from lstmjax.spec.tree import x_scale

_CHUNK = 256  # lines prepared at a time


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
    return beam_search(probs, model.codec.beam_tables(), model.null_char).codes


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
    batch: int = 8,
) -> Evaluation:
    """Read all lines of an index as `lstmeval` does.

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
    reader = _Reader(forward, index, ImageStore(index, forward.model.input_shape, max_bytes))
    total = int(index.pages[0]) * len(index.documents)
    readings: list[LineReading] = []
    serial = 0
    while len(readings) < total:
        if serial >= total and not readings:
            raise DataError(
                f"none of the {len(index)} lines can be used; the messages above say why"
            )
        for result in reader.read(range(serial, serial + min(_CHUNK, total)), with_delta, batch):
            if isinstance(result, LineReading):
                if len(readings) < total:
                    readings.append(result)
                    if on_line:
                        on_line(result)
            elif on_skip and len(readings) < total:
                on_skip(*result)
        serial += min(_CHUNK, total)
    return Evaluation(tuple(readings), reader.skipped)


class _Reader:
    """Reads lines by serial number, remembering which are unusable."""

    def __init__(self, forward: Forward, index: LineIndex, store: ImageStore):
        self.forward, self.index, self.store = forward, index, store
        self.geometry = geometry_of(forward.model)
        self.skipped: dict[int, Skip] = {}

    def read(
        self, serials: Sequence[int], with_delta: bool, batch: int
    ) -> Iterator[LineReading | tuple[Line, Skip]]:
        """The readings, and once each unusable line, in order."""
        model = self.forward.model
        prepared: list[tuple[Line, np.ndarray | None, Skip | None]] = []
        scaled: list[ScaledLine] = []
        for serial in serials:
            document, page = sequential(serial, self.index.pages)
            number = int(self.index.number(document, page))
            line = self.index[number]
            known = self.skipped.get(number)
            if known is not None:
                continue
            codes, skip = self._prepare(line, serial + 1, scaled)
            prepared.append((line, codes, skip))
        outputs = iter(self.forward.probs(scaled, batch=batch))
        for line, codes, skip in prepared:
            result: LineReading | Skip | None = skip
            if codes is not None:
                result = read_line(model, line, codes, next(outputs), with_delta=with_delta)
            if isinstance(result, LineReading):
                yield result
            elif result is not None and line.number not in self.skipped:
                self.skipped[line.number] = result
                yield line, result

    def _prepare(
        self, line: Line, sample: int, scaled: list[ScaledLine]
    ) -> tuple[np.ndarray | None, Skip | None]:
        codes = classify(line, self.forward.model.codec, self.geometry)
        if isinstance(codes, Skip):
            return None, codes
        try:
            pixels = self.store.scaled(line.number).pixels
        except DataError as err:
            return None, Skip(SkipReason.UNDECODABLE, str(err))
        scaled.append(ScaledLine(pixels, sample, may_invert=not line.has_boxes))
        return codes, None
