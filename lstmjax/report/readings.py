"""Readings of the same lines by several models, compared as text.

An evaluation skips lines whose text the model's character set cannot encode. In a comparison of
models that would favour the smaller character set. So here every model reads every line, and
characters that it lacks count as errors.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lstmjax.ctc import error_rates
from lstmjax.ctc.error_rates import ErrorCounts
from lstmjax.data.lines import Line, LineIndex
from lstmjax.data.skips import Skip, SkipReason, classify
from lstmjax.data.store import ImageStore
from lstmjax.errors import DataError
from lstmjax.infer.evaluate import Evaluation, LineReading, geometry_of
from lstmjax.infer.forward import Forward, LineToRead
from lstmjax.infer.preparing import line_to_print
from lstmjax.infer.printed import printed

_CHUNK = 128  # lines in memory at a time, with their images and outputs


@dataclass(frozen=True)
class Reading:
    """One line as one model read it.

    Attributes:
      text: text that the tesseract program prints for the line.
      chars, words: number of edits to the truth, and length of the truth.
      bcer, bwer: Tesseract's measures, fractions; None if the model cannot encode the truth.
    """

    text: str
    chars: ErrorCounts
    words: ErrorCounts
    bcer: float | None = None
    bwer: float | None = None


class _AnyText:
    """A character set that encodes every text, for checks of the image of a line alone."""

    def encode(self, text: str) -> np.ndarray:
        del text
        return np.zeros(0, np.int32)

    def min_timesteps(self, codes: np.ndarray) -> int:
        del codes
        return 0


def readings_of(evaluation: Evaluation) -> dict[int, Reading]:
    """The readings of an evaluation, by line number."""
    return {one.line.number: _reading_of(one) for one in evaluation.distinct}


def _reading_of(one: LineReading) -> Reading:
    found = one.measured
    rates = (None, None) if found is None else (found.bcer, found.bwer)
    return Reading(one.text or "", one.chars, one.words, *rates)


def read_anyway(
    forward: Forward, index: LineIndex, numbers: Iterable[int], *, max_bytes: int
) -> dict[int, Reading | Skip]:
    """Read lines whether or not the model can encode their text.

    Args:
      forward: the compiled model.
      index: the lines.
      numbers: numbers of the lines to read.
      max_bytes: memory for scaled images, in bytes.
    Returns: line number -> reading, or `Skip` where the image itself is unusable.
    """
    wanted = list(numbers)
    model = forward.model
    store = ImageStore(index, model.input_shape, max_bytes, in_grey=True)
    geometry = geometry_of(forward.model)
    results: dict[int, Reading | Skip] = {}
    for start in range(0, len(wanted), _CHUNK):
        scaled: dict[int, LineToRead] = {}
        for number in wanted[start : start + _CHUNK]:
            line = index[number]
            # Encodes every text, so only the image can make it skip a line here.
            judged = classify(line, _AnyText(), geometry)
            if isinstance(judged, Skip):
                results[number] = judged
                continue
            try:
                image = store.scaled(number)
            except DataError as err:
                results[number] = Skip(SkipReason.UNDECODABLE, str(err))
                continue
            scaled[number] = line_to_print(image, model.sample_iteration)
        places = list(scaled)
        texts = forward.results(list(scaled.values()), lambda _, probs: printed(model, probs).text)
        for place, text in texts:
            results[places[place]] = _compared(index.text(places[place]), text)
    return results


def _compared(truth: str, text: str) -> Reading:
    return Reading(text, error_rates.char_counts(truth, text), error_rates.word_counts(truth, text))


def same_lines(
    forwards: Sequence[Forward],
    evaluations: Sequence[Mapping[int, Reading]],
    index: LineIndex,
    *,
    max_bytes: int,
) -> tuple[list[dict[int, Reading]], dict[int, tuple[int, Skip]]]:
    """Complete the readings of several models, so that all have read the same lines.

    A line counts if at least one model can encode its text and all models can read its image.

    Args:
      forwards: the compiled models.
      evaluations: readings of each model's own evaluation, by line number.
      index: the lines.
      max_bytes: memory for scaled images, in bytes.
    Returns: the readings of each model, in the order of the index; and the lines given up: line
      number -> place of the first model that cannot read the image, and the reason.
    """
    # Each model has skipped other lines: those that any of them read are completed.
    union = sorted(set().union(*evaluations))
    given_up: dict[int, tuple[int, Skip]] = {}
    completed: list[dict[int, Reading]] = []
    for place, (forward, own) in enumerate(zip(forwards, evaluations, strict=True)):
        found = dict(own)
        missing = [number for number in union if number not in own]
        for number, result in read_anyway(forward, index, missing, max_bytes=max_bytes).items():
            if isinstance(result, Skip):
                # The first model that fails gives the reason.
                given_up.setdefault(number, (place, result))
            else:
                found[number] = result
        completed.append(found)
    kept = [number for number in union if number not in given_up]
    return [{number: found[number] for number in kept} for found in completed], given_up


def sample_lines(forward: Forward, index: LineIndex, most: int) -> list[Line]:
    """Usable lines of an index, evenly spaced over it.

    Args:
      forward: the compiled model.
      index: the lines.
      most: number of lines to choose from, before unusable ones are dropped; 0 for all.
    """
    geometry, codec = geometry_of(forward.model), forward.model.codec
    count = min(most or len(index), len(index))
    # Evenly over the list, because neighbours are alike.
    numbers = [i * len(index) // count for i in range(count)]
    lines = [index[number] for number in numbers]
    return [line for line in lines if not isinstance(classify(line, codec, geometry), Skip)]
