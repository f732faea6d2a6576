"""A run written as a Tesseract checkpoint, and read back."""

import jax
import numpy as np
import optax
import pytest

from lstmjax.data.stream import Position
from lstmjax.formats import checkpoint
from lstmjax.netspec.parse import parse
from lstmjax.nn.build import build
from lstmjax.training.config import TrainConfig
from lstmjax.training.fast.history import put_history, with_history
from lstmjax.training.fast.optim import core_state, make_optimizer
from lstmjax.training.identity import Identity
from lstmjax.training.progress import LineResult, Mark, Progress
from lstmjax.training.restore import restore
from lstmjax.training.save import trainer_record, without_training
from lstmjax.training.state import TrainState

NETWORK = parse("[1,12,0,1 Ct3,3,4 Mp3,3 L2xy4 Lfys6 Lbx5 O1c7]", 7)


def trained(config, updates=3):
    """A state whose moments are not zero."""
    optimizer = make_optimizer(config)
    params = build(NETWORK.root).init(jax.random.key(0))
    opt_state = optimizer.init(params)
    for i in range(updates):
        grads = jax.tree.map(lambda p, i=i: np.float32(0.01 * (i + 1)) + 0 * p, params)
        _, opt_state = optimizer.update(grads, opt_state, params, learning_rate=np.float32(0.01))
    return TrainState(params, opt_state)


@pytest.mark.parametrize("net_mode", [192, 128, 64, 0])
def test_record_gives_back_weights_moments_and_progress(net_mode):
    config = TrainConfig(net_mode=net_mode, learning_rate=0.002, momentum=0.75)
    state = trained(config)
    lines = [LineResult(0.1, 0.5, 0.25, 0.125, 1)] * 3
    progress = Progress(best=Mark(40.0, (1, 2, 3, 4, 5), 2), history=((40.0, 2),)).after_batch(
        lines, Position()
    )
    identity = Identity(NETWORK.root, NETWORK.spec, 6)
    record = trainer_record(
        identity, with_history(state, progress, config), progress, config, best_trainer=b""
    )
    again = checkpoint.unpack(checkpoint.pack(record))
    back = restore(again)
    jax.tree.map(np.testing.assert_array_equal, back.params, jax.device_get(state.params))
    assert back.learning_rate == pytest.approx(0.002)
    assert back.net_mode == net_mode
    assert back.progress.training_iteration == 3
    assert back.progress.best == Mark(40.0, (1.0, 2.0, 3.0, 4.0, 5.0), 2)
    np.testing.assert_array_equal(back.progress.buffers, progress.buffers)
    put = put_history(back, make_optimizer(config).init(back.params), batch=1)
    for one, two in zip(core_state(put), core_state(state.opt_state), strict=True):
        jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5), one, two)


def test_updates_are_counted_not_lines():
    config = TrainConfig(batch=8)
    state = trained(config)
    progress = Progress(training_iteration=24)
    record = trainer_record(
        Identity(NETWORK.root, NETWORK.spec, 6), with_history(state, progress, config), progress,
        config, best_trainer=b"",
    )  # fmt: skip
    put = core_state(put_history(restore(record), state.opt_state, config.batch))
    assert isinstance(put, optax.ScaleByAdamState)
    assert int(put.count) == 3


def test_model_for_reading_has_no_history():
    config = TrainConfig()
    identity = Identity(NETWORK.root, NETWORK.spec, 6)
    state = with_history(trained(config), Progress(), config)
    record = trainer_record(identity, state, Progress(), config, best_trainer=None)
    bare = without_training(record.recognizer)
    for node in bare.network.walk():
        assert node.training == 2
        assert all(m.updates is None and m.dw_sq_sum is None for m in node.matrices)
