"""From evaluations to a report: here the other models and the training lines are read."""

from collections.abc import Sequence
from dataclasses import dataclass

from lstmjax.data.lines import LineIndex
from lstmjax.data.skips import Skip
from lstmjax.errors import DataError, Say
from lstmjax.infer.evaluate import Evaluation, evaluate
from lstmjax.infer.forward import Forward
from lstmjax.report.readings import Reading, read_anyway, readings_of, same_lines, sample_lines
from lstmjax.report.result import Report, make_report

TRAIN_LINES = 1000


@dataclass(frozen=True, eq=False)
class Evaluated:
    """A model and its evaluation.

    Attributes:
      path: path of the model file.
      forward: the compiled model.
      evaluation: result of the model's own evaluation; None if it could encode no line.
    """

    path: str
    forward: Forward
    evaluation: Evaluation | None


@dataclass(frozen=True, eq=False)
class TrainingLines:
    """Lines the first model was trained on.

    Attributes:
      list_path: path of the training list.
      index: the lines.
      most: number of lines to read, evenly spaced; 0 for all.
    """

    list_path: str
    index: LineIndex
    most: int = TRAIN_LINES


def evaluate_quietly(forward: Forward, index: LineIndex, max_bytes: int) -> Evaluation | None:
    """Evaluate one of the models of a comparison; None if it can encode no line."""
    try:
        return evaluate(forward, index, max_bytes=max_bytes, with_delta=False)
    except DataError:
        return None


def build_report(
    list_path: str,
    index: LineIndex,
    models: Sequence[Evaluated],
    *,
    max_bytes: int,
    training: TrainingLines | None = None,
    say: Say | None = None,
) -> Report:
    """Complete the readings and put the report together.

    Args:
      list_path: path of the evaluation list.
      index: the evaluation lines.
      models: models to report on; the others are compared with the first.
      max_bytes: memory for images, in bytes.
      training: lines for the check for overfitting; None for no check.
      say: printer of a message if overfitting cannot be checked.
    Raises: DataError: no line was read by all models.
    """
    forwards = [model.forward for model in models]
    own = [readings_of(model.evaluation) if model.evaluation else {} for model in models]
    readings, given_up = same_lines(forwards, own, index, max_bytes=max_bytes)
    skipped = {number: skip for number, (_, skip) in given_up.items()}
    # In reverse, so that the reason of the first model is the one that stays.
    for model in reversed(models):
        if model.evaluation:
            found = model.evaluation.skipped
            # What another model could read is no skipped line.
            skipped |= {n: skip for n, skip in found.items() if n not in readings[0]}
    train = None
    if training is not None:
        train = (training.list_path, _training(forwards[0], training, max_bytes, say))
    return make_report(list_path, [model.path for model in models], index, readings, skipped, train)


def _training(
    forward: Forward,
    training: TrainingLines,
    max_bytes: int,
    say: Say | None,
) -> list[Reading]:
    lines = sample_lines(forward, training.index, training.most)
    numbers = [line.number for line in lines]
    found = read_anyway(forward, training.index, numbers, max_bytes=max_bytes)
    readings = [one for one in found.values() if not isinstance(one, Skip)]
    if not readings and say:
        say(f"{training.list_path}: no line can be used, so overfitting is not checked")
    return readings
