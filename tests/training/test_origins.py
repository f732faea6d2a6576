"""Which of the earlier states of a run is taken."""

from dataclasses import replace

import pytest
from training.small import NET_SPEC
from training.starts import make_base, start

from lstmjax.errors import FormatError
from lstmjax.formats import checkpoint
from lstmjax.training.native import Snapshot
from lstmjax.training.origins import (
    OwnStates,
    best_trainer_of,
    perfect_delay_of,
    settings_of_record,
    settings_of_snapshot,
    stored_root,
)
from lstmjax.training.progress import Progress
from lstmjax.training.restore import restore
from lstmjax.training.state import TrainState


def snapshot(iterations):
    progress = Progress(training_iteration=iterations)
    return Snapshot(TrainState({}, ()), progress, b"", {})


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    """A checkpoint of Tesseract's after 10 iterations."""
    path, _ = make_base(tmp_path_factory.mktemp("base"), momentum=0.75, perfect_sample_delay=7)
    return checkpoint.load(path)


@pytest.mark.parametrize(
    ("native", "taken"),
    [(None, "record"), (9, "record"), (10, "native"), (11, "native")],
)
def test_a_newer_checkpoint_of_the_real_tool_is_taken(record, native, taken):
    states = OwnStates(None if native is None else snapshot(native), record)
    assert not states.empty
    assert (states.newer_record is record) is (taken == "record")


def test_without_a_record_the_native_one_is_taken():
    assert OwnStates(None, None).empty
    assert OwnStates(snapshot(0), None).newer_record is None
    assert not OwnStates(snapshot(0), None).empty


def test_settings_are_those_of_the_file(record):
    stored = settings_of_record(restore(record), is_own=True, perfect_sample_delay=3)
    assert stored.momentum == 0.75
    assert stored.net_mode == 192
    assert stored.perfect_sample_delay == 3
    assert stored.augment is None
    assert perfect_delay_of(record) == 7
    assert perfect_delay_of(record.recognizer) == 0
    assert best_trainer_of(replace(record, best_trainer=b"best")) == b"best"
    assert best_trainer_of(record.recognizer) == b""


def test_settings_are_those_of_the_fingerprint(tmp_path):
    found, _ = start(tmp_path, net_spec=NET_SPEC, settings={"momentum": 0.8, "augment": "noise=1"})
    stored = settings_of_snapshot(found.snapshot.fingerprint)
    assert (stored.is_own, stored.momentum, stored.augment) == (True, 0.8, "noise=1")
    assert stored.learning_rate == found.config.learning_rate
    assert stored_root(found.snapshot.fingerprint) == found.identity.root
    # Before, neither augmentation nor settings were stored.
    older = settings_of_snapshot({"learning_rate": 0.5})
    assert (older.learning_rate, older.momentum, older.augment) == (0.5, None, None)


def test_a_stored_network_that_is_no_series_is_refused(tmp_path):
    found, _ = start(tmp_path, net_spec=NET_SPEC)
    layer = found.snapshot.fingerprint["network"]["children"][-1]
    with pytest.raises(FormatError, match="single Dense"):
        stored_root({"network": layer})
