"""The layers of `host` in two number formats: floats, and the bytes of int8 networks.

Both give the same numbers for an int8 network, and those of the original, bit for bit: sums of
products of whole numbers are exact in either, and all else is done in floats.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int64

from lstmjax.constants import EXACT_FLOAT_SUM
from lstmjax.data.image import Input as Block
from lstmjax.infer.host import float_loops as loops
from lstmjax.infer.host import int8_loops as byte_loops
from lstmjax.infer.host.float_ops import TABLES
from lstmjax.infer.host.int8_ops import GATES, GROUP, ZERO
from lstmjax.netspec.tree import Convolve, Maxpool
from lstmjax.simd.vectors import LANES, padded

KINDS = {
    "linear": loops.LINEAR,
    "tanh": loops.TANH,
    "logistic": loops.LOGISTIC,
    "relu": loops.RELU,
    "lin_logistic": loops.LIN_LOGISTIC,
    "lin_tanh": loops.LIN_TANH,
}
_ABSENT = -(2**30)  # initial logit of padding classes, so low that their softmax is 0
_INT8_MAX = 127

Probs = Callable[[np.ndarray, np.ndarray], Float32[np.ndarray, "steps K"]]
Scan = Callable[[np.ndarray, np.ndarray], np.ndarray]
Windows = Callable[[tuple[Block, ...], np.ndarray, np.ndarray], np.ndarray]


class UnsupportedLayerError(Exception):
    """The host loops do not implement this layer."""


@dataclass(frozen=True, eq=False)
class Features:
    """Places `at` of the features of a layer's output in its array, which has `size` features."""

    at: Int64[np.ndarray, " D"]
    size: int


class Numbers(ABC):
    """Layers of one number format, each as a function of arrays."""

    kind: type[np.generic]
    zero: int

    def full(self, shape: tuple[int, ...]) -> np.ndarray:
        """An array of zeros."""
        return np.full(shape, self.zero, self.kind)

    @abstractmethod
    def of_input(self, depth: int) -> Features:
        """The features of the input."""

    @abstractmethod
    def taken(self, block: Block) -> np.ndarray:
        """The input of a line in this number format."""

    @abstractmethod
    def windows(self, node: Convolve, kind: int, pool: Maxpool | None, leaves) -> Windows:
        """A convolution with its layer and pool: `(lines, widths, states) -> [H, W, B, N]`."""

    @abstractmethod
    def dense(self, kind: int, leaves, features: Features) -> Callable[[np.ndarray], np.ndarray]:
        """A fully connected layer: [n, D] -> [n, N]."""

    @abstractmethod
    def scan(self, leaves, features: Features, *, reverse: bool, last: bool) -> Scan:
        """An LSTM: `([T, N, D], lengths) -> [T or 1, N, S]`."""

    @abstractmethod
    def softmax(self, leaves, features: Features, num_classes: int) -> Probs:
        """The last layer: `([T, B, D], widths) -> [sum of widths, K]`."""


def _spread(w, features: Features, columns: Int64[np.ndarray, " N"], width: int) -> np.ndarray:
    """A matrix with its rows at the places of features, and its columns at `columns` of `width`."""
    full = np.zeros((features.size, width), np.float32)
    full[np.ix_(features.at, columns)] = w
    return full


def _along(values, columns: Int64[np.ndarray, " N"], width: int, default: float) -> np.ndarray:
    out = np.full(width, default, np.float32)
    out[columns] = values
    return out


def _check_sums(terms: int) -> None:
    """Refuse sums of so many whole numbers that floats would round them."""
    if terms > EXACT_FLOAT_SUM:
        raise UnsupportedLayerError


def _check_scale(scale: np.ndarray) -> None:
    if (scale < 0).any():
        raise UnsupportedLayerError  # the largest sum is not the largest output


def _scales(pool: Maxpool | None) -> tuple[int, int]:
    return (pool.x_scale, pool.y_scale) if pool else (1, 1)


