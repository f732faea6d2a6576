"""The 2-D LSTM: each cell sees its left and its upper neighbour.

The two forget paths compete: the unit keeps its left state weighted by GF1, or the upper state
weighted by GFS where that gate is larger. On a CPU training goes through `lstm2d_cpu`; here is
every other way: the picture is walked by anti-diagonals (all cells with the same x + y at once), so
the number of steps is W + H - 1 instead of W * H.
Source: Tesseract src/lstm/lstm.cpp; Graves, Fernandez & Schmidhuber, 2007.
"""

from typing import NamedTuple

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
from lstmjax.nn.gradient import weight_gradient, with_gradient
from lstmjax.nn.layer import Extent, Layer, Noise, glorot_uniform, valid
from lstmjax.nn.lstm import (
    init_gates,
    input_share,
    next_steps,
    row_lengths,
    scaled_sum,
    step_at,
)
from lstmjax.nn.numerics import Numerics, add_product, logistic, quantize, tanh


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
    """Row y gets what row y - 1 had; row 0 gets 0. x: [H, B, N]."""
    return jnp.concatenate([jnp.zeros_like(x[:1]), x[:-1]], axis=0)


def _forward(
    share: jax.Array, wh: jax.Array, wv: jax.Array, numerics: Numerics, scale: jax.Array | None
):
    """share: [steps, H, B, 5S] -> per step (h, c, a, i, f, o, g)."""
    _, H, B, _ = share.shape
    S = wh.shape[0]
    has_upper = (jnp.arange(H) > 0)[:, None, None]

    def step(carry, following):
        z, c = carry
        ci, gi, gf, go, gs = jnp.split(z, NUM_GATES_2D, axis=-1)
        a = tanh(ci, numerics)
        i, f, o, g = (logistic(gate, numerics) for gate in (gi, gf, go, gs))
        from_upper = has_upper & (f < g)
        c = jnp.where(from_upper, g * _from_above(c), f * c)
        c = jnp.clip(c + i * a, -STATE_CLIP, STATE_CLIP)
        h = o * tanh(c, numerics)
        if numerics.int_mode:
            h = quantize(h)
        z = add_product(add_product(step_at(share, following), h, wh), _from_above(h), wv)
        return (scaled_sum(z, scale), c), (h, c, a, i, f, o, g)

    first, following = next_steps(share.shape[0])
    start = (scaled_sum(share[first], scale), jnp.zeros((H, B, S), jnp.float32))
    return lax.scan(step, start, following)[1]


class _Row(NamedTuple):
    """Where a row starts and ends along the scan: [B] int32 each."""

    first: jax.Array
    last: jax.Array


@with_gradient(4)
def _run(
    share: jax.Array, wh: jax.Array, wv: jax.Array, row: _Row, numerics: Numerics
) -> jax.Array:
    del row
    return _forward(share, wh, wv, numerics, None)[0]


def _run_forward(share: jax.Array, wh: jax.Array, wv: jax.Array, row: _Row, numerics: Numerics):
    kept = _forward(share, wh, wv, numerics, None)
    return kept[0], (wh, wv, row, kept)


def _to_above(x: jax.Array) -> jax.Array:
    """The transpose of `_from_above`: row y gets what row y + 1 had, the last row 0."""
    return jnp.concatenate([x[1:], jnp.zeros_like(x[:1])], axis=0)


