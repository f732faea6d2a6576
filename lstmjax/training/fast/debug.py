"""What watchers and `--debug_interval` see of the lines of each batch."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import jax
import numpy as np

from lstmjax.array_types import Params
from lstmjax.ctc.targets import line_targets, normalise_probs
from lstmjax.data.lines import LineIndex
from lstmjax.data.stream import LoadedBatch
from lstmjax.training.debug_text import Reading, debug_lines, in_detail, mean_line
from lstmjax.training.fast.optim import rate_factors
from lstmjax.training.fast.step import StepResult
from lstmjax.training.progress import LineResult, Progress
from lstmjax.training.run_parts import Run
from lstmjax.training.state import TrainState
from lstmjax.training.watch import DebugSeen, LineSeen


@dataclass(frozen=True, eq=False)
class BatchDebug:
    """Shows batches of one run.

    Attributes:
      run: run with the output and the watcher that are shown the lines.
      stopping: function that returns the number of a signal that came, or 0.
    """

    run: Run
    stopping: Callable[[], int]

    def show(
        self,
        progress: Progress,
        loaded: LoadedBatch,
        result: StepResult,
        lines: Sequence[LineResult],
        params: Params,
    ) -> None:
        """Print texts about every line of a batch, and show pictures of every n-th.

        Args:
          progress: progress before the batch.
          loaded: the batch.
          result: figures of its update.
          lines: scores of its lines.
          params: weights before the update; only needed with a watcher.
        """
        reader, say = self.run.reader, self.run.output.line
        codec, steps = reader.codec, np.asarray(result.steps)
        for i, (codes, line) in enumerate(zip(loaded.plan.codes, lines, strict=True)):
            raw = np.asarray(result.probs)[: steps[i], i]
            probs = raw if reader.simple_text else normalise_probs(raw)
            targets = line_targets(probs, codes, codec.null_char, simple_text=reader.simple_text)
            if targets is not None and bool(result.finite):
                reading = Reading(
                    progress.training_iteration,
                    self.run.stream.index[loaded.plan.numbers[i]],
                    raw,
                    targets,
                    codec.decode(codes),
                    codec.decode(reader.read(probs)[0]),
                    line.delta,
                )
                for text in debug_lines(reading, reader, self.run.config.debug_interval):
                    say(text)
                self._picture(reading, loaded, i, params)
            progress = progress.after_batch([line], progress.position)
            say(mean_line(progress.rates))

    def _picture(self, reading: Reading, loaded: LoadedBatch, i: int, params: Params) -> None:
        """Show line `i` of a batch to the watcher, if it is one of every n-th."""
        watcher = self.run.watcher
        if watcher is not None and in_detail(reading.iteration, self.run.config.debug_interval):
            image, width = loaded.batch.images[:, :, i : i + 1], int(loaded.batch.widths[i])
            watcher.debug(DebugSeen(reading, params, image, width, None), self.stopping)


def lines_seen(
    loaded: LoadedBatch, result: StepResult, iteration: int, index: LineIndex
) -> tuple[LineSeen, ...]:
    """The lines of a batch that began at a training iteration; none if its update failed."""
    if not bool(result.finite):
        return ()
    probs, steps = np.asarray(result.probs), np.asarray(result.steps)
    return tuple(
        LineSeen(iteration + i, index[number], codes, probs[: steps[i], i])
        for i, (number, codes) in enumerate(
            zip(loaded.plan.numbers, loaded.plan.codes, strict=True)
        )
    )


def layer_rates(state: TrainState, rate: float) -> Params:
    """The learning rate of each leaf in recipe fast."""
    return jax.tree.map(lambda factor: rate * float(factor), rate_factors(state.opt_state))
