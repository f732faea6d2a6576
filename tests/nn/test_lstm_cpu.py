"""The compiled LSTM gives the numbers of the loop that XLA compiles, and the same gradients."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lstmjax.kernels import jax_calls
from lstmjax.netspec.tree import Lstm
from lstmjax.nn import lstm as layers
from lstmjax.nn import lstm_cpu
from lstmjax.nn.layer import Extent

pytestmark = pytest.mark.skipif(not jax_calls.usable(), reason="no vectors that multiply and add")


class Case(NamedTuple):
    """Sizes of an input [H, W, B, D], units S, and how the layer runs."""

    H: int
    W: int
    B: int
    D: int
    S: int
    reverse: bool = False
    summary: bool = False
    x: tuple[int, ...] | None = None
    y: tuple[int, ...] | None = None


CASES = {
    "full": Case(1, 20, 8, 64, 64),
    "reversed-ragged": Case(1, 20, 8, 48, 64, reverse=True, x=(20, 3, 7, 11, 1, 19, 20, 4)),
    "odd-sizes": Case(3, 21, 5, 17, 50, x=(21, 3, 7, 11, 1)),
    "rows-of-33-and-100": Case(1, 40, 12, 33, 100, reverse=True, x=(21, 3, 7, 11, 1, 40) * 2),
    "reversed-summary": Case(3, 21, 5, 1, 16, reverse=True, summary=True, x=(21, 3, 7, 11, 1)),
    "ragged-summary": Case(2, 9, 3, 5, 16, summary=True, x=(9, 4, 1)),
    "summary-of-columns": Case(30, 12, 3, 16, 48, summary=True, y=(30, 11, 7)),
    "long": Case(1, 300, 1, 96, 256),
    "one-step": Case(1, 1, 1, 3, 5, reverse=True),
    "no-line": Case(1, 4, 2, 3, 16, x=(4, 0)),
}


def make(case: Case, rng: np.random.Generator):
    x = rng.normal(size=(case.H, case.W, case.B, case.D)).astype(np.float32)
    params = {
        "wx": rng.normal(size=(case.D, 4 * case.S)) / case.D**0.5,
        "wh": rng.normal(size=(case.S, 4 * case.S)) / case.S**0.5,
        "b": rng.normal(size=4 * case.S),
    }
    params = {key: jnp.asarray(value, jnp.float32) for key, value in params.items()}
    sizes = [None if s is None else jnp.asarray(s, jnp.int32) for s in (case.y, case.x)]
    return jnp.asarray(x), params, Extent(*sizes)


def inside(case: Case) -> np.ndarray:
    """[H, W, B, 1] where an input position belongs to a line."""
    x = np.array(case.x or [case.W] * case.B)
    y = np.array(case.y or [case.H] * case.B)
    columns = np.arange(case.W)[None, :, None] < x
    there = columns & (np.arange(case.H)[:, None, None] < y)
    return there[..., None].astype(np.float32)


def value_and_gradients(case: Case, monkeypatch, *, compiled: bool, bfloat16=False):
    """The layer's output where it counts, and gradients of x and params for one direction."""
    monkeypatch.setattr(lstm_cpu, "usable", lambda: compiled)
    rng = np.random.default_rng(5)
    x, params, extent = make(case, rng)
    layer = layers.lstm(
        Lstm(case.D, case.S, summary=case.summary), reverse=case.reverse, bfloat16=bfloat16
    )
    counts = inside(case)
    counts = counts.max(1, keepdims=True) if case.summary else counts
    direction = rng.normal(size=(*counts.shape[:3], case.S)).astype(np.float32) * counts

    @jax.jit
    def compute(x, params):
        def apply(x, params):
            return layer.apply(params, x, extent, None)[0] * counts

        y, pull = jax.vjp(apply, x, params)
        return y, pull(jnp.asarray(direction))

    y, (dx, gradients) = compute(x, params)
    return y, dx * inside(case), gradients, dx


