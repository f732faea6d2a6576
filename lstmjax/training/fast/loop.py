"""The training loop: update, score, report, evaluate, keep the best, save, stop.

Everything that decides is a value or a pure function elsewhere; here they are put in order. The
host never waits for the scores of a batch before it starts the next update, only at reports.
"""

import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np

from lstmjax.array_types import Params
from lstmjax.data.stream import LoadedBatch
from lstmjax.devices import replicated
from lstmjax.errors import TrainError
from lstmjax.formats import checkpoint
from lstmjax.training import report
from lstmjax.training.compiling import give_back_memory
from lstmjax.training.config import learning_rate_at
from lstmjax.training.fast.debug import BatchDebug, layer_rates, lines_seen
from lstmjax.training.fast.history import put_history
from lstmjax.training.fast.score import Scorer
from lstmjax.training.fast.step import Controls, StepResult, TrainStep
from lstmjax.training.fast.update import make_update
from lstmjax.training.fast.writer import CheckpointWriter
from lstmjax.training.native import Snapshot
from lstmjax.training.progress import LineResult, Mark, Progress
from lstmjax.training.restore import restore
from lstmjax.training.run_parts import MAX_BAD_UPDATES, Run, Start, left_out_text
from lstmjax.training.signals import InterruptedRun, remembered_signals
from lstmjax.training.state import TrainState
from lstmjax.training.validate import Scores, evaluation_interval
from lstmjax.training.watch import ReportSeen

_RATE_AFTER_DIVERGENCE = 0.5**0.5
_UPDATES_AHEAD = 2  # updates that may be under way at once


def train_fast(run: Run, start: Start) -> Progress:
    """Go on from a start until the target error, the last iteration, or a signal.

    Raises: InterruptedRun: a signal came; everything is saved. TrainError, DataError: no way on.
    """
    with ExitStack() as stack:
        scorer = stack.enter_context(Scorer(run.codec, simple_text=run.reader.simple_text))
        writer = CheckpointWriter(run.native, run.paths, run.identity, run.config)
        stack.callback(writer.close)
        frozen = run.identity.frozen(start.snapshot.state.params)
        root, null_char = run.identity.root, run.codec.null_char
        step = make_update(root, run.config, null_char, run.devices, frozen)
        run.output.begin()
        pending_signal = stack.enter_context(remembered_signals(run.output))
        return _Loop(run, start.snapshot, step, scorer, writer, pending_signal).run_to_end()


