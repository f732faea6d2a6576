"""The 1-D LSTM on the CPU: one compiled operation each way, in place of a loop of small ones.

XLA's loop over time starts a dozen operations a step, each of which reads what the one before
wrote. Here a step stays in the nearest cache, and no step beyond a line's width is computed. The
numbers are those of `lstm` up to rounding; tables, and Tesseract's own way back, are not
offered.
"""

from functools import cache
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from lstmjax.array_types import Params
from lstmjax.kernels.limits import NUM_GATES
from lstmjax.nn.gradient import with_gradient
from lstmjax.nn.numerics import FAST, Numerics

_FORWARD, _BACKWARD = "lstmjax_lstm_forward", "lstmjax_lstm_backward"


class Pass(NamedTuple):
    """How the layer runs; see `lstm.Scan`."""

    reverse: bool
    last: bool


def usable(numerics: Numerics) -> bool:
    """Whether the operation computes what is asked for, on this machine."""
    return numerics == FAST and jax.default_backend() == "cpu" and _registered()


@cache
def _registered() -> bool:
    """Compile the loops, or load them from the user's cache, and make them known to XLA."""
    from lstmjax.kernels import lstm_calls, vectors, xla

    if not vectors.SUPPORTED:
        return False
    xla.register(_FORWARD, lstm_calls.forward)
    xla.register(_BACKWARD, lstm_calls.backward)
    return True


def _arrays(*shapes: tuple[int, ...]) -> tuple[jax.ShapeDtypeStruct, ...]:
    return tuple(jax.ShapeDtypeStruct(shape, jnp.float32) for shape in shapes)


def _forward(
    x: jax.Array, wx: jax.Array, wh: jax.Array, b: jax.Array, lengths: jax.Array, how: Pass
):
    from lstmjax.kernels.lstm_loops import forward_scratch

    T, N, D = x.shape
    S = wh.shape[0]
    shapes = _arrays((T, N, NUM_GATES * S), (T, N, S), (T, N, S), (forward_scratch(D, S),))
    call = jax.ffi.ffi_call(_FORWARD, shapes, vmap_method="sequential")
    gates, h, c, _ = call(x, wx, wh, b, lengths, np.array([how.reverse], np.int32))
    return gates, h, c


@with_gradient(5)
def _run(x, wx, wh, b, lengths, how: Pass) -> jax.Array:
    return _run_forward(x, wx, wh, b, lengths, how)[0]


def _run_forward(x, wx, wh, b, lengths, how: Pass):
    gates, h, c = _forward(x, wx, wh, b, lengths, how)
    y = h if not how.last else h[0 if how.reverse else -1]
    return y, (gates, x, wx, wh, lengths, h, c)


def _run_backward(how: Pass, residual, d: jax.Array):
    from lstmjax.kernels.lstm_loops import backward_scratch, weights_scratch

    gates, x, wx, wh, lengths, h, c = residual
    D, S = wx.shape[0], wh.shape[0]
    scratch = max(backward_scratch(D, S), weights_scratch())
    shapes = _arrays(gates.shape, x.shape, wx.shape, wh.shape, (NUM_GATES * S,), (scratch,))
    call = jax.ffi.ffi_call(
        _BACKWARD, shapes, input_output_aliases={0: 0}, vmap_method="sequential"
    )
    options, one = np.array([how.reverse, how.last], np.int32), np.ones(1, np.float32)
    _, dx, dwx, dwh, db, _ = call(gates, d, x, wx, wh, lengths, h, c, options, one)
    return dx, dwx, dwh, db, None


_run.defvjp(_run_forward, _run_backward)


def _in_whole_vectors(params: Params) -> tuple[jax.Array, jax.Array, jax.Array]:
    """wx, wh, b with so many units of zero weight that vectors hold them all; their output is 0."""
    from lstmjax.kernels.products import padded

    S = params["wh"].shape[0]
    more = padded(S) - S

    def widened(w):
        gates = w.reshape(*w.shape[:-1], NUM_GATES, S)
        gates = jnp.pad(gates, [(0, 0)] * (gates.ndim - 1) + [(0, more)])
        return gates.reshape(*w.shape[:-1], -1)

    if not more:
        return params["wx"], params["wh"], params["b"]
    wh = jnp.pad(widened(params["wh"]), [(0, more), (0, 0)])
    return widened(params["wx"]), wh, widened(params["b"])


def run(
    x: jax.Array, params: Params, lengths: jax.Array, *, reverse: bool, last: bool
) -> jax.Array:
    """Outputs [T, N, S] of sequences x [T, N, D], with `last` [N, S] of the scan's last step.

    Args:
      x: the input.
      params: of the layer.
      lengths: [N] int32 steps of each sequence; outputs beyond are zero.
      reverse: from each sequence's last step to its first.
      last: whether only the last step is wanted; not reversed, all lengths must be T.
    """
    assert _registered(), "this machine has no vectors that multiply and add at once"
    S = params["wh"].shape[0]
    wx, wh, b = _in_whole_vectors(params)
    return _run(x, wx, wh, b, lengths, Pass(reverse, last))[..., :S]
