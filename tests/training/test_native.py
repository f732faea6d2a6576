"""Native checkpoints: exact, and a damaged one is passed over."""

import json
import random
import shutil

import jax
import numpy as np
import pytest

from lstmjax.data.stream import Position
from lstmjax.training import native
from lstmjax.training.config import TrainConfig
from lstmjax.training.fast.optim import make_optimizer
from lstmjax.training.native import NativeStore, Snapshot
from lstmjax.training.progress import LineResult, Mark, Progress
from lstmjax.training.state import TrainState

IDENTITY = {"network": {"kind": "x"}, "order": [4, 16, 0, 0, False, False, "d"]}


def snapshot(iterations, best=b"best"):
    params = {"1": {"w": np.random.default_rng(iterations).random((3, 2), np.float32)}}
    state = TrainState(params, jax.device_get(make_optimizer(TrainConfig()).init(params)))
    lines = [LineResult(0.1, 0.2, 0.3, 0.4, 1)] * iterations
    progress = Progress(best=Mark(12.5, (1.0, 2.0, 3.0, 4.0, 5.0), 7), history=((50.0, 3),))
    return Snapshot(state, progress.after_batch(lines, Position(9, 2, 1)), best, IDENTITY)


def like(identity):
    assert identity == IDENTITY
    return snapshot(0).state


def same(one, two):
    jax.tree.map(np.testing.assert_array_equal, one.state, two.state)
    np.testing.assert_array_equal(one.progress.buffers, two.progress.buffers)
    for name in ("training_iteration", "sample_iteration", "best", "history", "position"):
        assert getattr(one.progress, name) == getattr(two.progress, name)
    assert one.best_trainer == two.best_trainer
    return True


@pytest.fixture
def store(tmp_path):
    store = NativeStore(str(tmp_path / "run.ckpt"), keep=2)
    yield store
    store.close()


@pytest.mark.parametrize("best", [b"", b"\0\1bytes"], ids=["no best", "best"])
def test_what_was_saved_comes_back(store, best):
    store.save(snapshot(5, best))
    store.wait()
    restored, problems = store.restore(like)
    assert not problems
    assert same(restored, snapshot(5, best))


def test_nothing_saved_gives_nothing(store):
    assert store.restore(like) == (None, [])


def test_the_last_few_are_kept(store, tmp_path):
    for iterations in (1, 2, 3):
        store.save(snapshot(iterations))
        store.wait()
    assert {p.name for p in (tmp_path / "run.ckpt").iterdir() if p.name.isdigit()} == {"2", "3"}
    assert store.restore(like)[0].progress.training_iteration == 3


# TensorStore leaves reads under way behind when one of them fails.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("damage", ["truncate", "flip", "remove"])
def test_a_damaged_checkpoint_gives_way_to_the_one_before(store, tmp_path, damage):
    for iterations in (1, 2):
        store.save(snapshot(iterations))
        store.wait()
    folder = tmp_path / "run.ckpt" / "2" / "state"
    if damage == "remove":
        shutil.rmtree(folder)
    for path in [p for p in folder.rglob("*") if p.is_file() and p.parent.name == "d"]:
        data = bytearray(path.read_bytes())
        if damage == "flip":
            data[len(data) // 2] ^= 0xFF
        path.write_bytes(data[: len(data) // 2] if damage == "truncate" else data)
    restored, problems = store.restore(like)
    assert same(restored, snapshot(1))
    assert len(problems) == 1
    assert "cannot be used" in problems[0]


# -- damage in the JSON beside the arrays ------------------------------------------------------


def meta_file(folder, step="2"):
    return folder / "run.ckpt" / step / "meta" / "metadata"


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_damage_never_changes_what_is_taken(store, tmp_path):
    """Whatever byte is damaged, a run gets what was written, or the checkpoint before."""
    for iterations in (1, 2):
        store.save(snapshot(iterations))
        store.wait()
    rng = random.Random(3)
    files = sorted(p for p in (tmp_path / "run.ckpt" / "2").rglob("*") if p.is_file())
    meta = meta_file(tmp_path)
    assert meta in files
    passed_over = 0
    for number in range(100):
        path = meta if number % 2 else rng.choice(files)
        whole = path.read_bytes()
        data = bytearray(whole or b"\0")
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        path.write_bytes(data)
        restored, problems = store.restore(like)
        taken = snapshot(1 if problems else 2)
        assert same(restored, taken), (path, number)
        assert json.dumps(native._meta_of(restored)) == json.dumps(native._meta_of(taken))
        passed_over += bool(problems)
        path.write_bytes(whole)
    assert passed_over > 50
    assert same(store.restore(like)[0], snapshot(2))


@pytest.mark.parametrize("change", ["counter", "identity", "format", "no format", "no checksum"])
def test_a_changed_meta_is_refused(store, tmp_path, change):
    store.save(snapshot(2))
    store.wait()
    meta = json.loads(meta_file(tmp_path).read_text())
    if change == "counter":
        meta["training_iteration"] += 1
    elif change == "identity":
        meta["identity"]["order"][0] = 5
    elif change == "format":
        meta["format"] = 1
    else:
        del meta["format" if change == "no format" else "sha256"]
    meta_file(tmp_path).write_text(json.dumps(meta))
    restored, (problem,) = store.restore(like)
    assert restored is None
    wanted = {"format": "format 1, expected 2", "no format": "format None, expected 2"}
    assert wanted.get(change, "checksum") in problem


@pytest.mark.parametrize("damage", [False, True], ids=["whole", "damaged"])
def test_a_checkpoint_of_the_first_version_is_read(store, tmp_path, monkeypatch, damage):
    def seal(meta, arrays):
        return meta | {"checksum": native._checksum(arrays, None)}

    monkeypatch.setattr(native, "_sealed", seal)
    store.save(snapshot(2))
    store.wait()
    if damage:
        meta = json.loads(meta_file(tmp_path).read_text())
        meta_file(tmp_path).write_text(json.dumps(meta | {"checksum": "0" * 64}))
    restored, problems = store.restore(like)
    if damage:
        assert restored is None
        assert "expected 000000000000" in problems[0]
    else:
        assert same(restored, snapshot(2))
        assert not problems


def test_todays_checkpoint_is_never_taken_for_one_of_the_first_version(store, tmp_path):
    store.save(snapshot(2))
    store.wait()
    meta = json.loads(meta_file(tmp_path).read_text())
    meta["checksum"] = meta["sha256"]
    for without in ({}, {"format"}, {"sha256"}, {"format", "sha256"}):
        left = {key: value for key, value in meta.items() if key not in without}
        meta_file(tmp_path).write_text(json.dumps(left))
        assert store.restore(like)[0] is None
