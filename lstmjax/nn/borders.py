"""The values that a convolution sees outside the picture.

Tesseract draws random numbers there, afresh for each line and each visit. A network that is to run
in Tesseract must learn to live with them: one trained with zeros had 8.3 % BCER in `lstmeval`,
where its own trainer, with zeros, had seen 7.4 %.
"""

import jax
import jax.numpy as jnp

from lstmjax.array_types import Activations
from lstmjax.nn.layer import Extent, Noise, Seed, valid, zero_outside

_SLOT_STEP = 0x9E3779B9  # 2^32 over the golden ratio


def with_border(
    x: Activations, extent: Extent, half_x: int, half_y: int, noise: Noise, slot: int
) -> Activations:
    """Add half_y rows and half_x columns on each side, and fill everything outside the lines.

    Args:
      x: [H, W, B, D].
      extent: true sizes of the lines.
      half_x: number of columns to add on each side.
      half_y: number of rows to add on each side.
      noise: seed of numbers between -1 and 1 for the outside; None fills it with 0.
      slot: number of the convolution, so that each gets other numbers from one seed.
    Returns: [H + 2 half_y, W + 2 half_x, B, D].
    """
    frame = ((half_y, half_y), (half_x, half_x), (0, 0), (0, 0))
    padded = jnp.pad(zero_outside(x, extent), frame)
    if noise is None:
        return padded
    # Lines of a batch differ in size: the padding of a short one is outside, too.
    H, W, B, _ = x.shape
    inside = jnp.ones((H, W, B), bool)
    if extent.x is not None:
        inside &= valid(W, extent.x)[None]
    if extent.y is not None:
        inside &= valid(H, extent.y)[:, None]
    inside = jnp.pad(inside, frame[:3])
    return jnp.where(inside[..., None], padded, _uniform(padded.shape, noise, slot))


def _uniform(shape: tuple[int, ...], seed: Seed, slot: int) -> jax.Array:
    """Numbers between -1 and 1 by hashing positions: far cheaper than a real generator.

    Source of the mixing steps: C. Wellons, Prospecting for Hash Functions, 2018 (lowbias32).
    """
    size = 1
    for side in shape:
        size *= side
    start = seed.astype(jnp.uint32) * jnp.uint32(0x85EBCA6B) + jnp.uint32(slot * _SLOT_STEP % 2**32)
    h = jnp.arange(size, dtype=jnp.uint32) + start
    h = (h ^ (h >> 16)) * jnp.uint32(0x7FEB352D)
    h = (h ^ (h >> 15)) * jnp.uint32(0x846CA68B)
    h = h ^ (h >> 16)
    # 0 to 2^32 becomes -1 to 1, the range of the original.
    return (h.astype(jnp.float32) * jnp.float32(2.0**-31) - jnp.float32(1)).reshape(shape)
