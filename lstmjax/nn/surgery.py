"""Changes to stored networks: layers cut off and appended, other outputs, int8 to float.

They are made on records, so that what the original stores about a network stays. NumPy only.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from lstmjax.errors import FormatError, SpecError
from lstmjax.formats import nodes
from lstmjax.formats.nodes import NetworkNode
from lstmjax.formats.weights import INT8, WeightMatrix
from lstmjax.nn.convert import tree_of

MASTER = "MasterSeries"
"""Name of the root of a network that layers were appended to."""


def append_layers(old: NetworkNode, keep: int, new: NetworkNode) -> NetworkNode:
    """Put new layers on top of the lower part of a network.

    The new root has no flags, so that there are no learning rates by layer at the top level, and
    counts no weights, as in the original. A CTC softmax that stays becomes a tanh layer.

    Args:
      old: network to cut, a Series.
      keep: number of the last child that stays; 0 is the input.
      new: Series of the layers to append, with the headers they are to have.
    Raises: SpecError: there is no such child, or the sizes do not fit.
    Source: Tesseract src/lstm/series.cpp, SplitAt, AppendSeries.
    """
    if old.type != "Series" or not 0 <= keep < len(old.children):
        raise SpecError(
            f"cannot cut the network after layer {keep}: its layers are numbered 0 to "
            f"{len(old.children) - 1}; choose another append_index"
        )
    kept = list(old.children[: keep + 1])
    if keep + 1 == len(old.children) and kept[-1].type == "Softmax":
        kept[-1] = replace(kept[-1], type="Tanh")
    if kept[-1].num_out != new.num_in:
        raise SpecError(
            f"the new layers take {new.num_in} features, but layer {keep} gives {kept[-1].num_out}"
        )
    return NetworkNode(
        type="Series",
        training=nodes.TRAINING_ON,
        needs_backprop=1,
        flags=0,
        num_in=old.num_in,
        num_out=new.num_out,
        num_weights=0,
        name=MASTER,
        children=(*kept, *new.children),
    )


def remap_outputs(network: NetworkNode, old_codes: int, code_map: Sequence[int]) -> NetworkNode:
    """Give the output layer one row for each code of another character set.

    Every CTC softmax with as many rows as the old set has codes is changed; the update history of
    these layers is forgotten.

    Args:
      network: whole network.
      old_codes: number of codes of the old character set, null included.
      code_map: old code whose row each new code takes, or -1 for the mean of all rows.
    Raises: SpecError: the network does not end in such a layer, or one is at a place where the
      original makes a network of it that cannot run.
    Source: Tesseract src/lstm/weightmatrix.cpp, fullyconnected.cpp, RemapOutputs.
    """
    for node in network.walk():
        if node.type in nodes.SOFTMAX_LSTM:
            raise SpecError(
                f"layer {node.name!r} feeds its outputs back into itself, so they cannot be "
                "exchanged for those of another character set; cut it off with --append_index"
            )
    changed = _remap(network, old_codes, np.asarray(code_map))
    problem = ""
    try:
        tree_of(changed)
    except SpecError as err:
        problem = f": {err}"
    if problem or changed.num_out != len(code_map):
        raise SpecError(
            f"the outputs of this network cannot be exchanged for {len(code_map)} codes of "
            f"another character set{problem}; only a softmax at the end of a series (O1c) can be "
            "changed, others are cut off with --append_index"
        )
    return changed


def _remap(node: NetworkNode, old_codes: int, code_map: np.ndarray) -> NetworkNode:
    if node.type == "Softmax" and node.num_out == old_codes:
        assert node.weights is not None
        matrix = _remapped_rows(node.weights, code_map)
        # The record stores the count, and `formats` refuses one that is wrong.
        size = matrix.weights.size
        return replace(node, weights=matrix, num_out=len(code_map), num_weights=size)
    if not node.children:
        return node
    made = tuple(_remap(child, old_codes, code_map) for child in node.children)
    num_out = made[-1].num_out if node.type == "Series" else sum(child.num_out for child in made)
    total = sum(child.num_weights for child in made)
    return replace(node, children=made, num_out=num_out, num_weights=total)


def _remapped_rows(matrix: WeightMatrix, code_map: np.ndarray) -> WeightMatrix:
    """Rows in the order of the new codes; the mean is a running sum in float32, as originally."""
    rows = matrix.weights.astype(np.float32)
    mean = np.cumsum(rows, axis=0, dtype=np.float32)[-1] / np.float32(len(rows))
    # Entry -1 of a map stands for the mean, which is put behind the rows.
    table = np.concatenate([rows, mean[None]])
    weights = table[np.where(code_map < 0, len(rows), code_map)].astype(np.float64)
    return replace(
        matrix,
        weights=weights,
        updates=None if matrix.updates is None else np.zeros_like(weights),
        dw_sq_sum=None if matrix.dw_sq_sum is None else np.zeros_like(weights),
    )


def to_float(network: NetworkNode) -> NetworkNode:
    """Turn int8 weights into float ones: the integers times the scale of their row.

    What rounding to int8 lost does not come back.

    Raises: FormatError: the weights are float already.
    """
    if not any(matrix.int_mode for node in network.walk() for matrix in node.matrices):
        raise FormatError("the weights are float already")
    return _to_float(network)


def _to_float(node: NetworkNode) -> NetworkNode:
    return replace(
        node,
        children=tuple(_to_float(child) for child in node.children),
        gates=tuple(map(_float_matrix, node.gates)),
        weights=None if node.weights is None else _float_matrix(node.weights),
        softmax=None if node.softmax is None else _to_float(node.softmax),
    )


def _float_matrix(matrix: WeightMatrix) -> WeightMatrix:
    if not matrix.int_mode:
        return matrix
    # Not divided by 127 as in `convert`: these weights meet floats, not 127ths.
    values = (matrix.weights * matrix.row_scales[:, None]).astype(np.float32)
    return WeightMatrix(matrix.mode & ~INT8, values.astype(np.float64))


def with_rate(network: NetworkNode, rate: float) -> NetworkNode:
    """Set the learning rate of every layer that has one of its own.

    Without rates by layer at the root nothing changes, even if containers below it have some.

    Args:
      network: whole network.
      rate: new learning rate.
    Source: Tesseract src/training/unicharset/lstmtrainer.h, SetLearningRate.
    """
    return _rated(network, rate) if network.flags & nodes.LAYER_RATES else network


def _rated(node: NetworkNode, rate: float) -> NetworkNode:
    stored = float(np.float32(rate))
    rates = node.learning_rates
    if rates is not None:
        # The rate of a container has no effect: its layers have their own.
        rates = tuple(
            own if child.children else stored
            for own, child in zip(rates, node.children, strict=False)
        )
    below = tuple(_rated(child, rate) for child in node.children)
    return replace(node, learning_rates=rates, children=below)
