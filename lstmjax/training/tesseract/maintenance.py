"""The report of recipe tesseract: what is said and done every hundred lines, in the original order.

Source: Tesseract src/training/unicharset/lstmtrainer.cpp, MaintainCheckpoints.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from lstmjax.errors import LstmjaxError, Say, TrainError
from lstmjax.formats.files import write_atomically
from lstmjax.run_paths import RunPaths
from lstmjax.training import report
from lstmjax.training.progress import Progress
from lstmjax.training.run_parts import MAX_BAD_UPDATES
from lstmjax.training.tesseract.reduce_rates import reduce_rates
from lstmjax.training.tesseract.subtrainer import start_subtrainer, update_subtrainer
from lstmjax.training.tesseract.tester import Evaluator, ask_for_tests
from lstmjax.training.tesseract.trainer import CheckpointCodec, LineTrainer, Trainer


@dataclass(frozen=True, eq=False)
class RunState:
    """The state of a run between two lines.

    Attributes:
      trainer: trainer that learns.
      best_trainer: dump of its best state, with the rates for a new try; empty before.
      pending: text of the last test of a model, for a later report.
    """

    trainer: Trainer
    best_trainer: bytes = b""
    pending: str = ""

    @property
    def progress(self) -> Progress:
        """The counters of the trainer."""
        return self.trainer.progress

    def with_progress(self, **changes) -> "RunState":
        """The same with some counters changed."""
        progress = replace(self.progress, **changes)
        return replace(self, trainer=replace(self.trainer, progress=progress))


@dataclass(frozen=True)
class Maintenance:
    """The tools that reports are made with.

    Attributes:
      learner: teacher of the sub-trainer, and of trial steps in the search for learning rates.
      codec: reader and writer of trainers as dumps.
      paths: the files of the run.
      evaluator: evaluation lines; None without.
      say: prints a line at once.
      between_lines: function called before each line of the sub-trainer; it raises to stop.
    """

    learner: LineTrainer
    codec: CheckpointCodec
    paths: RunPaths
    evaluator: Evaluator | None
    say: Say
    between_lines: Callable[[], None]

    def report(self, state: RunState) -> tuple[RunState, str]:
        """Compare with the best and the worst, and act on it.

        Returns: the run, and the text of the report up to that about the checkpoint.
        """
        # -- a second try, before the run itself is judged
        text = report.log_prefix(state.progress)
        state, tried = self._second_try(state)
        text += tried
        # -- numbers that are not finite: the error rates say nothing then
        if state.trainer.bad_updates >= MAX_BAD_UPDATES:
            state, back = self._without_bad_numbers(state)
            return state, text + back
        # -- best and worst, with tests of the models of earlier extremes
        verdict = report.judge(state.progress)
        text += verdict.headline
        model = b""
        if self.evaluator and (verdict.new_best or verdict.new_worst):
            model = self.codec.model(state.trainer)
        tested = ask_for_tests(self.evaluator, verdict, state.trainer, model, state.pending)
        if verdict.before:
            self.say(verdict.before)
        text += tested.text + verdict.stage_text
        trainer = replace(tested.trainer, progress=verdict.progress)
        state = replace(state, trainer=trainer, pending=tested.pending)
        # -- keep the best, or go back to it
        if verdict.new_best:
            state, wrote = self._keep_best(state)
            return state, text + wrote
        if verdict.diverged and state.best_trainer:
            state, back = self._go_back(state)
            return state, f"{text}\nDivergence! {back}"
        return state, text

    def _learn(self, sub: Trainer) -> Trainer:
        self.between_lines()
        return self.learner.next_line(sub, main=False)

    def _reduce(self, trainer: Trainer) -> tuple[Trainer, str]:
        root = self.codec.identity.root
        return reduce_rates(self.learner, root, trainer, layer_rates=self.codec.layer_rates)

    def _second_try(self, state: RunState) -> tuple[RunState, str]:
        """Start a sub-trainer after a stall; let one that runs go on."""
        text = ""
        if report.stalled(state.progress) and state.best_trainer:
            tried = start_subtrainer(state.trainer, state.best_trainer, self.codec, self._reduce)
            state = replace(state, trainer=tried.trainer, best_trainer=tried.best_trainer)
            text += tried.text
        if state.trainer.sub is None:
            return state, text
        tried = update_subtrainer(state.trainer, state.best_trainer, self._learn, self.say)
        text += tried.text
        if tried.won:
            text += report.log_prefix(tried.trainer.progress)
        return replace(state, trainer=tried.trainer), text

    def _keep_best(self, state: RunState) -> tuple[RunState, str]:
        """Keep the trainer to go back to, and write it if it is much better than the last one."""
        # As in the original, a new best ends the second try.
        state = replace(state, trainer=replace(state.trainer, sub=None))
        data = self.codec.no_best(state.trainer)
        state = replace(state, best_trainer=data)
        progress = state.progress
        best = progress.best
        if not best.rate < progress.last_saved * report.SAVE_RATIO:
            return state, ""
        name = self.paths.numbered_best(best.rate, best.iteration, progress.training_iteration)
        problem = written(name, data)
        if problem:
            self.say(problem)
            return state, f" failed to write best model:{name}"
        # Narrowed, since the original keeps a float here.
        return state.with_progress(last_saved=float(np.float32(best.rate))), (
            f" wrote best model:{name}"
        )

    def _go_back(self, state: RunState) -> tuple[RunState, str]:
        """Return to the best trainer, its counters and its place in the data; lower its rates."""
        iteration, last_saved = state.progress.learning_iteration, state.progress.last_saved
        trainer = self.codec.trainer(state.best_trainer)
        progress = trainer.progress
        text = (
            f"Reverted to iteration {progress.learning_iteration}/{progress.training_iteration}"
            f"/{progress.sample_iteration}"
        )
        trainer, reduced = self._reduce(trainer)
        state = replace(state, trainer=trainer).with_progress(
            last_saved=last_saved,
            # The way lost is granted twice before the run counts as stalled.
            stall_iteration=iteration + 2 * (iteration - progress.learning_iteration),
        )
        return replace(state, best_trainer=self.codec.no_best(state.trainer)), text + reduced

    def _without_bad_numbers(self, state: RunState) -> tuple[RunState, str]:
        """Go back because updates give infinite or undefined numbers (the original goes on)."""
        if not state.best_trainer:
            raise TrainError(
                f"training diverged at iteration {state.progress.training_iteration} before it "
                f"had learnt anything: {state.trainer.bad_updates} updates in a row gave infinite "
                "or undefined numbers; try a lower --learning_rate than "
                f"{self.codec.config.learning_rate:g}"
            )
        count = state.trainer.bad_updates
        state, back = self._go_back(state)
        return state, f"\n{count} updates with infinite or undefined numbers! {back}"


def written(path: str, data: bytes) -> str:
    """Write a file; return why that failed, or "" if it did not."""
    try:
        write_atomically(path, data)
    except LstmjaxError as err:
        return str(err)
    return ""
