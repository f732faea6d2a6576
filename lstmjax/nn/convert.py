"""Model records <-> spec tree and params, the only module that knows both.

A file keeps one matrix per gate, `[rows = outputs, columns = inputs + bias]`; params keep the
gates side by side, transposed, split by what the columns multiply (see docs/design.md).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from lstmjax.array_types import Params
from lstmjax.errors import FormatError
from lstmjax.formats import nodes, weights
from lstmjax.formats.nodes import NetworkNode
from lstmjax.formats.weights import WeightMatrix
from lstmjax.netspec.tree import (
    Activation,
    Axis,
    Convolve,
    Dense,
    Input,
    Loss,
    Lstm,
    Maxpool,
    Node,
    Parallel,
    ParallelKind,
    Reconfig,
    Reversed,
    Series,
    SoftmaxLstm,
    children,
    weight_count,
)

_LOSSES: tuple[Loss, ...] = ("none", "ctc", "softmax", "logistic")
_ACTIVATIONS: dict[str, Activation] = {
    "Logistic": "logistic",
    "LinLogistic": "lin_logistic",
    "LinTanh": "lin_tanh",
    "Tanh": "tanh",
    "Relu": "relu",
    "Linear": "linear",
    "Softmax": "softmax",
    "SoftmaxNoCTC": "softmax_no_ctc",
}
_PARALLELS: dict[str, ParallelKind] = {
    "Parallel": "parallel",
    "Replicated": "replicated",
    "ParBidiLSTM": "bidi",
    "DepParUDLSTM": "dep_par",
    "Par2dLSTM": "quad",
}
_AXES: dict[str, Axis] = {"RTLReversed": "x", "TTBReversed": "y", "XYTranspose": "xy"}
_TYPES = {v: k for k, v in (_ACTIVATIONS | _PARALLELS | _AXES).items()}

Pick = Callable[[WeightMatrix], np.ndarray]


def tree_of(node: NetworkNode) -> Node:
    """The spec tree of a stored network.

    Raises: FormatError: a kind of layer that no current Tesseract runs.
    """
    name, ni, no = node.name, node.num_in, node.num_out
    kind = node.type
    if kind == "Input":
        assert node.shape is not None
        batch, height, width, depth, loss = node.shape
        return Input(batch, height, width, depth, _LOSSES[loss], name=name)
    if kind == "Convolve":
        assert node.half is not None
        return Convolve(ni, *node.half, name=name)
    if kind in ("Maxpool", "Reconfig"):
        assert node.scale is not None
        return (Maxpool if kind == "Maxpool" else Reconfig)(ni, *node.scale, name=name)
    if kind in nodes.LSTM:
        # From the matrix: in a record of LS or LE, num_out is the number of classes.
        num_states = node.gates[0].weights.shape[0]
        if node.softmax is not None:
            return SoftmaxLstm(ni, num_states, no, kind == "LSTMBinarySoftmax", name=name)
        return Lstm(ni, num_states, kind == "SummLSTM", len(node.gates) == 5, name=name)
    if kind in _ACTIVATIONS:
        return Dense(ni, no, _ACTIVATIONS[kind], name=name)
    below = tuple(tree_of(each) for each in node.children)
    if kind == "Series":
        return Series(below, name=name)
    if kind in _PARALLELS:
        return Parallel(below, _PARALLELS[kind], name=name)
    if kind in _AXES:
        return Reversed(below[0], _AXES[kind], name=name)
    raise FormatError(f"layer {name!r} is of type {kind}, which cannot be run")


def _float32(values: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(values, dtype=np.float32)


def params_of(node: NetworkNode) -> Params:
    """The params pytree of a stored network; int8 models get `scale` beside whole numbers.

    A scale turns a sum of products of int8 numbers into a real value.
    """
    return _gather(node, lambda matrix: matrix.weights, with_scale=True)


def moments_of(node: NetworkNode) -> tuple[Params, Params]:
    """Tesseract's update history in the shape of the params: (updates, dw_sq_sum).

    Missing matrices (a model without training data, or momentum without Adam) count as zero.
    """
    updates = _gather(node, lambda m: np.zeros_like(m.weights) if m.updates is None else m.updates)
    squares = _gather(
        node, lambda m: np.zeros_like(m.weights) if m.dw_sq_sum is None else m.dw_sq_sum
    )
    return updates, squares


def _gather(node: NetworkNode, pick: Pick, *, with_scale: bool = False) -> Params:
    if node.weights is not None:
        return _dense_leaves(node.weights, pick, with_scale)
    if node.gates:
        return _lstm_leaves(node, pick, with_scale)
    below = {
        str(i): _gather(each, pick, with_scale=with_scale) for i, each in enumerate(node.children)
    }
    return {i: leaves for i, leaves in below.items() if leaves}


def _scale(matrices: tuple[WeightMatrix, ...]) -> np.ndarray:
    # A record has the scales of weights; inputs are whole 127ths, so sums need another 1/127.
    return np.concatenate([_float32(m.row_scales / 127.0) for m in matrices])


def _dense_leaves(matrix: WeightMatrix, pick: Pick, with_scale: bool) -> Params:
    values = _float32(pick(matrix))
    leaves = {"w": np.ascontiguousarray(values[:, :-1].T), "b": values[:, -1].copy()}
    if with_scale and matrix.int_mode:
        leaves["scale"] = _scale((matrix,))
    return leaves


def _lstm_leaves(node: NetworkNode, pick: Pick, with_scale: bool) -> Params:
    rows = np.concatenate([_float32(pick(gate)) for gate in node.gates])  # [G*S, columns]
    leaves: dict[str, np.ndarray | dict] = {}
    at = 0
    for key, width in _columns(tree_of(node)):
        # The record has the parts side by side in this order, the bias last.
        leaves[key] = np.ascontiguousarray(rows[:, at : at + width].T)
        at += width
    leaves["b"] = rows[:, -1].copy()
    if with_scale and node.gates[0].int_mode:
        leaves["scale"] = _scale(node.gates)
    if node.softmax is not None:
        assert node.softmax.weights is not None
        leaves["softmax"] = _dense_leaves(node.softmax.weights, pick, with_scale)
    return leaves


def _columns(node: Node) -> list[tuple[str, int]]:
    """The parts of a gate matrix's columns, in order, without the bias."""
    if isinstance(node, SoftmaxLstm):
        return [("wx", node.num_in), ("wf", node.num_feedback), ("wh", node.num_states)]
    assert isinstance(node, Lstm)
    parts = [("wx", node.num_in), ("wh", node.num_states)]
    return [*parts, ("wv", node.num_states)] if node.two_d else parts


