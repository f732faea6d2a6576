"""The update of recipe tesseract, against the formulas of the original in NumPy."""

import numpy as np
import pytest

from lstmjax.training.tesseract.step import (
    Rates,
    corrected_rates,
    init_moments,
    update_leaf,
    uses_adam,
)

F = np.float32


def leaves(seed=0, shape=(3, 5)):
    draw = np.random.default_rng(seed)
    w, u, d = (draw.normal(size=shape).astype(F) for _ in range(3))
    return [w, u, np.abs(draw.normal(size=shape)).astype(F)], d


@pytest.mark.parametrize("mu", [0.5, 0.9])
def test_adam_divides_by_the_root_in_double_precision(mu):
    (w, u, v), d = leaves()
    new = [np.empty_like(w) for _ in range(3)]
    rate, at = F(0.01), Rates(mu, 0.99, 7)
    assert update_leaf([w, u, v], d, rate, True, at, new)
    beta, mu = F(0.99), F(mu)
    squares = v * beta + (F(1) - beta) * d * d
    updates = u * mu + d * (rate * (F(1) - mu))
    weights = (w + updates / (np.sqrt(squares.astype(np.float64)) + rate * F(1e-8))).astype(F)
    for got, wanted in zip(new, (weights, updates, squares), strict=True):
        np.testing.assert_allclose(got, wanted, rtol=3e-7)


def test_momentum_keeps_the_squares_and_takes_the_velocity_before_it_decays():
    (w, u, v), d = leaves()
    new = [np.empty_like(w) for _ in range(3)]
    assert update_leaf([w, u, v], d, F(0.01), False, Rates(0.5, 0.99, 7), new)
    velocity = u + F(0.01) * d
    np.testing.assert_allclose(new[0], w + velocity, rtol=3e-7)
    np.testing.assert_allclose(new[1], velocity * F(0.5), rtol=3e-7)
    np.testing.assert_array_equal(new[2], v)


def test_without_momentum_weights_stay():
    (w, u, v), d = leaves()
    new = [np.empty_like(w) for _ in range(3)]
    assert update_leaf([w, u, v], d, F(0.01), True, Rates(0.0, 0.99, 7), new)
    np.testing.assert_array_equal(new[0], w)


@pytest.mark.parametrize("bad", [np.inf, -np.inf, np.nan])
def test_numbers_that_are_not_finite_are_noticed(bad):
    old, d = leaves()
    d[1, 2] = bad
    new = [np.empty_like(d) for _ in range(3)]
    assert not update_leaf(old, d, F(0.01), True, Rates(0.5, 0.99, 1), new)


def test_bias_correction_ends_after_many_updates():
    rates, adam = {"w": F(0.01), "b": F(0.01)}, {"w": True, "b": False}
    early = corrected_rates(rates, adam, Rates(0.5, 0.99, 1))
    assert early["w"] == pytest.approx(0.01 * np.sqrt(1 - 0.99) / (1 - 0.5), rel=1e-5)
    assert early["b"] == F(0.01)
    late = corrected_rates(rates, adam, Rates(0.5, 0.99, 200_000))
    assert late["w"] == F(0.01)


def test_inner_layers_of_ls_and_le_have_no_adam():
    params = {"4": {"wx": np.zeros((2, 2), F), "softmax": {"w": np.zeros((2, 2), F)}}}
    assert uses_adam(params, True) == {"4": {"wx": True, "softmax": {"w": False}}}
    assert uses_adam(params, False) == {"4": {"wx": False, "softmax": {"w": False}}}
    given = {"4": {"wx": False, "softmax": {"w": True}}}
    assert uses_adam(params, given) is given


def test_a_new_run_has_no_history_and_one_rate():
    moments = init_moments({"w": np.ones((2, 2), F)}, 0.25)
    assert not moments.updates["w"].any()
    assert not moments.squares["w"].any()
    assert moments.updates["w"] is not moments.squares["w"]
    assert moments.rates["w"] == F(0.25)
