"""A network of recipe tesseract: its forward and backward pass over one line.

Gradients point uphill and are not those of the forward pass: they are clipped, averaged over layers
side by side, and pass the softmax unchanged, as in the original. `nn` computes many lines in any
order of sums; here one line is computed in the order of the original, see `lanes`.
Source: Tesseract src/lstm: series.cpp, parallel.cpp, reversed.cpp, convolve.cpp, maxpool.cpp,
reconfig.cpp, fullyconnected.cpp, lstm.cpp.
"""

from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from lstmjax.array_types import Params
from lstmjax.constants import STATE_ERROR_CLIP, STATE_ERROR_CLIP_2D
from lstmjax.data.borders import Borders
from lstmjax.exact import layers
from lstmjax.exact.forward import Block, as_rows, cells_of, child, forward, pack, reoriented
from lstmjax.exact.lanes import (
    column_sums,
    gate_panels,
    outer_sums,
    panels_of_rows,
    products,
)
from lstmjax.netspec.tree import (
    Convolve,
    Dense,
    Lstm,
    Maxpool,
    Node,
    Parallel,
    Reconfig,
    Reversed,
    Series,
    SoftmaxLstm,
    weight_count,
)

_STATE_ERROR_CLIPS = {False: np.float32(STATE_ERROR_CLIP), True: np.float32(STATE_ERROR_CLIP_2D)}


@dataclass(frozen=True)
class ExactNetwork:
    """A network to train.

    Attributes:
      root: the network.
      frozen: True for leaves of the weights that no gradient reaches; None if there are none.
    """

    root: Series
    frozen: Params | None = None

    def forward(self, params: Params, x: Block, borders: tuple[Borders, ...]) -> tuple[Block, Any]:
        """The outputs [1, T, K] of the softmax for a line, and the tape."""
        # Packed afresh for each line: weights change with each update.
        return forward(self.root, pack(params), x, borders)

    def backward(self, params: Params, tape: Any, delta: Block) -> Params:
        """The sums that Tesseract keeps for a line, from targets minus outputs [1, T, K]."""
        return _backward(self.root, params, tape, delta, False, self.frozen)[1]


def _slope(y: np.ndarray, activation: str) -> np.ndarray | None:
    """The slope of a non-linearity from its output; None where deltas pass unchanged."""
    one = np.float32(1)
    match activation:
        case "tanh":
            return one - y * y
        case "logistic":
            return y * (one - y)
        case "relu":
            return (y > 0).astype(np.float32)
        case "lin_logistic":
            return ((y > 0) & (y < 1)).astype(np.float32)
        case "lin_tanh":
            return ((y > -1) & (y < 1)).astype(np.float32)
    return None


def _zeros(params: Params) -> Params:
    return jax.tree.map(np.zeros_like, params)


def _learns(node: Node, frozen: Params | None) -> bool:
    """Whether a gradient reaches any weight of a layer."""
    if not weight_count(node):
        return False
    return frozen is None or not all(jax.tree.leaves(frozen))


def _backward(
    node: Node, params: Params, tape: Any, delta: Block, needed: bool, frozen: Params | None
) -> tuple[Block | None, Params]:
    """The deltas of the input, if a layer below needs them, and the gradient of the weights."""
    match node:
        case Series():
            return _series_backward(node, params, tape, delta, needed, frozen)
        case Parallel():
            return _parallel_backward(node, params, tape, delta, needed, frozen)
        case Reversed():
            inner = None if frozen is None else child(frozen, 0)
            back, grads = _backward(
                node.child, child(params, 0), tape, reoriented(delta, node), needed, inner
            )
            return (None if back is None else reoriented(back, node)), {"0": grads} if grads else {}
        case Dense():
            back, grads = _dense_backward(node, params, tape, delta, needed)
        case Lstm() | SoftmaxLstm():
            back, grads = _lstm_backward(node, params, tape, delta, needed)
        case _:
            return (_moved_back(node, tape, delta) if needed else None), {}
    if frozen is not None:
        grads = jax.tree.map(lambda g, f: np.zeros_like(g) if f else g, grads, frozen)
    return back, grads


def _series_backward(node: Series, params, tape, delta, needed, frozen):
    # below[i]: whether the layers before child i need the errors of its input.
    parts = [None if frozen is None else child(frozen, i) for i in range(len(node.children))]
    grads, below = {}, [needed]
    for each, part in zip(node.children, parts, strict=True):
        below.append(below[-1] or _learns(each, part))
    for i in reversed(range(len(node.children))):
        each, weights = node.children[i], child(params, i)
        if not below[i + 1]:  # nothing here or below learns
            if weights:
                grads[str(i)] = _zeros(weights)
            continue
        back, found = _backward(each, weights, tape[i], delta, below[i], parts[i])
        if back is not None:
            delta = back
        if weights:
            grads[str(i)] = found
    return (delta if needed else None), {key: grads[key] for key in params}


