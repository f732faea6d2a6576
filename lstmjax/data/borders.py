"""The random numbers that Tesseract's convolutions see outside the picture.

They are drawn afresh for each line: for every position, row by row, and for every column offset,
first all neighbours of a column that lies outside, else those above and below the picture.
Source: Tesseract src/lstm/convolve.cpp.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from lstmjax.data.random import MinStd
from lstmjax.netspec.tree import (
    Convolve,
    Lstm,
    Maxpool,
    Node,
    Parallel,
    Reconfig,
    Reversed,
    Series,
    SoftmaxLstm,
)


class Frame(NamedTuple):
    """Sizes of a picture: of the line itself, and padded to its batch."""

    height: int
    width: int
    padded_height: int
    padded_width: int

    def transposed(self) -> "Frame":
        """The same with rows and columns exchanged."""
        return Frame(self.width, self.height, self.padded_width, self.padded_height)


class Borders(NamedTuple):
    """Noise of one convolution for a batch; see `nn.layer.BorderNoise`."""

    at: Int[np.ndarray, "B N"]
    value: Float[np.ndarray, "B N"]


class _Site(NamedTuple):
    """A convolution and the picture that enters it."""

    node: Convolve
    frame: Frame


def _sites(node: Node, frame: Frame) -> tuple[list[_Site], Frame]:
    """All convolutions below a node in the order they run, and the frame that leaves it."""
    match node:
        case Convolve():
            return [_Site(node, frame)], frame
        case Maxpool() | Reconfig():
            h, w, H, W = frame
            x, y = node.x_scale, node.y_scale
            return [], Frame(h // y, w // x, H // y, W // x)
        case Lstm(summary=True):
            return [], frame._replace(width=1, padded_width=1)
        case Series():
            found: list[_Site] = []
            for each in node.children:
                sites, frame = _sites(each, frame)
                found += sites
            return found, frame
        case Parallel():
            parts = [_sites(each, frame) for each in node.children]
            return [site for sites, _ in parts for site in sites], parts[0][1]
        case Reversed(axis="xy"):
            sites, out = _sites(node.child, frame.transposed())
            return sites, out.transposed()
        case Reversed():
            return _sites(node.child, frame)
        case SoftmaxLstm():
            return [], frame
    return [], frame


@lru_cache(maxsize=512)
def _outside(
    height: int, width: int, padded_width: int, half_x: int, half_y: int, depth: int
) -> Int[np.ndarray, " N"]:
    """Offsets, in drawing order, of all values outside the picture, into [H, W, taps * depth]."""
    y = np.arange(height)[:, None, None, None]
    x = np.arange(width)[None, :, None, None]
    dx = np.arange(-half_x, half_x + 1)[None, None, :, None]
    dy = np.arange(-half_y, half_y + 1)[None, None, None, :]
    out_x = (x + dx < 0) | (x + dx >= width)
    out_y = (y + dy < 0) | (y + dy >= height)
    at_y, at_x, tap_x, tap_y = np.nonzero(out_x | out_y)
    taps_y = 2 * half_y + 1
    taps = (2 * half_x + 1) * taps_y
    first = ((at_y * padded_width + at_x) * taps + tap_x * taps_y + tap_y) * depth
    index = (first[:, None] + np.arange(depth)).reshape(-1).astype(np.int32)
    index.flags.writeable = False
    return index


def _draw(
    root: Node, frame: Frame, stream: MinStd, int_mode: bool
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    for node, at in _sites(root, frame)[0]:
        index = _outside(
            at.height, at.width, at.padded_width, node.half_x, node.half_y, node.num_in
        )
        if int_mode:
            drawn = stream.signed(len(index), 127.0)
            value = np.trunc(drawn + np.copysign(0.5, drawn)).astype(np.float32)
        else:
            value = stream.signed(len(index)).astype(np.float32)
        yield index, value


def draw_borders(
    root: Node,
    sizes: Sequence[tuple[int, int]],
    padded: tuple[int, int],
    streams: Sequence[MinStd],
    *,
    int_mode: bool = False,
) -> tuple[Borders, ...]:
    """Draw the border noise of a batch, one entry a convolution of the network.

    Args:
      root: the network.
      sizes: (height, width) of each line.
      padded: (height, width) of the batch.
      streams: the random numbers of each line, seeded and past the noise of its padding.
      int_mode: draw whole numbers in -127..127.
    Returns: index and value [B, N]; entries a line does not need have an index out of range.
    """
    lines = [
        list(_draw(root, Frame(h, w, *padded), stream, int_mode))
        for (h, w), stream in zip(sizes, streams, strict=True)
    ]
    out = []
    for number in range(len(lines[0])):
        longest = max(len(line[number][0]) for line in lines)
        room = -(-longest // 1024) * 1024  # few array shapes, so few compilations
        index = np.full((len(lines), room), np.iinfo(np.int32).max, np.int32)
        value = np.zeros((len(lines), room), np.float32)
        for i, line in enumerate(lines):
            drawn_index, drawn_value = line[number]
            index[i, : len(drawn_index)] = drawn_index
            value[i, : len(drawn_value)] = drawn_value
        out.append(Borders(index, value))
    return tuple(out)
