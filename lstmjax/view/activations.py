"""The activations and gradients of every layer on one line, as a pure function.

The network is built with a zero added to the result of each layer; the gradient with respect to
that zero is what flows back there.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float32

from lstmjax.array_types import Activations, Params
from lstmjax.netspec.tree import Node, Parallel, Reversed, Series
from lstmjax.nn.build import Replace, as_usual, build
from lstmjax.nn.layer import Extent, Layer, Noise


class LayerSeen(NamedTuple):
    """Activations and gradients of a layer on one line.

    name: as in model files, followed by the place in the network if it occurs twice.
    forward: [H, W, D] the result (logits for the output layer).
    backward: [H, W, D] the direction in which training wants each value of the result to go.
    """

    name: str
    forward: Float32[np.ndarray, "H W D"]
    backward: Float32[np.ndarray, "H W D"]


def layer_names(root: Node, replace: Replace = as_usual) -> dict[str, str]:
    """Path -> name of everything `LayerTracer` shows, in the order it runs.

    A reversal is shown as one layer, and so is a layer of the user's own.
    """
    return unique_names(dict(_named(root, "", replace)))


def unique_names(names: dict[str, str]) -> dict[str, str]:
    """Put the path (such as `:4:1`) behind names that occur twice."""
    every = list(names.values())
    return {
        path: name if every.count(name) == 1 else f"{name} {path}" for path, name in names.items()
    }


def _named(node: Node, path: str, replace: Replace) -> Iterator[tuple[str, str]]:
    match node:
        # A container that the user replaces is one layer: nothing of what it holds will run.
        case Series() | Parallel() if replace(node) is None:
            for i, each in enumerate(node.children):
                yield from _named(each, f"{path}:{i}", replace)
        case Reversed():
            yield path, _name_of_reversed(node)
        case _:
            yield path, _name(node)


def _name_of_reversed(node: Reversed) -> str:
    """A reversed layer is called as the layer, a reversed container as the reversal."""
    inner = node.child
    while isinstance(inner, Reversed):
        inner = inner.child
    return _name(node if isinstance(inner, Series | Parallel) else inner)


def _name(node: Node) -> str:
    return node.name or type(node).__name__


class LayerTracer:
    """Runs a network on one line and returns all activations and gradients.

    It is compiled once for each input size.
    """

    def __init__(self, root: Series, replace: Replace = as_usual):
        """Prepare a network.

        Args:
          root: the network.
          replace: layers of the user's own, as for `nn.build.build`.
        """
        self._root = root
        self._replace = replace
        self._names = layer_names(root, replace)
        self._compiled = jax.jit(self._both)

    def __call__(
        self,
        params: Params,
        image: Float32[np.ndarray, "H W 1 D"],
        width: int,
        delta: Float32[np.ndarray, "T K"],
    ) -> list[LayerSeen]:
        """Activations and gradients of all layers, in the order they run.

        Convolutions see zeros outside the picture.

        Args:
          params: weights of the network.
          image: network input, maybe padded on the right.
          width: true width of the input.
          delta: targets minus outputs.
        """
        widths = np.array([width], np.int32)
        forward, backward, extents = self._compiled(params, image, widths, delta)
        return [
            LayerSeen(name, *(_cut(x[path], extents[path]) for x in (forward, backward)))
            for path, name in self._names.items()
        ]

    def _both(self, params, image, widths, delta):
        def forward(bumps):
            seen: dict[str, Activations] = {}
            extents: dict[str, Extent] = {}

            def tapped(path: str, node: Node, layer: Layer) -> Layer:
                del node
                if path not in self._names:
                    return layer

                def apply(params: Params, x: Activations, extent: Extent, noise: Noise):
                    y, extent = layer.apply(params, x, extent, noise)
                    # Without bumps only the shapes are asked for, see below.
                    seen[path] = y if bumps is None else y + bumps[path]
                    extents[path] = extent
                    return seen[path], extent

                return Layer(layer.init, apply)

            # `wrap` keeps the builder from joining layers, so that each one can be seen.
            model = build(self._root, replace=self._replace, wrap=tapped)
            logits, _ = model.apply(params, image, widths, None)
            return logits, (seen, extents)

        # The shapes of results are known only from a run: here an abstract one, without numbers.
        shapes = jax.eval_shape(lambda: forward(None)[1][0])
        zeros = jax.tree.map(lambda shape: jnp.zeros(shape.shape, shape.dtype), shapes)
        logits, pull, (seen, extents) = jax.vjp(forward, zeros, has_aux=True)
        # Targets minus outputs lower the loss, and so does what flows back from them.
        padded = jnp.zeros_like(logits).at[: delta.shape[0], 0].set(delta)
        return seen, pull(padded)[0], extents


def _cut(x: Any, extent: Extent) -> np.ndarray:
    """Cut off the padding: [H, W, 1, D] -> [h, w, D]."""
    rows, columns = (None if size is None else int(size[0]) for size in extent)
    return np.asarray(x)[:rows, :columns, 0]
