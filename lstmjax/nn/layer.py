"""The contract of a layer, and what all layers share.

A layer is a pair of pure functions made from one node of the spec tree:

    init(key) -> params                              a dict of named float32 leaves, maybe empty
    apply(params, x, extent, noise) -> (y, extent)   x, y: [H, W, B, D]

`extent` holds the true sizes of each line along the first two axes. Beyond them, in the padding,
the output of a layer is unspecified; a layer that mixes positions keeps such values away from valid
ones. `noise` is a seed for what convolutions see outside the picture (see `borders.with_border`).
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Int, UInt32

from lstmjax.array_types import Activations, Key, Params


class Extent(NamedTuple):
    """True sizes along axis 0 (y) and axis 1 (x), [B] int32; None: every line fills the axis."""

    y: Int[Array, " B"] | None
    x: Int[Array, " B"] | None


Seed = Int[Array, ""] | UInt32[Array, ""]
Noise = Seed | None
Apply = Callable[[Params, Activations, Extent, Noise], tuple[Activations, Extent]]


class Layer(NamedTuple):
    """A pair of pure functions; see the module's text."""

    init: Callable[[Key], Params]
    apply: Apply


def no_params(key: Key) -> Params:
    """The init of a layer without weights."""
    del key
    return {}


def valid(size: int, true_sizes: Int[Array, " B"]) -> Bool[Array, "size B"]:
    """True where a position along an axis of `size` lies inside its line."""
    return jnp.arange(size, dtype=jnp.int32)[:, None] < true_sizes[None, :]


def zero_outside(x: Activations, extent: Extent) -> Activations:
    """Set everything beyond the extent to zero."""
    if extent.x is not None:
        x = jnp.where(valid(x.shape[1], extent.x)[None, :, :, None], x, jnp.float32(0))
    if extent.y is not None:
        x = jnp.where(valid(x.shape[0], extent.y)[:, None, :, None], x, jnp.float32(0))
    return x


def glorot_uniform(key: Key, shape: tuple[int, ...], fan_in: int, fan_out: int) -> jax.Array:
    """Uniform weights whose variance keeps signals alive in both directions (Glorot, 2010)."""
    limit = (6.0 / (fan_in + fan_out)) ** 0.5
    return jax.random.uniform(key, shape, jnp.float32, -limit, limit)


def per_output(v: jax.Array, z: jax.Array) -> jax.Array:
    """View a vector over the last axis of z so that both have the same rank."""
    return v.reshape((1,) * (z.ndim - 1) + v.shape)
