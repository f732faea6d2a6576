"""Training checkpoints: a recognizer in training state and the trainer's own history.

A FULL dump is `<output>_checkpoint`; the `.checkpoint` files of best models are NO_BEST dumps.
Nested dumps stay bytes until somebody asks for them.
Source: Tesseract src/training/unicharset/lstmtrainer.cpp.
"""

import math
from dataclasses import dataclass

import numpy as np

from lstmjax.errors import naming
from lstmjax.formats import lstm
from lstmjax.formats.files import PathLike, read_bytes, write_atomically
from lstmjax.formats.lstm import Recognizer
from lstmjax.formats.stream import Reader, Writer

LIGHT, NO_BEST, FULL = 0, 1, 2
"""How much a dump holds: no history, no best trainer, everything."""

RMS, DELTA, WORD, CHAR, SKIP = range(5)
"""Rows of the error buffers and rates. Word (BWER) comes before char (BCER), unlike in the log."""

BUFFER_SIZE = 1000
"""Length of the rolling error buffers; the slot of an iteration is its remainder."""

Rates = tuple[float, float, float, float, float]
_NO_RATES: Rates = (0.0, 0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True, eq=False)
class TrainerRecord:
    """A checkpoint.

    Attributes:
      recognizer: the network, its nodes in training state 1.
      learning_iteration: lines with a non-zero delta error.
      prev_sample_iteration: sample_iteration at the last report.
      perfect_delay: lines to wait between perfect ones.
      last_perfect_training_iteration: training_iteration of the last perfect line that was used.
      error_buffers: [5, 1000] float64 fractions by RMS, DELTA, WORD, CHAR, SKIP.
      error_rates: means of the buffers in percent, rounded to 0.001.
      training_stage: 0, or 1 when training has slowed down.
      amount: LIGHT, NO_BEST or FULL; everything below is absent from LIGHT dumps.
      best_error_rate: lowest BCER so far in percent, 100 at the start.
      best_error_rates: all rates at that time.
      best_iteration: learning_iteration of that time.
      worst_error_rate: highest BCER since then.
      worst_error_rates: all rates at that time.
      worst_iteration: learning_iteration of that time.
      stall_iteration: learning_iteration at which training counts as stuck.
      best_model_data: recognizer dump of the best state, kept for evaluation; often empty.
      worst_model_data: recognizer dump of the worst state since then; often empty.
      best_trainer: a NO_BEST dump; only in FULL ones, empty before the first best.
      sub_trainer: a LIGHT dump, or empty.
      best_error_history: [n] float64 the best rates in order.
      best_error_iterations: [n] int32 learning iterations of the best rates.
      improvement_steps: lines it took to improve by a given share.
    """

    recognizer: Recognizer
    learning_iteration: int
    prev_sample_iteration: int
    perfect_delay: int
    last_perfect_training_iteration: int
    error_buffers: np.ndarray
    error_rates: Rates
    training_stage: int
    amount: int
    best_error_rate: float = 100.0
    best_error_rates: Rates = _NO_RATES
    best_iteration: int = 0
    worst_error_rate: float = 0.0
    worst_error_rates: Rates = _NO_RATES
    worst_iteration: int = 0
    stall_iteration: int = 0
    best_model_data: bytes = b""
    worst_model_data: bytes = b""
    best_trainer: bytes = b""
    sub_trainer: bytes = b""
    best_error_history: np.ndarray | tuple[float, ...] = ()
    best_error_iterations: np.ndarray | tuple[int, ...] = ()
    improvement_steps: int = 0


def unpack(
    data: bytes, embedded: bool = False, swap: bool = False, *, at_most: int = FULL
) -> TrainerRecord | Recognizer:
    """Read a checkpoint, or a plain recognizer, which is how a checkpoint begins.

    Args:
      data: the whole file, or a nested dump.
      embedded: whether the recognizer carries its charsets.
      swap: whether the values are big-endian; no tool writes such a checkpoint.
      at_most: the largest amount allowed: NO_BEST for a best trainer, LIGHT for a sub trainer.

    Raises:
      FormatError: damaged or contradictory.
    """
    reader = Reader(data, swap=swap)
    recognizer = lstm.read(reader, embedded)
    # A recognizer alone is a model without training state: how Tesseract tells them apart.
    if reader.remaining == 0:
        return recognizer
    start = reader.offset
    fields = _read_progress(reader)
    amount = reader.u8()
    if amount > at_most:
        raise reader.error(f"dump of amount {amount}, expected at most {at_most}", at=start)
    if amount != LIGHT:
        fields |= _read_history(reader, amount)
    reader.expect_end("checkpoint")
    record = TrainerRecord(recognizer=recognizer, amount=amount, **fields)
    problem = _problem(record)
    if problem:
        raise reader.error(problem, at=start)
    return record


