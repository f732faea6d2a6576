"""The random numbers that Tesseract's convolutions see outside the picture.

They are drawn afresh for each line: for every position, row by row, and for every column offset,
first all neighbours of a column that lies outside, else those above and below the picture.
Source: Tesseract src/lstm/convolve.cpp.
"""

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
    """Sizes of a picture."""

    height: int
    width: int

    def transposed(self) -> "Frame":
        """The same with rows and columns exchanged."""
        return Frame(self.width, self.height)


class Borders(NamedTuple):
    """Values for the positions of a convolution that lie outside the picture.

    at: offsets into the flattened [H, W, taps * depth] result, rising.
    value: in -1..1, for int8 networks whole numbers in -127..127.
    """

    at: Int[np.ndarray, " N"]
    value: Float[np.ndarray, " N"]


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
            return [], Frame(frame.height // node.y_scale, frame.width // node.x_scale)
        case Lstm(summary=True):
            return [], frame._replace(width=1)
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
            # Inside, rows and columns are exchanged, and numbers are drawn in that order.
            sites, out = _sites(node.child, frame.transposed())
            return sites, out.transposed()
        case Reversed():
            return _sites(node.child, frame)
        case SoftmaxLstm():
            return [], frame
    return [], frame


@lru_cache(maxsize=512)
def _outside(
    height: int, width: int, half_x: int, half_y: int, depth: int
) -> Int[np.ndarray, " N"]:
    """Offsets, in drawing order, of all values outside the picture, into [H, W, taps * depth]."""
    y = np.arange(height)[:, None, None, None]
    x = np.arange(width)[None, :, None, None]
    dx = np.arange(-half_x, half_x + 1)[None, None, :, None]
    dy = np.arange(-half_y, half_y + 1)[None, None, None, :]
    out_x = (x + dx < 0) | (x + dx >= width)
    out_y = (y + dy < 0) | (y + dy >= height)
    # nonzero goes through y, x, dx, dy in this order, which is that of drawing.
    at_y, at_x, tap_x, tap_y = np.nonzero(out_x | out_y)
    taps_y = 2 * half_y + 1
    taps = (2 * half_x + 1) * taps_y
    first = ((at_y * width + at_x) * taps + tap_x * taps_y + tap_y) * depth
    index = (first[:, None] + np.arange(depth)).reshape(-1).astype(np.int32)
    index.flags.writeable = False
    return index


def draw_borders(
    root: Node, height: int, width: int, stream: MinStd, *, int_mode: bool = False
) -> tuple[Borders, ...]:
    """Draw what each convolution of a network sees outside one line, in the order they run.

    Args:
      root: the network.
      height: rows of the line as it enters the network.
      width: columns of the line.
      stream: random numbers of the line, seeded and past the noise of its padding.
      int_mode: draw whole numbers in -127..127.
    """
    return tuple(
        _drawn(node, frame, stream, int_mode)
        for node, frame in _sites(root, Frame(height, width))[0]
    )


def _drawn(node: Convolve, frame: Frame, stream: MinStd, int_mode: bool) -> Borders:
    at = _outside(frame.height, frame.width, node.half_x, node.half_y, node.num_in)
    if not int_mode:
        return Borders(at, stream.signed(len(at)).astype(np.float32))
    drawn = stream.signed(len(at), 127.0)
    # Half away from zero, as the original rounds in int8 mode.
    return Borders(at, np.trunc(drawn + np.copysign(0.5, drawn)).astype(np.float32))
