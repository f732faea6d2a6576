"""The report of recipe tesseract: what is said and done every hundred lines, in the original order.

Source: Tesseract src/training/unicharset/lstmtrainer.cpp, MaintainCheckpoints.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from lstmjax.errors import Say, TrainError
from lstmjax.formats.files import write_atomically
from lstmjax.run_paths import RunPaths
from lstmjax.training import report
from lstmjax.training.progress import Progress
from lstmjax.training.run_parts import MAX_BAD_UPDATES
from lstmjax.training.tesseract.reduce_rates import reduce_rates
from lstmjax.training.tesseract.subtrainer import start_subtrainer, update_subtrainer
from lstmjax.training.tesseract.tester import Evaluator, ask_for_tests
from lstmjax.training.tesseract.trainer import Dumps, Teacher, Trainer


@dataclass(frozen=True, eq=False)
class Outer:
    """All of a run of recipe tesseract that moves.

    Attributes:
      trainer: goes on.
      best_trainer: dump of its best state, with the rates for a new try; empty before.
      pending: text of the last test of a model, for a later report.
    """

    trainer: Trainer
    best_trainer: bytes = b""
    pending: str = ""

    @property
    def progress(self) -> Progress:
        """Of the trainer."""
        return self.trainer.progress

    def with_progress(self, **changes) -> "Outer":
        """The same with some counters changed."""
        progress = replace(self.progress, **changes)
        return replace(self, trainer=replace(self.trainer, progress=progress))


@dataclass(frozen=True)
class Maintenance:
    """What reports are made with.

    Attributes:
      teacher: for the sub-trainer and the search for learning rates.
      dumps: of trainers.
      paths: the files of the run.
      evaluator: None without evaluation data.
      say: prints a line at once.
      between_lines: called before each line the sub-trainer learns from; raises to stop.
    """

    teacher: Teacher
    dumps: Dumps
    paths: RunPaths
    evaluator: Evaluator | None
    say: Say
    between_lines: Callable[[], None]

    def report(self, outer: Outer) -> tuple[Outer, str]:
        """Compare with the best and the worst, and act on it.

        Returns: the run, and the report without what is said about the checkpoint.
        """
        text = report.log_prefix(outer.progress)
        outer, tried = self._second_try(outer)
        text += tried
        if outer.trainer.bad_updates >= MAX_BAD_UPDATES:
            outer, back = self._without_bad_numbers(outer)
            return outer, text + back
        verdict = report.judge(outer.progress)
        text += verdict.headline
        model = b""
        if self.evaluator and (verdict.new_best or verdict.new_worst):
            model = self.dumps.model(outer.trainer)
        tested = ask_for_tests(self.evaluator, verdict, outer.trainer, model, outer.pending)
        if verdict.before:
            self.say(verdict.before)
        text += tested.text + verdict.stage_text
        trainer = replace(tested.trainer, progress=verdict.progress)
        outer = replace(outer, trainer=trainer, pending=tested.pending)
        if verdict.new_best:
            outer, wrote = self._keep_best(outer)
            return outer, text + wrote
        if verdict.diverged and outer.best_trainer:
            outer, back = self._go_back(outer)
            return outer, f"{text}\nDivergence! {back}"
        return outer, text

    def _learn(self, sub: Trainer) -> Trainer:
        self.between_lines()
        return self.teacher.next_line(sub, main=False)

    def _reduce(self, trainer: Trainer) -> tuple[Trainer, str]:
        root = self.dumps.identity.root
        return reduce_rates(self.teacher, root, trainer, layer_rates=self.dumps.layer_rates)

    def _second_try(self, outer: Outer) -> tuple[Outer, str]:
        """Start a sub-trainer after a stall; let one that runs go on."""
        text = ""
        if report.stalled(outer.progress) and outer.best_trainer:
            tried = start_subtrainer(outer.trainer, outer.best_trainer, self.dumps, self._reduce)
            outer = replace(outer, trainer=tried.trainer, best_trainer=tried.best_trainer)
            text += tried.text
        if outer.trainer.sub is None:
            return outer, text
        tried = update_subtrainer(outer.trainer, outer.best_trainer, self._learn, self.say)
        text += tried.text
        if tried.won:
            text += report.log_prefix(tried.trainer.progress)
        return replace(outer, trainer=tried.trainer), text

    def _keep_best(self, outer: Outer) -> tuple[Outer, str]:
        """Keep the trainer to go back to, and write it if it is much better than the last one."""
        outer = replace(outer, trainer=replace(outer.trainer, sub=None))
        data = self.dumps.no_best(outer.trainer)
        outer = replace(outer, best_trainer=data)
        progress = outer.progress
        best = progress.best
        if not best.rate < progress.last_saved * report.SAVE_RATIO:
            return outer, ""
        name = self.paths.numbered_best(best.rate, best.iteration, progress.training_iteration)
        problem = written(name, data)
        if problem:
            self.say(problem)
            return outer, f" failed to write best model:{name}"
        return outer.with_progress(last_saved=float(np.float32(best.rate))), (
            f" wrote best model:{name}"
        )

    def _go_back(self, outer: Outer) -> tuple[Outer, str]:
        """Return to the best trainer, its counters and its place in the data; lower its rates."""
        iteration, last_saved = outer.progress.learning_iteration, outer.progress.last_saved
        trainer = self.dumps.trainer(outer.best_trainer)
        progress = trainer.progress
        text = (
            f"Reverted to iteration {progress.learning_iteration}/{progress.training_iteration}"
            f"/{progress.sample_iteration}"
        )
        trainer, reduced = self._reduce(trainer)
        outer = replace(outer, trainer=trainer).with_progress(
            last_saved=last_saved,
            stall_iteration=iteration + 2 * (iteration - progress.learning_iteration),
        )
        return replace(outer, best_trainer=self.dumps.no_best(outer.trainer)), text + reduced

    def _without_bad_numbers(self, outer: Outer) -> tuple[Outer, str]:
        """Go back because updates give infinite or undefined numbers (the original goes on)."""
        if not outer.best_trainer:
            raise TrainError(
                f"training diverged at iteration {outer.progress.training_iteration} before it "
                f"had learnt anything: {outer.trainer.bad_updates} updates in a row gave infinite "
                "or undefined numbers; try a lower --learning_rate than "
                f"{self.dumps.config.learning_rate:g}"
            )
        count = outer.trainer.bad_updates
        outer, back = self._go_back(outer)
        return outer, f"\n{count} updates with infinite or undefined numbers! {back}"


def written(path: str, data: bytes) -> str:
    """Write a file; return why that failed, or "" if it did not."""
    try:
        write_atomically(path, data)
    except OSError as err:
        return f"{path}: cannot be written: {err.strerror}"
    return ""
