"""Where a run starts: from its own checkpoint, from another model, or from a net_spec.

`origins` finds what is there, `Recipe.settle` decides once which settings hold, and here both
become a `Start`.
"""

from dataclasses import dataclass, replace
from typing import Any

from lstmjax.charset.codec import Codec
from lstmjax.data.stream import Position
from lstmjax.errors import Say, TrainError
from lstmjax.formats import nodes
from lstmjax.formats.nodes import NetworkNode
from lstmjax.netspec import parse as spec_parse
from lstmjax.netspec import plain
from lstmjax.netspec import shape as spec_shape
from lstmjax.netspec.show import describe
from lstmjax.netspec.tree import Series
from lstmjax.nn.convert import Writing, record_of
from lstmjax.nn.headers import freeze_below, from_plain, headers_of, to_plain
from lstmjax.training.config import TrainConfig
from lstmjax.training.identity import Identity
from lstmjax.training.initial import new_weights, zero_weights
from lstmjax.training.native import NativeStore, Snapshot
from lstmjax.training.origins import (
    OWN_SETTINGS,
    best_trainer_of,
    find_own,
    perfect_delay_of,
    read_model,
    settings_of_record,
    settings_of_snapshot,
    stored_root,
)
from lstmjax.training.progress import Progress
from lstmjax.training.provenance import Provenance, begun_from_spec, goes_on, new_run, recorded
from lstmjax.training.recipe import Recipe, StoredSettings
from lstmjax.training.request import Request
from lstmjax.training.restore import Restored, restore
from lstmjax.training.run_parts import Start
from lstmjax.training.state import TrainState
from lstmjax.training.transfer import Record, recognizer_in, say_settings, series_of


@dataclass(frozen=True)
class Asked:
    """What a start is made from, beside what is found on disk.

    Attributes:
      request: files of the run.
      config: settings asked for.
      recipe: way of training.
      codec: character set of the network.
      lists: digest of the training data; another one means that positions in it are void.
      say: prints a line for the user.
    """

    request: Request
    config: TrainConfig
    recipe: Recipe
    codec: Codec
    lists: str
    say: Say

    def settled(self, stored: StoredSettings | None) -> TrainConfig:
        """The settings that hold."""
        return self.recipe.settle(self.config, self.request, stored)


def fingerprint(asked: Asked, config: TrainConfig, identity: Identity) -> dict[str, Any]:
    """What decides on the order of lines and the network; stored in native checkpoints."""
    headers = identity.headers
    return {
        "network": plain.to_plain(identity.root),
        "net_spec": identity.net_spec,
        "headers": None if headers is None else to_plain(headers),
        "learning_rate": config.learning_rate,
        "augment": config.augment,
        "settings": {name: getattr(config, name) for name in OWN_SETTINGS},
        # Compared when a run goes on: where these differ, its position in the data is void.
        "order": [
            config.batch,
            config.window_batches,
            config.curriculum_lines,
            config.seed,
            asked.recipe.order(config),
            config.randomly_rotate,
            config.recipe,
            asked.lists,
        ],
    }


def choose_start(asked: Asked, native: NativeStore) -> Start:
    """Find the newest state to go on from, or make a new one.

    Args:
      asked: request, settings and recipe.
      native: native checkpoints of the run.
    Raises: TrainError, FormatError, SpecError: nothing usable, each with the way out.
    """
    request, say = asked.request, asked.say
    own = find_own(request, asked.config, asked.recipe, native, say)
    # -- this run has no state yet: begin
    if own.empty:
        start = _from_model(asked) if request.continue_from else _from_spec(asked)
        return _with(new_run(request, asked.config, asked.codec), start)
    # -- it has: go on, but only as what it began as
    known = recorded(request, own.snapshot.fingerprint if own.snapshot else {})
    record = own.newer_record
    source = request.checkpoint if record else f"the checkpoint in {request.native_directory}"
    known = goes_on(request, asked.config, asked.codec, known, source, say)
    if begun_from_spec(known):  # --continue_from may name this run; the net_spec counts
        asked = replace(asked, request=replace(request, continue_from=""))
    if record is None:
        assert own.snapshot is not None
        return _with(known, _from_snapshot(asked, own.snapshot, source))
    say(f"Loaded file {request.checkpoint}, unpacking...")
    start = _from_own_record(asked, record)
    say(f"Successfully restored trainer from {request.checkpoint}")
    return _with(known, start)


def _with(provenance: Provenance, start: Start) -> Start:
    """A start whose checkpoints say where the run began and what its outputs mean."""
    known = start.snapshot.fingerprint | provenance.to_plain()
    return replace(start, snapshot=replace(start.snapshot, fingerprint=known))


# -- an earlier run of the same name -----------------------------------------------------------


def _check_outputs(root: Series, codec: Codec, source: str) -> None:
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
    # After appending, the stored text is that of the old model with the new one at its end.
    fits = stored.endswith(request.net_spec) if request.appends else stored == request.net_spec
    if not fits and "net_spec" in request.given:
        raise TrainError(
            f"{source} is of network {stored}, but --net_spec is {request.net_spec}; "
            "use another --model_output to start anew"
        )


