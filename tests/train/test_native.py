"""Native checkpoints: exact, and a damaged one is passed over."""

import shutil

import jax
import numpy as np
import pytest

from lstmjax.data.stream import Position
from lstmjax.train.config import TrainConfig
from lstmjax.train.native import NativeStore, Snapshot
from lstmjax.train.optim import make_optimizer
from lstmjax.train.progress import LineResult, Mark, Progress
from lstmjax.train.step import TrainState

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
