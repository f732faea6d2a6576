"""How well a model reads lines: Tesseract's measures, and true edit distances.

The two come from two readings. Tesseract's measures compare what its training tools read, with
their random numbers and their way of scaling. The true rates compare the text that the tesseract
program prints for the line (see `printed`) with the truth as it stands, so that they are the rates
of what users get.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float32, Int32

from lstmjax.ctc import error_rates
from lstmjax.ctc.error_rates import ErrorCounts
from lstmjax.ctc.targets import line_targets, normalise_probs
from lstmjax.data.lines import Line, LineIndex
from lstmjax.data.skips import Geometry, Skip, SkipReason
from lstmjax.errors import DataError
from lstmjax.infer.forward import BATCH, Forward, LineToRead
from lstmjax.infer.network import Network
from lstmjax.infer.preparing import Ahead, Chunk, Preparer, make_preparer
from lstmjax.infer.printed import Printed, decode, printed
from lstmjax.netspec.shape import output_width
from lstmjax.netspec.tree import x_scale

_FIRST_CHUNK, _CHUNK = 64, 512  # lines prepared at a time, fewer if their outputs would be large
_CHUNK_BYTES = 1 << 27
_SAMPLE = 4096  # lines whose widths decide what is compiled


@dataclass(frozen=True)
class Measured:
    """A line as Tesseract's training tools measure it.

    Attributes:
      truth: transcription in the normed forms of its unichars, as it is compared.
      text: reading in normed forms.
      bcer: character error, a fraction.
      bwer: word error, a fraction.
      delta: outputs off by at least one half, per time step; 0 is a perfect line.
    """

    truth: str
    text: str
    bcer: float
    bwer: float
    delta: float


@dataclass(frozen=True, eq=False)
class LineReading:
    """One line as read.

    Attributes:
      line: line with its transcription.
      text: reading as the tesseract program prints it; None if only Tesseract's measures were asked
        for.
      measured: measures of the training tools; None for lines that they do not visit.
    """

    line: Line
    text: str | None
    measured: Measured | None

    @cached_property
    def chars(self) -> ErrorCounts:
        """Edits of code points between the printed text and the transcription."""
        return error_rates.char_counts(self.line.text, self._printed)

    @cached_property
    def words(self) -> ErrorCounts:
        """Edits of words between the printed text and the transcription."""
        return error_rates.word_counts(self.line.text, self._printed)

    @property
    def _printed(self) -> str:
        if self.text is None:
            raise ValueError("this evaluation was made without true rates")
        return self.text


@dataclass(frozen=True, eq=False)
class Evaluation:
    """The readings of an evaluation.

    Attributes:
      readings: lines in the order `lstmeval` visits them; it goes round the data until it has as
        many usable lines as there are lines, so with unusable lines early ones count twice.
      others: lines that it does not visit, because documents have different numbers of lines.
      skipped: unusable lines by number.
    """

    readings: tuple[LineReading, ...]
    others: tuple[LineReading, ...]
    skipped: dict[int, Skip]

    @cached_property
    def distinct(self) -> tuple[LineReading, ...]:
        """Each usable line once, in the order of the data."""
        # Lines visited twice count once: what is printed of them is the same.
        found = {reading.line.number: reading for reading in (*self.readings, *self.others)}
        return tuple(found[number] for number in sorted(found))

    @property
    def bcer(self) -> float:
        """Tesseract's character error, a fraction."""
        return float(np.mean([one.measured.bcer for one in self.readings if one.measured]))

    @property
    def bwer(self) -> float:
        """Tesseract's word error, a fraction."""
        return float(np.mean([one.measured.bwer for one in self.readings if one.measured]))

    @property
    def cer(self) -> ErrorCounts:
        """True character errors over all distinct lines."""
        return sum((reading.chars for reading in self.distinct), ErrorCounts())

    @property
    def wer(self) -> ErrorCounts:
        """True word errors over all distinct lines."""
        return sum((reading.words for reading in self.distinct), ErrorCounts())


