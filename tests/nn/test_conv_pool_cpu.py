"""The compiled convolution gives the numbers of the one XLA compiles, and the same gradients."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lstmjax.kernels import jax_calls
from lstmjax.nn import conv_pool
from lstmjax.nn.conv_pool import Geometry

pytestmark = pytest.mark.skipif(not jax_calls.usable(), reason="no vectors that multiply and add")

CASES = {  # half_x, half_y, x_scale, y_scale, depth; H, W, B, N
    "usual": (Geometry(1, 1, 3, 3, 1), 36, 40, 3, 16),
    "odd-sizes": (Geometry(2, 1, 2, 3, 3), 37, 41, 2, 20),
    "many-channels": (Geometry(1, 2, 1, 2, 2), 10, 11, 1, 48),
    "flat-window": (Geometry(0, 1, 3, 1, 1), 9, 9, 2, 64),
    "five-by-five": (Geometry(2, 2, 2, 2, 1), 8, 30, 5, 5),
    "one-cell": (Geometry(1, 1, 3, 3, 1), 3, 3, 1, 1),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_numbers_and_gradients_agree(case):
    g, H, W, B, N = case
    draw = np.random.default_rng(W)
    h, w = H // g.y_scale, W // g.x_scale
    padded = (H + 2 * g.half_y, W + 2 * g.half_x, B, g.depth)
    x = jnp.asarray(draw.normal(size=padded), jnp.float32)
    taps = (2 * g.half_x + 1) * (2 * g.half_y + 1)
    weights = jnp.asarray(draw.normal(size=(taps * g.depth, N)), jnp.float32)
    lengths = draw.integers(0, w + 1, size=B).astype(np.int32)
    inside = (np.arange(w)[:, None] < lengths)[None, :, :, None]
    asked = jnp.asarray(draw.normal(size=(h, w, B, N)), jnp.float32)

    def compiled(x, weights):
        y = conv_pool.pooled_on_cpu(x, weights, lengths, g)
        return (y * asked).sum(), y

    def plain(x, weights):
        y = conv_pool.pooled(conv_pool.patches_of(x, H, W, g), weights, g).reshape(h, w, B, N)
        y = jnp.where(inside, y, 0)
        return (y * asked).sum(), y

    (got, y), (wanted, like) = (
        jax.jit(jax.grad(each, argnums=(0, 1), has_aux=True))(x, weights)
        for each in (compiled, plain)
    )
    np.testing.assert_allclose(y, like, atol=1e-5)
    np.testing.assert_allclose(got[0], wanted[0], atol=1e-4)
    np.testing.assert_allclose(got[1], wanted[1], atol=1e-4 * np.sqrt(H * W))


def test_of_equal_sums_the_first_learns():
    g = Geometry(0, 0, 2, 2, 1)
    x = jnp.ones((2, 2, 1, 1))
    lengths = jnp.ones(1, jnp.int32)
    gradient = jax.grad(lambda x: conv_pool.pooled_on_cpu(x, jnp.ones((1, 1)), lengths, g).sum())
    np.testing.assert_array_equal(jax.jit(gradient)(x)[:, :, 0, 0], [[1, 0], [0, 0]])
