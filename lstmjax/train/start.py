"""Where a run starts: from its own checkpoint, from another model, or from a net_spec."""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import jax
import numpy as np

from lstmjax.charset.codec import Codec
from lstmjax.data.stream import Position
from lstmjax.errors import FormatError, TrainError, naming
from lstmjax.formats import checkpoint
from lstmjax.formats.checkpoint import TrainerRecord
from lstmjax.formats.files import read_bytes
from lstmjax.formats.lstm import Recognizer
from lstmjax.nn.convert import tree_of
from lstmjax.spec import parse as spec_parse
from lstmjax.spec import shape as spec_shape
from lstmjax.spec.plain import from_plain, to_plain
from lstmjax.spec.show import describe
from lstmjax.spec.tree import Series
from lstmjax.train.config import TrainConfig
from lstmjax.train.engine import Engine, make_engine
from lstmjax.train.initial import tesseract_weights
from lstmjax.train.native import NativeStore, Snapshot
from lstmjax.train.progress import Progress
from lstmjax.train.request import Request
from lstmjax.train.save import Identity, restore
from lstmjax.train.step import TrainState

Say = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class Start:
    """A network with its state, ready to train.

    Attributes:
      identity: network, net_spec and null.
      engine: its functions and its update.
      snapshot: state, progress and best trainer.
      config: settings, with those of a stored run where the user gave none.
      resumed: whether this run had begun before.
    """

    identity: Identity
    engine: Engine
    snapshot: Snapshot
    config: TrainConfig
    resumed: bool


def fingerprint(config: TrainConfig, root: Series, net_spec: str, lists: str) -> dict[str, Any]:
    """What decides on the order of lines and the network; stored in native checkpoints."""
    return {
        "network": to_plain(root),
        "net_spec": net_spec,
        "learning_rate": config.learning_rate,
        "order": [
            config.batch,
            config.window_batches,
            config.curriculum_lines,
            config.seed,
            config.sequential,
            config.randomly_rotate,
            config.recipe,
            lists,
        ],
    }


def choose_start(
    request: Request, config: TrainConfig, codec: Codec, native: NativeStore, lists: str, say: Say
) -> Start:
    """Find the newest state to go on from, or make a new one.

    Args:
      request: the files of the run.
      config: its settings.
      codec: of its character set.
      native: its native checkpoints.
      lists: digest of the training data; another one means that positions in it are void.
      say: prints a line for the user.
    Raises: TrainError, FormatError, SpecError: nothing usable, each with the way out.
    """
    snapshot, problems = native.restore(lambda stored: _empty_state(stored, config))
    own, damage = _read_own(request.checkpoint)
    for problem in [*problems, *([damage] if damage else [])]:
        say(problem)
    if snapshot is None and own is None and (problems or damage):
        raise TrainError(
            f"no checkpoint of {request.model_output} can be read; move them away to start anew"
        )
    if snapshot is not None and _reached(snapshot.progress) >= _reached_by(own):
        return _resume_native(request, config, codec, snapshot, lists, say)
    if own is not None:
        say(f"Loaded file {request.checkpoint}, unpacking...")
        start = _from_record(own, config, codec, request, lists, say, resumed=True)
        say(f"Successfully restored trainer from {request.checkpoint}")
        return start
    if request.continue_from:
        return _continue_from(request, config, codec, lists, say)
    return _from_spec(request, config, codec, lists, say)


def _reached(progress: Progress) -> int:
    return progress.training_iteration


def _reached_by(record: TrainerRecord | Recognizer | None) -> int:
    if record is None:
        return -1
    recognizer = record.recognizer if isinstance(record, TrainerRecord) else record
    return recognizer.training_iteration


def _read_own(path: str) -> tuple[TrainerRecord | Recognizer | None, str]:
    """Tesseract's checkpoint of this run, or why it cannot be read."""
    if not os.path.exists(path):
        return None, ""
    try:
        return _read_trainer(path), ""
    except FormatError as err:
        return None, str(err)


def _read_trainer(path: str) -> TrainerRecord | Recognizer:
    with naming(file=path):
        return checkpoint.unpack(read_bytes(path))


def _empty_state(stored: dict[str, Any], config: TrainConfig) -> TrainState:
    """The structure of a stored state, without numbers."""
    root = from_plain(stored["network"])
    assert isinstance(root, Series)
    engine = make_engine(root, config)
    params = jax.eval_shape(engine.model.init, jax.random.key(0))
    params = jax.tree.map(lambda leaf: np.zeros(leaf.shape, leaf.dtype), params)
    return TrainState(params, jax.device_get(engine.init(params)))


def _check(root: Series, codec: Codec, source: str) -> None:
    if root.num_out != codec.num_codes:
        raise TrainError(
            f"{source} has {root.num_out} outputs, but the character set of the traineddata has "
            f"{codec.num_codes} codes: it was trained with another traineddata. Use that one, or "
            "another --model_output to start anew"
        )


