"""Native checkpoints: exact, and a damaged one is passed over."""

import json
import logging
import random
import shutil
from dataclasses import dataclass, replace
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
import orbax.checkpoint as ocp
import pytest

from lstmjax.data.stream import Position
from lstmjax.errors import TrainError
from lstmjax.training import native
from lstmjax.training.config import TrainConfig
from lstmjax.training.fast.optim import make_optimizer
from lstmjax.training.native import NativeStore, Snapshot
from lstmjax.training.progress import LineResult, Mark, Progress
from lstmjax.training.state import Moments, TrainState

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


def test_a_full_disk_is_told_and_the_next_checkpoint_is_written(store, monkeypatch):
    def full():
        raise ValueError("RESOURCE_EXHAUSTED: No space left on device\nmore")

    store.save(snapshot(1))
    with monkeypatch.context() as patch:
        patch.setattr(store._manager, "wait_until_finished", full)
        with pytest.raises(TrainError, match=r"cannot write a checkpoint: .* left on device$"):
            store.wait()
    store.wait()
    store.save(snapshot(2))
    store.wait()
    assert same(store.restore(like)[0], snapshot(2))


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


@pytest.mark.parametrize("text", ["[]", "1", "null", '"x"', "{}", ""])
def test_a_meta_that_is_no_object_is_refused(store, tmp_path, text):
    store.save(snapshot(2))
    store.wait()
    meta_file(tmp_path).write_text(text)
    restored, problems = store.restore(like)
    assert restored is None
    assert len(problems) == 1


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
    wanted = {"format": "format 1, expected 3", "no format": "format None, expected 3"}
    assert wanted.get(change, "checksum") in problem


# -- former versions ---------------------------------------------------------------------------


def arrays_by_number(snapshot):
    """The arrays as versions 1 and 2 held them."""
    leaves = jax.tree.leaves(snapshot.state)
    arrays = native._arrays_of(snapshot)
    del arrays["state"]
    return arrays | {"leaves": {f"{i:04}": np.asarray(leaf) for i, leaf in enumerate(leaves)}}


def sealed_as(version):
    """A seal as those of version 1 or 2."""

    def seal(meta, arrays):
        if version == 1:
            return meta | {"checksum": native._checksum(arrays, None)}
        return meta | {"format": 2, "sha256": native._checksum(arrays, meta | {"format": 2})}

    return seal


def write_former(store, version, written):
    arrays = arrays_by_number(written)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(native, "_arrays_of", lambda _: arrays)
        patch.setattr(native, "_sealed", sealed_as(version))
        store.save(written)
        store.wait()


@pytest.mark.parametrize("damage", [False, True], ids=["whole", "damaged"])
@pytest.mark.parametrize("version", [1, 2])
def test_a_checkpoint_of_a_former_version_is_read(store, tmp_path, version, damage):
    write_former(store, version, snapshot(2))
    if damage:
        meta = json.loads(meta_file(tmp_path).read_text())
        seal = "checksum" if version == 1 else "sha256"
        meta_file(tmp_path).write_text(json.dumps(meta | {seal: "0" * 64}))
    restored, problems = store.restore(like)
    if damage:
        assert restored is None
        assert "expected 000000000000" in problems[0]
    else:
        assert same(restored, snapshot(2))
        assert not problems


@pytest.mark.parametrize("key", ["history", "identity", "best"])
def test_the_first_version_with_a_damaged_meta_is_passed_over(store, tmp_path, key):
    write_former(store, 1, snapshot(2))
    meta = json.loads(meta_file(tmp_path).read_text())
    del meta[key]
    meta_file(tmp_path).write_text(json.dumps(meta))
    restored, problems = store.restore(like)
    assert restored is None
    assert f"damaged: KeyError('{key}')" in problems[0]


@pytest.mark.parametrize("version", [1, 2])
def test_a_former_version_of_another_network_is_passed_over(store, version):
    write_former(store, version, snapshot(2))
    restored, problems = store.restore(lambda identity: TrainState({"w": np.zeros(3)}, ()))
    assert restored is None
    assert "another network or optimiser" in problems[0]


def test_todays_checkpoint_is_never_taken_for_one_of_the_first_version(store, tmp_path):
    store.save(snapshot(2))
    store.wait()
    meta = json.loads(meta_file(tmp_path).read_text())
    meta["checksum"] = meta["sha256"]
    for without in ({}, {"format"}, {"sha256"}, {"format", "sha256"}):
        left = {key: value for key, value in meta.items() if key not in without}
        meta_file(tmp_path).write_text(json.dumps(left))
        assert store.restore(like)[0] is None