class _Loop:
    """The moving parts of one call of `train_fast`."""

    def __init__(
        self,
        run: Run,
        snapshot: Snapshot,
        step: TrainStep,
        scorer: Scorer,
        writer: CheckpointWriter,
        pending_signal: Callable[[], int],
    ):
        self.run, self.step, self.scorer, self.writer = run, step, scorer, writer
        self.config = run.config
        self.placement = replicated(run.devices)
        self.state = jax.device_put(snapshot.state, self.placement)
        self.progress = snapshot.progress
        # A function: a best state is packed only if somebody asks for its bytes.
        best = snapshot.best_trainer  # a checkpoint; empty without one
        self.best_trainer: Callable[[], bytes] = lambda: best
        self.pending_signal = pending_signal
        self.debug = BatchDebug(run, pending_signal)
        self.waiting: list[tuple[LoadedBatch, StepResult, Future[list[LineResult]]]] = []
        self.started = snapshot.progress.training_iteration  # dispatched, maybe not yet scored
        self.saved_at = time.monotonic()
        self.bad_updates = 0
        self.loss = 0.0
        self.seen_shapes: set[tuple[int, ...]] = set()
        self.compile_seconds = 0.0
        self.eval_scores: Scores | None = None
        self.reported = self.evaluated = self.started
        self.window = (time.monotonic(), 0.0, self.started)
        self.last: tuple[LoadedBatch, StepResult, int] | None = None  # for the watcher
        self.params_before: Params = None  # of the last update, for pictures

    # -- one batch ---------------------------------------------------------------------------

    def run_to_end(self) -> Progress:
        """The loop itself."""
        if self.best_trainer():
            self.writer.sync_best(self.best_trainer())
        with self.run.stream.batches(self.progress.position) as batches:
            while not self._finished():
                self._dispatch(next(batches))
                if self._report_due():
                    self._absorb()
                    self._report()
                if self.pending_signal():
                    self._stop_on_signal()
        return self._finish()

    def _finished(self) -> bool:
        # Lines whose scores are still to come change the rates, so nothing is decided yet.
        if self.waiting:
            return False
        progress, config = self.progress, self.config
        if progress.best.rate <= config.target_error_rate:
            return True
        return self.run.end is not None and progress.training_iteration >= self.run.end

    def _report_due(self) -> bool:
        """Whether the started lines reach the end or cross a multiple of the report interval."""
        if self.run.end is not None and self.started >= self.run.end:
            return True
        every = self.config.report_interval
        return self.started // every > self.reported // every

    def _dispatch(self, loaded: LoadedBatch) -> None:
        """Start an update; the first of its shape is waited for, since it is compiled."""
        # An update of the whole batch could train beyond the last iteration.
        if self.run.end is not None:
            loaded = loaded.first(self.run.end - self.started)
        plan, batch = loaded.plan, loaded.batch
        # Every image of the batch may be broken.
        if not plan.numbers:
            return
        rate = learning_rate_at(self.config, self.started, end=self.run.end)
        controls = Controls(
            jnp.float32(rate * self.progress.rate_scale),
            jnp.asarray(self._hold_perfect()),
            self._border_seed(),
        )
        new_shape = batch.images.shape not in self.seen_shapes
        if new_shape:
            self.run.output.compiling(batch.images.shape[1])
        if self.run.watcher is not None and self.config.debug_interval > 0:
            # The update takes its state over (donated), so pictures need a copy of the weights.
            self.params_before = jax.tree.map(jnp.copy, self.state.params)
        began = time.monotonic()
        self.state, result = self.step(self.state, *batch, controls)
        if new_shape:
            self.seen_shapes.add(batch.images.shape)
            # Waited for, so that compiling is measured apart from the speed of training.
            jax.block_until_ready(result.loss)
            give_back_memory()
            self.compile_seconds += time.monotonic() - began
        self.waiting.append((loaded, result, self.scorer.submit(plan, result)))
        self.started += len(plan.numbers)
        # Texts about these lines come before the next update, which takes the weights over.
        if self.config.debug_interval:
            self._absorb()
        elif len(self.waiting) > _UPDATES_AHEAD:
            jax.block_until_ready(self.waiting[-1 - _UPDATES_AHEAD][1].loss)

    def _border_seed(self) -> np.uint32 | None:
        """Another one for each update, the same in a resumed run."""
        if not self.config.border_noise:
            return None
        # Knuth's multiplicative hash, so that neighbouring updates get unlike seeds.
        return np.uint32((self.started * 2654435761 + self.config.seed) % 2**32)

    def _hold_perfect(self) -> bool:
        delay = self.config.perfect_sample_delay
        if delay <= 0:
            return False
        self._absorb()  # the last perfect line must be known
        return self.started <= self.progress.last_perfect + delay

    def _absorb(self) -> None:
        """Take in the scores of everything dispatched so far."""
        # Line by line in order of dispatch, so a run's figures do not depend on timing.
        for loaded, result, scores in self.waiting:
            before = self.progress
            if self.run.watcher is not None:
                self.last = (loaded, result, before.training_iteration)
            self.progress = before.after_batch(scores.result(), loaded.plan.after)
            if self.config.debug_interval:
                self.debug.show(before, loaded, result, scores.result(), self.params_before)
            if bool(result.finite):
                self.bad_updates = 0
                self.loss = float(np.mean(np.asarray(result.loss)[: len(loaded.plan.numbers)]))
            else:
                self.bad_updates += 1
                self.run.output.line(left_out_text(before.training_iteration))
        self.waiting.clear()

    # -- one report --------------------------------------------------------------------------

    def _report(self) -> None:
        output = self.run.output
        # -- compare with the best so far
        speed = self._speed()
        self.reported = self.progress.training_iteration
        prefix = report.log_prefix(self.progress)
        verdict = report.judge(self.progress)
        self.progress = verdict.progress
        if verdict.before:
            output.line(verdict.before)
        # -- evaluate; with evaluation lines their CER chooses the best state
        scores = self._evaluate()
        evaluated = "" if scores is None else report.evaluated(self.progress, scores)
        text = verdict.headline + evaluated + verdict.stage_text
        # -- act on it
        if self._is_better(verdict.new_best, scores):
            text += self._keep_best(scores)
        if verdict.diverged or self.bad_updates >= MAX_BAD_UPDATES:
            text += self._go_back()
        if self._save_due():
            text += self._save()
        output.line(f"{prefix}{text}\n")
        self._tell(scores, speed)
        self._show()
        self.window = (time.monotonic(), self.compile_seconds, self.reported)

    def _speed(self) -> float:
        """Lines per second since the last report; compiling, evaluating and saving not counted."""
        since, compiled, lines = self.window
        seconds = time.monotonic() - since - (self.compile_seconds - compiled)
        return (self.progress.training_iteration - lines) / max(seconds, 1e-9)

    def _evaluate(self) -> Scores | None:
        """Read the evaluation lines if it is time to."""
        run = self.run
        every = self._eval_interval()
        at = self.progress.training_iteration
        # The last state is evaluated in any case, or it could not become the best.
        last = run.end is not None and at >= run.end
        if run.validator is None or not (last or self._crossed(every)):
            return None
        self.evaluated = at
        params = jax.device_get(self.state.params)
        scores = run.validator.scores(params, self.progress.sample_iteration)
        self.eval_scores = scores
        run.output.metrics(
            "eval",
            training_iteration=at,
            bcer=100 * scores.bcer,
            bwer=100 * scores.bwer,
            cer=100 * scores.cer,
            wer=100 * scores.wer,
            lines=scores.lines,
        )
        return scores

    def _eval_interval(self) -> int:
        """Lines between evaluations, a multiple of the reports'."""
        if self.run.validator is None:
            return 0
        return evaluation_interval(self.config, len(self.run.validator))

    def _crossed(self, every: int) -> bool:
        return self.progress.training_iteration // every > self.evaluated // every

    def _is_better(self, new_best: bool, scores: Scores | None) -> bool:
        """By validation CER where there is validation, else by training BCER."""
        if self.run.validator is None:
            return new_best
        if scores is None:
            return False
        return self.progress.best_cer is None or scores.cer < self.progress.best_cer

    def _keep_best(self, scores: Scores | None) -> str:
        """Remember this state as the best, and write it to a file if it is much better."""
        progress = self.progress
        measure = progress.best.rate
        cer, at = None, 0
        if scores is not None:
            cer, at = scores.cer, progress.training_iteration
            measure = 100 * cer
        progress = replace(progress, best_cer=cer, best_cer_iteration=at)
        write = measure < progress.last_saved * report.SAVE_RATIO
        self.progress = replace(progress, last_saved=measure) if write else progress
        name = None
        if write:
            name = self.run.paths.numbered_best(
                progress.char_rate, progress.learning_iteration, progress.training_iteration
            )
        self.best_trainer = self.writer.keep_best(self._snapshot(b""), name)
        return f" wrote best model:{name}" if name else ""

    def _snapshot(self, best_trainer: bytes) -> Snapshot:
        """The state as it is now, in arrays of its own: the device's are used again."""
        state = jax.tree.map(np.array, jax.device_get(self.state))
        return Snapshot(state, self.progress, best_trainer, self.run.fingerprint)

    def _go_back(self) -> str:
        """Return to the best state with a lower rate; counters and place in the data go on."""
        self.bad_updates = 0
        best_trainer = self.best_trainer()
        if not best_trainer:
            raise TrainError(
                f"training diverged at iteration {self.progress.training_iteration} before it "
                f"had learnt anything; try a lower --learning_rate than "
                f"{self.config.learning_rate:g}"
            )
        # -- weights and history of the best
        best = restore(checkpoint.unpack(best_trainer))
        opt_state = put_history(best, jax.device_get(self.state.opt_state), self.config.batch)
        self.state = jax.device_put(TrainState(best.params, opt_state), self.placement)
        # -- counters go on; with the errors since the best, the next report would diverge again
        scale = self.progress.rate_scale * _RATE_AFTER_DIVERGENCE
        old = best.progress
        self.progress = replace(
            self.progress,
            buffers=old.buffers,
            best=old.best,
            worst=Mark(old.best.rate, old.best.rates, self.progress.learning_iteration),
            rate_scale=scale,
        )
        return (
            f"\nDivergence! Reverted to iteration {old.learning_iteration}/"
            f"{old.training_iteration}/{old.sample_iteration}"
            f"\nReduced learning rate to :{self.config.learning_rate * scale:f}\n"
        )

    def _save_due(self) -> bool:
        done = self._finished() or self.pending_signal()
        return bool(done) or time.monotonic() - self.saved_at >= self.config.checkpoint_seconds

    def _save(self) -> str:
        """Start writing a checkpoint; say if the one before failed."""
        problem = self.writer.save(self._snapshot(self.best_trainer()))
        self.saved_at = time.monotonic()
        self._say_of_best()
        if problem:
            self.run.output.line(problem)
            return " failed to write checkpoint."
        return " wrote checkpoint."

    def _say_of_best(self) -> None:
        for text in self.writer.messages():
            self.run.output.line(text)

    def _tell(self, scores: Scores | None, speed: float) -> None:
        progress, run = self.progress, self.run
        rate = learning_rate_at(self.config, progress.training_iteration, end=run.end)
        figures = {
            **report.figures(progress),
            "loss": self.loss,
            "learning_rate": rate * progress.rate_scale,
            "lines_per_second": round(speed, 2),
            "compile_seconds": round(self.compile_seconds, 3),
        }
        run.output.metrics("train", **figures, skipped=run.output.skipped)
        shown = scores or self.eval_scores
        run.output.status(**figures, eval_cer=None if shown is None else 100 * shown.cer)

    def _show(self) -> None:
        watcher, at = self.run.watcher, self.progress.training_iteration
        if watcher is None:
            return
        lines = () if self.last is None else lines_seen(*self.last, self.run.stream.index)
        rate = learning_rate_at(self.config, at, end=self.run.end) * self.progress.rate_scale
        watcher.report(ReportSeen(at, self.state, layer_rates(self.state, rate), lines))

    # -- the end -----------------------------------------------------------------------------

    def _stop_on_signal(self) -> None:
        self._absorb()
        self._save()
        self._finish_writing()
        raise InterruptedRun(self.progress, self.pending_signal())

    def _finish_writing(self) -> None:
        # Packing may still be under way in the writer's thread; its errors come out here.
        self.best_trainer()
        problem = self.writer.wait()
        self._say_of_best()
        if problem:
            raise TrainError(f"the last checkpoint could not be written: {problem}")

    def _finish(self) -> Progress:
        run = self.run
        self._finish_writing()
        run.output.skip_table()
        progress = self.progress
        if progress.best_cer is not None:
            run.output.line(
                f"Finished! Selected model with minimal evaluation error rate (CER) = "
                f"{100 * progress.best_cer:g} at iteration {progress.best_cer_iteration}"
            )
        else:
            run.output.line(
                "Finished! Selected model with minimal training error rate (BCER) = "
                f"{progress.best.rate:g}"
            )
        return progress
