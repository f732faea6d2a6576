"""Training, the models of the best state, and their evaluation."""

import os
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from lstmjax.charset.codec import Codec
from lstmjax.charset.identity import charset_path, rows_of
from lstmjax.data.lines import build_index
from lstmjax.data.listing import read_list
from lstmjax.data.skips import Geometry
from lstmjax.errors import DataError, UsageError
from lstmjax.formats import charset_rows, traineddata
from lstmjax.formats.files import PathLike, write_atomically
from lstmjax.infer.choose import make_forward
from lstmjax.infer.evaluate import evaluate, geometry_of
from lstmjax.infer.model import load_model
from lstmjax.infer.network import Network
from lstmjax.infer.states import name_of
from lstmjax.netspec import parse as spec_parse
from lstmjax.run_paths import RunPaths
from lstmjax.training.config import RecipeName, TrainConfig, make_config
from lstmjax.training.request import Request
from lstmjax.training.run import run_training, write_model

KINDS = ("best", "fast")
"""Kinds of models, named after Tesseract's model repositories: float32 and int8."""

_MAX_BYTES = 1 << 28
_BATCH = 16


@dataclass(frozen=True)
class TrainingRequest:
    """A training run: data, network, output and settings.

    Attributes:
      traineddata: traineddata with the character set.
      train_list, eval_list: list files; eval_list "" for no evaluation.
      model_output: base name of the checkpoints.
      net_spec: network to build if there is no start model.
      start_model: traineddata to fine-tune; "" for none.
      recipe: fast, or tesseract for the figures of `lstmtraining`.
      settings: fields of `TrainConfig` and their values.
    """

    traineddata: str
    train_list: str
    eval_list: str
    model_output: str
    net_spec: str = ""
    start_model: str = ""
    recipe: RecipeName = "fast"
    settings: tuple[tuple[str, Any], ...] = ()

    def config(self) -> TrainConfig:
        """The settings as the configuration of the recipe.

        Raises: UsageError: there is no such setting.
        """
        chosen = dict(self.settings)
        unknown = sorted(set(chosen) - {field.name for field in fields(TrainConfig)})
        if unknown:
            raise UsageError(f"there is no setting {unknown[0]!r} of training")
        return make_config(self.recipe, **chosen)


def start_network(start_model: str, folder: PathLike) -> str:
    """Extract the network of a model, as `combine_tessdata -e` does; path of the `.lstm` file.

    The rows of the model's character set are written beside it.

    Raises: FormatError: the model is damaged. DataError: it has no network.
    """
    trained = traineddata.load(start_model)
    data = trained.components.get("lstm")
    if not data:
        raise DataError(f"{start_model}: there is no network in it; start from a model of "
                        "tessdata_best or of your own")  # fmt: skip
    path = Path(folder, Path(start_model).stem + ".lstm")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, data)
    # So that another character set of the same size is noticed.
    charset_rows.save(rows_of(Codec.from_traineddata(trained)), charset_path(str(path)))
    return str(path)


def geometry_for(request: TrainingRequest) -> Geometry:
    """The geometry of the network that will be trained, for checks of image sizes.

    Raises: SpecError: the net_spec is wrong. FormatError: a file is damaged.
    """
    if request.start_model:
        return geometry_of(load_model(request.start_model))
    codec = Codec.from_traineddata(traineddata.load(request.traineddata))
    root = spec_parse.parse(request.net_spec, codec.num_codes).root
    return geometry_of(Network(root, codec, codec.null_char))


def train(request: TrainingRequest, *, live: bool | None = None) -> dict[str, Any]:
    """Train; an earlier run with the same model_output continues where it stopped.

    Returns: `iterations`, number of training iterations; `bcer`, training error in percent;
      `best_cer`, best CER on the evaluation lines as a fraction, or None.
    Raises: LstmjaxError: see `training.run.run_training`. InterruptedRun: a signal stopped the run
      after everything was saved.
    """
    continue_from = old_traineddata = ""
    if request.start_model:
        continue_from = start_network(request.start_model, Path(request.model_output).parent)
        old_traineddata = _if_other(request.start_model, request.traineddata)
    given = {name for name, _ in request.settings}
    asked = Request(
        traineddata=request.traineddata,
        model_output=request.model_output,
        train_listfile=request.train_list,
        eval_listfile=request.eval_list,
        net_spec="" if continue_from else request.net_spec,
        continue_from=continue_from,
        old_traineddata=old_traineddata,
        # Without --learning_rate a fine-tuned run keeps the rates of its model.
        reset_learning_rate=bool(continue_from) and "learning_rate" in given,
        given=frozenset(given if continue_from else {*given, "net_spec"}),
    )
    progress = run_training(asked, request.config(), live=live)
    return {
        "iterations": progress.training_iteration,
        "bcer": progress.char_rate,
        "best_cer": progress.best_cer,
    }


def make_models(request: TrainingRequest, folder: PathLike, name: str) -> dict[str, str]:
    """Turn the best state of a run into models.

    Args:
      request: the training run.
      folder: folder for `tessdata_best/<name>.traineddata` and `tessdata_fast/<name>.traineddata`.
      name: name of the model.
    Returns: kind (see `KINDS`) -> path of the model.
    """
    made = {}
    for kind in KINDS:
        path = Path(folder, f"tessdata_{kind}", f"{name}.traineddata")
        path.parent.mkdir(parents=True, exist_ok=True)
        state = name_of(RunPaths(request.model_output))
        write_model(state, request.traineddata, str(path), as_int=kind == "fast")
        made[kind] = str(path)
    return made


def measure(model: str, list_file: str) -> dict[str, Any]:
    """Evaluate a model on the lines of a list.

    Returns: `lines` and `skipped`, numbers of lines; `cer`, `wer` (by edits), `bcer`, `bwer`
      (Tesseract's measures), all in percent; `worst`, truth and reading of the worst lines.
    Raises: DataError: no line is usable.
    """
    index = build_index(read_list(list_file))
    forward = make_forward(load_model(model))
    result = evaluate(forward, index, max_bytes=_MAX_BYTES, with_delta=False, batch=_BATCH)
    worst = sorted(result.distinct, key=lambda reading: -reading.chars.rate)[:3]
    return {
        "lines": len(result.distinct),
        "skipped": len(result.skipped),
        "cer": 100 * result.cer.rate,
        "wer": 100 * result.wer.rate,
        "bcer": 100 * result.bcer,
        "bwer": 100 * result.bwer,
        "worst": [[one.line.text, one.text] for one in worst if one.chars.rate > 0],
    }


def _if_other(start_model: str, chosen: str) -> str:
    return "" if os.path.realpath(start_model) == os.path.realpath(chosen) else start_model
