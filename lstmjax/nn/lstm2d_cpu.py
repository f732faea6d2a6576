"""The 2-D LSTM on the CPU: one compiled operation for each pass.

It goes from cell to cell, not by anti-diagonals, and computes none beyond a line's width and
height. The numbers are those of `lstm2d` up to rounding. Products stay in float32 even where those
of `lstm_cpu` take bfloat16 pairs: these layers are small, and their gates take as long as their
products.
"""

import jax
import jax.numpy as jnp

from lstmjax.array_types import Params
from lstmjax.constants import NUM_GATES_2D
from lstmjax.kernels import jax_calls
from lstmjax.nn.gradient import with_gradient
from lstmjax.nn.lstm_cpu import usable

__all__ = ["run", "usable"]


@with_gradient(3)
def _run(x, w, lengths, reverse: bool) -> jax.Array:
    return _run_forward(x, w, lengths, reverse)[0]


def _run_forward(x, w, lengths, reverse: bool):
    residuals = jax_calls.lstm2d_forward(x, w, lengths, reverse=reverse)
    return residuals[0], (x, w, lengths, residuals)


def _run_backward(reverse: bool, saved, d: jax.Array):
    return *jax_calls.lstm2d_backward(d, *saved, reverse=reverse), None


_run.defvjp(_run_forward, _run_backward)


def _in_vectors(params: Params) -> jax.Array:
    """All weights [units / L, 2S + D + 1, gates, L], by vectors of L units.

    Units of zero weight fill the last vector; their output is 0.
    """
    S, lanes = params["wh"].shape[0], jax_calls.lanes()
    more = -S % lanes
    recurrent = [jnp.pad(params[key], [(0, more), (0, 0)]) for key in ("wh", "wv")]
    # Rows: left output, output above, input, bias.
    w = jnp.concatenate([*recurrent, params["wx"], params["b"][None]], axis=0)
    w = jnp.pad(w.reshape(-1, NUM_GATES_2D, S), [(0, 0), (0, 0), (0, more)])
    return w.reshape(-1, NUM_GATES_2D, (S + more) // lanes, lanes).transpose(2, 0, 1, 3)


def run(x: jax.Array, params: Params, lengths: jax.Array, *, reverse: bool) -> jax.Array:
    """Outputs [H, W, B, S] of pictures x [H, W, B, D].

    Args:
      x: the input.
      params: weights of the layer.
      lengths: [H, B] int32 columns of each row of each line, never more than in the row above;
        outputs beyond are zero.
      reverse: whether to run from each row's last column to its first.
    """
    y = _run(x, _in_vectors(params), lengths, reverse)
    return y[..., : params["wh"].shape[0]]