# -- names of leaves, and states of any optimiser ----------------------------------------------


class Counted(NamedTuple):
    count: np.ndarray
    by_layer: dict[str, np.ndarray]


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class OnlyJaxKnows:
    """A pytree that flax has never heard of."""

    average: np.ndarray
    steps: np.ndarray


def stateful(state):
    """A transformation with a state of any kind."""
    return optax.GradientTransformation(lambda params: state, lambda u, s, params=None: (u, s))


OPTIMIZERS = {
    "adam": make_optimizer(TrainConfig()),
    "muon": make_optimizer(TrainConfig(muon=True)),
    "lion": make_optimizer(TrainConfig(optimizer=optax.scale_by_lion())),
    "chain": optax.chain(optax.identity(), optax.scale_by_adam(), optax.trace(0.9)),
    "two kinds": optax.partition(
        {"a/b": optax.scale_by_lion(), "c": optax.set_to_zero()}, {"1": "a/b", "2": "c"}
    ),
    "hyperparameters": optax.inject_hyperparams(optax.sgd)(0.1),
    "own NamedTuple": stateful(Counted(np.array(3, np.int32), {"1": np.ones(2, np.float32)})),
    "own pytree": stateful((OnlyJaxKnows(np.ones(2, np.float32), np.array(3, np.uint32)),)),
    "no state": stateful(()),
    "None": stateful({"empty": {}, "nothing": None, "list": [np.ones(2, bool)]}),
    "only empty": stateful({"none": np.zeros((0, 3), np.float32)}),
    "size 0": stateful({"none": np.zeros((0, 3), np.float32), "some": np.ones(2, np.float32)}),
    "bfloat16": stateful({"mu": np.ones(3, jnp.bfloat16), "levels": np.ones(3, np.int8)}),
    "tesseract": stateful(
        Moments(*({"1": {"w": np.full((3, 2), number, np.float32)}} for number in range(3)))
    ),
}  # fmt: skip


def trained(optimizer):
    params = {key: {"w": np.random.default_rng(3).random((3, 2), np.float32)} for key in "12"}
    return replace(snapshot(2), state=TrainState(params, jax.device_get(optimizer.init(params))))


@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_the_state_of_any_optimizer_comes_back(store, kind):
    written = trained(OPTIMIZERS[kind])
    store.save(written)
    store.wait()
    empty = jax.tree.map(np.zeros_like, written.state)
    restored, problems = store.restore(lambda identity: empty)
    assert not problems
    assert jax.tree.structure(restored.state) == jax.tree.structure(written.state)
    assert same(restored, written)
    dtypes = [[leaf.dtype for leaf in jax.tree.leaves(each.state)] for each in (restored, written)]
    assert dtypes[0] == dtypes[1]


def test_leaves_have_names(store, tmp_path):
    store.save(snapshot(2))
    store.wait()
    state = ocp.StandardCheckpointer().restore(tmp_path / "run.ckpt" / "2" / "state")["state"]
    np.testing.assert_array_equal(state["params"]["1"]["w"], snapshot(2).state.params["1"]["w"])
    assert "opt_state" in state


def without_bias(params):
    del params["1"]["b"]


def with_layer(params):
    params["2"] = {"w": np.zeros(2, np.float32)}


def wider(params):
    params["1"]["w"] = np.zeros((3, 4), np.float32)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (without_bias, "params/1/b is not part of the state; it belongs to another network"),
        (with_layer, "params/2/w is missing; it belongs to another network"),
        (wider, r"params/1/w has shape (3, 2), expected (3, 4); it belongs to another network"),
    ],
    ids=["too many", "missing", "another shape"],
)
def test_a_leaf_that_does_not_fit_is_named(store, change, message):
    def params():
        return {"1": {"w": np.ones((3, 2), np.float32), "b": np.ones(2, np.float32)}}

    store.save(replace(snapshot(2), state=TrainState(params(), ())))
    store.wait()
    other = params()
    change(other)
    restored, (problem,) = store.restore(lambda identity: TrainState(other, ()))
    assert restored is None
    assert message in problem


def test_a_fault_of_the_program_is_not_taken_for_damage(store, monkeypatch):
    def faulty(*_):
        raise KeyError("fault")

    store.save(snapshot(2))
    store.wait()
    monkeypatch.setattr(native, "_state_of", faulty)
    with pytest.raises(KeyError, match="fault"):
        store.restore(like)


def test_the_log_of_others_is_left_alone(store):
    logger = logging.getLogger("absl")
    before = logger.level
    store.save(snapshot(2))
    store.wait()
    store.restore(like)
    assert logger.level == before < logging.ERROR