def _parallel_backward(node: Parallel, params, tape, delta, needed, frozen):
    grads, total, first = {}, None, 0
    for i, each in enumerate(node.children):
        part = delta[:, :, first : first + each.num_out]
        first += each.num_out
        inner = None if frozen is None else child(frozen, i)
        back, found = _backward(each, child(params, i), tape[i], part, needed, inner)
        if found:
            grads[str(i)] = found
        if back is not None:
            total = back if total is None else total + back
    if total is not None:
        # The mean over the layers, not the sum; the original multiplies by the reciprocal, too.
        total = total * (np.float32(1) / np.float32(len(node.children)))
    return total, grads


def _moved_back(node: Node, tape: Any, delta: Block) -> Block:
    match node:
        case Convolve():
            return _convolved_back(node, tape, delta)
        case Maxpool():
            shape, which = tape
            back = np.zeros(shape, np.float32)
            winners = np.ascontiguousarray(delta)
            layers.pooled_back(winners, which, node.x_scale, node.y_scale, back)
            return back
        case Reconfig():
            back = np.zeros(tape, np.float32)  # columns and rows that the cells do not cover keep 0
            into = cells_of(back, node.x_scale, node.y_scale)
            for cell, part in zip(into, np.split(delta, len(into), axis=2), strict=True):
                cell[:] = part
            return back
    return delta


def _convolved_back(node: Convolve, shape: tuple[int, int, int], delta: Block) -> Block:
    """The errors of the input: each position adds those of its neighbours in the original order."""
    H, W, D = shape
    half_x, half_y = node.half_x, node.half_y
    taps = (2 * half_x + 1) * (2 * half_y + 1)
    parts = np.pad(
        delta.reshape(H, W, taps, D), ((half_y, half_y), (half_x, half_x), (0, 0), (0, 0))
    )
    back = np.zeros(shape, np.float32)
    # A neighbour comes to offset d from position p - d: rows from above, then columns from left.
    for dy in range(half_y, -half_y - 1, -1):
        for dx in range(half_x, -half_x - 1, -1):
            tap = (dx + half_x) * (2 * half_y + 1) + dy + half_y
            y, x = half_y - dy, half_x - dx
            back += parts[y : y + H, x : x + W, tap]
    return back


def _dense_backward(node: Dense, params: Params, tape, delta: Block, needed: bool):
    source, y = tape
    # None for a softmax: its errors, targets minus outputs, are those of its sums
    factor = _slope(y, node.activation)
    errors = as_rows(delta if factor is None else factor * delta)
    grads = {"w": outer_sums(source, errors), "b": column_sums(errors)}
    back = None
    if needed:
        flat = products(errors, panels_of_rows(params["w"]), node.num_in)
        back = flat.reshape(*delta.shape[:2], -1)
    return back, grads


def _lstm_backward(node: Lstm | SoftmaxLstm, params: Params, tape, delta: Block, needed: bool):
    source, gates, states, squashed, outputs, (H, W) = tape
    S, D = node.num_states, node.num_in
    summary = isinstance(node, Lstm) and node.summary
    two_d = isinstance(node, Lstm) and node.two_d
    flat, grads = as_rows(delta), {}
    if isinstance(node, SoftmaxLstm):
        inner = params["softmax"]
        grads["softmax"] = {"w": outer_sums(outputs, flat), "b": column_sums(flat)}
        # The errors of the softmax go into the LSTM; none go through the feedback to earlier steps.
        flat = products(flat, panels_of_rows(inner["w"]), S)
    # No "wf": errors that leave through the feedback are dropped.
    recurrent = np.concatenate([params[key] for key in ("wh", "wv") if key in params])
    num_gates = gates.shape[1] // S
    panels, clip = gate_panels(recurrent, num_gates), _STATE_ERROR_CLIPS[two_d]
    errors = layers.lstm_backward(flat, summary, W, gates, states, squashed, panels, clip)
    gradient = outer_sums(source, errors)
    # `source` has its columns in this order, see `forward`.
    start = 0
    for key in ("wx", "wf", "wh", "wv"):
        if key in params:
            grads[key] = gradient[start : start + len(params[key])]
            start += len(params[key])
    grads["b"] = column_sums(errors)
    back = None
    if needed:
        panels = gate_panels(params["wx"], num_gates)
        back = layers.input_errors(panels, errors, S, D).reshape(H, W, D)
    return back, {key: grads[key] for key in params}