def _run_backward(numerics: Numerics, residual, d: jax.Array):
    wh, wv, row, (hs, cs, a, i, f, o, g) = residual
    _, H, B, S = hs.shape
    wh_t, wv_t = wh.T, wv.T
    has_upper = (jnp.arange(H) > 0)[:, None, None]
    zero = jnp.zeros_like(hs[:1])
    hs_before = jnp.concatenate([zero, hs[:-1]], axis=0)
    cs_before = jnp.concatenate([zero, cs[:-1]], axis=0)
    cs_left = _with_end_of_row_above(cs, row) if numerics.clipped_errors else cs_before

    def step(carry, kept):
        dh, dc = carry
        d_t, c, c_left, c_before, a, i, f, o, g = kept
        dh = dh + d_t
        tanh_c = tanh(c, numerics)
        dc = dc + dh * o * (1 - tanh_c * tanh_c)
        dc = jnp.clip(dc, -STATE_ERROR_CLIP_2D, STATE_ERROR_CLIP_2D)
        from_upper = has_upper & (f < g)
        d_left = dc * c_left * f * (1 - f)
        d_upper = dc * _from_above(c_before) * g * (1 - g)
        if not numerics.clipped_errors:  # there both learn, whichever of them won
            d_left = jnp.where(from_upper, 0, d_left)
            d_upper = jnp.where(from_upper, d_upper, 0)
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
        dc_before = jnp.where(from_upper, 0, dc * f) + _to_above(jnp.where(from_upper, dc * g, 0))
        return (dh_before, dc_before), dz

    zeros = jnp.zeros((H, B, S), hs.dtype)
    _, dz = lax.scan(step, (zeros, zeros), (d, cs, cs_left, cs_before, a, i, f, o, g), reverse=True)
    d_wh = weight_gradient(hs_before, dz)
    upper = jnp.concatenate([jnp.zeros_like(hs_before[:, :1]), hs_before[:, :-1]], axis=1)
    d_wv = weight_gradient(upper, dz)
    return dz, d_wh, d_wv, None


def _with_end_of_row_above(cs: jax.Array, row: _Row) -> jax.Array:
    """The left neighbour of each cell; left of the first one, the last cell of the row above.

    That is what Tesseract's backward pass takes, although its forward pass starts from zero.

    Args:
      cs: [steps, H, B, S] states by anti-diagonals.
      row: where the rows of each line start and end.
    """
    steps, H = cs.shape[:2]
    W = steps - H + 1
    flat = _unskew(cs, W)
    at = jnp.arange(W)[:, None]
    ends = jnp.where((at == row.last[None])[None, :, :, None], flat, 0).sum(1)
    left = jnp.concatenate([jnp.zeros_like(flat[:, :1]), flat[:, :-1]], axis=1)
    first = (at == row.first[None])[None, :, :, None]
    return _skew(jnp.where(first, _from_above(ends)[:, None], left))


_run.defvjp(_run_forward, _run_backward)


def _row(extent: Extent, W: int, B: int, reverse_x: bool) -> _Row:
    width = jnp.full((B,), W, jnp.int32) if extent.x is None else extent.x
    if reverse_x:  # the padding comes first
        return _Row(W - width, jnp.full_like(width, W - 1))
    return _Row(jnp.zeros_like(width), width - 1)


def _by_diagonals(
    x: Activations, params: Params, extent: Extent, numerics: Numerics, *, reverse_x: bool
) -> Activations:
    """Outputs [H, W, B, S] of x [H, W, B, D], by a loop that XLA compiles."""
    W = x.shape[1]
    share = input_share(params, x, numerics)
    if reverse_x:
        # Padding comes first in this order: with no input share it leaves the state at 0.
        if extent.x is not None:
            inside = valid(W, extent.x)[None, :, :, None]
            share = jnp.where(inside, share, jnp.zeros((), share.dtype))
        share = share[:, ::-1]
    skewed = _skew(share)
    if numerics.int_mode:
        hs = _forward(skewed, params["wh"], params["wv"], numerics, params["scale"])[0]
    else:
        row = _row(extent, W, x.shape[2], reverse_x)
        hs = _run(skewed, params["wh"], params["wv"], row, numerics)
    y = _unskew(hs, W)
    return y[:, ::-1] if reverse_x else y


def lstm2d(node: Lstm, numerics: Numerics, *, reverse_x: bool = False) -> Layer:
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
        if lstm2d_cpu.usable(numerics):
            H, W, B, _ = x.shape
            lengths = row_lengths(extent, H, W, B).reshape(H, B)
            return lstm2d_cpu.run(x, params, lengths, reverse=reverse_x), extent
        return _by_diagonals(x, params, extent, numerics, reverse_x=reverse_x), extent

    return Layer(init, apply)
