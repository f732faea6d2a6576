"""Layers that look at a window of positions: convolution, max-pool, reconfig.

A Tesseract convolution has no weights: it lists the neighbours of each position, and the
`Dense` after it weighs them. Neighbour order: x offset slowest, then y, then depth.
Source: Tesseract src/lstm/convolve.cpp, maxpool.cpp, reconfig.cpp.
"""

import jax
import jax.numpy as jnp

from lstmjax.array_types import Activations, Params
from lstmjax.netspec.tree import Convolve, Maxpool, Reconfig
from lstmjax.nn.borders import with_border
from lstmjax.nn.gradient import with_gradient
from lstmjax.nn.layer import Extent, Layer, Noise, no_params


def convolve(node: Convolve, *, noise_slot: int) -> Layer:
    """List the neighbours of each position: [H, W, B, D] -> [H, W, B, taps * D].

    `borders.with_border` fills the positions outside the picture.
    """
    half_x, half_y = node.half_x, node.half_y

    def apply(
        params: Params, x: Activations, extent: Extent, noise: Noise
    ) -> tuple[Activations, Extent]:
        del params
        H, W, _, _ = x.shape
        x = with_border(x, extent, half_x, half_y, noise, noise_slot)
        taps = [
            x[dy : dy + H, dx : dx + W]
            for dx in range(2 * half_x + 1)
            for dy in range(2 * half_y + 1)
        ]
        return jnp.concatenate(taps, axis=-1), extent

    return Layer(no_params, apply)


def _strided(x: Activations, x_scale: int, y_scale: int) -> list[Activations]:
    """The pixels of each cell as separate pictures, x outer, y inner; remainders are dropped."""
    h, w = x.shape[0] // y_scale, x.shape[1] // x_scale
    cells = x[: h * y_scale, : w * x_scale].reshape(h, y_scale, w, x_scale, *x.shape[2:])
    return [cells[:, dy, :, dx] for dx in range(x_scale) for dy in range(y_scale)]


def first_maximum(parts: list[jax.Array]) -> tuple[jax.Array, jax.Array]:
    """Elementwise maximum of equal shapes, and the index of the first part that has it."""
    best = parts[0]
    index = jnp.zeros(best.shape, jnp.int32)
    for k, part in enumerate(parts[1:], 1):
        # Larger only: of equal values the first one wins, in the original's order.
        index = jnp.where(part > best, k, index)
        best = jnp.maximum(part, best)
    # A small type, because this array is kept for the backward pass.
    return best, index.astype(jnp.int16 if len(parts) > 127 else jnp.int8)


@with_gradient(1, 2)
def _max_of_cells(x: Activations, x_scale: int, y_scale: int) -> Activations:
    return first_maximum(_strided(x, x_scale, y_scale))[0]


def _max_forward(x: Activations, x_scale: int, y_scale: int):
    best, index = first_maximum(_strided(x, x_scale, y_scale))
    # An array without values that carries H and W: residuals can only be arrays.
    return best, (index, jnp.zeros((x.shape[0], x.shape[1], 0), x.dtype))


def _max_backward(x_scale: int, y_scale: int, residual, d: Activations):
    index, like = residual
    H, W, _ = like.shape
    h, w, B, D = d.shape
    columns = [
        jnp.stack([jnp.where(index == dx * y_scale + dy, d, 0) for dy in range(y_scale)], axis=1)
        for dx in range(x_scale)
    ]  # each [h, y_scale, w, B, D]
    back = jnp.stack(columns, axis=3).reshape(h * y_scale, w * x_scale, B, D)
    return (jnp.pad(back, ((0, H - h * y_scale), (0, W - w * x_scale), (0, 0), (0, 0))),)


_max_of_cells.defvjp(_max_forward, _max_backward)


def _shrink(extent: Extent, x_scale: int, y_scale: int) -> Extent:
    return Extent(
        None if extent.y is None else extent.y // y_scale,
        None if extent.x is None else extent.x // x_scale,
    )


def maxpool(node: Maxpool) -> Layer:
    """Keep the largest value of each cell and channel; gradients go to the first such pixel."""

    def apply(
        params: Params, x: Activations, extent: Extent, noise: Noise
    ) -> tuple[Activations, Extent]:
        del params, noise
        y = _max_of_cells(x, node.x_scale, node.y_scale)
        return y, _shrink(extent, node.x_scale, node.y_scale)

    return Layer(no_params, apply)


def reconfig(node: Reconfig) -> Layer:
    """Move the pixels of each cell into depth: [H, W, B, D] -> [H/y, W/x, B, x*y*D]."""

    def apply(
        params: Params, x: Activations, extent: Extent, noise: Noise
    ) -> tuple[Activations, Extent]:
        del params, noise
        y = jnp.concatenate(_strided(x, node.x_scale, node.y_scale), axis=-1)
        return y, _shrink(extent, node.x_scale, node.y_scale)

    return Layer(no_params, apply)
