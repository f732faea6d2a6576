"""The network tree as a record: one type for every kind of layer.

Source: Tesseract src/lstm/network.h, static_shape.h, plumbing.cpp (EnumerateLayers).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from lstmjax.formats.weights import WeightMatrix

TYPES = (
    "Invalid", "Input", "Convolve", "Maxpool", "Parallel", "Replicated", "ParBidiLSTM",
    "DepParUDLSTM", "Par2dLSTM", "Series", "Reconfig", "RTLReversed", "TTBReversed", "XYTranspose",
    "LSTM", "SummLSTM", "Logistic", "LinLogistic", "LinTanh", "Tanh", "Relu", "Linear", "Softmax",
    "SoftmaxNoCTC", "LSTMSoftmax", "LSTMBinarySoftmax", "TensorFlow",
)  # fmt: skip
"""Type names as stored; the position is the index that old files store instead."""

REVERSED = frozenset({"RTLReversed", "TTBReversed", "XYTranspose"})
PARALLEL = frozenset({"Parallel", "Replicated", "ParBidiLSTM", "DepParUDLSTM", "Par2dLSTM"})
PLUMBING = REVERSED | PARALLEL | {"Series"}
SOFTMAX_LSTM = frozenset({"LSTMSoftmax", "LSTMBinarySoftmax"})
LSTM = SOFTMAX_LSTM | {"LSTM", "SummLSTM"}
FULLY_CONNECTED = frozenset(TYPES[TYPES.index("Logistic") : TYPES.index("LSTMSoftmax")])

LAYER_RATES = 64
"""Network flag: every direct child has a learning rate of its own."""
ADAM = 128
"""Network flag: train with Adam."""

TRAINING_OFF, TRAINING_ON, TRAINING_PAUSED = 0, 1, 2

MAX_DEPTH = 32
"""Deepest nesting that is read; real networks have 5 levels."""


@dataclass(frozen=True, eq=False)
class NetworkNode:
    """A node of the network as stored; the fields after `tagged` depend on the type.

    Attributes:
      type: one of TYPES.
      training: 0 off, 1 on (weights carry their update history), 2 off for now. Models written by
        a trainer hold 2; Tesseract takes it for 0.
      needs_backprop: 0 or 1.
      flags: network flags, LAYER_RATES and ADAM.
      num_in: depth of the input.
      num_out: depth of the output.
      num_weights: number of weights in the whole subtree.
      name: layer name.
      tagged: True if the type is stored by name, as today, False if by index.
      shape: Input: batch, height, width, depth, loss (0 none, 1 CTC, 2 softmax, 3 logistic).
      half: Convolve: half_x, half_y; the window is 2 * half + 1.
      scale: Maxpool and Reconfig: x_scale, y_scale.
      children: PLUMBING types: the nodes inside.
      learning_rates: rates of the direct children, with LAYER_RATES; may be shorter than
        `children`.
      na: LSTM types: width of the gate input without the bias.
      gates: LSTM types: matrices of CI, GI, GF1, GO and, 2-D only, GFS.
      weights: FULLY_CONNECTED types: the matrix.
      softmax: SOFTMAX_LSTM types: the inner Softmax node.
    """

    type: str
    training: int
    needs_backprop: int
    flags: int
    num_in: int
    num_out: int
    num_weights: int
    name: str
    tagged: bool = True
    shape: tuple[int, int, int, int, int] | None = None
    half: tuple[int, int] | None = None
    scale: tuple[int, int] | None = None
    children: "tuple[NetworkNode, ...]" = ()
    learning_rates: tuple[float, ...] | None = None
    na: int | None = None
    gates: tuple[WeightMatrix, ...] = ()
    weights: WeightMatrix | None = None
    softmax: "NetworkNode | None" = None

    @property
    def matrices(self) -> tuple[WeightMatrix, ...]:
        """The weight matrices of this very node, in file order."""
        return self.gates if self.weights is None else (*self.gates, self.weights)

    def walk(self) -> "Iterator[NetworkNode]":
        """Visit this node and all below it, parents first, in file order."""
        yield self
        for child in self.children:
            yield from child.walk()
        if self.softmax is not None:
            yield from self.softmax.walk()


class LayerInfo(NamedTuple):
    """A layer as Tesseract lists it.

    Attributes:
      path: child indices from the root, such as ":1:0".
      node: record of the layer; never a plumbing node.
      learning_rate: learning rate of the layer, or None where the network has only the global one.
    """

    path: str
    node: NetworkNode
    learning_rate: float | None


def list_layers(root: NetworkNode, path: str = "") -> tuple[LayerInfo, ...]:
    """List the layers below `root` that are not plumbing, in file order."""
    found: list[LayerInfo] = []
    rates = root.learning_rates or ()
    for i, child in enumerate(root.children):
        below = f"{path}:{i}"
        if child.type in PLUMBING:
            found.extend(list_layers(child, below))
        else:
            found.append(LayerInfo(below, child, rates[i] if i < len(rates) else None))
    return tuple(found)
