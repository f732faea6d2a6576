"""Training from Python: one function, the files by name, the settings as keywords."""

import json
import os
import signal
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

from lstmjax.data.samples import Source, documents
from lstmjax.errors import UsageError
from lstmjax.formats.files import PathLike
from lstmjax.infer.recognise import LineRecognizer, load
from lstmjax.infer.states import name_of
from lstmjax.run_paths import RunPaths
from lstmjax.training import run
from lstmjax.training.config import RecipeName, TrainConfig, make_config
from lstmjax.training.output import OnRecord
from lstmjax.training.progress import Progress
from lstmjax.training.request import Request
from lstmjax.training.signals import STOP_ASKED, InterruptedRun

Show = Literal["log", "live", "nothing"]


@dataclass(frozen=True, eq=False)
class TrainingResult:
    """What a run came to.

    Attributes:
      progress: counters and error rates.
      model_output: base name of the files written.
      traineddata: the character set.
      stopped: whether `on_report` ended the run.
    """

    progress: Progress
    model_output: str
    traineddata: str
    stopped: bool = False

    @property
    def _paths(self) -> RunPaths:
        return RunPaths(self.model_output)

    @property
    def checkpoint(self) -> str:
        """Path of the last state, in Tesseract's format."""
        return self._paths.checkpoint

    @property
    def best(self) -> str:
        """Path of the best state, in Tesseract's format; of the last one while there is no best."""
        return self._paths.best if os.path.exists(self._paths.best) else self.checkpoint

    @property
    def metrics(self) -> str:
        """Path of the figures, a JSON object a line; docs/files.md explains the fields."""
        return self._paths.metrics

    def history(self, event: Literal["train", "eval"] = "train") -> list[dict[str, Any]]:
        """The figures of all reports (or evaluations) so far, runs before this one included."""
        with open(self.metrics, encoding="utf-8") as file:
            records = [json.loads(line) for line in file]
        return [record for record in records if record["event"] == event]

    def load(self, *, best: bool = True) -> LineRecognizer:
        """The best model, or the last state, ready to read lines."""
        return load(self._name(best), self.traineddata)

    def write_model(self, path: PathLike, *, int8: bool = False, best: bool = True) -> None:
        """Make a traineddata that Tesseract runs; see `lstmjax.write_model`."""
        write_model(self._name(best), path, traineddata=self.traineddata, int8=int8)

    def _name(self, best: bool) -> str:
        return name_of(self._paths) if best else self.checkpoint


