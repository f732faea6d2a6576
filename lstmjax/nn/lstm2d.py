"""The 2-D LSTM: each cell sees its left and its upper neighbour.

The two forget paths compete: the unit keeps its left state weighted by GF1, or the upper state
weighted by GFS where that gate is larger. On a CPU the layer runs in `lstm2d_cpu`; elsewhere
the picture is walked by anti-diagonals (all cells with the same x + y at once), so that the number
of steps is W + H - 1 instead of W * H.
Source: Tesseract src/lstm/lstm.cpp; Graves, Fernandez & Schmidhuber, 2007.
"""

import jax
import jax.numpy as jnp
from jax import lax

from lstmjax.array_types import Activations, Key, Params
from lstmjax.constants import (
    GATE_ERROR_CLIP,
    NUM_GATES_2D,
    STATE_CLIP,
    STATE_ERROR_CLIP_2D,
)
from lstmjax.netspec.tree import Lstm
from lstmjax.nn import lstm2d_cpu
from lstmjax.nn.gradient import weight_gradient
from lstmjax.nn.layer import Extent, Layer, Noise, glorot_uniform, valid
from lstmjax.nn.lstm import init_gates, input_projection, next_steps, row_lengths, step_at


def _skew(x: jax.Array) -> jax.Array:
    """[H, W, B, N] -> [H + W - 1, H, B, N]: row y moved y steps later; gaps are 0."""
    H, W, B, N = x.shape
    x = jnp.pad(x, ((0, 0), (0, H), (0, 0), (0, 0)))
    # Row y starts W + H - 1 places after row y - 1 when read as rows of W + H - 1.
    x = x.reshape(H * (W + H), B, N)[: H * (W + H - 1)]
    return x.reshape(H, W + H - 1, B, N).transpose(1, 0, 2, 3)


def _unskew(x: jax.Array, W: int) -> jax.Array:
    """The inverse of `_skew`."""
    steps, H, B, N = x.shape
    x = x.transpose(1, 0, 2, 3).reshape(H * steps, B, N)
    x = jnp.pad(x, ((0, H), (0, 0), (0, 0)))
    return x.reshape(H, steps + 1, B, N)[:, :W]


def _from_above(x: jax.Array) -> jax.Array:
    """Move rows down by one: row 0 becomes 0. x: [H, B, N]."""
    return jnp.concatenate([jnp.zeros_like(x[:1]), x[:-1]], axis=0)


def _forward(projection: jax.Array, wh: jax.Array, wv: jax.Array):
    """projection: [steps, H, B, 5S] -> residuals of each step (h, c, a, i, f, o, g)."""
    _, H, B, _ = projection.shape
    S = wh.shape[0]
    has_upper = (jnp.arange(H) > 0)[:, None, None]  # the first row has none above

    def step(carry, following):
        z, c = carry
        # Row y is y steps late in the skewed array, so the cell above is from the step before.
        ci, gi, gf, go, gs = jnp.split(z, NUM_GATES_2D, axis=-1)
        a = jnp.tanh(ci)
        i, f, o, g = (jax.nn.sigmoid(gate) for gate in (gi, gf, go, gs))
        # A tie keeps the left state, as in the original.
        from_upper = has_upper & (f < g)
        c = jnp.where(from_upper, g * _from_above(c), f * c)
        c = jnp.clip(c + i * a, -STATE_CLIP, STATE_CLIP)
        h = o * jnp.tanh(c)
        z = step_at(projection, following) + h @ wh + _from_above(h) @ wv
        return (z, c), (h, c, a, i, f, o, g)

    first, following = next_steps(projection.shape[0])
    start = (projection[first], jnp.zeros((H, B, S), jnp.float32))
    return lax.scan(step, start, following)[1]


@jax.custom_vjp
def _run(projection: jax.Array, wh: jax.Array, wv: jax.Array) -> jax.Array:
    return _forward(projection, wh, wv)[0]


def _run_forward(projection: jax.Array, wh: jax.Array, wv: jax.Array):
    residuals = _forward(projection, wh, wv)
    return residuals[0], (wh, wv, residuals)


def _to_above(x: jax.Array) -> jax.Array:
    """Move rows up by one, the transpose of `_from_above`: the last row becomes 0."""
    return jnp.concatenate([x[1:], jnp.zeros_like(x[:1])], axis=0)