@dataclass(frozen=True, eq=False)
class _Matrix:
    """A matrix ready for the loops: packed weights, initial sums, a scale for each column."""

    packed: np.ndarray
    start: np.ndarray
    scale: Float32[np.ndarray, " N"]


@dataclass(frozen=True)
class FloatLayers(Numbers):
    """Floats; whole numbers if `int_mode`."""

    int_mode: bool
    kind = np.float32
    zero = 0

    def of_input(self, depth: int) -> Features:
        return Features(np.arange(depth), depth)

    def taken(self, block: Block) -> np.ndarray:
        return block

    def _matrix(self, leaves, w, features: Features, columns=None, absent=0.0) -> _Matrix:
        places = np.arange(w.shape[1]) if columns is None else columns
        width = padded(int(places.max()) + 1)
        # The input of the bias is 1, which int8 numbers hold as 127.
        bias = np.asarray(leaves["b"], np.float32) * (_INT8_MAX if self.int_mode else 1)
        scale = np.float32(1)
        if self.int_mode:
            _check_sums(len(w) + 1)
            scale = leaves["scale"]
        full = _spread(w, features, places, width)
        return _Matrix(
            loops.packed(full), _along(bias, places, width, absent), _along(scale, places, width, 1)
        )

    def windows(self, node: Convolve, kind: int, pool: Maxpool | None, leaves) -> Windows:
        m = self._matrix(leaves, leaves["w"], self.of_input(node.num_out))
        # Pooling comes before scale and non-linearity.
        _check_scale(m.scale)
        x_scale, y_scale = _scales(pool)

        def run(blocks: tuple[Block, ...], widths: np.ndarray, states: np.ndarray) -> np.ndarray:
            height, _, depth = blocks[0].shape
            flat = np.concatenate([block.reshape(-1) for block in blocks])
            return loops.convolution(
                flat, height, depth, widths, states, node.half_x, node.half_y, m.packed, m.start,
                m.scale, kind, TABLES, x_scale, y_scale, self.int_mode,
            )  # fmt: skip

        return run

    def dense(self, kind: int, leaves, features: Features) -> Callable[[np.ndarray], np.ndarray]:
        m = self._matrix(leaves, leaves["w"], features)

        def run(x: np.ndarray) -> np.ndarray:
            out = np.empty((len(x), len(m.start)), np.float32)
            loops.dense(x, m.packed, m.start, m.scale, kind, TABLES, self.int_mode, out)
            return out

        return run

    def scan(self, leaves, features: Features, *, reverse: bool, last: bool) -> Scan:
        S = len(leaves["wh"])
        size = padded(S)
        # Each gate is padded to whole vectors by itself.
        gates = (np.arange(GATES)[:, None] * size + np.arange(S)).reshape(-1)
        if self.int_mode:
            # Both products meet in one sum.
            _check_sums(len(leaves["wx"]) + S + 1)
        wx = self._matrix(leaves, leaves["wx"], features, gates)
        wh = self._matrix(leaves, leaves["wh"], Features(np.arange(S), size), gates)

        def run(x: np.ndarray, lengths: np.ndarray) -> np.ndarray:
            T, N, _ = x.shape
            out = np.zeros((1 if last else T, N, size), np.float32)
            loops.lstm(
                x, lengths, wx.packed, wh.packed, wx.start, wx.scale, TABLES, reverse, last,
                self.int_mode, out,
            )  # fmt: skip
            return out

        return run

    def softmax(self, leaves, features: Features, num_classes: int) -> Probs:
        m = self._matrix(leaves, leaves["w"], features, absent=_ABSENT)

        def run(x: np.ndarray, widths: np.ndarray) -> np.ndarray:
            return loops.class_probs(
                x, widths, m.packed, m.start, m.scale, self.int_mode, num_classes
            )

        return run


