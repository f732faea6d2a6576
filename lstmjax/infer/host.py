"""Networks of the usual kinds, over a few lines at a time on the processor, in compiled loops.

What `nn` computes with Tesseract's arithmetic is computed here faster, with nothing to compile for
each width: convolutions with their pools, LSTMs along one axis, layers side by side, a softmax.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float32, Int64

from lstmjax.cores import usable_cores
from lstmjax.data.batch import Buckets
from lstmjax.data.image import Input as Block
from lstmjax.data.random import MinStd
from lstmjax.infer.forward import Forward, Prepare, Result
from lstmjax.infer.model import LoadedModel
from lstmjax.kernels import reading_loops as loops
from lstmjax.kernels.reading_cells import TABLES
from lstmjax.kernels.tables import EXACT_FLOAT_SUM
from lstmjax.kernels.vectors import LANES, SUPPORTED
from lstmjax.spec.tree import (
    Convolve,
    Dense,
    Input,
    Lstm,
    Maxpool,
    Node,
    Parallel,
    Reversed,
    Series,
)

_KINDS = {
    "linear": loops.LINEAR,
    "tanh": loops.TANH,
    "logistic": loops.LOGISTIC,
    "relu": loops.RELU,
    "lin_logistic": loops.LIN_LOGISTIC,
    "lin_tanh": loops.LIN_TANH,
}
_SOFTMAXES = ("softmax", "softmax_no_ctc")
_ABSENT = -1e30  # the bias of classes that there are not


class _UnusualError(Exception):
    """A network has a part that is not computed here."""


@dataclass(frozen=True, eq=False)
class _Lines:
    """Some lines on their way through a network.

    Attributes:
      x: [H, W, B, D]; beyond a line's width there may be anything.
      widths: true ones.
      blocks: the lines each by itself [H, w, D], as they come in.
      states: of each line's random numbers; a convolution advances them.
    """

    x: Float32[np.ndarray, "H W B D"]
    widths: Int64[np.ndarray, " B"]
    blocks: tuple[Block, ...]
    states: Int64[np.ndarray, " B"]


_Step = Callable[[_Lines], _Lines]


@dataclass(frozen=True, eq=False)
class _Features:
    """Where the features of a layer's output are among those of its array, which has `size`."""

    at: Int64[np.ndarray, " D"]
    size: int


@dataclass(frozen=True, eq=False)
class _Weights:
    """A matrix ready for the loops: packed, a bias and a scale for each column."""

    packed: Float32[np.ndarray, " all"]
    bias: Float32[np.ndarray, " N"]
    scale: Float32[np.ndarray, " N"]


@dataclass(frozen=True, eq=False)
class HostNetwork:
    """A network ready to run; make it with `make_network`."""

    _steps: tuple[_Step, ...]
    _weights: _Weights
    _num_classes: int
    _int_mode: bool

    def probs(
        self, blocks: Sequence[Block], streams: Sequence[MinStd]
    ) -> list[Float32[np.ndarray, "T K"]]:
        """Class probabilities of lines; other threads may run meanwhile.

        Args:
          blocks: [H, w, D] each, of one height.
          streams: where the random numbers of each line's borders come from.
        """
        height, _, depth = blocks[0].shape
        widths = np.array([block.shape[1] for block in blocks], np.int64)
        lines = _Lines(
            np.empty((height, 0, len(blocks), depth), np.float32),
            widths,
            tuple(blocks),
            np.array([stream.state for stream in streams], np.int64),
        )
        for step in self._steps:
            lines = step(lines)
        if lines.x.shape[0] != 1:
            raise ValueError(f"the output has {lines.x.shape[0]} rows, expected one")
        w = self._weights
        probs = loops.class_probs(
            lines.x[0], lines.widths, w.packed, w.bias, w.scale, self._int_mode, self._num_classes
        )
        return np.split(probs, np.cumsum(lines.widths)[:-1])


@dataclass(frozen=True)
class HostForward(Forward):
    """A model whose network runs in compiled loops, several groups of lines at once."""

    _network: HostNetwork

    def _run_groups(
        self,
        groups: Iterable[list[int]],
        prepare: Prepare,
        read: Callable[[int, np.ndarray], Result],
        batch: int,
        buckets: Buckets,
    ) -> Iterator[tuple[int, Result]]:
        del batch, buckets

        def run(group: list[int]) -> list[tuple[int, Result]]:
            lines = prepare(group)
            all_probs = self._network.probs(
                [line.block for line in lines], [line.stream for line in lines]
            )
            return [
                (place, read(place, probs)) for place, probs in zip(group, all_probs, strict=True)
            ]

        todo = deque(groups)
        threads = min(usable_cores(), len(todo))
        if threads < 2:
            for group in todo:
                yield from run(group)
            return
        running: deque[Future[list[tuple[int, Result]]]] = deque()
        with ThreadPoolExecutor(threads) as pool:
            while todo or running:
                while todo and len(running) < 2 * threads:
                    running.append(pool.submit(run, todo.popleft()))
                yield from running.popleft().result()

    def buckets(self, widths: Sequence[int]) -> Buckets:
        """Nothing is compiled for any width."""
        del widths
        return Buckets((), ())


