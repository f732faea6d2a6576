"""Where a run starts: from its own checkpoint, from another model, or from a net_spec."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import jax
import numpy as np

from lstmjax.array_types import Params
from lstmjax.charset.codec import Codec
from lstmjax.data.stream import Position
from lstmjax.errors import FormatError, LstmjaxError, Say, TrainError
from lstmjax.formats import nodes
from lstmjax.formats.checkpoint import TrainerRecord
from lstmjax.formats.nodes import NetworkNode
from lstmjax.netspec import parse as spec_parse
from lstmjax.netspec import plain
from lstmjax.netspec import shape as spec_shape
from lstmjax.netspec.show import describe
from lstmjax.netspec.tree import Series
from lstmjax.nn.convert import Writing, record_of
from lstmjax.nn.headers import freeze_below, from_plain, headers_of, to_plain, with_flags
from lstmjax.nn.surgery import with_rate
from lstmjax.training.config import TrainConfig
from lstmjax.training.engine import Engine, make_engine
from lstmjax.training.fast.compiling import call_once
from lstmjax.training.fast.step import TrainState
from lstmjax.training.initial import tesseract_weights
from lstmjax.training.native import NativeStore, Snapshot
from lstmjax.training.progress import Progress
from lstmjax.training.provenance import Provenance, begun_from_spec, goes_on, new_run, recorded
from lstmjax.training.request import Request
from lstmjax.training.save import Identity, Restored, restore
from lstmjax.training.transfer import (
    Record,
    append_as_asked,
    fit_outputs,
    read_origin,
    read_trainer,
    recognizer_in,
    say_settings,
    series_of,
    with_recognizer,
)

_FROM_FILE = ("momentum", "adam_beta", "net_mode", "perfect_sample_delay")
"""Settings that recipe tesseract takes from a file it goes on from, beside the learning rate."""


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


def fingerprint(config: TrainConfig, identity: Identity, lists: str) -> dict[str, Any]:
    """What decides on the order of lines and the network; stored in native checkpoints."""
    headers = identity.headers
    return {
        "network": plain.to_plain(identity.root),
        "net_spec": identity.net_spec,
        "headers": None if headers is None else to_plain(headers),
        "learning_rate": config.learning_rate,
        "augment": config.augment,
        "settings": {name: getattr(config, name) for name in _FROM_FILE},
        "order": [
            config.batch,
            config.window_batches,
            config.curriculum_lines,
            config.seed,
            config.order,
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
    if snapshot is None and own is None:
        start = _begin(request, config, codec, lists, say)
        return _with(new_run(request, config, codec), start)
    known = recorded(request, snapshot.identity if snapshot else {})
    if snapshot is not None and _reached(snapshot.progress) < _reached_by(own):
        snapshot = None
    source = f"the checkpoint in {request.native_directory}" if snapshot else request.checkpoint
    known = goes_on(request, config, codec, known, source, say)
    if begun_from_spec(known):
        request = replace(request, continue_from="")  # it may name this run; the net_spec counts
    if snapshot is not None:
        return _with(known, _resume_native(request, config, codec, snapshot, lists, say))
    assert own is not None
    say(f"Loaded file {request.checkpoint}, unpacking...")
    start = _resume_record(request, config, codec, own, lists)
    say(f"Successfully restored trainer from {request.checkpoint}")
    return _with(known, start)


def _begin(request: Request, config: TrainConfig, codec: Codec, lists: str, say: Say) -> Start:
    """A run that has no state yet."""
    if request.appends and not request.continue_from:
        raise TrainError("Must set --continue_from for appending!")
    if request.continue_from:
        return _continue_from(request, config, codec, lists, say)
    return _from_spec(request, config, codec, lists, say)


def _with(provenance: Provenance, start: Start) -> Start:
    """A start whose checkpoints say where the run began and what its outputs mean."""
    identity = start.snapshot.identity | provenance.to_plain()
    return replace(start, snapshot=replace(start.snapshot, identity=identity))


def _reached(progress: Progress) -> int:
    return progress.training_iteration


def _reached_by(record: Record | None) -> int:
    return -1 if record is None else recognizer_in(record).training_iteration


def _read_own(path: str) -> tuple[Record | None, str]:
    """Tesseract's checkpoint of this run, or why it cannot be read."""
    if not os.path.exists(path):
        return None, ""
    try:
        return read_trainer(path), ""
    except FormatError as err:
        return None, str(err)


def _empty_state(stored: dict[str, Any], config: TrainConfig) -> TrainState:
    """The structure of a stored state, without numbers."""
    root = plain.from_plain(stored["network"])
    assert isinstance(root, Series)
    engine = make_engine(root, config)
    params = _zeros(engine)
    return TrainState(params, jax.device_get(engine.init(params)))


