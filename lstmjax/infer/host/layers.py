"""Builds the steps that `host` runs from the tree of a network."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Int64

from lstmjax.data.image import Input as Block
from lstmjax.infer.host.numbers import KINDS, Features, Numbers, Probs, UnsupportedLayerError
from lstmjax.netspec.tree import (
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
from lstmjax.simd.vectors import padded

_SOFTMAXES = ("softmax", "softmax_no_ctc")


@dataclass(frozen=True, eq=False)
class Lines:
    """A few lines on their way through a network.

    Attributes:
      x: [H, W, B, D] in the number format of the network; unspecified beyond a line's width.
      widths: true widths of the lines.
      blocks: network input of each line, [H, w, D].
      states: state of each line's random numbers; a convolution advances it.
    """

    x: np.ndarray
    widths: Int64[np.ndarray, " B"]
    blocks: tuple[Block, ...]
    states: Int64[np.ndarray, " B"]


Step = Callable[[Lines], Lines]


@dataclass(frozen=True)
class HostBuilder:
    """Turns nodes of a tree into steps.

    Attributes:
      numbers: layers of one number format.
    """

    numbers: Numbers

    def network(self, root: Series, params) -> tuple[tuple[Step, ...], Probs]:
        """All steps but the last, and the softmax.

        Raises: UnsupportedLayerError: the host loops do not implement a layer.
        """
        *body, (last, last_params) = _flat(root, params)
        if not isinstance(last, Dense) or last.activation not in _SOFTMAXES:
            raise UnsupportedLayerError
        steps, features = self.chain(body, Features(np.arange(0), 0))
        return tuple(steps), self.numbers.softmax(last_params, features, last.num_out)

    def chain(self, nodes: list, features: Features) -> tuple[list[Step], Features]:
        """The steps of layers one after the other, and the features of the last output."""
        steps: list[Step] = []
        place = 0
        stacked = False  # whether lines lie side by side in one array yet
        while place < len(nodes):
            node, params = nodes[place]
            following = [each for each, _ in nodes[place + 1 : place + 3]]
            if isinstance(node, Input):
                features = self.numbers.of_input(node.depth)
            elif isinstance(node, Convolve) and not node.half_x and not node.half_y:
                pass  # each position is its only neighbour
            elif isinstance(node, Convolve):
                # Convolutions come before lines lie side by side here; `exact` does the others.
                if stacked or not following or not isinstance(following[0], Dense):
                    raise UnsupportedLayerError
                pool = following[1] if isinstance(following[-1], Maxpool) else None
                inner = nodes[place + 1][1]
                step, features = self.convolution(node, following[0], pool, inner)
                steps.append(step)
                place += 1 if pool is None else 2
                stacked = True
            else:
                if not stacked:
                    steps.append(self.stack)
                    stacked = True
                step, features = self.layer(node, params, features)
                steps.append(step)
            place += 1
        return (steps if stacked else [*steps, self.stack]), features

    def layer(self, node: Node, params, features: Features) -> tuple[Step, Features]:
        match node:
            case Lstm(two_d=False):
                return self.lstm(node, params, features)
            case Reversed(axis="x", child=Lstm(two_d=False) as inner):
                return self.lstm(inner, params["0"], features, reverse=True)
            case Reversed(axis="xy", child=Lstm(two_d=False) as inner):
                # `xy` makes the LSTM run along y: no picture is transposed for it.
                return self.lstm(inner, params["0"], features, along_y=True)
            case Reversed(axis="xy", child=Reversed(axis="x", child=Lstm(two_d=False) as inner)):
                leaves = params["0"]["0"]
                return self.lstm(inner, leaves, features, along_y=True, reverse=True)
            case Dense() if node.activation in KINDS:
                return self.dense(node, params, features)
            case Parallel():
                return self.parallel(node, params, features)
        raise UnsupportedLayerError

    def convolution(
        self, node: Convolve, inner: Dense, pool: Maxpool | None, leaves
    ) -> tuple[Step, Features]:
        if inner.activation not in KINDS:
            raise UnsupportedLayerError
        run = self.numbers.windows(node, KINDS[inner.activation], pool, leaves)
        x_scale = pool.x_scale if pool else 1

        def step(lines: Lines) -> Lines:
            out = run(lines.blocks, lines.widths, lines.states)
            return replace(lines, x=out, widths=lines.widths // x_scale)

        return step, _behind(inner.num_out)

    def dense(self, node: Dense, leaves, features: Features) -> tuple[Step, Features]:
        run = self.numbers.dense(KINDS[node.activation], leaves, features)

        def step(lines: Lines) -> Lines:
            out = run(lines.x.reshape(-1, lines.x.shape[3]))
            return replace(lines, x=out.reshape(*lines.x.shape[:3], -1))

        return step, _behind(node.num_out)

    def lstm(
        self, node: Lstm, leaves, features: Features, *, reverse=False, along_y=False
    ) -> tuple[Step, Features]:
        last = node.summary
        run = self.numbers.scan(leaves, features, reverse=reverse, last=last)

        # All lines of a group have one height, so that every column has all its rows.
        def step_y(lines: Lines) -> Lines:
            H, W, B, D = lines.x.shape
            out = run(lines.x.reshape(H, W * B, D), np.full(W * B, H))
            return replace(lines, x=out.reshape(-1, W, B, out.shape[2]))

        def step_x(lines: Lines) -> Lines:
            rows = [run(row, lines.widths) for row in lines.x]
            widths = np.ones_like(lines.widths) if last else lines.widths
            return replace(lines, x=np.stack(rows), widths=widths)

        return (step_y if along_y else step_x), _behind(node.num_states)

    def parallel(self, node: Parallel, params, features: Features) -> tuple[Step, Features]:
        made = [
            self.layer(each, params.get(str(i), {}), features)
            for i, each in enumerate(node.children)
        ]
        # Each part ends in whole vectors, so features of the next one do not follow without a gap.
        firsts = np.cumsum([0, *(out.size for _, out in made)])
        at = np.concatenate([out.at + first for (_, out), first in zip(made, firsts, strict=False)])

        def step(lines: Lines) -> Lines:
            done = [each(lines) for each, _ in made]
            return replace(done[0], x=np.concatenate([one.x for one in done], axis=3))

        return step, Features(at, int(firsts[-1]))

    def stack(self, lines: Lines) -> Lines:
        """Put the lines side by side."""
        H, _, D = lines.blocks[0].shape
        widest, size = int(lines.widths.max()), self.numbers.of_input(D).size
        x = self.numbers.full((H, widest, len(lines.widths), size))
        for i, block in enumerate(lines.blocks):
            x[:, : block.shape[1], i, :D] = self.numbers.taken(block)
        return replace(lines, x=x)


def _behind(count: int) -> Features:
    """The features of a layer's output, in whole vectors."""
    return Features(np.arange(count), padded(count))


def _flat(node: Node, params: Any) -> list[tuple[Node, Any]]:
    """The layers of nested series in order, with their params."""
    if not isinstance(node, Series):
        return [(node, params)]
    return [
        pair for i, each in enumerate(node.children) for pair in _flat(each, params.get(str(i), {}))
    ]