@dataclass(frozen=True)
class Writing:
    """How to store a network.

    training: 1 with update history (checkpoints), 2 without (models).
    flags: network flags of every node, see --net_mode.
    """

    training: int
    flags: int


def record_of(
    tree: Node,
    params: Params,
    writing: Writing,
    *,
    moments: tuple[Params, Params] | None = None,
    layer_rates: Params | None = None,
    like: NetworkNode | None = None,
) -> NetworkNode:
    """The record of a network with float weights.

    Args:
      tree: spec tree.
      params: weights of the network.
      writing: how to store it.
      moments: (updates, dw_sq_sum) in the shape of params; needed if `writing.training` is 1.
      layer_rates: learning rate of each layer with weights, by child index like the params (a
        float where params have leaves); stored if the flags ask for them.
      like: record that the network was read from, of the same tree. It gives what a tree does not
        hold: flags, which layers stay frozen, stored counts, rates not in `layer_rates`.
    """
    return _Recorder(writing).record(tree, params, moments, layer_rates, False, like)


def learns_below(node: Node, passes_gradient: bool) -> bool:
    """Whether layers after this node must pass a gradient down to it.

    Source: Tesseract src/lstm/network.cpp, series.cpp, plumbing.cpp, SetupNeedsBackprop.
    """
    if isinstance(node, Series):
        for each in node.children:
            passes_gradient = learns_below(each, passes_gradient)
        return passes_gradient
    below = children(node)
    if below:
        return any(learns_below(each, passes_gradient) for each in below)
    return passes_gradient or weight_count(node) > 0


