"""Spec tree -> pure functions: one `match`, one case per node."""

from collections.abc import Callable
from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from lstmjax.array_types import Activations, Key, Logits, Params
from lstmjax.errors import SpecError
from lstmjax.netspec.shape import check_one_row, check_softmax
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
    children,
)
from lstmjax.nn.activations import MONOTONE
from lstmjax.nn.combine import child, parallel, renested, reversed_, series, transposed
from lstmjax.nn.conv_pool import DEEPEST, conv_pool
from lstmjax.nn.dense import dense
from lstmjax.nn.layer import Extent, Layer, Noise, no_params
from lstmjax.nn.lstm import lstm
from lstmjax.nn.lstm2d import lstm2d
from lstmjax.nn.softmax_lstm import softmax_lstm
from lstmjax.nn.window import convolve, maxpool, reconfig

_AXES = {"x": 1, "y": 0}

Replace = Callable[[Node], Layer | None]
"""Called with every node of a tree: a layer to use in its place, or None for the usual one."""

Wrap = Callable[[str, Node, Layer], Layer]
"""Called with the path (such as ":4:1"), the node and the layer of every node that runs: the layer
to run in its place."""


def as_usual(node: Node) -> None:
    """The `Replace` that keeps every layer."""
    del node


class Model(NamedTuple):
    """A whole network.

    init(key) -> params
    apply(params, images [H, W, B, D], widths [B], noise) -> logits [T, B, K], time steps [B]
    """

    init: Callable[[Key], Params]
    apply: Callable[
        [Params, Float[Array, "H W B D"], Int[Array, " B"], Noise], tuple[Logits, Int[Array, " B"]]
    ]


class _Builder:
    """Walks the tree depth first, so that convolutions are numbered in Tesseract's order."""

    def __init__(self, bfloat16: bool, replace: Replace, wrap: Wrap | None):
        self.bfloat16 = bfloat16
        self.replace = replace
        self.wrap = wrap
        self.convolutions = 0

    def build(self, node: Node, path: str = "", *, output: bool = False) -> Layer:
        layer = self.replace(node)
        if layer is None:
            layer = self._usual(node, path, output=output)
        return layer if self.wrap is None else self.wrap(path, node, layer)

    def _usual(self, node: Node, path: str, *, output: bool) -> Layer:
        match node:
            case Input():
                return Layer(no_params, _identity)
            case Convolve():
                self.convolutions += 1
                return convolve(node, noise_slot=self.convolutions - 1)
            case Maxpool():
                return maxpool(node)
            case Reconfig():
                return reconfig(node)
            case Dense():
                return dense(node, as_logits=output)
            case Lstm(two_d=True):
                return lstm2d(node)
            case Lstm():
                return lstm(node, bfloat16=self.bfloat16)
            case SoftmaxLstm():
                return softmax_lstm(node, as_logits=output)
            case Parallel():
                layers = [self.build(each, f"{path}:{i}") for i, each in enumerate(node.children)]
                return parallel(layers)
            case Reversed():
                return self._reversed(node, path)
            case Series():
                return series(self._chain(node.children, path, output=output))
        raise SpecError(f"no layer for {node!r}")

    def _reversed(self, node: Reversed, path: str) -> Layer:
        # A tree that is observed or replaced must run node by node, as it is written.
        if self.wrap is not None or self._replaced_below(node):
            return self._flipped(node, path)
        # These LSTMs read backwards themselves, which saves two copies of the picture.
        match node:
            case Reversed(axis="x", child=Lstm(two_d=False) as inner):
                return renested(lstm(inner, reverse=True, bfloat16=self.bfloat16))
            case Reversed(axis="x", child=Lstm(two_d=True) as inner):
                return renested(lstm2d(inner, reverse_x=True))
            case Reversed(axis="x", child=Reversed(axis="y", child=Lstm(two_d=True) as inner)):
                # Only x: rows are turned by the caller, because the loops run down.
                return renested(reversed_(lstm2d(inner, reverse_x=True), 0))
        return self._flipped(node, path)

    def _flipped(self, node: Reversed, path: str) -> Layer:
        inner = self.build(node.child, f"{path}:0")
        return transposed(inner) if node.axis == "xy" else reversed_(inner, _AXES[node.axis])

    def _replaced_below(self, node: Node) -> bool:
        return any(self.replace(below) or self._replaced_below(below) for below in children(node))

    def _chain(self, nodes: tuple[Node, ...], path: str, *, output: bool) -> list[Layer]:
        layers: list[Layer] = []
        skip_next = False
        for i, node in enumerate(nodes):
            if skip_next:
                # The pool is in the layer before; its place stays, since places number the params.
                layers.append(Layer(no_params, _identity))
                skip_next = False
                continue
            following = nodes[i + 1] if i + 1 < len(nodes) else None
            slot = self.convolutions
            layer = self.build(node, f"{path}:{i}", output=output and following is None)
            if self._fusible(node, following):
                assert isinstance(node, Series)
                assert isinstance(following, Maxpool)
                layer = _fused(node, following, layer, slot)
                skip_next = True
            layers.append(layer)
        return layers

    def _fusible(self, node: Node, following: Node | None) -> bool:
        if self.wrap is not None:
            return False
        match node, following:
            case Series(children=(Convolve() as conv, Dense() as inner)), Maxpool():
                # Largest first, non-linearity after: right only if the non-linearity is monotone.
                replaced = any(self.replace(each) for each in (node, conv, inner, following))
                shallow = conv.num_in <= DEEPEST
                return shallow and inner.activation in MONOTONE and not replaced
        return False


