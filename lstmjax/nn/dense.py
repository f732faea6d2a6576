"""Fully connected layer, applied at every position: product, bias, non-linearity.

Source: Tesseract src/lstm/fullyconnected.cpp.
"""

import jax.numpy as jnp

from lstmjax.array_types import Activations, Key, Params
from lstmjax.netspec.tree import Dense
from lstmjax.nn.activations import SOFTMAXES, activate
from lstmjax.nn.gradient import matmul
from lstmjax.nn.layer import Extent, Layer, Noise, glorot_uniform, per_output


def weighted_sum(params: Params, x: Activations) -> Activations:
    """`x @ w + b`: [..., D] -> [..., N]."""
    z = matmul(x, params["w"])
    return z + per_output(params["b"], z)


def dense(node: Dense, *, as_logits: bool = False) -> Layer:
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
        z = weighted_sum(params, x)
        if as_logits and node.activation in SOFTMAXES:
            return z, extent
        return activate(z, node.activation), extent

    return Layer(init, apply)
