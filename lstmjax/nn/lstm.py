"""The 1-D LSTM: each row of the picture is one sequence, scanned along x.

On a CPU training goes through `lstm_cpu`; here is every other way. The loop over time holds only
what depends on the step before: the input's share of the gates is one product ahead of it, the
weights' gradient one product after it. Positions beyond a line's width cost nothing: their input
share is set to zero, so a reversed scan enters the line with zero state, and a forward scan reaches
them last.
Source: Tesseract src/lstm/lstm.cpp; Hochreiter & Schmidhuber, 1997; Gers et al., 2000.
"""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, Int

from lstmjax.array_types import Activations, Key, Params
from lstmjax.constants import GATE_ERROR_CLIP, STATE_CLIP, STATE_ERROR_CLIP
from lstmjax.netspec.tree import Lstm
from lstmjax.nn import lstm_cpu
from lstmjax.nn.gradient import weight_gradient, with_gradient
from lstmjax.nn.layer import Extent, Layer, Noise, glorot_uniform, valid
from lstmjax.nn.numerics import (
    Numerics,
    add_product,
    logistic,
    per_output,
    product,
    quantize,
    tanh,
)

GATES = ("CI", "GI", "GF1", "GO")  # in file order; the 2-D form adds GFS


@dataclass(frozen=True)
class Scan:
    """How to run over time.

    reverse: from the last step to the first.
    last: return only the last step of the scan.
    batch: lines of the batch; the sequences are rows of lines, row-major.
    """

    reverse: bool
    last: bool
    numerics: Numerics
    batch: int


def next_steps(num_steps: int, *, reverse: bool = False) -> tuple[int, jax.Array]:
    """The first step of a loop over time, and for each step [T] the one that comes after it.

    The last step names itself: what it prepares is not used.
    """
    steps = jnp.arange(num_steps, dtype=jnp.int32)
    if reverse:
        return num_steps - 1, jnp.maximum(steps - 1, 0)
    return 0, jnp.minimum(steps + 1, num_steps - 1)


def step_at(xs: jax.Array, step: jax.Array) -> jax.Array:
    """One step of a sequence [T, ...]."""
    return lax.dynamic_index_in_dim(xs, step, 0, keepdims=False)


def scaled_sum(z: jax.Array, scale: jax.Array | None) -> jax.Array:
    """The sum of a gate as a real value; `scale` is that of int8 weights."""
    return z if scale is None else z.astype(jnp.float32) * per_output(scale, z)


def _forward(
    share: jax.Array, wh: jax.Array, scan: Scan, scale: jax.Array | None, keep: bool
) -> tuple[jax.Array, Any]:
    """Run the loop: the last output, and all of them.

    The carry holds the gates' sums, not the output they came from: so they are in memory when the
    tables are looked up, and not computed again for each table. With `keep` everything the
    backward pass needs is collected, not only the outputs.
    """
    _, N, _ = share.shape
    S = wh.shape[0]
    numerics = scan.numerics

    def step(carry, following):
        z, _, c = carry
        ci, gi, gf, go = jnp.split(z, 4, axis=-1)
        a = tanh(ci, numerics)
        i, f, o = (logistic(gate, numerics) for gate in (gi, gf, go))
        c = jnp.clip(f * c + i * a, -STATE_CLIP, STATE_CLIP)
        h = o * tanh(c, numerics)
        if numerics.int_mode:
            h = quantize(h)
        z = scaled_sum(add_product(step_at(share, following), h, wh), scale)
        return (z, h, c), ((h, c, a, i, f, o) if keep else (None if scan.last else h))

    zeros = jnp.zeros((N, S), jnp.float32)
    first, following = next_steps(share.shape[0], reverse=scan.reverse)
    start = (scaled_sum(share[first], scale), zeros, zeros)
    (_, h, _), kept = lax.scan(step, start, following, reverse=scan.reverse)
    return h, kept