def make_host_forward(model: LoadedModel) -> HostForward | None:
    """Prepare a model; None if its network, or this processor, is not one for these loops."""
    network = make_network(model)
    return None if network is None else HostForward(model, network)


def make_network(model: LoadedModel) -> HostNetwork | None:
    """Prepare a network; see `make_host_forward`."""
    if not SUPPORTED:
        return None
    try:
        return _Maker(model.int_mode).network(model.root, model.params)
    except _UnusualError:
        return None


def _whole(count: int) -> int:
    """Numbers in whole vectors."""
    return -(-count // LANES) * LANES


@dataclass(frozen=True)
class _Maker:
    """Turns nodes of a tree into steps."""

    int_mode: bool

    def network(self, root: Series, params) -> HostNetwork:
        *body, (last, last_params) = _flat(root, params)
        if not isinstance(last, Dense) or last.activation not in _SOFTMAXES:
            raise _UnusualError
        steps, features = self.chain(body, _Features(np.arange(0), 0))
        weights = self.weights(last_params, last_params["w"], features, _ABSENT)
        return HostNetwork(tuple(steps), weights, last.num_out, self.int_mode)

    def chain(self, nodes: list, features: _Features) -> tuple[list[_Step], _Features]:
        """The steps of layers one after the other, and what comes out."""
        steps: list[_Step] = []
        place = 0
        stacked = False  # before that, lines are each by themselves
        while place < len(nodes):
            node, params = nodes[place]
            following = [each for each, _ in nodes[place + 1 : place + 3]]
            if isinstance(node, Input):
                features = _Features(np.arange(node.depth), node.depth)
            elif isinstance(node, Convolve) and not node.half_x and not node.half_y:
                pass  # each position is its only neighbour
            elif isinstance(node, Convolve):
                if stacked or not following or not isinstance(following[0], Dense):
                    raise _UnusualError
                pool = following[1] if isinstance(following[-1], Maxpool) else None
                inner = nodes[place + 1][1]
                step, features = self.convolution(node, following[0], pool, inner)
                steps.append(step)
                place += 1 if pool is None else 2
                stacked = True
            else:
                if not stacked:
                    steps.append(_stack)
                    stacked = True
                step, features = self.layer(node, params, features)
                steps.append(step)
            place += 1
        return (steps if stacked else [*steps, _stack]), features

    def layer(self, node: Node, params, features: _Features) -> tuple[_Step, _Features]:
        match node:
            case Lstm(two_d=False):
                return self.lstm(node, params, features)
            case Reversed(axis="x", child=Lstm(two_d=False) as inner):
                return self.lstm(inner, params["0"], features, reverse=True)
            case Reversed(axis="xy", child=Lstm(two_d=False) as inner):
                return self.lstm(inner, params["0"], features, along_y=True)
            case Reversed(axis="xy", child=Reversed(axis="x", child=Lstm(two_d=False) as inner)):
                leaves = params["0"]["0"]
                return self.lstm(inner, leaves, features, along_y=True, reverse=True)
            case Dense() if node.activation in _KINDS:
                return self.dense(node, params, features)
            case Parallel():
                return self.parallel(node, params, features)
        raise _UnusualError

    def weights(self, leaves, w, features: _Features, absent: float = 0.0) -> _Weights:
        """A matrix whose rows are features, with columns in whole vectors."""
        w = np.asarray(w, np.float32)
        columns = w.shape[1]
        full = np.zeros((features.size, _whole(columns)), np.float32)
        full[features.at, :columns] = w
        bias = np.full(full.shape[1], absent, np.float32)
        bias[:columns] = np.asarray(leaves["b"], np.float32) * (127 if self.int_mode else 1)
        scale = np.ones(full.shape[1], np.float32)
        if self.int_mode:
            self.check_sums(len(w) + 1)
            scale[:columns] = leaves["scale"]
        return _Weights(loops.packed(full), bias, scale)

    def check_sums(self, terms: int) -> None:
        """Whole numbers must be added without rounding."""
        if terms > EXACT_FLOAT_SUM:
            raise _UnusualError

    def convolution(
        self, node: Convolve, inner: Dense, pool: Maxpool | None, leaves
    ) -> tuple[_Step, _Features]:
        if inner.activation not in _KINDS:
            raise _UnusualError
        taps = node.num_out
        w = self.weights(leaves, leaves["w"], _Features(np.arange(taps), taps))
        if (w.scale < 0).any():
            raise _UnusualError  # the largest sum is not the largest output
        size, kind = len(w.bias), _KINDS[inner.activation]
        x_scale, y_scale = (pool.x_scale, pool.y_scale) if pool else (1, 1)
        int_mode = self.int_mode

        def step(lines: _Lines) -> _Lines:
            height, _, depth = lines.blocks[0].shape
            flat = np.concatenate([block.reshape(-1) for block in lines.blocks])
            out = loops.convolution(
                flat, height, depth, lines.widths, lines.states, node.half_x, node.half_y,
                w.packed, w.bias, w.scale, kind, TABLES, x_scale, y_scale, int_mode,
            )  # fmt: skip
            return replace(lines, x=out, widths=lines.widths // x_scale)

        return step, _Features(np.arange(inner.num_out), size)

    def dense(self, node: Dense, leaves, features: _Features) -> tuple[_Step, _Features]:
        w = self.weights(leaves, leaves["w"], features)
        size, kind, int_mode = len(w.bias), _KINDS[node.activation], self.int_mode

        def step(lines: _Lines) -> _Lines:
            H, W, B, D = lines.x.shape
            out = np.empty((H * W * B, size), np.float32)
            flat = lines.x.reshape(-1, D)
            loops.dense(flat, w.packed, w.bias, w.scale, kind, TABLES, int_mode, out)
            return replace(lines, x=out.reshape(H, W, B, size))

        return step, _Features(np.arange(node.num_out), size)

    def lstm(
        self, node: Lstm, leaves, features: _Features, *, reverse=False, along_y=False
    ) -> tuple[_Step, _Features]:
        S, size = node.num_states, _whole(node.num_states)
        if self.int_mode:
            self.check_sums(len(leaves["wx"]) + S + 1)
        own = _Features(np.arange(S), size)
        spread = (np.arange(4)[:, None] * size + np.arange(S)).reshape(-1)

        def gates(leaf) -> np.ndarray:
            """The columns of the four gates, each in whole vectors."""
            leaf = np.asarray(leaf, np.float32)
            wide = np.zeros((*leaf.shape[:-1], 4 * size), np.float32)
            wide[..., spread] = leaf
            return wide

        filled = {key: gates(leaves[key]) for key in ("wx", "wh", "b", "scale") if key in leaves}
        wx = self.weights(filled, filled["wx"], features)
        wh = self.weights(filled, filled["wh"], own)
        last, int_mode = node.summary, self.int_mode

        def run(x: np.ndarray, lengths: np.ndarray) -> np.ndarray:
            T, N, _ = x.shape
            out = np.zeros((1 if last else T, N, size), np.float32)
            loops.lstm(
                x, lengths, wx.packed, wh.packed, wx.bias, wx.scale, TABLES, reverse, last,
                int_mode, out,
            )  # fmt: skip
            return out

        def step_y(lines: _Lines) -> _Lines:
            H, W, B, D = lines.x.shape
            out = run(lines.x.reshape(H, W * B, D), np.full(W * B, H))
            return replace(lines, x=out.reshape(-1, W, B, size))

        def step_x(lines: _Lines) -> _Lines:
            rows = [run(row, lines.widths) for row in lines.x]
            widths = np.ones_like(lines.widths) if last else lines.widths
            return replace(lines, x=np.stack(rows), widths=widths)

        return (step_y if along_y else step_x), own

    def parallel(self, node: Parallel, params, features: _Features) -> tuple[_Step, _Features]:
        made = [
            self.layer(each, params.get(str(i), {}), features)
            for i, each in enumerate(node.children)
        ]
        firsts = np.cumsum([0, *(out.size for _, out in made)])
        at = np.concatenate([out.at + first for (_, out), first in zip(made, firsts, strict=False)])

        def step(lines: _Lines) -> _Lines:
            done = [each(lines) for each, _ in made]
            return replace(done[0], x=np.concatenate([one.x for one in done], axis=3))

        return step, _Features(at, int(firsts[-1]))


def _flat(node: Node, params: Any) -> list[tuple[Node, Any]]:
    """The layers of nested series in order, with their params."""
    if not isinstance(node, Series):
        return [(node, params)]
    return [
        pair for i, each in enumerate(node.children) for pair in _flat(each, params.get(str(i), {}))
    ]


def _stack(lines: _Lines) -> _Lines:
    """Put the lines side by side."""
    H, _, D = lines.blocks[0].shape
    x = np.zeros((H, int(lines.widths.max()), len(lines.widths), D), np.float32)
    for i, block in enumerate(lines.blocks):
        x[:, : block.shape[1], i] = block
    return replace(lines, x=x)
