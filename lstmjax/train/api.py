"""Training from Python: one function, the files by name, the settings as keywords."""

from dataclasses import dataclass, fields
from typing import Any

from lstmjax.errors import UsageError
from lstmjax.train.config import Recipe, TrainConfig, tesseract_config
from lstmjax.train.progress import Progress
from lstmjax.train.request import Request
from lstmjax.train.run import run_training


@dataclass(frozen=True, eq=False)
class TrainingResult:
    """What a run came to.

    Attributes:
      progress: counters and error rates.
      checkpoint: path of Tesseract's checkpoint; make a model of it with `write_model`.
      metrics: path of the figures, a JSON object a line.
    """

    progress: Progress
    checkpoint: str
    metrics: str


def train(
    *,
    traineddata: str,
    train_listfile: str,
    model_output: str,
    net_spec: str = "",
    eval_listfile: str = "",
    continue_from: str = "",
    recipe: Recipe = "fast",
    live: bool | None = False,
    **settings: Any,
) -> TrainingResult:
    """Train as `lstmjax lstmtraining` does; called again with the same names it goes on.

    Args:
      traineddata: character set of the network.
      train_listfile: text file that names the training documents.
      model_output: base name of everything written.
      net_spec: network to build if there is nothing to go on from.
      eval_listfile: text file that names the evaluation documents.
      continue_from: checkpoint or `.lstm` file to start from.
      recipe: fast, or tesseract for the very figures of `lstmtraining`.
      live: show a live display on stderr; None: on terminals.
      settings: fields of `TrainConfig`, such as max_iterations=8000 or batch=8.
    Raises: LstmjaxError: whatever keeps the run from starting or going on.
    """
    known = {field.name for field in fields(TrainConfig)}
    unknown = sorted(set(settings) - known)
    if unknown:
        raise UsageError(
            f"train has no setting {unknown[0]!r}; its settings are {', '.join(sorted(known))}"
        )
    config = tesseract_config(**settings) if recipe == "tesseract" else TrainConfig(**settings)
    given = {*settings, *(["net_spec"] if net_spec else [])}
    request = Request(
        traineddata=traineddata,
        model_output=model_output,
        train_listfile=train_listfile,
        eval_listfile=eval_listfile,
        net_spec=net_spec,
        continue_from=continue_from,
        given=frozenset(given),
    )
    progress = run_training(request, config, live=live)
    return TrainingResult(progress, request.checkpoint, request.metrics)
