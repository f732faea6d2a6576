"""Fully connected layer, applied at every position: product, bias, non-linearity.

Source: Tesseract src/lstm/fullyconnected.cpp.
"""

import jax.numpy as jnp

from lstmjax.array_types import Activations, Key, Params
from lstmjax.netspec.tree import Dense
from lstmjax.nn.layer import Extent, Layer, Noise, glorot_uniform
from lstmjax.nn.numerics import Numerics, activate, per_output, product, quantize

SOFTMAXES = ("softmax", "softmax_no_ctc")


def weighted_sum(params: Params, x: Activations, numerics: Numerics) -> Activations:
    """W x + b: [..., D] -> [..., N]; int8 sums are scaled back to real values."""
    z = product(x, params["w"], numerics, params["w"].shape[0] + 1)
    if not numerics.int_mode:
        return z + per_output(params["b"], z)
    z = z + per_output((127 * params["b"]).astype(z.dtype), z)
    return z.astype(jnp.float32) * per_output(params["scale"], z)


def dense(node: Dense, numerics: Numerics, *, as_logits: bool = False) -> Layer:
    """Make the layer; `as_logits` leaves the softmax of an output layer to the caller."""

    def init(key: Key) -> Params:
        shape = (node.num_in, node.num_out)
        return {
            "w": glorot_uniform(key, shape, node.num_in, node.num_out),
            "b": jnp.zeros(node.num_out, jnp.float32),
        }

    def apply(
        params: Params, x: Activations, extent: Extent, noise: Noise
    ) -> tuple[Activations, Extent]:
        del noise
        z = weighted_sum(params, x, numerics)
        if node.activation in SOFTMAXES:
            return (z if as_logits else activate(z, node.activation, numerics)), extent
        y = activate(z, node.activation, numerics)
        return (quantize(y) if numerics.int_mode else y), extent

    return Layer(init, apply)
