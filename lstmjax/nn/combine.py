"""Layers made of layers: series, parallel, reversed, transposed.

Source: Tesseract src/lstm/series.cpp, parallel.cpp, reversed.cpp.
"""

from collections.abc import Sequence
from functools import partial

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int

from lstmjax.array_types import Activations, Key, Params
from lstmjax.nn.layer import Extent, Layer, Noise


def init_children(layers: Sequence[Layer], key: Key) -> Params:
    """Params by child index; children without weights are left out."""
    keys = jax.random.split(key, max(len(layers), 1))
    made = {str(i): layer.init(k) for i, (layer, k) in enumerate(zip(layers, keys, strict=True))}
    return {i: params for i, params in made.items() if params}


def child(params: Params, i: int) -> Params:
    """The params of child i, which may have none."""
    return params.get(str(i), {})


def series(layers: Sequence[Layer]) -> Layer:
    """One layer after the other."""

    def apply(
        params: Params, x: Activations, extent: Extent, noise: Noise
    ) -> tuple[Activations, Extent]:
        for i, layer in enumerate(layers):
            x, extent = layer.apply(child(params, i), x, extent, noise)
        return x, extent

    return Layer(partial(init_children, layers), apply)


def parallel(layers: Sequence[Layer]) -> Layer:
    """All layers on the same input, results side by side in depth."""

    def apply(
        params: Params, x: Activations, extent: Extent, noise: Noise
    ) -> tuple[Activations, Extent]:
        results = [
            layer.apply(child(params, i), x, extent, noise) for i, layer in enumerate(layers)
        ]
        return jnp.concatenate([y for y, _ in results], axis=-1), results[0][1]

    return Layer(partial(init_children, layers), apply)


def flip(x: Activations, true_sizes: Int[Array, " B"] | None, axis: int) -> Activations:
    """Reverse each line over its true size along axis 0 or 1: position p gets size - 1 - p.

    With sizes 3 and 5 of 5, `abc..` becomes `cba..` and `abcde` becomes `edcba`.
    """
    if true_sizes is None:
        return jnp.flip(x, axis)
    size = x.shape[axis]
    # The remainder keeps the padding's places inside the array; what they hold does not matter.
    at = (true_sizes[None, :] - 1 - jnp.arange(size, dtype=jnp.int32)[:, None]) % size
    at = at[None, :, :, None] if axis == 1 else at[:, None, :, None]
    return jnp.take_along_axis(x, at, axis=axis)


def reversed_(inner: Layer, axis: int) -> Layer:
    """Flip, apply, flip back, along x (axis 1) or y (axis 0)."""

    def apply(
        params: Params, x: Activations, extent: Extent, noise: Noise
    ) -> tuple[Activations, Extent]:
        x = flip(x, extent[axis], axis)
        y, out = inner.apply(child(params, 0), x, extent, noise)
        # The output may be narrower than the input, so it is turned by its own sizes.
        return flip(y, out[axis], axis), out

    return Layer(lambda key: init_children([inner], key), apply)


def transposed(inner: Layer) -> Layer:
    """Exchange x and y, apply, exchange them back."""

    def apply(
        params: Params, x: Activations, extent: Extent, noise: Noise
    ) -> tuple[Activations, Extent]:
        x = x.transpose(1, 0, 2, 3)
        y, out = inner.apply(child(params, 0), x, Extent(extent.x, extent.y), noise)
        return y.transpose(1, 0, 2, 3), Extent(out.x, out.y)

    return Layer(lambda key: init_children([inner], key), apply)


def renested(inner: Layer) -> Layer:
    """A layer in place of a container with one child: its params move below "0"."""

    def apply(
        params: Params, x: Activations, extent: Extent, noise: Noise
    ) -> tuple[Activations, Extent]:
        return inner.apply(child(params, 0), x, extent, noise)

    return Layer(lambda key: init_children([inner], key), apply)
