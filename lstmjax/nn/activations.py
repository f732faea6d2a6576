"""Non-linearities, whose slopes are taken from their own outputs."""

from collections.abc import Callable

import jax
import jax.numpy as jnp

from lstmjax.constants import EXP_FLOOR
from lstmjax.nn.gradient import with_gradient

SOFTMAXES = ("softmax", "softmax_no_ctc")


def softmax(z: jax.Array) -> jax.Array:
    """Probabilities over the last axis, with Tesseract's floor under the exponent."""
    e = jnp.exp(jnp.clip(z - z.max(-1, keepdims=True), EXP_FLOOR, 0.0))
    return e / e.sum(-1, keepdims=True)


_SLOPES: dict[str, Callable[[jax.Array], jax.Array]] = {
    "logistic": lambda y: y * (1 - y),
    "tanh": lambda y: 1 - y * y,
    "relu": lambda y: (y > 0).astype(y.dtype),
    "linear": jnp.ones_like,
    "lin_logistic": lambda y: ((y > 0) & (y < 1)).astype(y.dtype),
    "lin_tanh": lambda y: ((y > -1) & (y < 1)).astype(y.dtype),
}
MONOTONE = frozenset(_SLOPES)  # these commute with a maximum


def _value(z: jax.Array, kind: str) -> jax.Array:
    match kind:
        case "tanh":
            return jnp.tanh(z)
        case "logistic":
            return jax.nn.sigmoid(z)
        case "relu":
            return jnp.maximum(z, 0.0)
        case "lin_logistic":
            return jnp.clip(z, 0.0, 1.0)
        case "lin_tanh":
            return jnp.clip(z, -1.0, 1.0)
        case "linear":
            return z
    raise ValueError(f"unknown activation {kind!r}")


@with_gradient(1)
def _activate(z: jax.Array, kind: str) -> jax.Array:
    return _value(z, kind)


# The output alone is kept: every slope can be had from it.
def _activate_forward(z: jax.Array, kind: str):
    y = _value(z, kind)
    return y, y


def _activate_backward(kind: str, y: jax.Array, dy: jax.Array):
    return (_SLOPES[kind](y) * dy,)


_activate.defvjp(_activate_forward, _activate_backward)


def activate(z: jax.Array, kind: str) -> jax.Array:
    """Apply the non-linearity with a name of `netspec.tree.Dense`."""
    return softmax(z) if kind in SOFTMAXES else _activate(z, kind)
