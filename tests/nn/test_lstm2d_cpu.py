"""The compiled 2-D LSTM gives the numbers of the loop that XLA compiles, and the same gradients."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lstmjax.kernels import jax_calls
from lstmjax.netspec.tree import Lstm
from lstmjax.nn import lstm2d_cpu
from lstmjax.nn.layer import Extent
from lstmjax.nn.lstm2d import lstm2d

pytestmark = pytest.mark.skipif(not jax_calls.usable(), reason="no vectors that multiply and add")


class Case(NamedTuple):
    """Sizes of an input [H, W, B, D], units S, and how the layer runs."""

    H: int
    W: int
    B: int
    D: int
    S: int
    reverse: bool = False
    x: tuple[int, ...] | None = None
    y: tuple[int, ...] | None = None


CASES = {
    "full": Case(5, 9, 8, 8, 16),
    "ragged-reversed": Case(4, 12, 9, 8, 16, reverse=True, x=(12, 3, 7, 11, 1, 10, 12, 4, 2)),
    "ragged-rows": Case(12, 4, 5, 3, 16, y=(12, 3, 7, 11, 1)),
    "ragged-both-ways": Case(7, 6, 3, 20, 5, reverse=True, x=(2, 6, 4), y=(7, 1, 3)),
    "odd-sizes": Case(3, 5, 7, 17, 37, x=(5, 3, 1, 4, 5, 2, 1)),
    "two-vectors": Case(3, 8, 20, 16, 32, x=tuple(range(8, 0, -1)) * 2 + (8,) * 4),
    "one-cell": Case(1, 1, 1, 1, 3),
    "no-line": Case(2, 4, 2, 3, 16, x=(4, 0), y=(2, 0)),
}


def make(case: Case, rng: np.random.Generator):
    x = rng.normal(size=(case.H, case.W, case.B, case.D)).astype(np.float32)
    params = {
        "wx": rng.normal(size=(case.D, 5 * case.S)) / case.D**0.5,
        "wh": rng.normal(size=(case.S, 5 * case.S)) / case.S**0.5,
        "wv": rng.normal(size=(case.S, 5 * case.S)) / case.S**0.5,
        "b": rng.normal(size=5 * case.S),
    }
    params = {key: jnp.asarray(value, jnp.float32) for key, value in params.items()}
    sizes = [None if s is None else jnp.asarray(s, jnp.int32) for s in (case.y, case.x)]
    return jnp.asarray(x), params, Extent(*sizes)


def layer_of(case: Case):
    node = Lstm(case.D, case.S, two_d=True)
    return lstm2d(node, reverse_x=case.reverse)


def inside(case: Case) -> np.ndarray:
    """[H, W, B, 1] where a position belongs to a line."""
    x = np.array(case.x or [case.W] * case.B)
    y = np.array(case.y or [case.H] * case.B)
    columns = np.arange(case.W)[None, :, None] < x
    there = columns & (np.arange(case.H)[:, None, None] < y)
    return there[..., None].astype(np.float32)


def value_and_gradients(case: Case, monkeypatch, *, compiled: bool):
    """The layer's output where it counts, and gradients of x and params for one direction."""
    monkeypatch.setattr(lstm2d_cpu, "usable", lambda: compiled)
    rng = np.random.default_rng(5)
    x, params, extent = make(case, rng)
    layer = layer_of(case)
    counts = inside(case)
    direction = rng.normal(size=(*counts.shape[:3], case.S)).astype(np.float32) * counts

    @jax.jit
    def compute(x, params):
        def apply(x, params):
            return layer.apply(params, x, extent, None)[0] * counts

        y, pull = jax.vjp(apply, x, params)
        return y, pull(jnp.asarray(direction))

    y, (dx, gradients) = compute(x, params)
    return y, dx * counts, gradients


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_numbers_are_those_of_the_loop(case, monkeypatch):
    expected = value_and_gradients(case, monkeypatch, compiled=False)
    found = value_and_gradients(case, monkeypatch, compiled=True)
    for mine, other in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
        scale = max(1.0, float(np.abs(other).max(initial=0)))
        np.testing.assert_allclose(mine, other, rtol=0, atol=4e-6 * scale)
    assert float(jnp.abs(found[1]).max()) > 0


@pytest.mark.parametrize("name", ["ragged-reversed", "ragged-rows", "ragged-both-ways"])
def test_what_lies_beyond_a_line_matters_to_nothing(name, monkeypatch):
    case = CASES[name]
    x, params, extent = make(case, np.random.default_rng(5))
    layer = layer_of(case)
    monkeypatch.setattr(lstm2d_cpu, "usable", lambda: True)

    def total(params, x):
        y, _ = layer.apply(params, x, extent, None)
        return y.sum()

    spoilt = jnp.where(jnp.asarray(inside(case) > 0), x, jnp.nan)
    clean, dirty = (jax.grad(total, argnums=(0, 1))(params, given) for given in (x, spoilt))
    for key in params:
        np.testing.assert_array_equal(clean[0][key], dirty[0][key])
    np.testing.assert_array_equal(clean[1], dirty[1])


def test_lines_do_not_depend_on_their_neighbours(monkeypatch):
    monkeypatch.setattr(lstm2d_cpu, "usable", lambda: True)
    case = Case(3, 5, 11, 6, 20, reverse=True)
    x, params, extent = make(case, np.random.default_rng(2))
    layer = layer_of(case)
    together, _ = layer.apply(params, x, extent, None)
    for line in range(case.B):
        alone, _ = layer.apply(params, x[:, :, line : line + 1], extent, None)
        np.testing.assert_array_equal(together[:, :, line : line + 1], alone)


def test_what_is_not_a_number_does_not_vanish(monkeypatch):
    monkeypatch.setattr(lstm2d_cpu, "usable", lambda: True)
    case = Case(4, 4, 1, 4, 16)
    x, params, extent = make(case, np.random.default_rng(1))
    y, _ = layer_of(case).apply(params, x.at[1, 2].set(jnp.nan), extent, None)
    finite = np.array(jnp.isfinite(y).all((2, 3)))
    assert finite[0].all()
    assert finite[:, :2].all()
    assert not finite[1:, 2:].any()


def test_it_is_used_on_a_cpu():
    assert lstm2d_cpu.usable() == (jax.default_backend() == "cpu")