@with_gradient(3)
def _run(share: jax.Array, wh: jax.Array, steps: jax.Array | None, scan: Scan) -> jax.Array:
    del steps
    h, hs = _forward(share, wh, scan, None, keep=False)
    return h if scan.last else hs


def _run_forward(share: jax.Array, wh: jax.Array, steps: jax.Array | None, scan: Scan):
    h, kept = _forward(share, wh, scan, None, keep=True)
    return (h if scan.last else kept[0]), (wh, steps, kept)


def run_backward(scan: Scan, residual, d: jax.Array):
    """Gradients of the gates' sums [T, N, 4S] and of wh, from d: [T, N, S] ([N, S] if `last`).

    They are the true ones unless an error grows beyond Tesseract's bounds: in models that Tesseract
    trained so, the true ones of a long line overflow.
    """
    wh, steps, (hs, cs, a, i, f, o) = residual
    _, N, S = hs.shape
    zeros = jnp.zeros((N, S), hs.dtype)
    wh_t = wh.T
    cs_before = _shift(cs, scan.reverse)
    if scan.numerics.clipped_errors:
        cs_before = _with_end_of_row_above(cs, cs_before, steps, scan)

    def step(carry, kept):
        dh, dc = carry
        if scan.last:
            c, c_before, a, i, f, o = kept
        else:
            d_t, c, c_before, a, i, f, o = kept
            dh = dh + d_t
        tanh_c = tanh(c, scan.numerics)
        dc = dc + dh * o * (1 - tanh_c * tanh_c)
        dc = jnp.clip(dc, -STATE_ERROR_CLIP, STATE_ERROR_CLIP)
        dz = jnp.concatenate(
            [
                dc * i * (1 - a * a),
                dc * a * i * (1 - i),
                dc * c_before * f * (1 - f),
                dh * tanh_c * o * (1 - o),
            ],
            axis=-1,
        )
        dz = jnp.clip(dz, -GATE_ERROR_CLIP, GATE_ERROR_CLIP)
        return (dz @ wh_t, dc * f), dz

    xs = (cs, cs_before, a, i, f, o)
    start = (d, zeros) if scan.last else (zeros, zeros)
    _, dz = lax.scan(step, start, xs if scan.last else (d, *xs), reverse=not scan.reverse)
    before, here = (hs[1:], dz[:-1]) if scan.reverse else (hs[:-1], dz[1:])
    d_wh = weight_gradient(before, here)
    return dz, d_wh, None


def _with_end_of_row_above(
    cs: jax.Array, cs_before: jax.Array, steps: jax.Array | None, scan: Scan
) -> jax.Array:
    """Put the last state of the row above before the first step of each row.

    Tesseract's backward pass takes the state at the index before, whatever row it is in, although
    its forward pass started the row with zero.

    Args:
      cs: [T, N, S] states.
      cs_before: [T, N, S] predecessors inside the row.
      steps: [N] true lengths, None if all rows are full.
      scan: how the layer runs.
    """
    T, N, _ = cs.shape
    time = jnp.arange(T)[:, None]
    full = jnp.full((N,), T, jnp.int32) if steps is None else steps
    first = (full - 1 if scan.reverse else jnp.zeros_like(full))[None]
    last = (jnp.zeros_like(full) if scan.reverse else full - 1)[None]
    ends = jnp.where((time == last)[..., None], cs, jnp.float32(0)).sum(0)
    above = jnp.concatenate([jnp.zeros_like(ends[: scan.batch]), ends[: -scan.batch]], axis=0)
    return jnp.where((time == first)[..., None], above[None], cs_before)


_run.defvjp(_run_forward, run_backward)


def _shift(xs: jax.Array, reverse: bool) -> jax.Array:
    """Each step's predecessor in scan order, zero for the first."""
    zero = jnp.zeros_like(xs[:1])
    return jnp.concatenate([xs[1:], zero] if reverse else [zero, xs[:-1]], axis=0)