def train(
    config: TrainConfig | None = None,
    *,
    traineddata: PathLike,
    train_listfile: Source,
    model_output: PathLike,
    net_spec: str = "",
    eval_listfile: Source = "",
    continue_from: PathLike = "",
    old_traineddata: PathLike = "",
    append_index: int = -1,
    freeze_below: int | None = None,
    allow_int_start: bool = False,
    reset_learning_rate: bool = False,
    recipe: RecipeName = "fast",
    show: Show = "log",
    on_report: OnRecord | None = None,
    **settings: Any,
) -> TrainingResult:
    """Train as `lstmjax lstmtraining` does; called again with the same names it goes on.

    Args:
      config: settings; alone, or with some of them changed by `settings`.
      traineddata: character set of the network: a starter or a whole model.
      train_listfile: a list file that names the training documents, or their paths.
      model_output: base name of everything written.
      net_spec: network to build if there is nothing to go on from; with append_index the layers to
        append.
      eval_listfile: list file or documents for evaluation; with it, models are chosen by character
        error rate.
      continue_from: checkpoint, `.lstm` file or (recipe fast) traineddata to start from, or the
        base name of another run for its best state.
      old_traineddata: character set of continue_from, if it is another.
      append_index: number of the last layer of continue_from to keep below those of net_spec.
      freeze_below: the first layer that learns.
      allow_int_start: start from an int8 model, too.
      reset_learning_rate: whether the learning rates of continue_from are forgotten.
      recipe: fast, or tesseract for the very figures of `lstmtraining`; not with config.
      show: log (on stderr), a live display on stderr, or nothing.
      on_report: called with every record of metrics.jsonl, a dict; returning True saves and ends
        the run.
      settings: fields of `TrainConfig`, such as max_iterations=8000, batch=8 or
        optimizer=optax.scale_by_lion().
    Returns: how far the run came, and where its files are.
    Raises: LstmjaxError: whatever keeps the run from starting or going on. KeyboardInterrupt: the
      user stopped it after everything was saved; call it again to go on.

    Example:
      >>> result = lstmjax.train(
      ...     traineddata="examples/demo.traineddata",
      ...     train_listfile="examples/train.list",
      ...     eval_listfile="examples/eval.list",
      ...     net_spec="[1,36,0,1 Ct3,3,16 Mp3,3 Lfys48 Lfx96 Lrx96 Lfx256 O1c1]",
      ...     model_output="out/mine",
      ...     max_iterations=8000,
      ... )
      >>> result.write_model("out/mine.traineddata")
    """
    chosen, given = _config(config, recipe, settings)
    request = Request(
        traineddata=os.fspath(traineddata),
        model_output=os.fspath(model_output),
        train_listfile=documents(train_listfile),
        eval_listfile=documents(eval_listfile) if eval_listfile else "",
        net_spec=net_spec,
        continue_from=os.fspath(continue_from),
        old_traineddata=os.fspath(old_traineddata),
        append_index=append_index,
        freeze_below=freeze_below,
        allow_int_start=allow_int_start,
        reset_learning_rate=reset_learning_rate,
        given=given | ({"net_spec"} if net_spec else set()),
    )
    progress, stopped = _run(request, chosen, show, on_report)
    return TrainingResult(progress, request.model_output, request.traineddata, stopped)


def _config(
    config: TrainConfig | None, recipe: RecipeName, settings: dict[str, Any]
) -> tuple[TrainConfig, frozenset[str]]:
    """The settings of a run, and the names of those that the caller gave."""
    known = sorted(field.name for field in fields(TrainConfig) if field.name != "recipe")
    unknown = sorted(set(settings) - set(known))
    if unknown:
        raise UsageError(
            f"train has no setting {unknown[0]!r}; its settings are {', '.join(known)}"
        )
    if config is not None:
        if recipe not in ("fast", config.recipe):
            raise UsageError(
                f"config is of recipe {config.recipe}; tesseract_config() makes one of the other"
            )
        return replace(config, **settings), frozenset(known)
    return make_config(recipe, **settings), frozenset(settings)


def _run(
    request: Request, config: TrainConfig, show: Show, on_report: OnRecord | None
) -> tuple[Progress, bool]:
    """Train, and tell how it ended: progress, and whether `on_report` ended it."""
    run.check_request(request, config, named=lambda name: name)
    try:
        progress = run.run_training(
            request, config, live=show == "live", quiet=show == "nothing", on_record=on_report
        )
    except InterruptedRun as stop:
        # A run that the user interrupts looks like any interrupted Python program to its caller.
        if stop.signal_number == signal.SIGINT:
            raise KeyboardInterrupt(f"{stop}; call train again to go on") from stop
        if stop.signal_number != STOP_ASKED:
            raise
        return stop.progress, True
    return progress, False


def write_model(
    checkpoint: PathLike, path: PathLike, *, traineddata: PathLike, int8: bool = False
) -> None:
    """Turn a checkpoint into a traineddata that Tesseract runs, as `--stop_training` does.

    Args:
      checkpoint: a checkpoint or an `.lstm` file; or the base name of a run (its `model_output`)
        for its best state.
      path: path of the traineddata to write.
      traineddata: the one it was trained with; all its other components are taken over.
      int8: convert the weights to int8: smaller and faster, a little less exact.
    Raises: LstmjaxError: unreadable or contradictory files.
    """
    run.write_model(os.fspath(checkpoint), os.fspath(traineddata), os.fspath(path), as_int=int8)
