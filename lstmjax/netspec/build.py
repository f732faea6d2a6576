"""The subtree that each item of a net_spec becomes, named as Tesseract's builder names it.

Names are stored in model files, so they are kept to the letter, slips of the original included.
Source: tesseract src/training/common/networkbuilder.cpp, formats checked on its checkpoints.
"""

from lstmjax.netspec.shape import Shape
from lstmjax.netspec.tree import (
    Activation,
    Convolve,
    Dense,
    Lstm,
    Node,
    Parallel,
    Reconfig,
    Reversed,
    Series,
)


def convolution(num_in: int, y: int, x: int, depth: int, activation: Activation) -> Node:
    """Return a window of y by x and its layer; an even size acts like the next odd one."""
    if x == 1 and y == 1:
        return Dense(num_in, depth, activation, name="Conv1x1")
    window = Convolve(num_in, x // 2, y // 2)
    return Series(
        (window, Dense(window.num_out, depth, activation, name="ConvNL")), name="ConvSeries"
    )


def scan(
    num_in: int,
    num_states: int,
    direction: str,
    axis: str,
    summary: bool,
    name: str,
) -> Node:
    """Return a 1-D LSTM that scans along an axis.

    Args:
      num_in: features per position.
      num_states: states of each LSTM.
      direction: 'f' forward, 'r' reverse, 'b' both ways.
      axis: 'x' or 'y'.
      summary: whether only the last step is kept.
      name: the item as the user wrote it, which Tesseract stores as the name of the LSTM.
    """
    node: Node = Lstm(num_in, num_states, summary, name=name)
    if direction != "f":
        node = Reversed(node, "x", name="RevLSTM")
    if direction == "b":
        # Only the half that runs forward gets a suffix: so the original names them.
        forward = Lstm(num_in, num_states, summary, name=name + "LTR")
        node = Parallel((forward, node), "bidi", name="BidiLSTM")
    return transposed(node) if axis == "y" else node


def quad(num_in: int, num_states: int) -> Parallel:
    """Return the four 2-D LSTMs that scan from the four corners."""

    def lstm(name: str) -> Lstm:
        return Lstm(num_in, num_states, two_d=True, name=name)

    up_left = Reversed(lstm("L2DRTLUp"), "y", name="L2DRTLYRev")
    return Parallel(
        (
            lstm("L2DLTRDown"),
            Reversed(lstm("L2DRTLDown"), "x", name="L2DLTRXRev"),
            Reversed(up_left, "x", name="L2DXRevU"),
            Reversed(lstm("L2DLTRDown"), "y", name="L2DXRevY"),  # sic: it scans up
        ),
        "quad",
        name="2DLSTMQuad",
    )


def transposed(node: Node) -> Reversed:
    """Return a layer that sees columns as rows."""
    return Reversed(node, "xy", name="XYTransLSTM")


def flattened(
    shape: Shape, height: int, width: int, num_out: int, activation: Activation, name: str
) -> Node:
    """Return a dense layer over tiles of height by width positions."""
    if height * width == 1:
        return Dense(shape.depth, num_out, activation, name=name)
    tiles = Reconfig(shape.depth, x_scale=width, y_scale=height, name="FCReconfig")
    return Series((tiles, Dense(tiles.num_out, num_out, activation, name=name)), name="FCSeries")
