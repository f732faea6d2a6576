"""Train a network, continue or fine-tune one, or turn a checkpoint into a model."""

import shlex
import sys
from typing import TYPE_CHECKING, Any

from absl import flags

from lstmjax.cli.flags import given, parse
from lstmjax.cli.large_pages import use_large_pages
from lstmjax.errors import UsageError
from lstmjax.kernels.ahead import start as start_compiling
from lstmjax.training.check import check, flag
from lstmjax.training.config import TrainConfig, make_config
from lstmjax.training.request import Request
from lstmjax.training.tesseract.check import check_settings

if TYPE_CHECKING:
    from lstmjax.view.watching import Watching

_NOT_YET = {
    "debug_network": "histograms of weights",
    "debug_float": "trapping floating point errors",
}
_SETTINGS = {
    "net_mode": "net_mode",
    "learning_rate": "learning_rate",
    "momentum": "momentum",
    "adam_beta": "adam_beta",
    "muon": "muon",
    "weight_range": "weight_range",
    "batch": "batch",
    "augment": "augment",
    "precision": "precision",
    "devices": "devices",
    "seed": "seed",
    "target_error_rate": "target_error_rate",
    "max_iterations": "max_iterations",
    "perfect_sample_delay": "perfect_sample_delay",
    "sequential_training": "sequential",
    "max_image_MB": "max_image_mb",
    "randomly_rotate": "randomly_rotate",
    "eval_interval": "eval_interval",
    "debug_interval": "debug_interval",
    "checkpoint_seconds": "checkpoint_seconds",
}
"""Flag -> field of `TrainConfig` that it sets if given."""


def _define(values: flags.FlagValues) -> None:
    def string(name: str, default: str, text: str) -> None:
        flags.DEFINE_string(name, default, text, flag_values=values)

    def integer(name: str, default: int, text: str, least: int | None = None) -> None:
        flags.DEFINE_integer(name, default, text, flag_values=values, lower_bound=least)

    def number(name: str, default: float, text: str, least: float | None = None) -> None:
        flags.DEFINE_float(name, default, text, flag_values=values, lower_bound=least)

    def boolean(name: str, text: str) -> None:
        flags.DEFINE_bool(name, False, text, flag_values=values)

    string("traineddata", "", "Character set of the network: a starter or a complete traineddata")
    string("net_spec", "", "Network to build, such as [1,36,0,1 Ct3,3,16 Mp3,3 Lfys48 Lfx192 O1c1]")
    string("model_output", "lstmtrain", "Base name of the files written")
    string("continue_from", "", "Checkpoint, .lstm file, traineddata or base name of a run")
    string("train_listfile", "", "List of training files, one path per line")
    string("eval_listfile", "", "List of evaluation files, one path per line")
    string("old_traineddata", "", "Traineddata of continue_from, if the character set changes")
    integer("max_iterations", 0, "Lines to train on; 0: no limit, -n: n times the number of files")
    number("target_error_rate", 0.01, "Training error (BCER) to stop at, in percent")
    number("learning_rate", 0.001, "Peak learning rate; recipe fast: 0.004 for a new network", 0.0)
    number("momentum", 0.9, "Decay of the first moment; 0.5 in recipe tesseract", 0.0)
    number("adam_beta", 0.999, "Decay of the second moment", 0.0)
    number("weight_range", 0.1, "Largest initial weight; recipe fast has its own initialization")
    integer("net_mode", 192, "64: learning rates by layer, 128: Adam, 192: both")
    integer("perfect_sample_delay", 0, "Lines to wait before a line without error counts again")
    integer("max_image_MB", 6000, "Memory for images, in MB", 0)
    integer("append_index", -1, "Last layer of continue_from to keep; net_spec is appended to it")
    integer("debug_interval", 0, "-1: texts about every line; n: also pictures every n lines")
    boolean("stop_training", "Write continue_from as a traineddata and stop")
    boolean("convert_to_int", "With stop_training: convert to an int8 (fast) model")
    boolean("sequential_training", "Train on the files one after the other, lines in file order")
    boolean("reset_learning_rate", "With continue_from: forget its learning rates")
    boolean("randomly_rotate", "Turn half of the lines upside down")
    boolean("debug_network", "Print histograms of the weights")
    boolean("debug_float", "Stop at floating point errors")
    flags.DEFINE_enum(
        "recipe",
        "fast",
        ["fast", "tesseract"],
        "Way of training; tesseract reproduces the original's figures",
        flag_values=values,
    )
    integer("batch", 16, "Lines per update", 1)
    flags.DEFINE_bool(
        "muon",
        None,
        "With Adam: orthogonalise the steps of weight matrices; default: from a batch of 4 on",
        flag_values=values,
    )
    string("augment", "0", "Strength of augmentation: 0 off, 1 usual; or by kind, such as noise=1")
    flags.DEFINE_enum(
        "precision",
        "auto",
        ["auto", "float32", "bfloat16"],
        "Number format of the factors in LSTMs' products; auto: bfloat16 if the CPU multiplies it",
        flag_values=values,
    )
    integer("devices", 0, "Number of cores or GPUs that share a batch; 0: as many as divide it", 0)
    integer("freeze_below", 0, "Number of the first layer to train; those before it are frozen", 0)
    boolean("allow_int_start", "With continue_from: accept an int8 model, though it lost precision")
    integer("seed", 0, "Seed of weights, order of lines and augmentation", 0)
    integer("eval_interval", 0, "Lines between evaluations; 0: chosen by the size of the data")
    number("checkpoint_seconds", 15.0, "Shortest time between checkpoints, in seconds", 0.0)
    boolean("view", "Show the run in a browser; prints the address")
    integer("view_port", 0, "With view: port to listen on; 0: the first free one from 8624 on", 0)
    string("view_host", "127.0.0.1", "With view: address to listen on")
    boolean("tensorboard", "Write for TensorBoard, to <model_output>.tensorboard/")


