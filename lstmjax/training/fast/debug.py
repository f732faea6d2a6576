"""What `--debug_interval` shows of the lines of each batch, in recipe fast."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from lstmjax.array_types import Params
from lstmjax.ctc.targets import normalise_probs
from lstmjax.data.stream import LoadedBatch
from lstmjax.training.debug_text import Reading, debug_lines, in_detail, mean_line
from lstmjax.training.fast.step import StepResult
from lstmjax.training.progress import LineResult, Progress
from lstmjax.training.run_parts import Run
from lstmjax.training.tesseract.step import targets_of
from lstmjax.training.watch import DebugSeen


@dataclass(frozen=True, eq=False)
class BatchDebug:
    """Shows batches of one run.

    Attributes:
      run: whose output and watcher get to see them.
      stopping: the number of the signal that wants the run to stop, or 0.
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
          progress: before the batch.
          loaded: the batch.
          result: of its update.
          lines: its scores.
          params: before the update; only needed where somebody watches.
        """
        reader, say = self.run.scorer.reader, self.run.output.line
        codec, steps = reader.codec, np.asarray(result.steps)
        for i, (codes, line) in enumerate(zip(loaded.plan.codes, lines, strict=True)):
            raw = np.asarray(result.probs)[: steps[i], i]
            probs = raw if reader.simple_text else normalise_probs(raw)
            targets = targets_of(probs, codes, codec.null_char, simple_text=reader.simple_text)
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
        """Show line `i` of a batch to who watches, if it is one of every n-th."""
        watcher = self.run.watcher
        if watcher is not None and in_detail(reading.iteration, self.run.config.debug_interval):
            image, width = loaded.batch.images[:, :, i : i + 1], int(loaded.batch.widths[i])
            watcher.debug(DebugSeen(reading, params, image, width, None), self.stopping)
