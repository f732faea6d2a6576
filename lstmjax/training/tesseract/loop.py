"""The loop of recipe tesseract: line after line, a report every hundred, as `lstmtraining` does.

Nothing is decided ahead of time, so the place in the data can go back with the rest of the state.
Source: Tesseract src/training/lstmtraining.cpp.
"""

import os
import time
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from typing import NoReturn

from lstmjax.formats import checkpoint
from lstmjax.formats.checkpoint import RMS, TrainerRecord
from lstmjax.formats.files import read_bytes
from lstmjax.infer.evaluate import Evaluation
from lstmjax.training import report
from lstmjax.training.best_file import BestFile
from lstmjax.training.debug_text import Reading, in_detail
from lstmjax.training.native import Snapshot
from lstmjax.training.progress import Progress
from lstmjax.training.run_parts import Run, Start
from lstmjax.training.signals import InterruptedRun, remembered_signals
from lstmjax.training.tesseract.lines import Page, PageSource
from lstmjax.training.tesseract.maintenance import Maintenance, RunState, written
from lstmjax.training.tesseract.step import ExactStep, Judged, Outputs
from lstmjax.training.tesseract.tester import Evaluator
from lstmjax.training.tesseract.trainer import CheckpointCodec, LineTrainer, Trainer
from lstmjax.training.watch import DebugSeen, LineSeen, ReportSeen

_LINES_SHOWN = 3  # of those before a report


class _Stop(Exception):  # noqa: N818
    """A signal came while the sub-trainer was learning."""


def train_as_original(run: Run, start: Start) -> Progress:
    """Go on from a start until the target error, the last iteration, or a signal.

    Raises: InterruptedRun: a signal came; everything is saved. TrainError, DataError: no way on.
    """
    run.output.begin(name_skipped=False)
    with remembered_signals(run.output) as pending_signal, ExitStack() as stack:
        step = _make_step(run, start)
        source = PageSource(run.stream, run.identity.root, simple_text=step.simple_text)
        stack.enter_context(source)
        return _Loop(run, source, step, pending_signal).run_to_end(_begin(run, start.snapshot))


def _make_step(run: Run, start: Start) -> ExactStep:
    config, identity, params = run.config, run.identity, start.snapshot.state.params
    return ExactStep(
        identity.root,
        null_char=run.codec.null_char,
        simple_text=run.reader.simple_text,
        adam=identity.updated_by_adam(params, config.adam),
        momentum=config.momentum,
        adam_beta=config.adam_beta,
        frozen=identity.frozen(params),
        outputs_remapped=start.outputs_remapped,
    )


def _begin(run: Run, snapshot: Snapshot) -> RunState:
    """The run as it was, with what only Tesseract's own checkpoint holds of it."""
    trainer = Trainer(snapshot.state, snapshot.progress)
    state = RunState(trainer, snapshot.best_trainer)
    path = run.paths.checkpoint
    if not (snapshot.progress.training_iteration and os.path.exists(path)):
        return state
    record = checkpoint.unpack(read_bytes(path))
    reached = record.recognizer.training_iteration if isinstance(record, TrainerRecord) else -1
    # A checkpoint of another iteration is of another state; only the native one counts then.
    if reached != snapshot.progress.training_iteration:
        return state
    # Its weights are the same; sub-trainer and kept models exist only there.
    stored = CheckpointCodec(run.identity, run.config).trainer(read_bytes(path))
    return replace(state, trainer=replace(stored, state=trainer.state, progress=trainer.progress))


