"""The 1-D LSTM on the CPU: one compiled operation for each pass, in place of a loop of small ones.

XLA's loop over time starts a dozen operations a step, each of which reads what the one before
wrote. Here a step stays in the nearest cache, and no step beyond a line's width is computed. The
numbers are those of `lstm` up to rounding.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from lstmjax.array_types import Params
from lstmjax.constants import NUM_GATES
from lstmjax.kernels import jax_calls
from lstmjax.nn.gradient import with_gradient


class CpuScan(NamedTuple):
    """How the layer runs; see `lstm.Scan`."""

    reverse: bool
    last: bool
    pairs: bool  # round factors of products to bfloat16


def usable() -> bool:
    """Whether this machine runs the operation."""
    return jax_calls.usable()


@with_gradient(5)
def _run(x, wx, wh, b, lengths, how: CpuScan) -> jax.Array:
    return _run_forward(x, wx, wh, b, lengths, how)[0]


def _run_forward(x, wx, wh, b, lengths, how: CpuScan):
    residuals = jax_calls.lstm_forward(x, wx, wh, b, lengths, reverse=how.reverse, pairs=how.pairs)
    h = residuals[1]
    # A reversed scan ends at step 0 of every line, whatever its width.
    y = h if not how.last else h[0 if how.reverse else -1]
    return y, (x, wx, wh, lengths, residuals)


def _run_backward(how: CpuScan, saved, d: jax.Array):
    return *jax_calls.lstm_backward(d, *saved, **how._asdict()), None


_run.defvjp(_run_forward, _run_backward)


def _in_whole_vectors(params: Params) -> tuple[jax.Array, jax.Array, jax.Array]:
    """wx, wh and b padded with units of zero weight to whole vectors; the output of those is 0."""
    S = params["wh"].shape[0]
    more = jax_calls.padded(S) - S

    # Gates lie side by side, so each gets its own padding.
    def widened(w):
        gates = w.reshape(*w.shape[:-1], NUM_GATES, S)
        gates = jnp.pad(gates, [(0, 0)] * (gates.ndim - 1) + [(0, more)])
        return gates.reshape(*w.shape[:-1], -1)

    if not more:
        return params["wx"], params["wh"], params["b"]
    wh = jnp.pad(widened(params["wh"]), [(0, more), (0, 0)])
    return widened(params["wx"]), wh, widened(params["b"])


def run(
    x: jax.Array,
    params: Params,
    lengths: jax.Array,
    *,
    reverse: bool,
    last: bool,
    bfloat16: bool,
) -> jax.Array:
    """Outputs [T, N, S] of sequences x [T, N, D], with `last` [N, S] of the scan's last step.

    Args:
      x: the input.
      params: weights of the layer.
      lengths: [N] int32 steps of each sequence; outputs beyond are zero.
      reverse: whether to run from each sequence's last step to its first.
      last: whether only the last step is wanted; not reversed, all lengths must be T.
      bfloat16: whether to round factors of products, where the processor can.
    """
    S = params["wh"].shape[0]
    wx, wh, b = _in_whole_vectors(params)
    how = CpuScan(reverse, last, bfloat16 and jax_calls.has_pairs())
    return _run(x, wx, wh, b, lengths, how)[..., :S]
