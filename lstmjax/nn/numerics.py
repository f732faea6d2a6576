"""How numbers are computed: as JAX does it, or as Tesseract does it to the last digit.

Tesseract reads tanh and logistic from tables of 4,096 entries with linear interpolation, and an
int8 model rounds every activation to 1/127. Training of our own needs neither.
Source: Tesseract src/lstm/functions.h, src/arch/intsimdmatrix.cpp.
"""

from collections.abc import Callable
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from lstmjax.constants import (
    EXACT_FLOAT_SUM,
    EXP_FLOOR,
    LOGISTIC_TABLE,
    STEPS_PER_UNIT,
    TABLE_SIZE,
    TANH_TABLE,
)
from lstmjax.nn.gradient import matmul, with_gradient


@dataclass(frozen=True)
class Numerics:
    """Which arithmetic a network is built with.

    tables: tanh and logistic from Tesseract's tables.
    int_mode: int8 weights and activations (held as whole numbers in float32); implies tables.
    clipped_errors: Tesseract's backward pass with its clippings, not the true gradient.
    bfloat16: LSTMs round factors of products to 16 bits and add in float32, on a processor that
      does so (`kernels.calls.has_pairs`); elsewhere this changes nothing.
    """

    tables: bool = False
    int_mode: bool = False
    clipped_errors: bool = False
    bfloat16: bool = False


FAST = Numerics()
FAST_BFLOAT16 = Numerics(bfloat16=True)
EXACT = Numerics(tables=True)
EXACT_INT8 = Numerics(tables=True, int_mode=True)
TESSERACT = Numerics(tables=True, clipped_errors=True)


def _look_up(table: np.ndarray, x: jax.Array) -> jax.Array:
    """Interpolate a table at x >= 0; exactly 1 from its last entry on."""
    u = x * jnp.float32(STEPS_PER_UNIT)
    i = jnp.minimum(u, jnp.float32(TABLE_SIZE - 1)).astype(jnp.int32)
    # Masked, an index is inside the table whatever x is, and a bare gather takes half the time.
    at = i & jnp.int32(TABLE_SIZE - 1)
    value = jnp.asarray(table).at[at].get(mode="promise_in_bounds")
    steps = jnp.asarray(np.diff(table, append=np.float32(1)))
    y = value + steps.at[at].get(mode="promise_in_bounds") * (u - i.astype(jnp.float32))
    return jnp.where(i >= TABLE_SIZE - 1, jnp.float32(1), y)


def tanh(x: jax.Array, numerics: Numerics) -> jax.Array:
    """Hyperbolic tangent, any shape."""
    if not numerics.tables:
        return jnp.tanh(x)
    return jnp.sign(x) * _look_up(TANH_TABLE, jnp.abs(x))


def logistic(x: jax.Array, numerics: Numerics) -> jax.Array:
    """1 / (1 + exp(-x)), any shape."""
    if not numerics.tables:
        return jax.nn.sigmoid(x)
    y = _look_up(LOGISTIC_TABLE, jnp.abs(x))
    return jnp.where(x < 0, jnp.float32(1) - y, y)


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


def _value(z: jax.Array, kind: str, numerics: Numerics) -> jax.Array:
    match kind:
        case "tanh":
            return tanh(z, numerics)
        case "logistic":
            return logistic(z, numerics)
        case "relu":
            return jnp.maximum(z, 0.0)
        case "lin_logistic":
            return jnp.clip(z, 0.0, 1.0)
        case "lin_tanh":
            return jnp.clip(z, -1.0, 1.0)
        case "linear":
            return z
    raise ValueError(f"unknown activation {kind!r}")


@with_gradient(1, 2)
def _activate(z: jax.Array, kind: str, numerics: Numerics) -> jax.Array:
    return _value(z, kind, numerics)


def _activate_forward(z: jax.Array, kind: str, numerics: Numerics):
    y = _value(z, kind, numerics)
    return y, y


def _activate_backward(kind: str, numerics: Numerics, y: jax.Array, dy: jax.Array):
    del numerics
    return (_SLOPES[kind](y) * dy,)


_activate.defvjp(_activate_forward, _activate_backward)


@jax.custom_vjp
def _softmax_passing_gradients(z: jax.Array) -> jax.Array:
    """A softmax inside a network as Tesseract trains it: what flows back passes unchanged."""
    return softmax(z)


_softmax_passing_gradients.defvjp(lambda z: (softmax(z), None), lambda _, dy: (dy,))


def activate(z: jax.Array, kind: str, numerics: Numerics) -> jax.Array:
    """The non-linearity named as in `spec.tree.Dense`, its slope taken from its own output."""
    if kind in ("softmax", "softmax_no_ctc"):
        return _softmax_passing_gradients(z) if numerics.clipped_errors else softmax(z)
    return _activate(z, kind, numerics)


def slope(y: jax.Array, kind: str) -> jax.Array:
    """The derivative of a monotone activation, from its output y."""
    return _SLOPES[kind](y)


def quantize(v: jax.Array) -> jax.Array:
    """Round to whole 1/127 steps in -127..127, halves away from zero; result as float32."""
    scaled = jnp.clip(v * jnp.float32(127), -127.0, 127.0)
    away = scaled + jnp.copysign(jnp.float32(0.5), scaled)
    return away.astype(jnp.int32).astype(jnp.float32)  # cheaper than trunc


def integer_product(x: jax.Array, w: jax.Array) -> jax.Array:
    """X @ w for whole numbers of at most 127 in magnitude, exact, as int32.

    Args:
      x: [..., D] whole numbers in float32.
      w: [D, N] whole numbers in float32.
    """
    depth = w.shape[0]
    parts = [
        (x[..., i : i + EXACT_FLOAT_SUM] @ w[i : i + EXACT_FLOAT_SUM]).astype(jnp.int32)
        for i in range(0, depth, EXACT_FLOAT_SUM)
    ]
    return sum(parts[1:], parts[0])


def per_output(v: jax.Array, z: jax.Array) -> jax.Array:
    """View a vector over the last axis of z so that both have the same rank."""
    return v.reshape((1,) * (z.ndim - 1) + v.shape)


def product(x: jax.Array, w: jax.Array, numerics: Numerics, terms: int) -> jax.Array:
    """X @ w as the first part of a sum; in int mode exact and not yet scaled.

    Args:
      x: [..., D].
      w: [D, N].
      numerics: the arithmetic.
      terms: how many products the whole sum has; int8 sums of few terms are exact in float32,
        those of more are int32.
    """
    if numerics.int_mode and terms > EXACT_FLOAT_SUM:
        return integer_product(x, w)
    return matmul(x, w)


def add_product(z: jax.Array, x: jax.Array, w: jax.Array) -> jax.Array:
    """Z + x @ w, where z is a sum begun by `product`."""
    return z + (integer_product(x, w) if z.dtype == jnp.int32 else x @ w)