def _run_backward(saved, d: jax.Array):
    wh, wv, (hs, cs, a, i, f, o, g) = saved
    _, H, B, S = hs.shape
    wh_t, wv_t = wh.T, wv.T
    has_upper = (jnp.arange(H) > 0)[:, None, None]
    zero = jnp.zeros_like(hs[:1])
    hs_before = jnp.concatenate([zero, hs[:-1]], axis=0)
    cs_before = jnp.concatenate([zero, cs[:-1]], axis=0)

    def step(carry, residuals):
        dh, dc = carry
        d_t, c, c_before, a, i, f, o, g = residuals
        dh = dh + d_t
        tanh_c = jnp.tanh(c)
        dc = dc + dh * o * (1 - tanh_c * tanh_c)
        dc = jnp.clip(dc, -STATE_ERROR_CLIP_2D, STATE_ERROR_CLIP_2D)
        from_upper = has_upper & (f < g)
        # Only the gate of the state that was taken learns.
        d_left = jnp.where(from_upper, 0, dc * c_before * f * (1 - f))
        d_upper = jnp.where(from_upper, dc * _from_above(c_before) * g * (1 - g), 0)
        dz = jnp.concatenate(
            [
                dc * i * (1 - a * a),
                dc * a * i * (1 - i),
                d_left,
                dh * tanh_c * o * (1 - o),
                d_upper,
            ],
            axis=-1,
        )
        dz = jnp.clip(dz, -GATE_ERROR_CLIP, GATE_ERROR_CLIP)
        dh_before = dz @ wh_t + _to_above(dz @ wv_t)
        # Back along the way that the state came: to the left, or to the row above.
        dc_before = jnp.where(from_upper, 0, dc * f) + _to_above(jnp.where(from_upper, dc * g, 0))
        return (dh_before, dc_before), dz

    zeros = jnp.zeros((H, B, S), hs.dtype)
    _, dz = lax.scan(step, (zeros, zeros), (d, cs, cs_before, a, i, f, o, g), reverse=True)
    d_wh = weight_gradient(hs_before, dz)
    # Inputs from above: one step earlier, one row up.
    upper = jnp.concatenate([jnp.zeros_like(hs_before[:, :1]), hs_before[:, :-1]], axis=1)
    d_wv = weight_gradient(upper, dz)
    return dz, d_wh, d_wv


_run.defvjp(_run_forward, _run_backward)


def _by_diagonals(
    x: Activations, params: Params, extent: Extent, *, reverse_x: bool
) -> Activations:
    """Outputs [H, W, B, S] of x [H, W, B, D], by a loop that XLA compiles."""
    W = x.shape[1]
    projection = input_projection(params, x)
    if reverse_x:
        # Padding comes first in this order: without input and bias it leaves the state at 0.
        if extent.x is not None:
            inside = valid(W, extent.x)[None, :, :, None]
            projection = jnp.where(inside, projection, jnp.zeros((), projection.dtype))
        projection = projection[:, ::-1]
    y = _unskew(_run(_skew(projection), params["wh"], params["wv"]), W)
    return y[:, ::-1] if reverse_x else y


def lstm2d(node: Lstm, *, reverse_x: bool = False) -> Layer:
    """Make the layer: [H, W, B, D] -> [H, W, B, S], scanning right and down.

    `reverse_x` scans from each line's true end to the left; rows are reversed by the caller.
    """
    S = node.num_states

    def init(key: Key) -> Params:
        key_gates, key_upper = jax.random.split(key)
        params = init_gates(key_gates, node.num_in, S, NUM_GATES_2D)
        params["wv"] = glorot_uniform(key_upper, (S, NUM_GATES_2D * S), S, S)
        return params

    def apply(
        params: Params, x: Activations, extent: Extent, noise: Noise
    ) -> tuple[Activations, Extent]:
        del noise
        if lstm2d_cpu.usable():
            H, W, B, _ = x.shape
            lengths = row_lengths(extent, H, W, B).reshape(H, B)
            return lstm2d_cpu.run(x, params, lengths, reverse=reverse_x), extent
        return _by_diagonals(x, params, extent, reverse_x=reverse_x), extent

    return Layer(init, apply)
