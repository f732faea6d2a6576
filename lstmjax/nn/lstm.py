"""The 1-D LSTM: each row of the picture is one sequence, scanned along x.

On a CPU the layer runs in `lstm_cpu`, elsewhere in the loop here. The loop over time holds only
what depends on the step before: the input projection is one product ahead of it, the gradient of
the weights one product after it. Positions beyond a line's width do no harm: their input projection
is set to zero, so a reversed scan enters the line with zero state, and a forward scan reaches them
last.
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
from lstmjax.nn.gradient import matmul, weight_gradient, with_gradient
from lstmjax.nn.layer import Extent, Layer, Noise, glorot_uniform, per_output, valid

GATES = ("CI", "GI", "GF1", "GO")  # in file order; the 2-D form adds GFS


@dataclass(frozen=True)
class Scan:
    """How to run over time.

    reverse: whether to run from the last step to the first.
    last: whether to return only the last step of the scan.
    """

    reverse: bool
    last: bool


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


def _forward(projection: jax.Array, wh: jax.Array, scan: Scan, keep: bool) -> tuple[jax.Array, Any]:
    """Run the loop: the last output, and all of them; with `keep` all residuals.

    The carry holds the sums of the gates, not the output that they came from.
    """
    _, N, _ = projection.shape
    S = wh.shape[0]

    def step(carry, following):
        z, _, c = carry
        ci, gi, gf, go = jnp.split(z, 4, axis=-1)
        a = jnp.tanh(ci)
        i, f, o = (jax.nn.sigmoid(gate) for gate in (gi, gf, go))
        c = jnp.clip(f * c + i * a, -STATE_CLIP, STATE_CLIP)
        h = o * jnp.tanh(c)
        z = step_at(projection, following) + h @ wh
        # Without a backward pass nothing but the outputs is stacked over the steps.
        return (z, h, c), ((h, c, a, i, f, o) if keep else (None if scan.last else h))

    zeros = jnp.zeros((N, S), jnp.float32)
    first, following = next_steps(projection.shape[0], reverse=scan.reverse)
    # `following` is indexed by step, so a reversed scan walks it from its end.
    (_, h, _), residuals = lax.scan(
        step, (projection[first], zeros, zeros), following, reverse=scan.reverse
    )
    return h, residuals


@with_gradient(2)
def _run(projection: jax.Array, wh: jax.Array, scan: Scan) -> jax.Array:
    h, hs = _forward(projection, wh, scan, keep=False)
    return h if scan.last else hs


def _run_forward(projection: jax.Array, wh: jax.Array, scan: Scan):
    h, residuals = _forward(projection, wh, scan, keep=True)
    return (h if scan.last else residuals[0]), (wh, residuals)


def run_backward(scan: Scan, saved, d: jax.Array):
    """Gradients of the gates' sums [T, N, 4S] and of wh, from d: [T, N, S] ([N, S] if `last`).

    They are the true ones unless an error grows beyond Tesseract's bounds: in models that Tesseract
    trained so, the true ones of a long line overflow.
    """
    wh, (hs, cs, a, i, f, o) = saved
    _, N, S = hs.shape
    zeros = jnp.zeros((N, S), hs.dtype)
    wh_t = wh.T
    cs_before = _shift(cs, scan.reverse)

    def step(carry, residuals):
        dh, dc = carry
        if scan.last:
            c, c_before, a, i, f, o = residuals
        else:
            d_t, c, c_before, a, i, f, o = residuals
            dh = dh + d_t
        tanh_c = jnp.tanh(c)
        dc = dc + dh * o * (1 - tanh_c * tanh_c)
        # At every step and not once at the end: on a long line errors would overflow on the way.
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

    # With `last` only the end of the scan has an error, which is where the carry begins.
    xs = (cs, cs_before, a, i, f, o)
    start = (d, zeros) if scan.last else (zeros, zeros)
    _, dz = lax.scan(step, start, xs if scan.last else (d, *xs), reverse=not scan.reverse)
    # Pairs of an output and the step that saw it; the first step of a scan saw zeros.
    before, here = (hs[1:], dz[:-1]) if scan.reverse else (hs[:-1], dz[1:])
    return dz, weight_gradient(before, here)


_run.defvjp(_run_forward, run_backward)


def _shift(xs: jax.Array, reverse: bool) -> jax.Array:
    """Each step's predecessor in scan order, zero for the first."""
    zero = jnp.zeros_like(xs[:1])
    return jnp.concatenate([xs[1:], zero] if reverse else [zero, xs[:-1]], axis=0)


def input_projection(params: Params, x: jax.Array) -> jax.Array:
    """The input's part of every gate, for the whole sequence at once: [..., D] -> [..., G*S]."""
    z = matmul(x, params["wx"])
    return z + per_output(params["b"], z)


def init_gates(key: Key, num_in: int, num_states: int, num_gates: int) -> Params:
    """Weights for fast learning: Glorot for the input, orthogonal recurrence, open forget gates."""
    keys = jax.random.split(key, 1 + num_gates)
    orthogonal = jax.nn.initializers.orthogonal()
    # Each gate's matrix is orthogonal by itself: side by side they are only stored.
    recurrent = [orthogonal(k, (num_states, num_states), jnp.float32) for k in keys[1:]]
    # Gate 2 is GF1. Forget gates that begin open need fewer lines to the first characters.
    bias = jnp.zeros((num_gates, num_states), jnp.float32).at[2].set(1.0)
    if num_gates > len(GATES):
        bias = bias.at[4].set(1.0)  # GFS, the other forget gate
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
    projection = input_projection(params, x)
    if scan.reverse and extent.x is not None:
        # The padding comes first: without input and bias it leaves the state at 0.
        steps = jnp.tile(extent.x, N // len(extent.x))  # of each row of each line, row-major
        inside = valid(T, steps)[:, :, None]
        projection = jnp.where(inside, projection, jnp.zeros((), projection.dtype))
    return _run(projection, params["wh"], scan)


def lstm(node: Lstm, *, reverse: bool = False, bfloat16: bool = False) -> Layer:
    """Make the layer: [H, W, B, D] -> [H, W, B, S], or [H, 1, B, S] if it summarises.

    Args:
      node: the layer.
      reverse: whether to run along x from each line's end to its beginning.
      bfloat16: whether compiled loops on the CPU round factors of products to 16 bits.
    """
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
        if lstm_cpu.usable():
            y = lstm_cpu.run(
                time_major(x), params, row_lengths(extent, H, W, B),
                reverse=reverse, last=last, bfloat16=bfloat16,
            )  # fmt: skip
        else:
            y = _by_scan(time_major(x), params, extent, Scan(reverse, last))
        if last:
            return y.reshape(H, 1, B, S), extent._replace(x=None)
        y = y.reshape(W, H, B, S).transpose(1, 0, 2, 3)
        if not node.summary:
            return y, extent
        # The output of each line's own last step.
        assert extent.x is not None
        at = jnp.maximum(extent.x - 1, 0)[None, None, :, None]
        return jnp.take_along_axis(y, at, axis=1), extent._replace(x=None)

    return Layer(init, apply)