def geometry_of(model: Network, *, in_grey: bool = False) -> Geometry:
    """The sizes of images on their way through a network; see `Geometry` for `in_grey`."""
    root = model.root
    return Geometry(
        model.input_shape, x_scale(root), lambda width: output_width(root, width), in_grey
    )


def measure_line(
    model: Network,
    truth: Int32[np.ndarray, " L"],
    probs: Float32[np.ndarray, "T K"],
    *,
    with_delta: bool = True,
) -> Measured | Skip:
    """Decode the outputs for a line and compare with its truth, as the training tools do.

    Args:
      model: network whose outputs these are.
      truth: [L] codes of the transcription, without nulls.
      probs: [T, K] softmax outputs.
      with_delta: whether to compute the delta error, which costs as much as a beam search; without
        it every line with an error counts as 1.
    Returns: the measures, or why `lstmeval` would skip the line.
    """
    if not model.simple_text:
        # The original does this before it decodes and compares, but not without CTC.
        probs = normalise_probs(probs)
    delta = None
    if with_delta:
        targets = line_targets(probs, truth, model.null_char, simple_text=model.simple_text)
        if targets is None:
            detail = f"{len(truth)} codes do not fit {len(probs)} time steps"
            return Skip(SkipReason.TOO_LONG, detail)
        delta = error_rates.delta_error(targets - probs)
    return measured(model, truth, decode(model, probs), delta)


def measured(
    model: Network,
    truth: Int32[np.ndarray, " L"],
    codes: Int32[np.ndarray, " L"],
    delta: float | None = None,
) -> Measured:
    """Compare codes that were read with the truth by Tesseract's measures.

    Args:
      model: network whose codes these are.
      truth: [L] codes of the transcription, without nulls.
      codes: [L] codes of the reading, without nulls.
      delta: delta error of the line; without it every line with an error counts as 1.
    """
    text, truth_text = model.codec.decode(codes), model.codec.decode(truth)
    bcer = error_rates.bcer(truth, codes, model.null_char)
    bwer = error_rates.bwer(truth_text, text)
    return Measured(truth_text, text, bcer, bwer, float(bcer > 0) if delta is None else delta)


def evaluate(
    forward: Forward,
    index: LineIndex,
    *,
    max_bytes: int,
    on_line: Callable[[LineReading], None] | None = None,
    on_skip: Callable[[Line, Skip], None] | None = None,
    with_delta: bool = True,
    true_rates: bool = True,
    batch: int = BATCH,
) -> Evaluation:
    """Read all lines of an index: as `lstmeval` does, and as the tesseract program does.

    Lines are prepared ahead in a thread (or a process, where `forward` has this one for itself).

    Args:
      forward: model ready to read.
      index: lines to read.
      max_bytes: bound on the memory for scaled images.
      on_line: called with each reading that `lstmeval` would make, in order.
      on_skip: called once with each unusable line, when it is met.
      with_delta: whether to find out which lines are perfect.
      true_rates: whether to read as the tesseract program does, too; without it the true rates are
        not known, and the evaluation takes half of the time.
      batch: number of lines computed at once.
    Raises: DataError: no line is usable.
    """
    # As many visits as `lstmeval` makes: it takes every document to be as long as the first.
    total = int(index.pages[0]) * len(index.documents)
    readings: list[LineReading] = []
    geometry, skipped = geometry_of(forward.model), dict[int, Skip]()
    preparer = make_preparer(
        index, forward.model, geometry, skipped, max_bytes=max_bytes, to_print=true_rates
    )
    with Ahead(preparer, with_helper=forward.has_process) as ahead:
        reader = _Reader(forward, index, geometry, skipped, with_delta, batch, ahead)
        for result in reader.results(total):
            if isinstance(result, LineReading):
                readings.append(result)
                if on_line:
                    on_line(result)
                # The reader goes round without end; the number of readings ends it.
                if len(readings) == total:
                    break
            elif on_skip:
                on_skip(*result)
        others = _read_others(reader, preparer, on_skip) if true_rates else []
    return Evaluation(tuple(readings), tuple(others), skipped)