def _identity(
    params: Params, x: Activations, extent: Extent, noise: Noise
) -> tuple[Activations, Extent]:
    del params, noise
    return x, extent


def _fused(node: Series, pool: Maxpool, separate: Layer, noise_slot: int) -> Layer:
    conv, inner = node.children
    assert isinstance(conv, Convolve)
    assert isinstance(inner, Dense)
    fused = conv_pool(conv, inner, pool, noise_slot=noise_slot)

    def apply(
        params: Params, x: Activations, extent: Extent, noise: Noise
    ) -> tuple[Activations, Extent]:
        # A series keeps the weights of its dense layer below "1".
        return fused(child(params, 1), x, extent, noise)

    # The weights of the layers by themselves, so that fusing changes neither them nor their tree.
    return Layer(separate.init, apply)


def build(
    root: Series,
    *,
    bfloat16: bool = False,
    replace: Replace = as_usual,
    wrap: Wrap | None = None,
) -> Model:
    """Make the functions of a whole network.

    Convolution, non-linearity and pooling of a shallow input run as one product.

    Args:
      root: the network.
      bfloat16: let LSTMs round factors of products to 16 bits and add in float32, on a processor
        that does so (`kernels.jax_calls.has_pairs`); elsewhere this changes nothing.
      replace: layers of your own, by node; they must give the sizes that the node promises, and
        the output layer must give logits.
      wrap: observes or changes single layers. With it every layer runs by itself: no convolution
        and its pool, and no reversal and its LSTM, become one operation.
    Raises: SpecError: the network does not end in a softmax over one row.
    """
    check_softmax(root)
    layer = _Builder(bfloat16, replace, wrap).build(root, output=True)

    def apply(
        params: Params, images: Float[Array, "H W B D"], widths: Int[Array, " B"], noise: Noise
    ) -> tuple[Logits, Int[Array, " B"]]:
        y, extent = layer.apply(params, images, Extent(None, widths), noise)
        check_one_row(y.shape[0])
        steps = extent.x
        # A network with a fixed width has no extent along x: every line has all steps.
        if steps is None:
            steps = jnp.full(widths.shape, y.shape[1], jnp.int32)
        return y[0], steps

    return Model(layer.init, apply)
