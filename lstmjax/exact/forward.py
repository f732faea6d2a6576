"""The forward pass of a network over one line, as Tesseract computes it.

Weights are packed once, with `pack`; the residuals for the backward pass are returned as a tape.
Reading uses the same code for every network that the loops of `infer.host` do not know. int8
networks take and give whole numbers from -127 to 127, held as float32.
Source: Tesseract src/lstm: series.cpp, parallel.cpp, reversed.cpp, convolve.cpp, maxpool.cpp,
reconfig.cpp, fullyconnected.cpp, lstm.cpp, weightmatrix.cpp.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Float32

from lstmjax.array_types import Params
from lstmjax.constants import EXACT_FLOAT_SUM
from lstmjax.data.borders import Borders
from lstmjax.exact import layers, tables
from lstmjax.exact.lanes import panels_of_columns, products
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

Block = Float32[np.ndarray, "H W D"]
_INT8_MAX = 127
_SOFTMAXES = ("softmax", "softmax_no_ctc")


class Matrix(NamedTuple):
    """Weights as the loops read them.

    Attributes:
      panels: the weights, see `lanes`.
      bias: [N] what is added to sums, of the panels' type; 127 times as much for int8 weights.
      scale: [N] factor that makes a sum of int8 numbers a real value; empty for float weights.
    """

    panels: Float[np.ndarray, "blocks terms lanes"]
    bias: Float[np.ndarray, " N"]
    scale: Float32[np.ndarray, " N"]


_NO_FLOATS = np.zeros(0, np.float32)
_NO_MATRIX = Matrix(np.zeros((0, 0, 16), np.float32), _NO_FLOATS, _NO_FLOATS)


def pack(params: Params, *, double: bool = False) -> Params:
    """Pack the matrices of a network for `forward`.

    Args:
      params: weights; those with scales are int8 numbers.
      double: make sums in double precision, for processors that do not multiply and add at once.
        Sums of so many int8 numbers that float32 would round are always made so.
    Returns: the tree of params with {"matrix": `Matrix`} in place of each layer's leaves, and
      "softmax" beside it for softmax LSTMs.
    """
    if "b" not in params:  # a container: its keys are all numbers of children
        return {key: pack(below, double=double) for key, below in params.items()}
    weights = params["w"] if "w" in params else _gate_weights(params)
    matrix = _packed(weights, params, double)
    if "softmax" not in params:
        return {"matrix": matrix}
    return {"matrix": matrix, "softmax": _packed(params["softmax"]["w"], params["softmax"], double)}


def _packed(weights: np.ndarray, leaves: Params, double: bool) -> Matrix:
    # Loops are compiled afresh for read-only arrays, such as those of JAX: copy them.
    weights, bias, scale = (
        np.require(leaf, np.float32, ["C", "W"])
        for leaf in (weights, leaves["b"], leaves.get("scale", _NO_FLOATS))
    )
    if len(scale):
        # The input that the bias belongs to is 1, which int8 numbers hold as 127.
        bias = _INT8_MAX * bias
        double = double or len(weights) + 1 > EXACT_FLOAT_SUM  # the bias is one more product
    if double:
        weights, bias = weights.astype(np.float64), bias.astype(np.float64)
    return Matrix(panels_of_columns(weights), bias, scale)


def _gate_weights(params: Params) -> np.ndarray:
    """All weights of the gates: [input + feedback + states (+ states above), gates * states]."""
    return np.concatenate([params[key] for key in ("wx", "wf", "wh", "wv") if key in params])


def child(tree: Params | None, i: int) -> Params:
    """The part of a tree for child i; empty for a child without weights."""
    return {} if tree is None else tree.get(str(i), {})


def forward(
    root: Node, matrices: Params, x: Block, borders: tuple[Borders, ...]
) -> tuple[Block, Any]:
    """The outputs of a network for a line, and the tape of its backward pass.

    Args:
      root: the network.
      matrices: weights from `pack`.
      x: the line [H, W, D]; whole numbers from -127 to 127 for int8 weights.
      borders: values outside the picture for each convolution.
    """
    return _forward(root, matrices, x, iter(borders))


def _forward(node: Node, matrices: Params, x: Block, borders: Iterator[Borders]):
    # Convolutions take their borders in the order in which `data.borders` draws them: depth first.
    match node:
        case Input():
            return x, None
        case Series():
            tapes = []
            for i, each in enumerate(node.children):
                x, tape = _forward(each, child(matrices, i), x, borders)
                tapes.append(tape)
            return x, tapes
        case Parallel():
            done = [
                _forward(each, child(matrices, i), x, borders)
                for i, each in enumerate(node.children)
            ]
            return np.concatenate([y for y, _ in done], axis=2), [tape for _, tape in done]
        case Reversed():
            y, tape = _forward(node.child, child(matrices, 0), reoriented(x, node), borders)
            return reoriented(y, node), tape
        case Convolve():
            return _convolved(node, x, next(borders)), x.shape
        case Maxpool():
            best, which = layers.pooled(np.ascontiguousarray(x), node.x_scale, node.y_scale)
            return best, (x.shape, which)
        case Reconfig():
            return np.concatenate(cells_of(x, node.x_scale, node.y_scale), axis=2), x.shape
        case Dense():
            return _dense_forward(node, matrices, x)
        case Lstm() | SoftmaxLstm():
            return _lstm_forward(node, matrices, x)


def reoriented(x: Block, node: Reversed) -> Block:
    """The picture as the inner layer of a reversal sees it, or back again: each is its inverse."""
    match node.axis:
        case "x":
            return x[:, ::-1]
        case "y":
            return x[::-1]
    return x.transpose(1, 0, 2)


def _convolved(node: Convolve, x: Block, border: Borders) -> Block:
    """The neighbours of each position; `border` gives those outside the picture."""
    H, W, _ = x.shape
    half_x, half_y = node.half_x, node.half_y
    framed = np.pad(x, ((half_y, half_y), (half_x, half_x), (0, 0)))
    # The x offset is the slow index of a neighbour, as in the columns of the weights.
    taps = [
        framed[dy : dy + H, dx : dx + W]
        for dx in range(2 * half_x + 1)
        for dy in range(2 * half_y + 1)
    ]
    y = np.concatenate(taps, axis=2)  # [H, W, taps * D]
    y.reshape(-1)[border.at] = border.value
    return y


def cells_of(x: Block, x_scale: int, y_scale: int) -> list[Block]:
    """The pixels of each cell as pictures, x outer, y inner; remainders are dropped."""
    h, w = x.shape[0] // y_scale, x.shape[1] // x_scale
    whole = x[: h * y_scale, : w * x_scale]
    return [whole[dy::y_scale, dx::x_scale] for dx in range(x_scale) for dy in range(y_scale)]


def as_rows(x: Block) -> np.ndarray:
    """All positions as rows: [H, W, D] -> [H * W, D], contiguous."""
    return np.ascontiguousarray(x).reshape(-1, x.shape[2])


def _dense_forward(node: Dense, matrices: Params, x: Block):
    source, matrix = as_rows(x), matrices["matrix"]
    z = products(source, matrix.panels, node.num_out)
    # The bias comes after all products, in their precision; only then is the sum float32.
    z += matrix.bias
    z = z.astype(np.float32, copy=False)
    if len(matrix.scale):
        z *= matrix.scale
    y = activated(z, node.activation)
    # Probabilities stay floats in int8 networks, as in the original.
    if len(matrix.scale) and node.activation not in _SOFTMAXES:
        layers.quantise(y.reshape(-1))
    y = y.reshape(*x.shape[:2], -1)
    return y, (source, y)


def activated(z: np.ndarray, activation: str) -> np.ndarray:
    """The values [T, N] after a non-linearity, which may be computed in place."""
    match activation:
        case "tanh":
            tables.tanh_all(z.reshape(-1), z.reshape(-1))
        case "logistic":
            tables.logistic_all(z.reshape(-1), z.reshape(-1))
        case "relu":
            return np.where(z <= 0, np.float32(0), z)
        case "lin_logistic":
            return np.clip(z, np.float32(0), np.float32(1))
        case "lin_tanh":
            return np.clip(z, np.float32(-1), np.float32(1))
        case "softmax" | "softmax_no_ctc":
            tables.softmax_rows(z)
    return z


def _feedback(node: Lstm | SoftmaxLstm) -> int:
    if isinstance(node, Lstm):
        return layers.NO_FEEDBACK
    return layers.BEST_CLASS if node.binary else layers.ALL_CLASSES


def _lstm_forward(node: Lstm | SoftmaxLstm, matrices: Params, x: Block):
    H, W, D = x.shape
    matrix = matrices["matrix"]
    # Columns: input, feedback, own output, output above; `layers` fills in all but the first.
    source = np.empty((H * W, matrix.panels.shape[1]), np.float32)
    source[:, :D] = x.reshape(-1, D)
    gates, states, squashed, outputs, probs = layers.lstm_forward(
        source, W, tuple(matrix), D, _feedback(node), tuple(matrices.get("softmax", _NO_MATRIX))
    )
    tape = (source, gates, states, squashed, outputs, (H, W))
    if isinstance(node, SoftmaxLstm):
        return probs.reshape(H, W, -1), tape
    y = outputs.reshape(H, W, -1)
    return (y[:, -1:] if node.summary else y), tape
