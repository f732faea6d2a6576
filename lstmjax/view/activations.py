"""What every layer makes of one line, and what flows back to it: a pure function, child by child.

The network is put together again from its layers, with a zero added to the result of each; the
gradient with respect to that zero is what flows back there. Only pictures need this, so nothing
of it is in the layers themselves.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float32

from lstmjax.array_types import Activations, Params
from lstmjax.data.borders import Borders
from lstmjax.netspec.tree import (
    Convolve,
    Dense,
    Input,
    Lstm,
    Maxpool,
    Node,
    Parallel,
    Reconfig,
    Reversed,
    Series,
    SoftmaxLstm,
)
from lstmjax.nn.combine import child, reversed_, transposed
from lstmjax.nn.dense import dense
from lstmjax.nn.layer import BorderNoise, Extent, Layer, Noise, no_params
from lstmjax.nn.lstm import lstm
from lstmjax.nn.lstm2d import lstm2d
from lstmjax.nn.numerics import Numerics
from lstmjax.nn.softmax_lstm import softmax_lstm
from lstmjax.nn.window import convolve, maxpool, reconfig

_AXES = {"x": 1, "y": 0}


class LayerSeen(NamedTuple):
    """A layer at work on a line.

    name: as in model files, with the place in the network if it occurs twice.
    forward: [H, W, D] its result (logits for the output layer); backward: [H, W, D] what it is
    told to do more (positive) or less of.
    """

    name: str
    forward: Float32[np.ndarray, "H W D"]
    backward: Float32[np.ndarray, "H W D"]


@dataclass
class _Tap:
    """One run through the network: adds `bumps` to results, keeps the results."""

    numerics: Numerics
    bumps: dict[str, Any] | None
    seen: dict[str, Any]
    extents: dict[str, Extent]
    convolutions: int = 0

    def run(
        self, node: Node, path: str, params: Params, x: Activations, extent: Extent, noise: Noise
    ) -> tuple[Activations, Extent]:
        """Apply a node; containers do it child by child."""
        match node:
            case Series():
                for i, each in enumerate(node.children):
                    x, extent = self.run(each, f"{path}:{i}", child(params, i), x, extent, noise)
                return x, extent
            case Parallel():
                if self.numerics.clipped_errors:
                    x = _averaging_gradient(x, len(node.children))
                results = [
                    self.run(each, f"{path}:{i}", child(params, i), x, extent, noise)
                    for i, each in enumerate(node.children)
                ]
                return jnp.concatenate([y for y, _ in results], axis=-1), results[0][1]
        y, extent = self.layer(node, path).apply(params, x, extent, noise)
        if self.bumps is not None:
            y = y + self.bumps[path]
        self.seen[path], self.extents[path] = y, extent
        return y, extent

    def layer(self, node: Node, path: str) -> Layer:
        """The functions of a node without any tap inside."""
        match node:
            case Input():
                return Layer(no_params, lambda params, x, extent, noise: (x, extent))
            case Convolve():
                self.convolutions += 1
                return convolve(node, noise_slot=self.convolutions - 1)
            case Maxpool():
                return maxpool(node)
            case Reconfig():
                return reconfig(node)
            case Dense():
                return dense(node, self.numerics, as_logits=node.activation.startswith("softmax"))
            case Lstm():
                return (lstm2d if node.two_d else lstm)(node, self.numerics)
            case SoftmaxLstm():
                return softmax_lstm(node, self.numerics, as_logits=True)
            case Reversed(axis="xy"):
                return transposed(self.layer(node.child, path))
            case Reversed():
                return reversed_(self.layer(node.child, path), _AXES[node.axis])
            case _:
                return Layer(no_params, self._inside(node, path))

    def _inside(self, node: Node, path: str):
        """A container inside a reversal, untapped."""

        def apply(params: Params, x: Activations, extent: Extent, noise: Noise):
            inner = _Tap(self.numerics, None, {}, {}, self.convolutions)
            return inner.run(node, path, params, x, extent, noise)

        return apply


def _averaging_gradient(x: Activations, layers: int) -> Activations:
    """Divide what flows back by the number of layers side by side, as Tesseract does."""
    share = jnp.float32(1 / layers)
    return x * share + jax.lax.stop_gradient(x * (1 - share))


def layer_names(root: Node) -> dict[str, str]:
    """Path -> name of everything `LayerTracer` shows, in the order it runs."""
    return unique_names(dict(_named(root, "")))


def unique_names(names: dict[str, str]) -> dict[str, str]:
    """Put the path (such as `:4:1`) behind names that occur twice."""
    every = list(names.values())
    return {
        path: name if every.count(name) == 1 else f"{name} {path}" for path, name in names.items()
    }


def _named(node: Node, path: str) -> Iterator[tuple[str, str]]:
    match node:
        case Series() | Parallel():
            for i, each in enumerate(node.children):
                yield from _named(each, f"{path}:{i}")
        case Reversed(child=Series() | Parallel()):
            yield path, node.name or type(node).__name__
        case Reversed():
            yield from ((path, name) for _, name in _named(node.child, path))
        case _:
            yield path, node.name or type(node).__name__


class LayerTracer:
    """Runs a network on one line and keeps everything; compiled once per input size."""

    def __init__(self, root: Series, numerics: Numerics):
        self._root = root
        self._numerics = numerics
        self._names = layer_names(root)
        self._compiled = jax.jit(self._both)

    def __call__(
        self,
        params: Params,
        image: Float32[np.ndarray, "H W 1 D"],
        width: int,
        borders: tuple[Borders, ...] | None,
        delta: Float32[np.ndarray, "T K"],
    ) -> list[LayerSeen]:
        """The layers at work on a line, in the order they run.

        Args:
          params: weights.
          image: network input, maybe padded on the right.
          width: true width of the input.
          borders: what convolutions see outside the picture, None for zeros.
          delta: targets minus outputs.
        """
        noise = (
            None
            if borders is None
            else tuple(BorderNoise(*map(jnp.asarray, each)) for each in borders)
        )
        widths = np.array([width], np.int32)
        forward, backward, extents = self._compiled(params, image, widths, noise, delta)
        return [
            LayerSeen(name, *(_cut(x[path], extents[path]) for x in (forward, backward)))
            for path, name in self._names.items()
        ]

    def _both(self, params, image, widths, noise, delta):
        def forward(bumps):
            tap = _Tap(self._numerics, bumps, {}, {})
            start = Extent(None, widths)
            y, _ = tap.run(self._root, "", params, image, start, noise)
            return y, (tap.seen, tap.extents)

        shapes = jax.eval_shape(lambda: forward(None)[1][0])
        zeros = jax.tree.map(lambda shape: jnp.zeros(shape.shape, shape.dtype), shapes)
        logits, pull, (seen, extents) = jax.vjp(forward, zeros, has_aux=True)
        room = jnp.zeros_like(logits).at[0, : delta.shape[0], 0].set(delta)
        return seen, pull(room)[0], extents


def _cut(x: Any, extent: Extent) -> np.ndarray:
    """The line itself without padding: [H, W, 1, D] -> [h, w, D]."""
    rows, columns = (None if size is None else int(size[0]) for size in extent)
    return np.asarray(x)[:rows, :columns, 0]
