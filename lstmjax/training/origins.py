"""What a run can continue from: earlier states of its own, or the model that the user names.

`start` chooses among them, with the settings that `Recipe.settle` returns.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from lstmjax.charset.codec import Codec
from lstmjax.errors import FormatError, LstmjaxError, Say, SpecError, TrainError
from lstmjax.formats.checkpoint import TrainerRecord
from lstmjax.netspec import plain
from lstmjax.netspec.tree import Series
from lstmjax.training.config import TrainConfig
from lstmjax.training.native import NativeStore, Snapshot
from lstmjax.training.recipe import Recipe, StoredSettings
from lstmjax.training.request import Request
from lstmjax.training.restore import Restored
from lstmjax.training.transfer import (
    Record,
    append_new_layers,
    fit_outputs,
    read_origin,
    read_trainer,
    recognizer_in,
    series_of,
)

OWN_SETTINGS = ("momentum", "adam_beta", "net_mode", "perfect_sample_delay")
"""Settings that a native checkpoint holds, beside learning rate and augmentation."""


@dataclass(frozen=True, eq=False)
class OwnStates:
    """Earlier states of a run, each None if there is none.

    Attributes:
      snapshot: newest native checkpoint that is whole.
      record: Tesseract's checkpoint.
    """

    snapshot: Snapshot | None
    record: Record | None

    @property
    def empty(self) -> bool:
        """Whether this run has no state yet."""
        return self.snapshot is None and self.record is None

    @property
    def newer_record(self) -> Record | None:
        """Tesseract's checkpoint if nothing else is there, or the real `lstmtraining` went on."""
        reached = -1 if self.record is None else recognizer_in(self.record).training_iteration
        # At the same iteration the native checkpoint wins: only it holds the place in the data.
        if self.snapshot is not None and self.snapshot.progress.training_iteration >= reached:
            return None
        return self.record


def find_own(
    request: Request, config: TrainConfig, recipe: Recipe, native: NativeStore, say: Say
) -> OwnStates:
    """Read the states of an earlier run of the same name.

    Args:
      request: names of the files.
      config: settings asked for.
      recipe: way of training, which knows the structure of a state.
      native: native checkpoints of the run.
      say: told what cannot be read.
    Raises: TrainError: there are some, and none can be read.
    """

    def like(stored: dict[str, Any]) -> Any:
        return recipe.empty_state(stored_root(stored), config)

    snapshot, problems = native.restore(like)
    record, damage = _read_record(request.checkpoint)
    for problem in [*problems, *([damage] if damage else [])]:
        say(problem)
    # Never begin anew over a run that is only damaged: its files would be overwritten.
    if snapshot is None and record is None and (problems or damage):
        raise TrainError(
            f"no checkpoint of {request.model_output} can be read; move them away to start anew"
        )
    return OwnStates(snapshot, record)


def _read_record(path: str) -> tuple[Record | None, str]:
    """Tesseract's checkpoint of this run, or why it cannot be read."""
    if not os.path.exists(path):
        return None, ""
    try:
        return read_trainer(path), ""
    except FormatError as err:
        return None, str(err)


def stored_root(stored: dict[str, Any]) -> Series:
    """The network that a native checkpoint describes.

    Raises: FormatError: it is not a series of layers.
    """
    root = plain.from_plain(stored["network"])
    if not isinstance(root, Series):
        raise FormatError(f"the stored network is a single {type(root).__name__}, not a series")
    return root


def settings_of_snapshot(stored: dict[str, Any]) -> StoredSettings:
    """The settings that a native checkpoint holds."""
    return StoredSettings(
        is_own=True,
        learning_rate=stored["learning_rate"],
        augment=stored.get("augment"),
        **stored.get("settings", {}),
    )


def settings_of_record(
    restored: Restored, *, is_own: bool, perfect_sample_delay: int | None
) -> StoredSettings:
    """The settings that a checkpoint or a model file of Tesseract holds."""
    return StoredSettings(
        is_own,
        restored.learning_rate,
        restored.momentum,
        restored.adam_beta,
        restored.net_mode,
        perfect_sample_delay,
    )


@dataclass(frozen=True, eq=False)
class Model:
    """A model to continue from, with the outputs and layers that were asked for.

    Attributes:
      record: checkpoint, or model without history.
      outputs_remapped: whether its outputs were exchanged for those of another character set.
    """

    record: Record
    outputs_remapped: bool


def read_model(
    request: Request, config: TrainConfig, recipe: Recipe, codec: Codec, say: Say
) -> Model:
    """Read what `--continue_from` names, and change it as asked.

    Raises: FormatError, TrainError, SpecError: it cannot be used; says what to do.
    """
    source = request.continue_from
    with _failing(recipe, f"Failed to continue from: {source}", LstmjaxError):
        origin = read_origin(
            source,
            say,
            takes_traineddata=recipe.takes_traineddata,
            allow_int=request.allow_int_start,
        )
        record = origin.record
        # Appended layers bring outputs of their own.
        if not request.appends:
            record = fit_outputs(origin, request, codec, say)
        remapped = record is not origin.record
        series_of(recognizer_in(record), source)
    say(f"Continuing from {source}")
    if request.reset_learning_rate:
        say(f"Set learning rate to {config.learning_rate:f}")
        # Narrowed as the original narrows it, so that files say the same.
        record = recipe.reset_rates(record, float(np.float32(config.learning_rate)))
    if request.appends:
        sentence = f"Failed to create network from spec: {request.net_spec}"
        with _failing(recipe, sentence, SpecError):
            record = append_new_layers(request, config, codec, record, say)
    return Model(record, remapped)


@contextmanager
def _failing(recipe: Recipe, sentence: str, kind: type[LstmjaxError]) -> Iterator[None]:
    """End errors with a sentence of the original, where the recipe does so."""
    try:
        yield
    except kind as err:
        failure = recipe.failure(err, sentence)
        if failure is err:
            raise
        raise failure from err


def best_trainer_of(record: Record) -> bytes:
    """The dump of the best state in a checkpoint; empty for a model without history."""
    return record.best_trainer if isinstance(record, TrainerRecord) else b""


def perfect_delay_of(record: Record) -> int:
    """The lines to wait before a line without error counts again, as a checkpoint says."""
    return record.perfect_delay if isinstance(record, TrainerRecord) else 0