def input_share(params: Params, x: jax.Array, numerics: Numerics) -> jax.Array:
    """The input's part of every gate, for the whole sequence at once: [..., D] -> [..., G*S]."""
    sources = sum(params[key].shape[0] for key in ("wx", "wf", "wh", "wv") if key in params)
    z = product(x, params["wx"], numerics, sources + 1)
    bias = 127 * params["b"] if numerics.int_mode else params["b"]
    return z + per_output(bias.astype(z.dtype), z)


def init_gates(key: Key, num_in: int, num_states: int, num_gates: int) -> Params:
    """Weights for fast learning: Glorot for the input, orthogonal recurrence, open forget gates."""
    keys = jax.random.split(key, 1 + num_gates)
    orthogonal = jax.nn.initializers.orthogonal()
    recurrent = [orthogonal(k, (num_states, num_states), jnp.float32) for k in keys[1:]]
    bias = jnp.zeros((num_gates, num_states), jnp.float32).at[2].set(1.0)
    if num_gates > len(GATES):
        bias = bias.at[4].set(1.0)
    width = num_gates * num_states
    return {
        "wx": glorot_uniform(keys[0], (num_in, width), num_in, num_states),
        "wh": jnp.concatenate(recurrent, axis=1),
        "b": bias.reshape(width),
    }


def time_major(x: Float[Array, "H W B N"]) -> Float[Array, "W HB N"]:
    """Rows become lines of a batch of sequences along x."""
    H, W, B, N = x.shape
    return x.transpose(1, 0, 2, 3).reshape(W, H * B, N)


def row_lengths(extent: Extent, H: int, W: int, B: int) -> Int[Array, " HB"]:
    """Steps along x of each row of each line, row-major; none for a row below its line."""
    steps = jnp.full((H, B), W, jnp.int32)
    if extent.x is not None:
        steps = jnp.broadcast_to(extent.x, (H, B))
    if extent.y is not None:
        steps = jnp.where(valid(H, extent.y), steps, jnp.int32(0))
    return steps.reshape(H * B)


def _by_scan(x: jax.Array, params: Params, extent: Extent, scan: Scan) -> jax.Array:
    """Outputs [T, N, S] of x [T, N, D], [N, S] with `scan.last`, by a loop that XLA compiles."""
    T, N, _ = x.shape
    share = input_share(params, x, scan.numerics)
    steps = None if extent.x is None else jnp.tile(extent.x, N // scan.batch)
    if scan.reverse and steps is not None:
        inside = valid(T, steps)[:, :, None]
        share = jnp.where(inside, share, jnp.zeros((), share.dtype))
    if scan.numerics.int_mode:
        h, hs = _forward(share, params["wh"], scan, params["scale"], keep=False)
        return h if scan.last else hs
    return _run(share, params["wh"], steps, scan)


def lstm(node: Lstm, numerics: Numerics, *, reverse: bool = False) -> Layer:
    """Make the layer: [H, W, B, D] -> [H, W, B, S], or [H, 1, B, S] if it summarises."""
    S = node.num_states

    def init(key: Key) -> Params:
        return init_gates(key, node.num_in, S, len(GATES))

    def apply(
        params: Params, x: Activations, extent: Extent, noise: Noise
    ) -> tuple[Activations, Extent]:
        del noise
        H, W, B, _ = x.shape
        # A forward summary of lines of different width ends at a different step for each.
        last = node.summary and (reverse or extent.x is None)
        if lstm_cpu.usable(numerics):
            lengths = row_lengths(extent, H, W, B)
            y = lstm_cpu.run(time_major(x), params, lengths, numerics, reverse=reverse, last=last)
        else:
            y = _by_scan(time_major(x), params, extent, Scan(reverse, last, numerics, B))
        if last:
            return y.reshape(H, 1, B, S), extent._replace(x=None)
        y = y.reshape(W, H, B, S).transpose(1, 0, 2, 3)
        if not node.summary:
            return y, extent
        assert extent.x is not None
        at = jnp.maximum(extent.x - 1, 0)[None, None, :, None]
        return jnp.take_along_axis(y, at, axis=1), extent._replace(x=None)

    return Layer(init, apply)