def _resume_native(
    request: Request,
    config: TrainConfig,
    codec: Codec,
    snapshot: Snapshot,
    lists: str,
    say: Say,
) -> Start:
    stored = snapshot.identity
    root = from_plain(stored["network"])
    assert isinstance(root, Series)
    source = f"the checkpoint in {request.native_directory}"
    _check(root, codec, source)
    if "net_spec" in request.given and request.net_spec != stored["net_spec"]:
        raise TrainError(
            f"{source} is of network {stored['net_spec']}, but --net_spec is {request.net_spec}; "
            "use another --model_output to start anew"
        )
    if "learning_rate" not in request.given:
        config = replace(config, learning_rate=stored["learning_rate"])
    current = fingerprint(config, root, stored["net_spec"], lists)
    progress = snapshot.progress
    if current["order"] != stored["order"]:
        say("Settings or training files have changed: the order of lines starts anew from here.")
        progress = replace(progress, position=Position(0, progress.position.window + 1, 0))
    say(
        f"Successfully restored trainer from {request.native_directory}, "
        f"iteration {progress.training_iteration}"
    )
    identity = Identity(root, stored["net_spec"], codec.null_char)
    snapshot = replace(snapshot, progress=progress, identity=current)
    return Start(identity, make_engine(root, config), snapshot, config, resumed=True)


def _continue_from(
    request: Request, config: TrainConfig, codec: Codec, lists: str, say: Say
) -> Start:
    record = _read_trainer(request.continue_from)
    say(f"Loaded file {request.continue_from}, unpacking...")
    if isinstance(record, Recognizer):
        say("Warning: LSTMTrainer deserialized an LSTMRecognizer!")
    start = _from_record(record, config, codec, request, lists, say, resumed=False)
    say(f"Continuing from {request.continue_from}")
    return start


def _from_record(
    record: TrainerRecord | Recognizer,
    config: TrainConfig,
    codec: Codec,
    request: Request,
    lists: str,
    say: Say,
    *,
    resumed: bool,
) -> Start:
    recognizer = record.recognizer if isinstance(record, TrainerRecord) else record
    source = request.checkpoint if resumed else request.continue_from
    if recognizer.int_mode:
        raise TrainError(
            f"{source} is an integer (fast) model, cannot continue training; take the float model "
            "(tessdata_best) it was made from"
        )
    root = tree_of(recognizer.network)
    if not isinstance(root, Series):
        raise FormatError(f"the network is a single {type(root).__name__}", file=source)
    _check(root, codec, source)
    restored = restore(record)
    if _rate_is_new(request, config, resumed=resumed):
        restored = restored.with_rate(config.learning_rate)
        if request.reset_learning_rate:
            say(f"Set learning rate to {config.learning_rate:f}")
    else:
        config = replace(config, learning_rate=restored.learning_rate)
    if config.recipe == "tesseract":  # there these always come from the file
        config = replace(config, momentum=restored.momentum, adam_beta=restored.adam_beta)
        config = replace(config, net_mode=restored.net_mode)
    engine = make_engine(root, config)
    updates = restored.progress.training_iteration // config.batch
    opt_state = restored.put_into(engine.init(restored.params), updates)
    progress = restored.progress if resumed else Progress()
    identity = Identity(root, recognizer.spec, codec.null_char)
    snapshot = Snapshot(
        TrainState(restored.params, jax.device_get(opt_state)),
        progress,
        record.best_trainer if resumed and isinstance(record, TrainerRecord) else b"",
        fingerprint(config, root, recognizer.spec, lists),
    )
    return Start(identity, engine, snapshot, config, resumed)


def _rate_is_new(request: Request, config: TrainConfig, *, resumed: bool) -> bool:
    """Whether the user's learning rate replaces those of a file.

    Tesseract listens only to --reset_learning_rate, and only when it does not resume.
    """
    if config.recipe == "tesseract":
        return request.reset_learning_rate and not resumed
    return request.reset_learning_rate or "learning_rate" in request.given


def _from_spec(request: Request, config: TrainConfig, codec: Codec, lists: str, say: Say) -> Start:
    if not request.net_spec:
        raise TrainError(
            "there is nothing to go on from and no network to build; give --net_spec, such as "
            "'[1,36,0,1 Ct3,3,16 Mp3,3 Lfys48 Lfx96 Lrx96 Lfx192 O1c1]', or --continue_from"
        )
    network = spec_parse.parse(request.net_spec, codec.num_codes)
    spec_shape.check_output(network.root, codec.num_codes)
    engine = make_engine(network.root, config)
    say(describe(network))
    say(
        f"Training parameters:\n  Debug interval = 0, weights = {config.weight_range or 0.1:g}, "
        f"learning rate = {config.learning_rate:g}, momentum={config.momentum:g}\n"
        f"null char={codec.null_char}"
    )
    if config.weight_range is None:
        params = jax.device_get(engine.model.init(jax.random.key(config.seed)))
    else:
        params = tesseract_weights(network.root, config.weight_range)
    state = TrainState(params, jax.device_get(engine.init(params)))
    identity = Identity(network.root, request.net_spec, codec.null_char)
    stored = fingerprint(config, network.root, request.net_spec, lists)
    snapshot = Snapshot(state, Progress(), b"", stored)
    return Start(identity, engine, snapshot, config, resumed=False)
