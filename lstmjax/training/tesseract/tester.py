"""Evaluation during training in recipe tesseract.

The original tests a model in another thread, and a later report carries the text. Here the test
runs at once and its text is kept for the next time a test is asked for, so that runs repeat.
Source: Tesseract src/training/unicharset/lstmtester.cpp.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from lstmjax.charset.failures import TextError
from lstmjax.data.lines import Line, LineIndex
from lstmjax.data.skips import Skip
from lstmjax.errors import Say
from lstmjax.formats import lstm
from lstmjax.infer.choose import make_forward
from lstmjax.infer.evaluate import Evaluation, evaluate
from lstmjax.infer.forward import Forward
from lstmjax.infer.model import with_weights
from lstmjax.infer.network import Network
from lstmjax.nn.convert import params_of
from lstmjax.training.report import Verdict
from lstmjax.training.tesseract.trainer import Trainer


@dataclass(eq=False)
class Evaluator:
    """The evaluation lines, and the network compiled when it is first needed."""

    index: LineIndex
    network: Network
    max_bytes: int
    say: Say
    on_result: Callable[[int, Evaluation], None]
    _forward: Forward | None = field(default=None, init=False)

    def test(self, iteration: int, stage: int, model: bytes) -> str:
        """Evaluate a model as `lstmeval` does, and say how it was.

        Args:
          iteration: learning iteration the model is from.
          stage: training stage of the model.
          model: a recognizer dump.
        """
        recognizer = lstm.unpack(model)
        params, sample = params_of(recognizer.network), recognizer.sample_iteration
        if self._forward is None:
            self._forward = make_forward(with_weights(self.network, params))
        self.say("Warning: LSTMTrainer deserialized an LSTMRecognizer!")
        found = evaluate(
            self._forward.with_weights(params, sample),
            self.index,
            max_bytes=self.max_bytes,
            on_skip=self._name,
            with_delta=False,
        )
        self.on_result(iteration, found)
        start = f"At iteration {iteration}, stage {stage}, " if iteration or stage else ""
        return f"{start}BCER eval={100 * found.bcer:f}, BWER eval={100 * found.bwer:f}"

    def _name(self, line: Line, skip: Skip) -> None:
        if isinstance(skip.error, TextError):
            self.say(skip.error.log())
        else:
            self.say(skip.message(line))


@dataclass(frozen=True)
class Tested:
    """The result of the evaluation that Tesseract schedules at a new best or worst.

    trainer: trainer with the models that are still to be tested.
    pending: text of the last test, for the next report that asks.
    text: text of the test before, for this report.
    """

    trainer: Trainer
    pending: str
    text: str = ""


def ask_for_tests(
    evaluator: Evaluator | None, verdict: Verdict, trainer: Trainer, model: bytes, pending: str
) -> Tested:
    """Test the model of the last worst at a new best, that of the last best at a new worst.

    Args:
      evaluator: evaluation lines; None without.
      verdict: conclusions from the trainer's error rate.
      trainer: trainer before the verdict, with the models kept at earlier extremes.
      model: dump of the network as it is now.
      pending: text of the last test.
    Source: lstmtrainer.cpp, UpdateErrorGraph.
    """
    if evaluator is None or not (verdict.new_best or verdict.new_worst):
        return Tested(trainer, pending)
    progress = trainer.progress
    best, worst = trainer.best_model, trainer.worst_model
    if verdict.new_best:
        if not worst:
            return Tested(trainer, pending)
        new = evaluator.test(progress.worst.iteration, progress.stage, worst)
        return Tested(replace(trainer, best_model=model, worst_model=b""), new, pending)
    # Soon after a best the original only asks for the last result and tests nothing.
    if not verdict.settled:
        return Tested(trainer, "", pending) if worst else Tested(trainer, pending)
    text = ""
    if best:
        text, pending = pending, evaluator.test(progress.best.iteration, progress.stage, best)
    elif worst:
        text, pending = pending, evaluator.test(progress.worst.iteration, progress.stage, worst)
    # Cleared once a result came back, as in the original.
    kept = b"" if text else best
    return Tested(replace(trainer, best_model=kept, worst_model=model), pending, text)