def _from_snapshot(asked: Asked, snapshot: Snapshot, source: str) -> Start:
    """Go on from a native checkpoint."""
    request, codec, stored = asked.request, asked.codec, snapshot.fingerprint
    root = stored_root(stored)
    _check_outputs(root, codec, source)
    _check_spec(request, stored["net_spec"], source)
    config = asked.settled(settings_of_snapshot(stored))
    headers = from_plain(stored["headers"]) if stored.get("headers") else None
    headers = _frozen_as_asked(request, config, root, headers)
    identity = Identity(root, stored["net_spec"], codec.null_char, headers)
    current = fingerprint(asked, config, identity)
    progress = snapshot.progress
    if current["order"] != stored["order"]:
        asked.say(
            "Settings, training files or the program's way of ordering them have changed: the "
            "order of lines starts anew from here."
        )
        # Batches count within a plan, so another begins anew; a new window number shuffles anew.
        progress = replace(progress, position=Position(0, progress.position.window + 1, 0))
    asked.say(
        f"Successfully restored trainer from {request.native_directory}, "
        f"iteration {progress.training_iteration}"
    )
    state = asked.recipe.resumed_state(snapshot.state, identity)
    snapshot = replace(snapshot, state=state, progress=progress, fingerprint=current)
    return Start(identity, config, snapshot)


def _from_own_record(asked: Asked, record: Record) -> Start:
    """Go on from Tesseract's checkpoint of this run."""
    recognizer, source = recognizer_in(record), asked.request.checkpoint
    if recognizer.int_mode:
        raise TrainError(
            f"Error, {source} is an integer (fast) model, cannot continue training; move it away"
        )
    _check_outputs(series_of(recognizer, source), asked.codec, source)
    _check_spec(asked.request, recognizer.spec, source)
    restored = restore(record)
    delay = perfect_delay_of(record)
    stored = settings_of_record(restored, is_own=True, perfect_sample_delay=delay)
    start = _from_record(asked, record, restored, stored, restored.progress)
    snapshot = replace(start.snapshot, best_trainer=best_trainer_of(record))
    return replace(start, snapshot=snapshot)


# -- another model, or none --------------------------------------------------------------------


def _from_model(asked: Asked) -> Start:
    """Begin with the model that `--continue_from` names."""
    model = read_model(asked.request, asked.config, asked.recipe, asked.codec, asked.say)
    restored = restore(model.record)
    # As in the original, the flag holds only where layers are built; other models get 0.
    delay = None if asked.request.appends else 0
    stored = settings_of_record(restored, is_own=False, perfect_sample_delay=delay)
    progress = asked.recipe.first_progress(restored)
    start = _from_record(asked, model.record, restored, stored, progress)
    return replace(start, outputs_remapped=model.outputs_remapped)


def _from_record(
    asked: Asked, record: Record, restored: Restored, stored: StoredSettings, progress: Progress
) -> Start:
    """Train on from a record.

    Args:
      asked: request, settings and recipe.
      record: checkpoint or model.
      restored: content of the record.
      stored: settings in the record.
      progress: counters to begin with.
    """
    recognizer, recipe = recognizer_in(record), asked.recipe
    config = asked.settled(stored)
    headers = recipe.headers(headers_of(recognizer.network), config, is_own=stored.is_own)
    if asked.request.freeze_below is not None:
        headers = freeze_below(headers, asked.request.freeze_below)
    root = series_of(recognizer, "the network")
    identity = Identity(root, recognizer.spec, asked.codec.null_char, headers)
    fresh = asked.request.appends and not stored.is_own
    state = recipe.restored_state(restored, identity, config, fresh=fresh)
    return _started(asked, config, identity, state, progress)


def _from_spec(asked: Asked) -> Start:
    """Begin with a new network."""
    request, codec, say = asked.request, asked.codec, asked.say
    if not request.net_spec:
        raise TrainError(
            "there is nothing to go on from and no network to build; give --net_spec, such as "
            "'[1,36,0,1 Ct3,3,16 Mp3,3 Lfys48 Lfx96 Lrx96 Lfx192 O1c1]', or --continue_from"
        )
    config = asked.settled(None)
    network = spec_parse.parse(request.net_spec, codec.num_codes)
    spec_shape.check_output(network.root, codec.num_codes)
    headers = _frozen_as_asked(request, config, network.root, None)
    say(describe(network))
    say_settings(config, codec, say)
    state = asked.recipe.new_state(new_weights(network.root, config), config)
    identity = Identity(network.root, request.net_spec, codec.null_char, headers)
    return _started(asked, config, identity, state, Progress())


def _frozen_as_asked(
    request: Request, config: TrainConfig, root: Series, headers: NetworkNode | None
) -> NetworkNode | None:
    if request.freeze_below is None:
        return headers
    if headers is None:
        writing = Writing(nodes.TRAINING_PAUSED, config.net_mode)
        headers = headers_of(record_of(root, zero_weights(root), writing))
    return freeze_below(headers, request.freeze_below)


def _started(
    asked: Asked,
    config: TrainConfig,
    identity: Identity,
    state: TrainState[Any],
    progress: Progress,
) -> Start:
    snapshot = Snapshot(state, progress, b"", fingerprint(asked, config, identity))
    return Start(identity, config, snapshot)
