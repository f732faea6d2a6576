"""Sizes of weights and gradients by layer."""

import jax
import numpy as np
import optax
import pytest

from lstmjax.netspec.parse import parse
from lstmjax.nn.build import build
from lstmjax.training.config import TrainConfig, tesseract_config
from lstmjax.training.fast.optim import make_optimizer
from lstmjax.training.state import Moments, TrainState
from lstmjax.training.watch import ReportSeen
from lstmjax.view.norms import Norms, size, weighted_layers

ROOT = parse("[1,12,0,1 Ct3,3,4 Mp3,2 Lfys6 Lrx4 O1c1]", 5).root
PARAMS = jax.tree.map(np.asarray, build(ROOT).init(jax.random.key(0)))


def full_of(value):
    return jax.tree.map(lambda leaf: np.full_like(leaf, value), PARAMS)


def seen(opt_state, params=PARAMS, iteration=100):
    rates = jax.tree.map(lambda _: 0.25, PARAMS)
    return ReportSeen(iteration, TrainState(params, opt_state), rates, ())


def weights_of(name):
    (layer,) = [each for each in weighted_layers(ROOT, PARAMS) if each.name == name]
    return layer.of(PARAMS)


def test_every_weight_is_in_one_layer():
    layers = weighted_layers(ROOT, PARAMS)
    assert [layer.name for layer in layers] == ["ConvNL", "Lfys6", "Lrx4", "Output"]
    counted = sum(leaf.size for layer in layers for leaf in layer.of(PARAMS))
    assert counted == sum(leaf.size for leaf in jax.tree.leaves(PARAMS))


def test_size_is_the_root_of_all_squares():
    assert size([np.array([3.0], np.float32), np.array([[4.0]], np.float32)]) == 5.0


def constant_gradient(config, updates):
    """The state of an optimiser that saw gradients of ones."""
    with jax.numpy_dtype_promotion("standard"):
        optimizer = make_optimizer(config)
        update = jax.jit(optimizer.update)
        state = optimizer.init(PARAMS)
        for _ in range(updates):
            _, state = update(full_of(1.0), state, PARAMS, learning_rate=0.1)
    return state


@pytest.mark.parametrize(
    ("config", "updates"),
    [(TrainConfig(clip_norm=None), 3), (TrainConfig(clip_norm=None, net_mode=64), 150)],
    ids=["Adam", "momentum"],
)
def test_gradient_is_what_the_optimiser_saw(config, updates):
    found = Norms(ROOT, PARAMS, config).record(seen(constant_gradient(config, updates)))
    for name, figures in found.items():
        count = sum(leaf.size for leaf in weights_of(name))
        assert figures["gradient"] == pytest.approx(count**0.5, rel=1e-3)
        assert figures["rate"] == 0.25
        assert "change" not in figures


def test_gradient_of_recipe_tesseract():
    config = tesseract_config()
    share = np.float32(1 - config.adam_beta**100)
    by_adam = Moments(full_of(0.0), full_of(4 * share), None)
    found = Norms(ROOT, PARAMS, config).record(seen(by_adam))
    count = sum(leaf.size for leaf in weights_of("Output"))
    assert found["Output"]["gradient"] == pytest.approx(2 * count**0.5, rel=1e-3)
    rates = jax.tree.map(lambda _: np.float32(0.25), PARAMS)
    mu = config.momentum
    velocity = full_of(0.25 * mu / (1 - mu))
    by_momentum = Norms(ROOT, PARAMS, config).record(seen(Moments(velocity, full_of(0.0), rates)))
    assert by_momentum["Output"]["gradient"] == pytest.approx(count**0.5, rel=1e-3)


def test_unknown_optimiser_has_no_gradient():
    found = Norms(ROOT, PARAMS, TrainConfig()).record(seen((optax.EmptyState(),)))
    assert np.isnan(found["Output"]["gradient"])


def test_change_is_relative_to_the_weights():
    norms = Norms(ROOT, PARAMS, TrainConfig())
    norms.record(seen((optax.EmptyState(),)))
    doubled = jax.tree.map(lambda leaf: 2 * leaf, PARAMS)
    found = norms.record(seen((optax.EmptyState(),), doubled))
    assert found["Lrx4"]["change"] == pytest.approx(0.5)