class _Recorder:
    """Walks a tree beside its params, moments, rates and, if there is one, an older record."""

    def __init__(self, writing: Writing):
        self.writing = writing

    def record(
        self, tree: Node, params, moments, rates, passes: bool, like: NetworkNode | None
    ) -> NetworkNode:
        common = self.header(tree, passes, like)
        match tree:
            case Input():
                shape = (tree.batch, tree.height, tree.width, tree.depth, _LOSSES.index(tree.loss))
                return NetworkNode(type="Input", shape=shape, **common)
            case Convolve():
                return NetworkNode(type="Convolve", half=(tree.half_x, tree.half_y), **common)
            case Maxpool() | Reconfig():
                kind = type(tree).__name__
                return NetworkNode(type=kind, scale=(tree.x_scale, tree.y_scale), **common)
            case Dense():
                matrix = self.matrix(_dense_rows, params, moments, common["flags"])
                return NetworkNode(type=_TYPES[tree.activation], weights=matrix, **common)
            case Lstm() | SoftmaxLstm():
                return self.lstm(tree, params, moments, common)
        return self.container(tree, params, moments, rates, passes, common, like)

    def header(self, tree: Node, passes: bool, like: NetworkNode | None) -> dict[str, Any]:
        """The fields that every kind of node has."""
        stored = like is not None
        return {
            "training": self.writing.training,
            # An older record knows what stays frozen; else errors go down to the first weights.
            "needs_backprop": like.needs_backprop if stored else int(passes),
            "flags": like.flags if stored else self.writing.flags,
            "num_in": tree.num_in,
            "num_out": tree.num_out,
            "num_weights": like.num_weights if stored else weight_count(tree),
            "name": tree.name,
            "tagged": like.tagged if stored else True,
        }

    def matrix(self, rows_of, params, moments, flags: int) -> WeightMatrix:
        """A matrix from params-shaped leaves; `rows_of(leaves)` gives its rows."""
        adam = bool(flags & nodes.ADAM)
        # Files hold float64; the values are those of float32.
        mode = weights.DOUBLE | (weights.ADAM if adam else 0)
        values = rows_of(params).astype(np.float64)
        if self.writing.training != nodes.TRAINING_ON:
            return WeightMatrix(mode, values)
        assert moments is not None
        updates, squares = (rows_of(m).astype(np.float64) for m in moments)
        return WeightMatrix(mode, values, updates=updates, dw_sq_sum=squares if adam else None)

    def lstm(self, tree: Lstm | SoftmaxLstm, params, moments, common) -> NetworkNode:
        num_states = tree.num_states
        keys = [key for key, _ in _columns(tree)]
        num_gates = 5 if isinstance(tree, Lstm) and tree.two_d else 4

        def rows_of_gate(gate: int):
            at = slice(gate * num_states, (gate + 1) * num_states)

            def rows(leaves) -> np.ndarray:
                parts = [np.asarray(leaves[key])[:, at].T for key in keys]
                return np.concatenate([*parts, np.asarray(leaves["b"])[at, None]], axis=1)

            return rows

        gates = tuple(
            self.matrix(rows_of_gate(g), params, moments, common["flags"]) for g in range(num_gates)
        )
        if isinstance(tree, Lstm):
            kind = "SummLSTM" if tree.summary else "LSTM"
            return NetworkNode(type=kind, na=tree.num_source, gates=gates, **common)
        kind = "LSTMBinarySoftmax" if tree.binary else "LSTMSoftmax"
        inner = self.inner_softmax(tree, params, moments)
        return NetworkNode(type=kind, na=tree.num_source, gates=gates, softmax=inner, **common)

    def inner_softmax(self, tree: SoftmaxLstm, params, moments) -> NetworkNode:
        """The node inside LS and LE: Tesseract sets no flags on it, so it never uses Adam."""
        node = tree.softmax
        below = None if moments is None else tuple(m["softmax"] for m in moments)
        matrix = self.matrix(_dense_rows, params["softmax"], below, 0)
        return NetworkNode(
            type="Softmax", training=self.writing.training, needs_backprop=1, flags=0,
            num_in=node.num_in, num_out=node.num_out, num_weights=weight_count(node),
            name=node.name, weights=matrix,
        )  # fmt: skip

    def container(self, tree, params, moments, rates, passes, common, like) -> NetworkNode:
        made = []
        for i, each in enumerate(children(tree)):
            key = str(i)
            below = None if moments is None else tuple(m.get(key, {}) for m in moments)
            below_rates = None if rates is None else rates.get(key)
            below_like = None if like is None else like.children[i]
            made.append(
                self.record(each, params.get(key, {}), below, below_rates, passes, below_like)
            )
            # In a series a child sees what lies before it; side by side all see the same.
            if isinstance(tree, Series):
                passes = learns_below(each, passes)
        learning_rates = None
        if common["flags"] & nodes.LAYER_RATES:
            learning_rates = _child_rates(tree, rates, like)
        match tree:
            case Series():
                kind = "Series"
            case Parallel():
                kind = _TYPES[tree.kind]
            case _:
                kind = _TYPES[tree.axis]
        return NetworkNode(type=kind, children=tuple(made), learning_rates=learning_rates, **common)


def _dense_rows(leaves) -> np.ndarray:
    return np.concatenate([np.asarray(leaves["w"]).T, np.asarray(leaves["b"])[:, None]], axis=1)


def _child_rates(tree: Node, rates, like: NetworkNode | None) -> tuple[float, ...]:
    """One rate a child; only those of layers with weights have an effect.

    For other children Tesseract keeps what the layers started with: it is taken from `like`, or
    is the rate of the first layer.
    """
    stored = () if like is None else like.learning_rates or ()
    if rates is None:
        return stored
    first = _first_rate(rates)

    def rate(i: int) -> float:
        own = rates.get(str(i))
        if i < len(stored) and (own is None or isinstance(own, dict)):
            return stored[i]
        return _first_rate(own, first)

    return tuple(rate(i) for i in range(len(children(tree))))


def _first_rate(rates, default: float = 0.0) -> float:
    while isinstance(rates, dict):
        if not rates:
            return default
        rates = next(iter(rates.values()))
    return default if rates is None else float(rates)


def layer_rates_of(node: NetworkNode, default: float) -> Params:
    """The learning rate of each layer with weights, nested by child index like the params."""
    if not node.children:
        return default
    rates = node.learning_rates or ()
    found = {}
    for i, each in enumerate(node.children):
        own = rates[i] if i < len(rates) else default
        if each.num_weights:
            found[str(i)] = layer_rates_of(each, own)
    return found
