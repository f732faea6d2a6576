"""The 1-D LSTM on the CPU: one compiled operation each way, in place of a loop of small ones.

XLA's loop over time starts a dozen operations a step, each of which reads what the one before
wrote. Here a step stays in the nearest cache, and no step beyond a line's width is computed. The
numbers are those of `lstm` up to rounding; Tesseract's tables and its own
backward pass are not offered.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from lstmjax.array_types import Params
from lstmjax.constants import NUM_GATES
from lstmjax.kernels import jax_calls
from lstmjax.nn.gradient import with_gradient
from lstmjax.nn.numerics import Numerics


class Pass(NamedTuple):
    """How the layer runs; see `lstm.Scan`."""

    reverse: bool
    last: bool
    pairs: bool  # round factors of products to bfloat16


def usable(numerics: Numerics) -> bool:
    """Whether the operation computes what is asked for, on this machine."""
    exact = numerics.tables or numerics.int_mode or numerics.clipped_errors
    return not exact and jax_calls.usable()


@with_gradient(5)
def _run(x, wx, wh, b, lengths, how: Pass) -> jax.Array:
    return _run_forward(x, wx, wh, b, lengths, how)[0]


def _run_forward(x, wx, wh, b, lengths, how: Pass):
    results = jax_calls.lstm_forward(x, wx, wh, b, lengths, reverse=how.reverse, pairs=how.pairs)
    h = results[1]
    y = h if not how.last else h[0 if how.reverse else -1]
    return y, (x, wx, wh, lengths, results)


def _run_backward(how: Pass, residual, d: jax.Array):
    return *jax_calls.lstm_backward(d, *residual, **how._asdict()), None


_run.defvjp(_run_forward, _run_backward)


def _in_whole_vectors(params: Params) -> tuple[jax.Array, jax.Array, jax.Array]:
    """wx, wh, b with so many units of zero weight that vectors hold them all; their output is 0."""
    S = params["wh"].shape[0]
    more = jax_calls.padded(S) - S

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
    numerics: Numerics,
    *,
    reverse: bool,
    last: bool,
) -> jax.Array:
    """Outputs [T, N, S] of sequences x [T, N, D], with `last` [N, S] of the scan's last step.

    Args:
      x: [T, N, D] input.
      params: weights of the layer.
      lengths: [N] int32 steps of each sequence; outputs beyond are zero.
      numerics: arithmetic that is `usable`.
      reverse: run from each sequence's last step to its first.
      last: return only the scan's last step; not reversed, all lengths must be T.
    """
    S = params["wh"].shape[0]
    wx, wh, b = _in_whole_vectors(params)
    how = Pass(reverse, last, numerics.bfloat16 and jax_calls.has_pairs())
    return _run(x, wx, wh, b, lengths, how)[..., :S]