def _zeros(engine: Engine) -> Params:
    params = jax.eval_shape(engine.model.init, jax.random.key(0))
    return jax.tree.map(lambda leaf: np.zeros(leaf.shape, leaf.dtype), params)


# -- an earlier run of the same name -----------------------------------------------------------


def _check(root: Series, codec: Codec, source: str) -> None:
    if root.num_out != codec.num_codes:
        raise TrainError(
            f"{source} has {root.num_out} outputs, but the character set of the traineddata has "
            f"{codec.num_codes} codes: it was trained with another traineddata. Use that one, or "
            "another --model_output to start anew"
        )


def _check_spec(request: Request, stored: str, source: str) -> None:
    """Refuse another --net_spec than that of the run, unless nothing was built from it."""
    if not request.net_spec or (request.continue_from and not request.appends):
        return
    fits = stored.endswith(request.net_spec) if request.appends else stored == request.net_spec
    if not fits and "net_spec" in request.given:
        raise TrainError(
            f"{source} is of network {stored}, but --net_spec is {request.net_spec}; "
            "use another --model_output to start anew"
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
    root = plain.from_plain(stored["network"])
    assert isinstance(root, Series)
    source = f"the checkpoint in {request.native_directory}"
    _check(root, codec, source)
    _check_spec(request, stored["net_spec"], source)
    if config.recipe == "tesseract":
        config = replace(config, **stored.get("settings", {}))
    if config.recipe == "tesseract" or "learning_rate" not in request.given:
        config = replace(config, learning_rate=stored["learning_rate"])
    if config.recipe == "fast" and "augment" not in request.given:
        config = replace(config, augment=stored.get("augment", config.augment))
    headers = from_plain(stored["headers"]) if stored.get("headers") else None
    headers = _frozen_as_asked(request, config, root, headers)
    identity = Identity(root, stored["net_spec"], codec.null_char, headers)
    current = fingerprint(config, identity, lists)
    progress = snapshot.progress
    if current["order"] != stored["order"]:
        say(
            "Settings, training files or the program's way of ordering them have changed: the "
            "order of lines starts anew from here."
        )
        progress = replace(progress, position=Position(0, progress.position.window + 1, 0))
    say(
        f"Successfully restored trainer from {request.native_directory}, "
        f"iteration {progress.training_iteration}"
    )
    engine = make_engine(root, config, headers)
    state = snapshot.state._replace(opt_state=engine.settle(snapshot.state.opt_state))
    snapshot = replace(snapshot, state=state, progress=progress, identity=current)
    return Start(identity, engine, snapshot, config, resumed=True)


def _resume_record(
    request: Request, config: TrainConfig, codec: Codec, record: Record, lists: str
) -> Start:
    recognizer = recognizer_in(record)
    source = request.checkpoint
    if recognizer.int_mode:
        raise TrainError(
            f"Error, {source} is an integer (fast) model, cannot continue training; move it away"
        )
    _check(series_of(recognizer, source), codec, source)
    _check_spec(request, recognizer.spec, source)
    restored = restore(record)
    rate = restored.learning_rate
    if config.recipe == "fast" and "learning_rate" in request.given:
        rate = config.learning_rate
    delay = record.perfect_delay if isinstance(record, TrainerRecord) else 0
    if config.recipe == "tesseract":
        config = replace(config, perfect_sample_delay=delay)
    headers = _headers(request, config, record, resumed=True)
    best = record.best_trainer if isinstance(record, TrainerRecord) else b""
    start = _start(record, restored, rate, config, codec, headers, lists)
    snapshot = replace(start.snapshot, progress=restored.progress, best_trainer=best)
    return replace(start, snapshot=snapshot, resumed=True)


# -- another model -----------------------------------------------------------------------------


@contextmanager
def _failing(request: Request, config: TrainConfig) -> Iterator[None]:
    """End errors with the sentence of the original."""
    try:
        yield
    except LstmjaxError as err:
        if config.recipe != "tesseract":
            raise
        raise TrainError(f"{err}\nFailed to continue from: {request.continue_from}") from err


def _continue_from(
    request: Request, config: TrainConfig, codec: Codec, lists: str, say: Say
) -> Start:
    source = request.continue_from
    with _failing(request, config):
        origin = read_origin(source, config, say, allow_int=request.allow_int_start)
        record = origin.record
        if not request.appends:
            record = fit_outputs(origin, request, codec, say)
        exchanged = record is not origin.record
        series_of(recognizer_in(record), source)
    say(f"Continuing from {source}")
    if request.reset_learning_rate:
        say(f"Set learning rate to {config.learning_rate:f}")
        if config.recipe == "tesseract":
            rate = float(np.float32(config.learning_rate))
            network = with_rate(recognizer_in(record).network, rate)
            record = with_recognizer(record, network=network, learning_rate=rate)
    if request.appends:
        record = append_as_asked(request, config, codec, record, say)
    elif config.recipe == "tesseract":
        config = replace(config, perfect_sample_delay=0)
    restored = restore(record)
    rate = restored.learning_rate
    if config.recipe == "fast" and _wants_own_rate(request):
        rate = config.learning_rate
    headers = _headers(request, config, record, resumed=False)
    start = _start(record, restored, rate, config, codec, headers, lists, fresh=request.appends)
    return replace(start, engine=replace(start.engine, exchanged=exchanged))


def _wants_own_rate(request: Request) -> bool:
    """Whether recipe fast forgets the rates of a file; the original needs the flag for it."""
    return request.reset_learning_rate or request.appends or "learning_rate" in request.given


# -- the state to train ------------------------------------------------------------------------


def _headers(
    request: Request, config: TrainConfig, record: Record, *, resumed: bool
) -> NetworkNode:
    """Flags and frozen layers: as stored, in recipe fast as the settings say."""
    recognizer = recognizer_in(record)
    headers = headers_of(recognizer.network)
    if config.recipe == "fast":
        headers = with_flags(headers, config.net_mode)
        if not resumed:
            headers = freeze_below(headers, 0)
    if request.freeze_below is not None:
        headers = freeze_below(headers, request.freeze_below)
    return headers


def _frozen_as_asked(
    request: Request, config: TrainConfig, root: Series, headers: NetworkNode | None
) -> NetworkNode | None:
    if request.freeze_below is None:
        return headers
    if headers is None:
        writing = Writing(nodes.TRAINING_PAUSED, config.net_mode)
        headers = headers_of(record_of(root, _zeros(make_engine(root, config)), writing))
    return freeze_below(headers, request.freeze_below)


def _start(
    record: Record,
    restored: Restored,
    rate: float,
    config: TrainConfig,
    codec: Codec,
    headers: NetworkNode,
    lists: str,
    *,
    fresh: bool = False,
) -> Start:
    """Train on from a record.

    Args:
      record: the model.
      restored: what is in it.
      rate: learning rate; in recipe fast one that differs from the record's is for all layers.
      config: settings.
      codec: the character set.
      headers: of the network.
      lists: digest of the training data.
      fresh: begin recipe fast without the history of updates.
    """
    recognizer = recognizer_in(record)
    config = replace(config, learning_rate=rate)
    if config.recipe == "tesseract":  # there these always come from the file
        config = replace(
            config,
            momentum=restored.momentum,
            adam_beta=restored.adam_beta,
            net_mode=restored.net_mode,
        )
    root = series_of(recognizer, "the network")
    engine = make_engine(root, config, headers)
    opt_state = engine.init(restored.params)
    if engine.exact or not fresh:
        restored = _rescaled(restored, rate)
        opt_state = restored.put_into(
            opt_state, restored.progress.training_iteration // config.batch
        )
    state = TrainState(restored.params, jax.device_get(engine.settle(opt_state)))
    identity = Identity(root, recognizer.spec, codec.null_char, headers)
    # The original forgets all counters, but not the stage.
    progress = Progress(stage=restored.progress.stage if engine.exact else 0)
    snapshot = Snapshot(state, progress, b"", fingerprint(config, identity, lists))
    return Start(identity, engine, snapshot, config, resumed=False)


def _rescaled(restored: Restored, rate: float) -> Restored:
    """The same history at another learning rate: stored steps are in proportion to the rate."""
    if rate == restored.learning_rate or not restored.learning_rate:
        return restored
    factor = np.float32(rate / restored.learning_rate)
    updates = jax.tree.map(lambda u: u * factor, restored.moments.updates)
    restored = replace(restored, moments=restored.moments._replace(updates=updates))
    return restored.with_rate(rate)


def _from_spec(request: Request, config: TrainConfig, codec: Codec, lists: str, say: Say) -> Start:
    if not request.net_spec:
        raise TrainError(
            "there is nothing to go on from and no network to build; give --net_spec, such as "
            "'[1,36,0,1 Ct3,3,16 Mp3,3 Lfys48 Lfx96 Lrx96 Lfx192 O1c1]', or --continue_from"
        )
    network = spec_parse.parse(request.net_spec, codec.num_codes)
    spec_shape.check_output(network.root, codec.num_codes)
    headers = _frozen_as_asked(request, config, network.root, None)
    engine = make_engine(network.root, config, headers)
    say(describe(network))
    say_settings(config, codec, say)
    if config.weight_range is None:
        params = call_once(engine.model.init, jax.random.key(config.seed))
    else:
        params = tesseract_weights(network.root, config.weight_range)
    state = TrainState(params, jax.device_get(engine.init(params)))
    identity = Identity(network.root, request.net_spec, codec.null_char, headers)
    snapshot = Snapshot(state, Progress(), b"", fingerprint(config, identity, lists))
    return Start(identity, engine, snapshot, config, resumed=False)
