"""LSTMs that are an output layer at once and see their own last answer (LS and LE).

LS feeds the class probabilities back, LE the bits of the best class's number. No gradient flows
through the feedback, as in Tesseract.
Source: Tesseract src/lstm/lstm.cpp.
"""

import jax
import jax.numpy as jnp
from jax import lax

from lstmjax.array_types import Activations, Key, Params
from lstmjax.constants import STATE_CLIP
from lstmjax.netspec.tree import SoftmaxLstm
from lstmjax.nn.activations import softmax
from lstmjax.nn.dense import weighted_sum
from lstmjax.nn.gradient import weight_gradient, with_gradient
from lstmjax.nn.layer import Extent, Layer, Noise, glorot_uniform
from lstmjax.nn.lstm import (
    GATES,
    Scan,
    init_gates,
    input_projection,
    run_backward,
    time_major,
)


def _feedback(logits: jax.Array, num_bits: int | None) -> jax.Array:
    """[N, K] -> [N, F], what the next step sees."""
    if num_bits is None:
        return softmax(logits)
    # The first of equal classes, as in the original.
    best = jnp.argmax(logits, axis=-1).astype(jnp.int32)[:, None]
    bits = (best >> jnp.arange(num_bits, dtype=jnp.int32)[None, :]) & 1  # lowest bit first
    return bits.astype(jnp.float32)


def _forward(projection: jax.Array, params: Params, num_bits: int | None):
    """projection: [T, N, 4S] -> residuals of each step (h, c, a, i, f, o, feedback seen)."""
    N = projection.shape[1]
    S, F = params["wh"].shape[0], params["wf"].shape[0]

    def step(carry, projection_t):
        h, c, fed = carry
        z = projection_t + fed @ params["wf"] + h @ params["wh"]
        ci, gi, gf, go = jnp.split(z, 4, axis=-1)
        a = jnp.tanh(ci)
        i, f, o = (jax.nn.sigmoid(gate) for gate in (gi, gf, go))
        c = jnp.clip(f * c + i * a, -STATE_CLIP, STATE_CLIP)
        h = o * jnp.tanh(c)
        logits = weighted_sum(params["softmax"], h)
        return (h, c, _feedback(logits, num_bits)), (h, c, a, i, f, o, fed)

    zeros = jnp.zeros((N, S), jnp.float32)
    start = (zeros, zeros, jnp.zeros((N, F), jnp.float32))
    return lax.scan(step, start, projection)[1]


@with_gradient(2)
def _run(projection: jax.Array, params: Params, num_bits: int | None) -> jax.Array:
    return _forward(projection, params, num_bits)[0]


def _run_forward(projection: jax.Array, params: Params, num_bits: int | None):
    *residuals, fed = _forward(projection, params, num_bits)
    return residuals[0], (params, tuple(residuals), fed)


def _run_backward(num_bits: int | None, saved, d: jax.Array):
    del num_bits
    params, residuals, fed = saved
    # The feedback counts as a constant, which leaves the gradient of a plain LSTM.
    dz, d_wh = run_backward(Scan(reverse=False, last=False), (params["wh"], residuals), d)
    d_wf = weight_gradient(fed, dz)
    # "wx", "b" and "softmax" get theirs from the products outside the loop.
    grads = jax.tree.map(jnp.zeros_like, params)
    return dz, {**grads, "wh": d_wh, "wf": d_wf}


_run.defvjp(_run_forward, _run_backward)


def softmax_lstm(node: SoftmaxLstm, *, as_logits: bool = False) -> Layer:
    """Make the layer: [H, W, B, D] -> [H, W, B, K] class probabilities, or logits."""
    S, F, K = node.num_states, node.num_feedback, node.num_classes
    num_bits = F if node.binary else None  # of a class number (LE); LS feeds probabilities back

    def init(key: Key) -> Params:
        key_gates, key_feedback, key_softmax = jax.random.split(key, 3)
        return {
            **init_gates(key_gates, node.num_in, S, len(GATES)),
            "wf": glorot_uniform(key_feedback, (F, len(GATES) * S), F, S),
            "softmax": {
                "w": glorot_uniform(key_softmax, (S, K), S, K),
                "b": jnp.zeros(K, jnp.float32),
            },
        }

    def apply(
        params: Params, x: Activations, extent: Extent, noise: Noise
    ) -> tuple[Activations, Extent]:
        del noise
        H, W, B, _ = x.shape
        hs = _run(input_projection(params, time_major(x)), params, num_bits)
        hs = hs.reshape(W, H, B, S).transpose(1, 0, 2, 3)
        logits = weighted_sum(params["softmax"], hs)
        return (logits if as_logits else softmax(logits)), extent

    return Layer(init, apply)
