"""Checkpoints written behind the back of the training loop."""

from dataclasses import replace

import pytest
from training.small import NET_SPEC
from training.starts import start

from lstmjax.errors import TrainError
from lstmjax.formats import checkpoint
from lstmjax.run_paths import RunPaths
from lstmjax.training.fast import writer as writer_module
from lstmjax.training.fast.writer import CheckpointWriter
from lstmjax.training.native import NativeStore


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    return start(tmp_path_factory.mktemp("start"), net_spec=NET_SPEC)[0]


@pytest.fixture
def snapshot(found):
    return found.snapshot


@pytest.fixture
def writer(tmp_path, found):
    native = NativeStore(str(tmp_path / "native"), keep=1)
    paths = RunPaths(str(tmp_path / "m"))
    writing = CheckpointWriter(native, paths, found.identity, found.config)
    yield writing
    writing.close()
    native.close()


def test_a_best_state_without_a_name_is_packed_when_it_is_needed(writer, snapshot, monkeypatch):
    packs = []
    pack = checkpoint.pack
    monkeypatch.setattr(checkpoint, "pack", lambda record: packs.append(1) or pack(record))
    best = writer.keep_best(snapshot, None)
    assert not packs
    assert checkpoint.unpack(best()).recognizer.spec == NET_SPEC
    assert best() is best()
    assert len(packs) == 1


def test_a_best_state_with_a_name_is_written(writer, snapshot, tmp_path):
    best = writer.keep_best(snapshot, str(tmp_path / "named.checkpoint"))
    assert best() == (tmp_path / "named.checkpoint").read_bytes()
    assert best() == writer.keep_best(snapshot, None)()


def test_what_keeps_a_best_state_from_being_written_is_told_and_the_run_goes_on(
    writer, snapshot, tmp_path
):
    best = writer.keep_best(snapshot, str(tmp_path / "missing" / "named.checkpoint"))
    assert checkpoint.unpack(best()).recognizer.spec == NET_SPEC
    (message,) = writer.messages()
    assert "named.checkpoint: cannot be written: " in message
    assert writer.messages() == []
    assert writer.keep_best(snapshot, None)()


def test_no_checkpoint_names_a_best_that_is_not_there(writer, snapshot, tmp_path, monkeypatch):
    """Whatever ends the program between two of the files."""
    best = tmp_path / "m_best.checkpoint"
    there = []

    def record_then(act):
        def wrapped(*arguments):
            there.append(best.exists() and best.read_bytes())
            return act(*arguments)

        return wrapped

    monkeypatch.setattr(writer._native, "save", record_then(writer._native.save))
    monkeypatch.setattr(
        writer_module, "write_atomically", record_then(writer_module.write_atomically)
    )
    assert writer.save(replace(snapshot, best_trainer=b"best")) is None
    assert writer.wait() is None
    assert there == [b"best", b"best"]  # before the native checkpoint and before Tesseract's


def test_a_best_that_cannot_be_written_does_not_keep_checkpoints_from_it(
    writer, snapshot, tmp_path
):
    (tmp_path / "m_best.checkpoint").mkdir()
    writer.save(replace(snapshot, best_trainer=b"best"))
    assert writer.wait() is None
    (message,) = writer.messages()
    assert "m_best.checkpoint: cannot be written" in message
    assert checkpoint.load(tmp_path / "m_checkpoint").best_trainer == b"best"


def test_a_checkpoint_that_fails_leaves_a_best_that_is_newer(writer, snapshot, monkeypatch):
    def full(snapshot):
        raise TrainError("No space left on device")

    monkeypatch.setattr(writer._native, "save", full)
    writer.save(replace(snapshot, best_trainer=b"best"))
    assert writer.wait() == "No space left on device"
    assert writer._best_file._held == b"best"


def test_a_run_that_goes_on_finds_its_best_again(writer, tmp_path):
    writer.sync_best(b"best")
    assert writer.wait() is None
    assert (tmp_path / "m_best.checkpoint").read_bytes() == b"best"
