"""Initial weights: those of the layers, or Tesseract's, drawn layer by layer from one stream."""

import jax
import numpy as np

from lstmjax.array_types import Params
from lstmjax.data.random import MinStd
from lstmjax.netspec.parse import Network
from lstmjax.netspec.tree import Dense, Lstm, Node, Series, SoftmaxLstm, children
from lstmjax.nn.build import build
from lstmjax.training.compiling import call_once
from lstmjax.training.config import TrainConfig


def new_weights(root: Series, config: TrainConfig) -> Params:
    """Draw the weights of a new network, NumPy arrays."""
    if config.weight_range is None:
        return call_once(build(root).init, jax.random.key(config.seed))
    return tesseract_weights(root, config.weight_range)


def appended_weights(network: Network, keep: int, config: TrainConfig) -> Params:
    """Draw the weights of layers that are appended, numbered from 0.

    Args:
      network: the extended network.
      keep: number of the last layer below them.
      config: settings of the run.
    """
    if config.weight_range is not None:
        # As in the original, the stream starts anew with the first appended layer.
        return tesseract_weights(network.built, config.weight_range)
    # Drawn for the whole network: a layer's weights depend on its place and the seed only.
    params = build(network.root).init(jax.random.key(config.seed))
    drawn = {str(i): params.get(str(keep + 1 + i)) for i in range(len(network.built.children))}
    return jax.device_get({key: leaves for key, leaves in drawn.items() if leaves})


def zero_weights(root: Series) -> Params:
    """Zeros in the shape of a network's weights."""
    shapes = jax.eval_shape(build(root).init, jax.random.key(0))
    return jax.tree.map(lambda leaf: np.zeros(leaf.shape, leaf.dtype), shapes)


def tesseract_weights(root: Node, weight_range: float) -> Params:
    """Draw the weights that `lstmtraining` starts from, float32 NumPy arrays.

    Layers come in depth-first order, gates in file order, a matrix row by row with its bias last.

    Args:
      root: the network.
      weight_range: weights lie within plus or minus this.
    Source: Tesseract src/lstm/weightmatrix.cpp, InitWeightsFloat.
    """
    return _draw(root, MinStd(), float(np.float32(weight_range)))


def _draw(node: Node, stream: MinStd, weight_range: float) -> Params:
    match node:
        case Dense():
            return _dense(node, stream, weight_range)
        case Lstm() | SoftmaxLstm():
            return _lstm(node, stream, weight_range)
    below = {str(i): _draw(each, stream, weight_range) for i, each in enumerate(children(node))}
    return {i: params for i, params in below.items() if params}


def _matrix(rows: int, columns: int, stream: MinStd, weight_range: float) -> np.ndarray:
    drawn = stream.signed(rows * columns, weight_range)
    return drawn.astype(np.float32).reshape(rows, columns)


def _dense(node: Dense, stream: MinStd, weight_range: float) -> Params:
    matrix = _matrix(node.num_out, node.num_in + 1, stream, weight_range)
    return {"w": np.ascontiguousarray(matrix[:, :-1].T), "b": matrix[:, -1].copy()}


def _lstm(node: Lstm | SoftmaxLstm, stream: MinStd, weight_range: float) -> Params:
    num_gates = node.num_gates if isinstance(node, Lstm) else 4
    rows = num_gates * node.num_states
    matrix = _matrix(rows, node.num_source + 1, stream, weight_range)
    parts = [("wx", node.num_in), ("wh", node.num_states)]
    if isinstance(node, SoftmaxLstm):
        parts.insert(1, ("wf", node.num_feedback))
    elif node.two_d:
        parts.append(("wv", node.num_states))
    params: Params = {"b": matrix[:, -1].copy()}
    at = 0
    for key, width in parts:
        params[key] = np.ascontiguousarray(matrix[:, at : at + width].T)
        at += width
    if isinstance(node, SoftmaxLstm):
        params["softmax"] = _dense(node.softmax, stream, weight_range)
    return params
