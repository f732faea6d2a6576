"""Training lines as read by the network, scored off the critical path.

The step gives class probabilities; text and error counts come from them in a thread while the
next step computes. Each time step counts as its best class: a beam search for every line would
take a sixth of the time of training, and the rates are nearly the same. Evaluation reads with the
beam.
"""

from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np

from lstmjax.charset.codec import Codec
from lstmjax.ctc.best_path import best_path
from lstmjax.ctc.error_rates import bcer_batch, bwer
from lstmjax.data.stream import Plan
from lstmjax.training.fast.step import StepResult
from lstmjax.training.progress import LineResult

_FAILED = 1.0  # every rate of a line whose outputs are not finite


class Scorer:
    """Scores batches in order, in a thread of its own; use it as a context manager."""

    def __init__(self, codec: Codec, *, simple_text: bool):
        self._codec = codec
        self._simple_text = simple_text
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="scorer")

    def __enter__(self) -> "Scorer":
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def submit(self, plan: Plan, result: StepResult) -> Future[list[LineResult]]:
        """Score a batch once its outputs are there."""
        return self._pool.submit(self._score, plan, result)

    def _score(self, plan: Plan, result: StepResult) -> list[LineResult]:
        n = len(plan.numbers)
        if not bool(np.asarray(result.finite)):
            return [LineResult(_FAILED, _FAILED, _FAILED, _FAILED, s) for s in plan.skipped]
        best, steps = np.asarray(result.probs).argmax(2), np.asarray(result.steps)[:n]
        null_char = self._codec.null_char
        read = best_path(best[:, :n], steps, null_char, merge_repeats=not self._simple_text)
        chars = bcer_batch(plan.codes, read, null_char)
        rms, delta = np.asarray(result.rms), np.asarray(result.delta)
        return [
            LineResult(
                float(rms[i]),
                float(delta[i]),
                bwer(self._codec.decode(plan.codes[i]), self._codec.decode(read[i])),
                float(chars[i]),
                plan.skipped[i],
            )
            for i in range(n)
        ]
