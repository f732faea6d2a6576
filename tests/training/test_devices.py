"""Several devices share a batch and come to what one comes to."""

import jax
import numpy as np
import pytest

from lstmjax.devices import choose_devices, largest_even_share, replicated
from lstmjax.errors import UsageError
from lstmjax.netspec.parse import parse
from lstmjax.nn.build import build
from lstmjax.training.config import TrainConfig
from lstmjax.training.fast.optim import make_optimizer
from lstmjax.training.fast.step import Controls, make_train_step
from lstmjax.training.state import TrainState

NULL = 9
WIDTHS = (30, 17, 30, 24)


def batch():
    rng = np.random.default_rng(0)
    images = rng.normal(size=(12, 30, 4, 1)).astype(np.float32)
    labels = rng.integers(0, NULL, (4, 4)).astype(np.int32)
    weights = np.array([1, 1, 1, 0], np.float32)
    return images, np.array(WIDTHS, np.int32), labels, np.array([4, 2, 3, 1], np.int32), weights


def run_step(devices, *, updates=3):
    model = build(parse("[1,12,0,1 Ct3,3,4 Mp3,2 Lfys8 Lfx12 Lrx8 O1c10]", NULL + 1).root)
    optimizer = make_optimizer(TrainConfig())
    params = model.init(jax.random.key(0))
    state = TrainState(params, optimizer.init(params))
    if devices:
        state = jax.device_put(state, replicated(devices))
    step = make_train_step(model, optimizer, null_char=NULL, devices=devices)
    controls = Controls(np.float32(0.01), np.asarray(False), None)
    for _ in range(updates):
        state, result = step(state, *batch(), controls)
    return jax.device_get((state.params, result))


def test_two_devices_come_to_the_weights_of_one():
    assert len(jax.devices()) >= 2, "conftest.py asks for two"
    one, first = run_step(())
    two, second = run_step(tuple(jax.devices()[:2]))
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=2e-5), one, two)
    np.testing.assert_allclose(first.loss[:3], second.loss[:3], rtol=1e-4)
    assert first.probs.shape == second.probs.shape
    np.testing.assert_array_equal(first.steps, second.steps)


def test_batch_is_shared_evenly():
    assert largest_even_share(8, 2) == 2
    assert largest_even_share(3, 2) == 1
    assert largest_even_share(1, 16) == 1
    assert len(choose_devices(7)) == 1
    assert len(choose_devices(4, 2)) == 2


def test_impossible_numbers_of_devices_are_refused():
    with pytest.raises(UsageError, match="there are"):
        choose_devices(64, 64)
    with pytest.raises(UsageError, match="evenly"):
        choose_devices(3, 2)
