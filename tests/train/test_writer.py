"""Checkpoints written behind the back of the training loop."""

import pytest
from train.small import NET_SPEC
from train.starts import start

from lstmjax.errors import LstmjaxError
from lstmjax.formats import checkpoint
from lstmjax.train.native import NativeStore
from lstmjax.train.writer import CheckpointWriter


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    return start(tmp_path_factory.mktemp("start"), net_spec=NET_SPEC)[0]


@pytest.fixture
def snapshot(found):
    return found.snapshot


@pytest.fixture
def writer(tmp_path, found):
    native = NativeStore(str(tmp_path / "native"), keep=1)
    path = str(tmp_path / "m_checkpoint")
    writing = CheckpointWriter(native, path, found.identity, found.config)
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


def test_what_kept_the_best_state_before_from_being_written_is_raised(writer, snapshot, tmp_path):
    writer.keep_best(snapshot, str(tmp_path / "missing" / "named.checkpoint"))
    with pytest.raises(LstmjaxError, match="missing"):
        writer.keep_best(snapshot, None)
    assert writer.keep_best(snapshot, None)()