@dataclass(frozen=True)
class Int8Layers(Numbers):
    """Whole numbers from -127 to 127, with 128 added; only on processors that multiply them."""

    kind = np.uint8
    zero = ZERO

    def of_input(self, depth: int) -> Features:
        return Features(np.arange(depth), _in_groups(depth))

    def taken(self, block: Block) -> np.ndarray:
        return (block + ZERO).astype(np.uint8)

    def _matrix(self, leaves, w, features: Features, columns=None, absent=0) -> _Matrix:
        places = np.arange(w.shape[1]) if columns is None else columns
        width = padded(int(places.max()) + 1)
        _check_sums(len(w) + 1)  # they become floats
        full = _spread(w, features, places, width)
        bias = np.asarray(leaves["b"], np.float64) * _INT8_MAX
        start = np.full(width, absent, np.int32)
        # Each byte has 128 too much: what that adds to a sum is taken off at its start.
        start[places] = bias - ZERO * full[:, places].sum(0, dtype=np.float64)
        scale = _along(leaves["scale"], places, width, 1)
        return _Matrix(byte_loops.packed(full), start, scale)

    def windows(self, node: Convolve, kind: int, pool: Maxpool | None, leaves) -> Windows:
        # Each column of a window is padded to whole groups, see `_window_columns`.
        columns, rows = 2 * node.half_x + 1, node.num_out // (2 * node.half_x + 1)
        room = _in_groups(rows)
        at = (np.arange(columns)[:, None] * room + np.arange(rows)).reshape(-1)
        m = self._matrix(leaves, leaves["w"], Features(at, columns * room))
        _check_scale(m.scale)
        x_scale, y_scale = _scales(pool)

        def run(blocks: tuple[Block, ...], widths: np.ndarray, states: np.ndarray) -> np.ndarray:
            height, _, depth = blocks[0].shape
            flat = self.taken(np.concatenate([block.reshape(-1) for block in blocks]))
            return byte_loops.convolution(
                flat, height, depth, widths, states, node.half_x, node.half_y, m.packed, m.start,
                m.scale, kind, TABLES, x_scale, y_scale,
            )  # fmt: skip

        return run

    def dense(self, kind: int, leaves, features: Features) -> Callable[[np.ndarray], np.ndarray]:
        m = self._matrix(leaves, leaves["w"], features)

        def run(x: np.ndarray) -> np.ndarray:
            out = np.empty((len(x), len(m.start)), np.uint8)
            byte_loops.dense(x, m.packed, m.start, m.scale, kind, TABLES, out)
            return out

        return run

    def scan(self, leaves, features: Features, *, reverse: bool, last: bool) -> Scan:
        S = len(leaves["wh"])
        size, units = padded(S), np.arange(S)
        # The own output follows the input, for `make_cells`.
        both = Features(np.append(features.at, features.size + units), features.size + size)
        # The gates of each vector of units lie beside each other.
        first = units // LANES * GATES * LANES + units % LANES
        gates = (np.arange(GATES)[:, None] * LANES + first).reshape(-1)
        w = np.concatenate([leaves["wx"], leaves["wh"]])
        m = self._matrix(leaves, w, both, gates)

        def run(x: np.ndarray, lengths: np.ndarray) -> np.ndarray:
            T, N, _ = x.shape
            out = self.full((1 if last else T, N, size))
            byte_loops.lstm(x, lengths, m.packed, m.start, m.scale, TABLES, reverse, last, out)
            return out

        return run

    def softmax(self, leaves, features: Features, num_classes: int) -> Probs:
        m = self._matrix(leaves, leaves["w"], features, absent=_ABSENT)

        def run(x: np.ndarray, widths: np.ndarray) -> np.ndarray:
            return byte_loops.class_probs(x, widths, m.packed, m.start, m.scale, num_classes)

        return run


def _in_groups(count: int) -> int:
    return -(-count // GROUP) * GROUP
