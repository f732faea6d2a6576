"""The optimiser chain: layer rates, a rate given at each update, moments in and out."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from lstmjax.training.config import TrainConfig, learning_rate_at
from lstmjax.training.fast.optim import (
    core_state,
    make_optimizer,
    rate_factors,
    scale_by_layer_rates,
)

PARAMS = {"1": {"w": jnp.ones((2, 3)), "b": jnp.zeros(3)}, "2": {"w": jnp.ones(4)}}
GRADS = jax.tree.map(lambda p: 0.1 * jnp.ones_like(p), PARAMS)


def test_layer_rates_multiply_their_own_leaves_only():
    factors = {"1": {"w": jnp.float32(0), "b": jnp.float32(0)}, "2": {"w": jnp.float32(2)}}
    transform = scale_by_layer_rates(factors)
    updates, state = transform.update(GRADS, transform.init(PARAMS))
    np.testing.assert_array_equal(updates["1"]["w"], 0)
    np.testing.assert_allclose(updates["2"]["w"], 0.2)
    assert state.factors is factors


def test_adam_step_is_that_of_optax():
    config = TrainConfig(clip_norm=None, momentum=0.8, adam_beta=0.99, muon=False)
    ours, theirs = make_optimizer(config), optax.adam(3e-3, b1=0.8, b2=0.99)
    state, other = ours.init(PARAMS), theirs.init(PARAMS)
    for _ in range(3):
        updates, state = ours.update(GRADS, state, PARAMS, learning_rate=jnp.float32(3e-3))
        expected, other = theirs.update(GRADS, other, PARAMS)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-6), updates, expected)
    assert isinstance(core_state(state), optax.ScaleByAdamState)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, True),
        ({"batch": 4}, True),
        ({"batch": 3}, False),
        ({"batch": 3, "muon": True}, True),
        ({"muon": False}, False),
        ({"net_mode": 64}, False),
        ({"optimizer": optax.scale_by_lion()}, False),
    ],
    ids=lambda case: "-".join(case) or "defaults" if isinstance(case, dict) else "",
)
def test_orthogonal_steps_and_their_rate_come_together(settings, expected):
    config = TrainConfig(**settings)
    assert config.orthogonalised == expected
    assert config.rate_of_new == (0.004 if expected else 0.001)


def test_momentum_is_used_without_the_adam_bit():
    config = TrainConfig(net_mode=64, clip_norm=None, momentum=0.5)
    optimizer = make_optimizer(config)
    state = optimizer.init(PARAMS)
    rate = jnp.float32(1.0)
    first, state = optimizer.update(GRADS, state, PARAMS, learning_rate=rate)
    second, state = optimizer.update(GRADS, state, PARAMS, learning_rate=rate)
    np.testing.assert_allclose(first["2"]["w"], -0.1, rtol=1e-6)
    np.testing.assert_allclose(second["2"]["w"], -0.15, rtol=1e-6)
    assert isinstance(core_state(state), optax.TraceState)
    assert float(rate_factors(state)["2"]["w"]) == 1


def test_clip_bounds_the_norm_of_the_whole_gradient():
    config = TrainConfig(net_mode=0, clip_norm=0.01, momentum=0.0)
    optimizer = make_optimizer(config)
    updates, _ = optimizer.update(
        GRADS, optimizer.init(PARAMS), PARAMS, learning_rate=jnp.float32(1)
    )
    assert float(optax.tree.norm(updates)) == pytest.approx(0.01, rel=1e-5)


@pytest.mark.parametrize(
    ("iteration", "end", "factor"),
    [(0, None, 4 / 200), (96, None, 0.5), (5000, None, 1), (600, 1000, 1), (1000, 1000, 0.05)],
)
def test_rate_warms_up_and_decays(iteration, end, factor):
    config = TrainConfig(learning_rate=0.002, batch=4)
    assert learning_rate_at(config, iteration, end=end) == pytest.approx(0.002 * factor)