class _Loop:
    """One call of `train_as_original`."""

    def __init__(
        self, run: Run, source: PageSource, step: ExactStep, pending_signal: Callable[[], int]
    ):
        self.run = run
        self.pending_signal = pending_signal
        self.watched: deque[LineSeen] = deque(maxlen=_LINES_SHOWN)
        self.learner = LineTrainer(
            run.config,
            source,
            step,
            run.reader,
            run.output.line,
            None if run.watcher is None else self._watch,
        )
        self.codec = CheckpointCodec(run.identity, run.config)
        self.maintenance = Maintenance(
            self.learner,
            self.codec,
            run.paths,
            self._evaluator(),
            run.output.line,
            self._check_signal,
        )
        self.best_file = BestFile(run.paths)
        self.saved_at = time.monotonic()
        self.window = (time.monotonic(), 0)

    def _evaluator(self) -> Evaluator | None:
        validator = self.run.validator
        if validator is None:
            return None
        return Evaluator(
            validator.index,
            validator.network,
            validator.max_bytes,
            self.run.output.line,
            self._tell_evaluation,
        )

    def run_to_end(self, state: RunState) -> Progress:
        """At least one report, even if there is nothing left to do."""
        if state.best_trainer:
            self._sync_best(state.best_trainer)
        self.window = (time.monotonic(), state.progress.training_iteration)
        # As in `lstmtraining`: learn, report, save, print, and only then ask for the end.
        while True:
            state = self._block(state)
            if self.pending_signal():
                self._stop(state)
            try:
                after, text = self.maintenance.report(state)
            # `state` is still that before the report: a stopped report leaves nothing half done.
            except _Stop:
                self._stop(state)
            state = after
            done = self._finished(state.progress)
            text += self._save(state, done)
            self.run.output.line(f"{text}\n")
            self._tell(state.progress)
            self._show(state.trainer)
            if done:
                return self._finish(state.progress)

    def _block(self, state: RunState) -> RunState:
        """Learn until the next report."""
        target = state.progress.training_iteration + self.run.config.report_interval
        if self.run.end is not None:
            target = min(target, self.run.end)
        trainer = state.trainer
        while trainer.progress.training_iteration < target and not self.pending_signal():
            trainer = self.learner.next_line(trainer)
        return replace(state, trainer=trainer)

    def _finished(self, progress: Progress) -> bool:
        if progress.best.rate <= self.run.config.target_error_rate:
            return True
        return self.run.end is not None and progress.training_iteration >= self.run.end

    def _check_signal(self) -> None:
        if self.pending_signal():
            raise _Stop

    def _stop(self, state: RunState) -> NoReturn:
        """Save a run in the middle of things; it goes on with the very next line."""
        self._save(state, True)
        raise InterruptedRun(state.progress, self.pending_signal())

    def _save(self, state: RunState, at_once: bool) -> str:
        """Write Tesseract's checkpoint, which holds everything; or say that it failed."""
        now = time.monotonic()
        if not at_once and now - self.saved_at < self.run.config.checkpoint_seconds:
            return ""
        self.saved_at = now
        data = self.codec.full(state.trainer, state.best_trainer)
        # The best first, so no checkpoint names a best that is not there.
        self._sync_best(state.best_trainer)
        problem = written(self.run.paths.checkpoint, data)
        if problem:
            self.run.output.line(problem)
            return " failed to write checkpoint."
        return " wrote checkpoint."

    def _sync_best(self, best_trainer: bytes) -> None:
        """Write the file of the best state, always before a checkpoint that names this best."""
        message = self.best_file.sync(best_trainer)
        if message:
            self.run.output.line(message)

    def _tell(self, progress: Progress) -> None:
        since, lines = self.window
        seconds = time.monotonic() - since
        self.window = (time.monotonic(), progress.training_iteration)
        output = self.run.output
        figures = {
            **report.figures(progress),
            "loss": progress.rates[RMS],
            "learning_rate": self.run.config.learning_rate,
            "lines_per_second": round((progress.training_iteration - lines) / seconds, 2),
        }
        output.metrics("train", **figures, skipped=output.skipped)
        output.status(**figures)

    def _watch(self, trainer: Trainer, page: Page, outputs: Outputs, judged: Judged) -> None:
        """Remember a line for the next report; show it now if --debug_interval wants that."""
        at, watcher = trainer.progress.training_iteration, self.run.watcher
        assert watcher is not None
        assert judged.targets is not None
        self.watched.append(LineSeen(at, page.line, page.codes, judged.probs))
        if not in_detail(at, self.run.config.debug_interval):
            return
        reader = self.run.reader
        truth, text = (
            reader.codec.decode(codes) for codes in (page.codes, reader.read(judged.probs)[0])
        )
        reading = Reading(at, page.line, outputs.probs, judged.targets, truth, text, judged.wrong)
        batch = page.inputs.batch
        seen = DebugSeen(reading, trainer.state.params, batch.images, int(batch.widths[0]))
        watcher.debug(seen, self.pending_signal)

    def _show(self, trainer: Trainer) -> None:
        if self.run.watcher is not None:
            at, lines = trainer.progress.training_iteration, tuple(self.watched)
            seen = ReportSeen(at, trainer.state, trainer.moments.rates, lines)
            self.run.watcher.report(seen)

    def _tell_evaluation(self, iteration: int, found: Evaluation) -> None:
        self.run.output.metrics(
            "eval",
            training_iteration=iteration,
            bcer=100 * found.bcer,
            bwer=100 * found.bwer,
            cer=100 * found.cer.rate,
            wer=100 * found.wer.rate,
            lines=len(found.distinct),
        )

    def _finish(self, progress: Progress) -> Progress:
        self.run.output.skip_table()
        self.run.output.line(
            "Finished! Selected model with minimal training error rate (BCER) = "
            f"{progress.best.rate:g}"
        )
        return progress
