"""Checks of network nodes, for conditions that Tesseract relies on and mostly does not check.

Source: Tesseract src/lstm/plumbing.cpp, convolve.cpp, reconfig.cpp, maxpool.cpp, lstm.cpp.
"""

import itertools
import math
from typing import NoReturn

from lstmjax.errors import FormatError
from lstmjax.formats.nodes import (
    FULLY_CONNECTED,
    LSTM,
    PARALLEL,
    PLUMBING,
    REVERSED,
    SOFTMAX_LSTM,
    NetworkNode,
)
from lstmjax.formats.weights import WeightMatrix


def check_header(node: NetworkNode, offset: int) -> None:
    """Check the fields every node has.

    Raises:
      FormatError: one is out of range; `offset` is where the node starts.
    """
    if node.training not in (0, 1, 2):
        _fail(node, offset, f"training state {node.training}, expected 0, 1 or 2")
    if node.needs_backprop not in (0, 1):
        _fail(node, offset, f"needs_backprop {node.needs_backprop}, expected 0 or 1")
    for what in ("num_in", "num_out", "num_weights"):
        if getattr(node, what) < 0:
            _fail(node, offset, f"negative {what} {getattr(node, what)}")


def check_node(node: NetworkNode, offset: int) -> None:
    """Check a complete node against its children and matrices.

    Raises:
      FormatError: sizes contradict each other; `offset` is where the node starts.
    """
    if node.type in PLUMBING:
        _check_plumbing(node, offset)
    elif node.type in LSTM:
        _check_lstm(node, offset)
    elif node.type in FULLY_CONNECTED:
        assert node.weights is not None
        _expect_dims(node, offset, "weights", node.weights, (node.num_out, node.num_in + 1))
    else:
        _check_window(node, offset)
    stored = sum(matrix.weights.size for matrix in node.matrices)
    below = [*node.children, *([node.softmax] if node.softmax else [])]
    total = stored + sum(child.num_weights for child in below)
    # A network that layers were appended to (a series again) counts none in its root.
    if node.num_weights != total and not (node.type == "Series" and node.num_weights == 0):
        _fail(node, offset, f"says it has {node.num_weights} weights but holds {total}")


def _check_window(node: NetworkNode, offset: int) -> None:
    """Check Input, Convolve, Maxpool and Reconfig."""
    expected = node.num_in
    if node.shape is not None:
        *sizes, loss = node.shape
        if min(sizes) < 0 or loss not in range(4):
            _fail(node, offset, f"input shape {node.shape}, expected sizes >= 0 and loss 0 to 3")
        expected = node.shape[3]
    elif node.half is not None:
        if min(node.half) < 0:
            _fail(node, offset, f"negative half window {node.half}")
        expected *= (2 * node.half[0] + 1) * (2 * node.half[1] + 1)
    elif node.scale is not None:
        if min(node.scale) < 1:
            _fail(node, offset, f"scale {node.scale}, expected 1 or more")
        if node.type == "Reconfig":
            expected *= node.scale[0] * node.scale[1]
    if node.num_out != expected:
        _fail(node, offset, f"{node.num_out} outputs, expected {expected}")


def _check_plumbing(node: NetworkNode, offset: int) -> None:
    children = node.children
    if not children:
        _fail(node, offset, "no layers inside")
    if node.type in REVERSED and len(children) != 1:
        _fail(node, offset, f"{len(children)} layers inside, expected 1")
    num_in, num_out = children[0].num_in, children[0].num_out
    for before, child in itertools.pairwise(children):
        # Parallel layers share one input and their outputs add up; in a series, and in the types
        # with one layer, outputs go on as inputs.
        if node.type in PARALLEL:
            if child.num_in != num_in:
                _fail(node, offset, f"parallel layers take {num_in} and {child.num_in} inputs")
            num_out += child.num_out
        else:
            if child.num_in != before.num_out:
                _fail(
                    node,
                    offset,
                    f"layer {before.name!r} gives {before.num_out} outputs "
                    f"but {child.name!r} takes {child.num_in}",
                )
            num_out = child.num_out
    if (node.num_in, node.num_out) != (num_in, num_out):
        _fail(
            node,
            offset,
            f"{node.num_in} inputs and {node.num_out} outputs, "
            f"but its layers have {num_in} and {num_out}",
        )
    rates = node.learning_rates or ()
    if len(rates) > len(children):
        _fail(node, offset, f"{len(rates)} learning rates for {len(children)} layers")
    if not all(map(math.isfinite, rates)):
        _fail(node, offset, "a learning rate is infinite or not a number")


def feedback_width(kind: str, num_out: int) -> int:
    """How many inputs of an LSTM's gates come from its own softmax.

    Args:
      kind: type of the node.
      num_out: number of classes.
    """
    if kind == "LSTMSoftmax":
        return num_out
    return max(num_out - 1, 0).bit_length() if kind == "LSTMBinarySoftmax" else 0


def is_2d(node: NetworkNode, num_states: int, offset: int) -> bool:
    """Decide from the gate width whether an LSTM also sees the row above.

    Args:
      node: an LSTM with `na` but possibly without gates.
      num_states: rows of the first gate.
      offset: first byte of the node.

    Raises:
      FormatError: the width fits neither form.
    """
    assert node.na is not None
    width = node.na - feedback_width(node.type, node.num_out)
    if width == node.num_in + num_states:
        return False
    if width == node.num_in + 2 * num_states:
        return True
    raise _error(
        node,
        offset,
        f"gates take {node.na} inputs, which fits neither a 1-D nor a 2-D LSTM "
        f"with {node.num_in} inputs and {num_states} states",
    )


def _check_lstm(node: NetworkNode, offset: int) -> None:
    assert node.na is not None
    # The states follow from the first gate: neither form of LSTM stores them.
    num_states = node.gates[0].weights.shape[0]
    for name, gate in zip(("CI", "GI", "GF1", "GO", "GFS"), node.gates, strict=False):
        _expect_dims(node, offset, f"gate {name}", gate, (num_states, node.na + 1))
    if node.type not in SOFTMAX_LSTM:
        if node.num_out != num_states:
            _fail(node, offset, f"{node.num_out} outputs but {num_states} states")
        return
    inner = node.softmax
    assert inner is not None
    if inner.type != "Softmax":
        _fail(node, offset, f"the inner layer is a {inner.type}, expected Softmax")
    if (inner.num_in, inner.num_out) != (num_states, node.num_out):
        _fail(
            node,
            offset,
            f"the inner Softmax is {inner.num_in} to {inner.num_out}, "
            f"expected {num_states} to {node.num_out}",
        )


def _expect_dims(
    node: NetworkNode, offset: int, what: str, matrix: WeightMatrix, dims: tuple[int, int]
) -> None:
    found = matrix.weights.shape
    if found != dims:
        _fail(
            node,
            offset,
            f"{what} of {found[0]} x {found[1]} values, expected {dims[0]} x {dims[1]}",
        )


def _fail(node: NetworkNode, offset: int, problem: str) -> NoReturn:
    raise _error(node, offset, problem)


def _error(node: NetworkNode, offset: int, problem: str) -> FormatError:
    return FormatError(f"layer {node.name!r} ({node.type}): {problem}", offset=offset)