def main(argv: list[str]) -> int:
    """Run the tool.

    Args:
      argv: the arguments after the tool's name.
    Returns: the exit status.
    """
    values, rest = parse("lstmtraining", _define, argv)
    if rest:
        raise UsageError(f"what is {rest[0]!r}? All arguments of lstmtraining are flags")
    _refuse(values)
    request, config = _request(values), _config(values)
    check(request, config)
    if values.recipe == "tesseract":
        check_settings(config, flag)
    if not values.model_output:
        raise UsageError("Must provide a --model_output!")
    if not values.traineddata:
        raise UsageError("Must provide a --traineddata see training documentation")
    if values.stop_training:
        return _stop_training(values)
    if not values.train_listfile:
        raise UsageError("Must supply a list of training filenames! --train_listfile")
    # Before anything large is loaded: this starts the process anew.
    use_large_pages("-m", "lstmjax", "lstmtraining", *argv)
    return _train(values, request, config, argv)


def _refuse(values: flags.FlagValues) -> None:
    """Refuse flags that cannot be honoured; rules on a run itself are those of `training.check`."""
    for name, what in _NOT_YET.items():
        if values[name].value != values[name].default:
            raise UsageError(f"--{name} ({what}) is not available yet")
    for name in ("view_port", "view_host"):
        if not values.view and name in given(values):
            raise UsageError(f"--{name} needs --view")
    if values.convert_to_int and not values.stop_training:
        raise UsageError("--convert_to_int needs --stop_training")


def _stop_training(values: flags.FlagValues) -> int:
    from lstmjax.infer.states import better_than
    from lstmjax.training.run import write_model

    if not values.continue_from:
        raise UsageError("--stop_training needs --continue_from, the checkpoint to write")
    for name in ("old_traineddata", "append_index", "freeze_below", "allow_int_start"):
        if name in given(values):
            raise UsageError(
                f"--{name} is for training; with --stop_training the network is written as it is"
            )
    write_model(
        values.continue_from,
        values.traineddata,
        values.model_output,
        as_int=values.convert_to_int,
        say=_say,
    )
    better = better_than(values.continue_from)
    if better:
        _say(better)
    return 0


def _train(values: flags.FlagValues, request: Request, config: TrainConfig, argv: list[str]) -> int:
    if values.recipe == "fast":
        start_compiling(values.net_spec)  # while JAX, lines and weights are made ready
    from lstmjax.training.best_file import next_command
    from lstmjax.training.run import run_training
    from lstmjax.training.signals import InterruptedRun

    watching = _watching(values)
    try:
        run_training(request, config, watch=watching.of if watching else None)
    except InterruptedRun as stop:
        saved = request.checkpoint
        if config.recipe == "fast":
            saved += f" and {request.native_directory}"
        _say(
            f"\nStopped at iteration {stop.progress.training_iteration}; everything is saved in "
            f"{saved}. Run the same command again to go on:\n"
            f"  {shlex.join(['lstmjax', 'lstmtraining', *argv])}"
        )
        return 128 + stop.signal_number
    if config.recipe == "fast" or sys.stderr.isatty():  # in a file, the log is the original's
        _say(next_command(request))
    return 0


def _say(text: str) -> None:
    print(text, file=sys.stderr)


def _watching(values: flags.FlagValues) -> "Watching | None":
    """The watchers of the run; None, without loading anything, if no flag asks for one."""
    if not (values.view or values.tensorboard or values.debug_interval > 0):
        return None
    from lstmjax.view.settings import ServerSettings
    from lstmjax.view.watching import Watching

    server = ServerSettings(values.view_host, values.view_port) if values.view else None
    return Watching(server, values.tensorboard, values.debug_interval > 0)


def _request(values: flags.FlagValues) -> Request:
    return Request(
        traineddata=values.traineddata,
        model_output=values.model_output,
        train_listfile=values.train_listfile,
        eval_listfile=values.eval_listfile,
        net_spec=values.net_spec,
        continue_from=values.continue_from,
        old_traineddata=values.old_traineddata,
        append_index=values.append_index,
        freeze_below=values.freeze_below if "freeze_below" in given(values) else None,
        allow_int_start=values.allow_int_start,
        reset_learning_rate=values.reset_learning_rate,
        given=given(values),
    )


def _config(values: flags.FlagValues) -> TrainConfig:
    known = given(values)
    # Of the values only those given: the others have defaults by recipe.
    chosen: dict[str, Any] = {
        field: values[flag].value for flag, field in _SETTINGS.items() if flag in known
    }
    return make_config(values.recipe, **chosen)