def _read_progress(reader: Reader) -> dict:
    """Read the fields that every dump holds after the recognizer."""
    names = (
        "learning_iteration",
        "prev_sample_iteration",
        "perfect_delay",
        "last_perfect_training_iteration",
    )
    fields: dict = {name: reader.i32() for name in names}
    fields["error_buffers"] = np.stack([_read_buffer(reader) for _ in range(5)])
    fields["error_rates"] = _read_rates(reader)
    fields["training_stage"] = reader.i32()
    return fields


def _read_history(reader: Reader, amount: int) -> dict:
    """Read the fields that only larger dumps hold."""
    fields: dict = {}
    for which in ("best", "worst"):
        fields[f"{which}_error_rate"] = reader.f64()
        fields[f"{which}_error_rates"] = _read_rates(reader)
        fields[f"{which}_iteration"] = reader.i32()
    fields["stall_iteration"] = reader.i32()
    fields["best_model_data"] = reader.blob("the best model")
    fields["worst_model_data"] = reader.blob("the worst model")
    # Left out, not written empty, where the dump is no FULL one.
    if amount == FULL:
        fields["best_trainer"] = reader.blob("the best trainer")
    fields["sub_trainer"] = reader.blob("the sub trainer")
    fields["best_error_history"] = reader.array("f8", reader.count(8, "best error rates"))
    fields["best_error_iterations"] = reader.array("i4", reader.count(4, "best iterations"))
    fields["improvement_steps"] = reader.i32()
    return fields


def _read_buffer(reader: Reader) -> np.ndarray:
    start = reader.offset
    number = reader.u32()
    # Tesseract takes iterations modulo 1000 without a check, so no other length is safe.
    if number != BUFFER_SIZE:
        raise reader.error(f"error buffer of {number} entries, expected {BUFFER_SIZE}", at=start)
    return reader.array("f8", number)


def _read_rates(reader: Reader) -> Rates:
    return (reader.f64(), reader.f64(), reader.f64(), reader.f64(), reader.f64())


def _problem(record: TrainerRecord) -> str | None:
    """Describe the first contradiction in a record, if there is one."""
    model = record.recognizer
    rates = (
        record.best_error_rate, record.worst_error_rate,
        *record.error_rates, *record.best_error_rates, *record.worst_error_rates,
    )  # fmt: skip
    # Every learnt line is a trained one, and every trained one a sample.
    if not 0 <= record.learning_iteration <= model.training_iteration <= model.sample_iteration:
        return (
            f"iterations {record.learning_iteration} learning, {model.training_iteration} "
            f"training, {model.sample_iteration} sample; expected them to grow in this order"
        )
    if record.training_stage not in (0, 1):
        return f"training stage {record.training_stage}, expected 0 or 1"
    if not all(map(math.isfinite, rates)) or not np.isfinite(record.error_buffers).all():
        return "an error rate is infinite or not a number"
    if len(record.best_error_history) != len(record.best_error_iterations):
        return (
            f"{len(record.best_error_history)} best error rates "
            f"but {len(record.best_error_iterations)} iterations for them"
        )
    return None


def pack(record: TrainerRecord) -> bytes:
    """Write a checkpoint."""
    writer = Writer()
    lstm.write(writer, record.recognizer)
    writer.i32(record.learning_iteration)
    writer.i32(record.prev_sample_iteration)
    writer.i32(record.perfect_delay)
    writer.i32(record.last_perfect_training_iteration)
    for buffer in record.error_buffers:
        writer.u32(len(buffer))
        writer.array("f8", buffer)
    writer.array("f8", np.array(record.error_rates))
    writer.i32(record.training_stage)
    writer.u8(record.amount)
    if record.amount != LIGHT:
        _write_history(writer, record)
    return writer.data


def _write_history(writer: Writer, record: TrainerRecord) -> None:
    writer.f64(record.best_error_rate)
    writer.array("f8", np.array(record.best_error_rates))
    writer.i32(record.best_iteration)
    writer.f64(record.worst_error_rate)
    writer.array("f8", np.array(record.worst_error_rates))
    writer.i32(record.worst_iteration)
    writer.i32(record.stall_iteration)
    writer.blob(record.best_model_data)
    writer.blob(record.worst_model_data)
    if record.amount == FULL:
        writer.blob(record.best_trainer)
    writer.blob(record.sub_trainer)
    writer.u32(len(record.best_error_history))
    writer.array("f8", np.asarray(record.best_error_history))
    writer.u32(len(record.best_error_iterations))
    writer.array("i4", np.asarray(record.best_error_iterations))
    writer.i32(record.improvement_steps)


def load(path: PathLike, embedded: bool = False) -> TrainerRecord | Recognizer:
    """Read a checkpoint file or a plain `.lstm` file; errors name it."""
    with naming(file=str(path)):
        return unpack(read_bytes(path), embedded)


def save(record: TrainerRecord, path: PathLike) -> None:
    """Write a checkpoint file, replacing an old one only when complete."""
    write_atomically(path, pack(record))
