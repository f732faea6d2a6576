"""Convolution, non-linearity and max-pool of a shallow picture as one matrix product.

Each pooling cell needs a patch of (pool + 2 * half) pixels a side. One product with a Toeplitz
matrix gives the convolution at every position of the cell; the largest goes on, and bias and
non-linearity, which is monotone, come last, on a ninth of the values for a 3x3 pool. On a CPU
compiled loops do the same, up to the width of each line.
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from lstmjax.array_types import Activations, Params
from lstmjax.kernels import jax_calls
from lstmjax.netspec.tree import Convolve, Dense, Maxpool
from lstmjax.nn.activations import activate
from lstmjax.nn.borders import with_border
from lstmjax.nn.gradient import with_gradient
from lstmjax.nn.layer import Apply, Extent, Noise, per_output, valid
from lstmjax.nn.window import first_maximum

DEEPEST = 3  # beyond this depth the wider Toeplitz product costs more than it saves


@dataclass(frozen=True)
class Geometry:
    """Reach of a convolution, size of its pooling cells, and depth of its input."""

    half_x: int
    half_y: int
    x_scale: int
    y_scale: int
    depth: int

    @property
    def patch(self) -> tuple[int, int]:
        return self.x_scale + 2 * self.half_x, self.y_scale + 2 * self.half_y

    @property
    def taps_and_pool(self) -> tuple[tuple[int, int], tuple[int, int]]:
        taps = (2 * self.half_x + 1, 2 * self.half_y + 1)
        return taps, (self.x_scale, self.y_scale)

    def inner(self, x: jax.Array) -> tuple[int, int]:
        """Height and width of a picture without its border."""
        return x.shape[0] - 2 * self.half_y, x.shape[1] - 2 * self.half_x

    def toeplitz(self) -> np.ndarray:
        """[patch pixels * depth, cell positions, taps * depth] of 0 and 1."""
        wide, high = self.patch
        taps_x, taps_y = 2 * self.half_x + 1, 2 * self.half_y + 1
        one = np.zeros((wide, high, self.x_scale, self.y_scale, taps_x, taps_y), np.float32)
        for ox, oy, tx, ty in np.ndindex(self.x_scale, self.y_scale, taps_x, taps_y):
            one[ox + tx, oy + ty, ox, oy, tx, ty] = 1
        one = one.reshape(wide * high, self.x_scale * self.y_scale, taps_x * taps_y)
        # A pixel's depths go to the same depths of its tap: a diagonal block each.
        deep = np.einsum("pot,de->pdote", one, np.eye(self.depth, dtype=np.float32))
        p, d, o, t, e = deep.shape
        return deep.reshape(p * d, o, t * e)


def patches_of(x: Activations, H: int, W: int, g: Geometry) -> jax.Array:
    """[H + 2 half_y, W + 2 half_x, B, D] -> [patch pixels * D, (H/y) * (W/x) * B]."""
    _, _, B, D = x.shape
    h, w = H // g.y_scale, W // g.x_scale
    wide, high = g.patch
    pixels = [
        x[dy : dy + h * g.y_scale : g.y_scale, dx : dx + w * g.x_scale : g.x_scale]
        for dx in range(wide)
        for dy in range(high)
    ]
    return jnp.stack(pixels).transpose(0, 4, 1, 2, 3).reshape(wide * high * D, h * w * B)


def _kernel(w: jax.Array, g: Geometry) -> jax.Array:
    """[taps * D, N] -> [patch pixels * D, positions * N]."""
    toeplitz = g.toeplitz()
    return jnp.einsum("pot,tn->pon", toeplitz, w).reshape(toeplitz.shape[0], -1)


@with_gradient(2)
def pooled(patches: jax.Array, w: jax.Array, g: Geometry) -> jax.Array:
    """The largest sum of each cell: [patch pixels * D, cells] -> [cells, N]."""
    return _pooled_forward(patches, w, g)[0]


def _pooled_forward(patches: jax.Array, w: jax.Array, g: Geometry):
    N = w.shape[1]
    # Both factors come as [pixels * D, ...], so they are multiplied along their first axes.
    sums = jax.lax.dot_general(patches, _kernel(w, g), (((0,), (0,)), ((), ())))
    parts = [sums[:, k * N : (k + 1) * N] for k in range(g.x_scale * g.y_scale)]
    # The bias is the same in a cell and the non-linearity monotone: neither changes the largest.
    best, index = first_maximum(parts)
    return best, (patches, w, index)


def _pooled_backward(g: Geometry, residual, d: jax.Array):
    patches, w, index = residual
    positions = g.x_scale * g.y_scale
    # Only the position that was largest gets the gradient; the others' columns are 0.
    d_sums = jnp.concatenate([jnp.where(index == k, d, 0) for k in range(positions)], axis=1)
    d_kernel = (patches @ d_sums).reshape(patches.shape[0], positions, -1)
    d_w = jnp.einsum("pot,pon->tn", g.toeplitz(), d_kernel)
    return _kernel(w, g) @ d_sums.T, d_w


pooled.defvjp(_pooled_forward, _pooled_backward)


def _taps_y_first(w: jax.Array, g: Geometry, back: bool = False) -> jax.Array:
    """Weights with the y offset of taps slowest, instead of the x offset; `back` is the inverse."""
    taps = (2 * g.half_x + 1, 2 * g.half_y + 1)
    if back:
        taps = taps[::-1]
    return w.reshape(*taps, g.depth, -1).transpose(1, 0, 2, 3).reshape(w.shape)


@with_gradient(3)
def pooled_on_cpu(x: jax.Array, w: jax.Array, lengths: jax.Array, g: Geometry) -> jax.Array:
    """The largest sum of each cell, by compiled loops: x with its border -> [h, w, B, N]."""
    return _on_cpu_forward(x, w, lengths, g)[0]


def _on_cpu_forward(x: jax.Array, w: jax.Array, lengths: jax.Array, g: Geometry):
    N = w.shape[1]
    # Units of zero weight fill the last vector; they are cut off below.
    wide = jnp.pad(_taps_y_first(w, g), ((0, 0), (0, jax_calls.padded(N) - N)))
    best, index = jax_calls.conv_pool_forward(x, wide, lengths, *g.taps_and_pool)
    return best[..., :N], (x, w, lengths, index)


def _on_cpu_backward(g: Geometry, residual, d: jax.Array):
    x, w, lengths, index = residual
    N = w.shape[1]
    wide = jnp.pad(d, ((0, 0), (0, 0), (0, 0), (0, index.shape[3] - N)))
    d_w = jax_calls.conv_pool_backward(wide, x, index, lengths, *g.taps_and_pool)[:, :N]
    # The first layer of a network needs no input gradient; then XLA drops all of the following.
    _, of_patches = jax.vjp(lambda x: patches_of(x, *g.inner(x), g), x)
    # Beyond a line's width nothing was computed, so the errors there must not go on.
    inside = valid(d.shape[1], lengths)[None, :, :, None]
    flat, chosen = jnp.where(inside, d, 0).reshape(-1, N), index[..., :N].reshape(-1, N)
    d_sums = jnp.concatenate(
        [jnp.where(chosen == k, flat, 0) for k in range(g.x_scale * g.y_scale)], axis=1
    )
    return of_patches(_kernel(w, g) @ d_sums.T)[0], _taps_y_first(d_w, g, back=True), None


pooled_on_cpu.defvjp(_on_cpu_forward, _on_cpu_backward)


def conv_pool(conv: Convolve, dense: Dense, pool: Maxpool, *, noise_slot: int) -> Apply:
    """The apply of `pool(dense(conv(x)))`; params are those of the dense layer."""
    geometry = Geometry(conv.half_x, conv.half_y, pool.x_scale, pool.y_scale, conv.num_in)

    def apply(
        params: Params, x: Activations, extent: Extent, noise: Noise
    ) -> tuple[Activations, Extent]:
        H, W, B, _ = x.shape
        h, w = H // pool.y_scale, W // pool.x_scale
        x = with_border(x, extent, conv.half_x, conv.half_y, noise, noise_slot)
        out = Extent(
            None if extent.y is None else extent.y // pool.y_scale,
            None if extent.x is None else extent.x // pool.x_scale,
        )
        if jax_calls.usable():
            # In cells, not pixels: the widths of the output.
            lengths = jnp.full(B, w, jnp.int32) if out.x is None else out.x
            sums = pooled_on_cpu(x, params["w"], lengths, geometry)
        else:
            sums = pooled(patches_of(x, H, W, geometry), params["w"], geometry)
        y = activate(sums + per_output(params["b"], sums), dense.activation)
        return y.reshape(h, w, B, -1), out

    return apply