def close(found, expected, error=4e-6):
    scale = max(1.0, float(np.abs(expected).max(initial=0)))
    np.testing.assert_allclose(found, expected, rtol=0, atol=error * scale)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_numbers_are_those_of_the_loop(case, monkeypatch):
    expected = value_and_gradients(case, monkeypatch, compiled=False)
    found = value_and_gradients(case, monkeypatch, compiled=True)
    for mine, other in zip(jax.tree.leaves(found[:3]), jax.tree.leaves(expected[:3]), strict=True):
        close(mine, other)
    assert float(jnp.abs(found[1]).max()) > 0


@pytest.mark.skipif(not jax_calls.has_pairs(), reason="no products of 16 bits")
@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_bfloat16_rounds_factors_only(case, monkeypatch):
    expected = value_and_gradients(case, monkeypatch, compiled=True)
    found = value_and_gradients(case, monkeypatch, compiled=True, bfloat16=True)
    differs = False
    for mine, other in zip(jax.tree.leaves(found[:3]), jax.tree.leaves(expected[:3]), strict=True):
        close(mine, other, 0.03)
        mean_error = float(jnp.abs(mine - other).mean())
        assert mean_error <= 0.01 * float(jnp.abs(other).mean()) + 1e-7
        differs |= mean_error > 0
    assert differs


def test_what_lies_beyond_a_line_matters_to_nothing(monkeypatch):
    case = CASES["reversed-ragged"]
    rng = np.random.default_rng(5)
    x, params, extent = make(case, rng)
    layer = layers.lstm(Lstm(case.D, case.S), reverse=True)
    monkeypatch.setattr(lstm_cpu, "usable", lambda: True)

    def total(params, x):
        y, _ = layer.apply(params, x, extent, None)
        return (y * inside(case)).sum()

    spoilt = jnp.where(jnp.asarray(inside(case) > 0), x, jnp.float32(1e4))
    clean, dirty = (jax.grad(total, argnums=(0, 1))(params, given) for given in (x, spoilt))
    for key in params:
        np.testing.assert_array_equal(clean[0][key], dirty[0][key])
    np.testing.assert_array_equal(clean[1], dirty[1])


def test_errors_stay_bounded_far_back(monkeypatch):
    case = Case(1, 200, 2, 4, 16)
    monkeypatch.setattr(lstm_cpu, "usable", lambda: True)
    x, params, extent = make(case, np.random.default_rng(1))
    params = {**params, "wh": params["wh"] * 50}
    layer = layers.lstm(Lstm(case.D, case.S))

    def last(params):
        return layer.apply(params, x, extent, None)[0][:, -1].sum()

    gradients = jax.grad(last)(params)
    assert all(bool(jnp.isfinite(g).all()) for g in gradients.values())


def test_what_is_not_a_number_does_not_vanish(monkeypatch):
    case = Case(1, 6, 1, 4, 16)
    monkeypatch.setattr(lstm_cpu, "usable", lambda: True)
    x, params, extent = make(case, np.random.default_rng(1))
    y, _ = layers.lstm(Lstm(4, 16)).apply(params, x.at[0, 2].set(jnp.nan), extent, None)
    assert bool(jnp.isfinite(y[:, :2]).all())
    assert bool(jnp.isnan(y[:, 2:]).all())


def test_lines_do_not_depend_on_their_neighbours(monkeypatch):
    monkeypatch.setattr(lstm_cpu, "usable", lambda: True)
    case = Case(1, 17, 11, 24, 32)
    x, params, extent = make(case, np.random.default_rng(2))
    layer = layers.lstm(Lstm(case.D, case.S))
    together, _ = layer.apply(params, x, extent, None)
    for line in range(case.B):
        alone, _ = layer.apply(params, x[:, :, line : line + 1], extent, None)
        np.testing.assert_array_equal(together[:, :, line : line + 1], alone)


def test_it_is_used_on_a_cpu():
    assert lstm_cpu.usable() == (jax.default_backend() == "cpu")
