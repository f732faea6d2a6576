"""How far a run has come: counters, rolling error rates, best and worst, as one value.

Rates are in percent, rounded to 0.001 as Tesseract rounds them, because its decisions are made
on the rounded values.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from lstmjax.ctc.error_rates import reported_percent
from lstmjax.data.stream import Position
from lstmjax.formats.checkpoint import BUFFER_SIZE, CHAR, DELTA, RMS, SKIP, WORD

START_OF_BEST = 100.0
SAVE_BELOW = 75.0  # the first best model is written below this BCER
STALL_AFTER = 10_000  # learning iterations without a new best
Rates = tuple[float, float, float, float, float]
NO_RATES: Rates = (0.0, 0.0, 0.0, 0.0, 0.0)


class LineResult(NamedTuple):
    """The error rates of one trained line, as fractions, and the lines skipped before it."""

    rms: float
    delta: float
    word: float
    char: float
    skipped: int


class Mark(NamedTuple):
    """An extreme of the training BCER.

    rate: BCER in percent; rates: all five rates at that time; iteration: learning iteration.
    """

    rate: float
    rates: Rates = NO_RATES
    iteration: int = 0


_NO_BEST = Mark(START_OF_BEST, (100.0, 100.0, 100.0, 100.0, 100.0))
_NO_WORST, _START = Mark(0.0), Position()


@dataclass(frozen=True, eq=False)
class Progress:
    """Counters and history of a run.

    Attributes:
      training_iteration: usable lines trained on.
      learning_iteration: usable lines with an error (delta > 0).
      sample_iteration: all lines visited.
      last_perfect: training_iteration of the last line without error.
      buffers: [5, 1000] float64 fractions; slot = training_iteration modulo 1000.
      best: lowest training BCER at a report.
      worst: highest training BCER since the best.
      history: (BCER, learning iteration) of every best.
      improvement_steps: learning iterations it took to improve by two percent points.
      stage: 0, or 1 once the BCER was below 10.
      stall_iteration: learning iteration at which the run counts as stalled.
      best_cer: lowest character error rate on the evaluation data, a fraction; None before.
      best_cer_iteration: training iteration of best_cer.
      last_saved: error rate, in percent, of the last best model that was written to a numbered
        file.
      rate_scale: factor on the learning rate, lowered after a divergence.
      position: place of the next batch in the data.
    """

    training_iteration: int = 0
    learning_iteration: int = 0
    sample_iteration: int = 0
    last_perfect: int = 0
    buffers: np.ndarray = field(default_factory=lambda: np.zeros((5, BUFFER_SIZE)))
    best: Mark = _NO_BEST
    worst: Mark = _NO_WORST
    history: tuple[tuple[float, int], ...] = ()
    improvement_steps: int = STALL_AFTER
    stage: int = 0
    stall_iteration: int = STALL_AFTER
    best_cer: float | None = None
    best_cer_iteration: int = 0
    last_saved: float = SAVE_BELOW
    rate_scale: float = 1.0
    position: Position = _START

    @property
    def rates(self) -> Rates:
        """Rolling means in percent: rms, delta, word, char, skip."""
        # Until the buffers are full, only the slots used so far count.
        used = min(max(self.training_iteration, 1), BUFFER_SIZE)
        rms, delta, word, char, skip = map(reported_percent, self.buffers[:, :used].mean(1))
        return rms, delta, word, char, skip

    @property
    def char_rate(self) -> float:
        """The rolling training BCER in percent."""
        return self.rates[CHAR]

    def after_batch(self, lines: Sequence[LineResult], position: Position) -> "Progress":
        """The progress after a batch was trained on."""
        # A copy: snapshots that are being written hold the old value.
        buffers = self.buffers.copy()
        training, learning = self.training_iteration, self.learning_iteration
        sample, last_perfect = self.sample_iteration, self.last_perfect
        for line in lines:
            slot = training % BUFFER_SIZE
            buffers[[RMS, DELTA, WORD, CHAR, SKIP], slot] = line
            # As in the original: perfect lines are not learning, unusable ones are samples.
            if line.delta > 0:
                learning += 1
            else:
                last_perfect = training
            sample += 1 + line.skipped
            training += 1
        return replace(
            self,
            training_iteration=training,
            learning_iteration=learning,
            sample_iteration=sample,
            last_perfect=last_perfect,
            buffers=buffers,
            position=position,
        )
