"""Evaluation during training: the lines read as the tesseract program will read them.

The true error rates are those that `lstmeval` gives for the same state: the same arithmetic, random
borders and text. Tesseract's own measures are computed from the same reading; in `lstmeval` they
come from a second one, with the random borders of the original, and differ by a little.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from lstmjax.array_types import Params
from lstmjax.ctc import error_rates
from lstmjax.ctc.error_rates import ErrorCounts
from lstmjax.data.lines import Line, LineIndex
from lstmjax.data.skips import Skip, SkipReason, classify
from lstmjax.data.store import ImageStore
from lstmjax.errors import DataError
from lstmjax.infer.evaluate import Measured, geometry_of, measured
from lstmjax.infer.forward import Forward
from lstmjax.infer.model import LoadedModel, with_weights
from lstmjax.infer.network import Network
from lstmjax.infer.preparing import line_to_print
from lstmjax.infer.printed import printed
from lstmjax.training.config import TrainConfig

_CHUNK = 512  # lines whose images are at hand at once


_LINES_PER_EVALUATED = 5  # training lines between evaluations, for each evaluation line
_MIN_EVAL_INTERVAL = 1000


def evaluation_interval(config: TrainConfig, num_lines: int) -> int:
    """Training lines between evaluations, a multiple of those between reports.

    Args:
      config: settings of the run.
      num_lines: number of evaluation lines.
    """
    wanted = config.eval_interval or max(_MIN_EVAL_INTERVAL, _LINES_PER_EVALUATED * num_lines)
    every = config.report_interval
    return -(-wanted // every) * every


@dataclass(frozen=True)
class Scores:
    """Error rates as fractions: Tesseract's two and the true two."""

    bcer: float
    bwer: float
    cer: float
    wer: float
    lines: int


@dataclass(frozen=True)
class _Judge:
    """Compares what is read of some lines with their truths."""

    model: LoadedModel
    lines: Sequence[tuple[Line, np.ndarray]]

    def __call__(self, place: int, probs: np.ndarray) -> tuple[ErrorCounts, ErrorCounts, Measured]:
        (line, codes), out = self.lines[place], printed(self.model, probs)
        return (
            error_rates.char_counts(line.text, out.text),
            error_rates.word_counts(line.text, out.text),
            measured(self.model, codes, out.codes),
        )


class Validator:
    """The evaluation lines of a run, ready to be read again and again."""

    def __init__(
        self,
        index: LineIndex,
        network: Network,
        make: Callable[[LoadedModel], Forward],
        *,
        max_bytes: int,
        report: Callable[[Line, Skip], None],
    ):
        """Judge all lines; the unusable ones are reported and left out.

        Args:
          index: the lines.
          network: network and character set.
          make: function that compiles a model with weights for reading; called once.
          max_bytes: memory for images, in bytes.
          report: function called for each unusable line.
        Raises: DataError: none is usable.
        """
        self.index, self.network, self.max_bytes = index, network, max_bytes
        self._make = make
        self._forward: Forward | None = None
        self._store = ImageStore(index, network.input_shape, max_bytes, in_grey=True)
        # -- sort out the lines once; every evaluation reads the same ones
        geometry = geometry_of(network)  # as `lstmeval`, which is to leave out the same lines
        self._lines: list[tuple[Line, np.ndarray]] = []
        widths: list[int] = []
        for line in index:
            codes = classify(line, network.codec, geometry)
            if isinstance(codes, Skip):
                report(line, codes)
                continue
            try:
                pixels = self._store.scaled(line.number).pixels
            except DataError as err:
                report(line, Skip(SkipReason.UNDECODABLE, str(err)))
                continue
            self._lines.append((line, codes))
            widths.append(pixels.shape[1])
        if not self._lines:
            raise DataError("none of the evaluation lines can be used; the messages above say why")
        self._widths = widths

    def __len__(self) -> int:
        return len(self._lines)

    def scores(self, params: Params, sample_iteration: int = 0) -> Scores:
        """Read all lines with the given weights.

        Args:
          params: the weights, on the host.
          sample_iteration: the lines visited in training, which seeds the random borders.
        """
        forward = self._with_weights(params, sample_iteration)
        # Fitted to the widths of all lines, so that every chunk meets the same compiled shapes.
        buckets = forward.buckets(self._widths)
        chars, words = ErrorCounts(), ErrorCounts()
        found: list[Measured] = []
        for start in range(0, len(self._lines), _CHUNK):
            chunk = self._lines[start : start + _CHUNK]
            scaled = [
                line_to_print(self._store.scaled(line.number), sample_iteration)
                for line, _ in chunk
            ]
            judge = _Judge(forward.model, chunk)
            for _, (of_chars, of_words, one) in forward.results(scaled, judge, buckets=buckets):
                chars, words = chars + of_chars, words + of_words
                found.append(one)
        return Scores(
            # Tesseract's measures are means over lines; the true rates count all characters.
            float(np.mean([one.bcer for one in found])),
            float(np.mean([one.bwer for one in found])),
            chars.rate,
            words.rate,
            len(found),
        )

    def _with_weights(self, params: Params, sample_iteration: int) -> Forward:
        if self._forward is None:
            model = with_weights(self.network, params, sample_iteration=sample_iteration)
            self._forward = self._make(model)
            return self._forward
        return self._forward.with_weights(params, sample_iteration)