def _read_others(
    reader: "_Reader", preparer: Preparer, on_skip: Callable[[Line, Skip], None] | None
) -> list[LineReading]:
    """Read the lines that have not been visited, for the true rates."""
    index = reader.index
    missing = [n for n in range(len(index)) if n not in reader.texts and n not in reader.skipped]
    found: list[LineReading] = []
    for start in range(0, len(missing), reader.chunk):
        chunk = preparer.prepare_numbers(missing[start : start + reader.chunk])
        lines = [(line, each) for line, each in chunk.lines if not isinstance(each, Skip)]
        texts = reader.print_lines([usable.to_print for _, usable in lines])
        found += [
            LineReading(line, text, None) for (line, _), text in zip(lines, texts, strict=True)
        ]
        for line, each in chunk.lines:
            if isinstance(each, Skip):
                reader.skipped[line.number] = each
                if on_skip:
                    on_skip(line, each)
    return found


@dataclass(eq=False)
class _Reader:
    """Reads lines by serial number, remembering which are unusable and what was printed."""

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
        self.texts: dict[int, str] = {}

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
            # A whole round without a reading: another one would have none either.
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
            # Later rounds replace a few unusable lines, so nothing is prepared ahead in them.
            while not coming or (len(coming) == 1 and serial < total):
                # No chunk goes beyond a round: at its end `results` looks if any line was read.
                end = serial + min(size, total - serial % total)
                coming.append((serial, self.ahead.submit(range(serial, end))))
                serial, size = end, min(2 * size, self.chunk)
            first, chunk = coming.popleft()
            yield first, chunk.result()

    def _read(self, chunk: Chunk) -> Iterator[LineReading | tuple[Line, Skip]]:
        """Read the lines of a chunk in both ways, all in one go."""
        usable = [(line, each) for line, each in chunk.lines if not isinstance(each, Skip)]
        new = {line.number: each.to_print for line, each in usable if each.to_print is not None}
        # A line that is visited again is measured again, with other noise, but printed only once.
        new = {number: line for number, line in new.items() if number not in self.texts}
        numbers = list(new)
        count = len(usable)

        def read(place: int, probs: np.ndarray) -> Measured | Skip | Printed:
            # The lines to measure come first, then those to print.
            if place >= count:
                return printed(self.forward.model, probs)
            codes = usable[place][1].codes
            return measure_line(self.forward.model, codes, probs, with_delta=self.with_delta)

        scaled = [each.to_measure for _, each in usable] + list(new.values())
        results = dict(self.forward.results(scaled, read, batch=self.batch, buckets=self.buckets))
        # Printed texts first: the readings below contain them.
        for place, number in enumerate(numbers, start=count):
            result = results[place]
            assert isinstance(result, Printed)
            self.texts[number] = result.text
        place = 0
        for line, each in chunk.lines:
            found: Measured | Skip | Printed
            if isinstance(each, Skip):
                found = each
            else:
                found = results[place]
                place += 1
            if isinstance(found, Measured):
                yield LineReading(line, self.texts.get(line.number), found)
            elif isinstance(found, Skip) and line.number not in self.skipped:
                self.skipped[line.number] = found
                yield line, found

    def print_lines(self, lines: Sequence[LineToRead | None]) -> list[str]:
        """The printed texts of lines."""
        ready = [line for line in lines if line is not None]
        texts = [""] * len(ready)
        model = self.forward.model
        for place, text in self.forward.results(
            ready,
            lambda _, probs: printed(model, probs).text,
            batch=self.batch,
            buckets=self.buckets,
        ):
            texts[place] = text
        return texts
