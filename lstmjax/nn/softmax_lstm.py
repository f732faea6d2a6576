"""LSTMs that are an output layer at once and see their own last answer (LS and LE).

LS feeds the class probabilities back, LE the bits of the best class's number. No gradient flows
through the feedback, as in Tesseract.
Source: Tesseract src/lstm/lstm.cpp.
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jax import lax

from lstmjax.array_types import Activations, Key, Params
from lstmjax.netspec.tree import SoftmaxLstm
from lstmjax.nn.dense import weighted_sum
from lstmjax.nn.gradient import weight_gradient, with_gradient
from lstmjax.nn.layer import Extent, Layer, Noise, glorot_uniform
from lstmjax.nn.lstm import (
    GATES,
    STATE_CLIP,
    Scan,
    init_gates,
    input_share,
    run_backward,
    time_major,
)
from lstmjax.nn.numerics import (
    Numerics,
    add_product,
    logistic,
    per_output,
    quantize,
    softmax,
    tanh,
)


@dataclass(frozen=True)
class _Loop:
    numerics: Numerics
    num_bits: int | None  # of a class number (LE); None: probabilities are fed back (LS)


def _feedback(logits: jax.Array, loop: _Loop) -> jax.Array:
    """[N, K] -> [N, F], what the next step sees."""
    if loop.num_bits is None:
        fed = softmax(logits)
    else:
        best = jnp.argmax(logits, axis=-1).astype(jnp.int32)[:, None]
        fed = (best >> jnp.arange(loop.num_bits, dtype=jnp.int32)[None, :]) & 1
        fed = fed.astype(jnp.float32)
    return quantize(fed) if loop.numerics.int_mode else fed


def _forward(share: jax.Array, params: Params, loop: _Loop):
    """share: [T, N, 4S] -> per step (h, c, a, i, f, o, feedback seen)."""
    N = share.shape[1]
    S, F = params["wh"].shape[0], params["wf"].shape[0]
    numerics = loop.numerics

    def step(carry, share_t):
        h, c, fed = carry
        z = add_product(add_product(share_t, fed, params["wf"]), h, params["wh"])
        if numerics.int_mode:
            z = z.astype(jnp.float32) * per_output(params["scale"], z)
        ci, gi, gf, go = jnp.split(z, 4, axis=-1)
        a = tanh(ci, numerics)
        i, f, o = (logistic(gate, numerics) for gate in (gi, gf, go))
        c = jnp.clip(f * c + i * a, -STATE_CLIP, STATE_CLIP)
        h = o * tanh(c, numerics)
        if numerics.int_mode:
            h = quantize(h)
        logits = weighted_sum(params["softmax"], h, numerics)
        return (h, c, _feedback(logits, loop)), (h, c, a, i, f, o, fed)

    zeros = jnp.zeros((N, S), jnp.float32)
    return lax.scan(step, (zeros, zeros, jnp.zeros((N, F), jnp.float32)), share)[1]


@with_gradient(2)
def _run(share: jax.Array, params: Params, loop: _Loop) -> jax.Array:
    return _forward(share, params, loop)[0]


def _run_forward(share: jax.Array, params: Params, loop: _Loop):
    *kept, fed = _forward(share, params, loop)
    return kept[0], (params, tuple(kept), fed)


def _run_backward(loop: _Loop, residual, d: jax.Array):
    params, kept, fed = residual
    # An output layer has one row, so that no row above can matter.
    scan = Scan(reverse=False, last=False, numerics=loop.numerics, batch=d.shape[1])
    dz, d_wh, _ = run_backward(scan, (params["wh"], None, kept), d)
    d_wf = weight_gradient(fed, dz)
    grads = jax.tree.map(jnp.zeros_like, params)
    return dz, {**grads, "wh": d_wh, "wf": d_wf}


_run.defvjp(_run_forward, _run_backward)


def softmax_lstm(node: SoftmaxLstm, numerics: Numerics, *, as_logits: bool = False) -> Layer:
    """Make the layer: [H, W, B, D] -> [H, W, B, K] class probabilities, or logits."""
    S, F, K = node.num_states, node.num_feedback, node.num_classes
    loop = _Loop(numerics, F if node.binary else None)

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
        share = input_share(params, time_major(x), numerics)
        hs = _forward(share, params, loop)[0] if numerics.int_mode else _run(share, params, loop)
        hs = hs.reshape(W, H, B, S).transpose(1, 0, 2, 3)
        logits = weighted_sum(params["softmax"], hs, numerics)
        return (logits if as_logits else softmax(logits)), extent

    return Layer(init, apply)
