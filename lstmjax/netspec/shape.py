"""Sizes through the tree: the shape of the output for that of an image.

Rows and columns never influence each other, so everything here follows one axis at a time.
"""

from dataclasses import dataclass
from typing import Literal

from lstmjax.errors import SpecError
from lstmjax.netspec.tree import (
    Dense,
    Input,
    Loss,
    Lstm,
    Maxpool,
    Node,
    Parallel,
    Reconfig,
    Reversed,
    Series,
    SoftmaxLstm,
    walk,
    x_scale,
    y_scale,
)


@dataclass(frozen=True)
class Shape:
    """Rows, columns and features of one line at some point of a network; 0 is variable."""

    height: int
    width: int
    depth: int


def input_of(root: Node) -> Input:
    """Return the input layer of a network.

    Raises: SpecError: there is no input layer, as in a part of a network.
    """
    first = next(walk(root))[1]
    if not isinstance(first, Input):
        raise SpecError(f"the network starts with {first.name or first}, not with an input layer")
    return first


def output_shape(node: Node, shape: Shape | None = None) -> Shape:
    """Follow a shape through a node.

    Tesseract lets a fixed size shrink to 0 and then takes it for variable; here that is an error,
    and so are layers side by side that give different sizes (Tesseract aborts on them).

    Args:
      node: any part of a network.
      shape: shape of the input; not needed if the node starts with the input layer.
    Raises: SpecError: no rows or columns are left, or sizes differ side by side.
    """
    if isinstance(node, Input):
        return Shape(node.height, node.width, node.depth)
    if isinstance(node, Series):
        for child in node.children:
            shape = output_shape(child, shape)
    if shape is None:
        raise SpecError(f"the network starts with {node.name or node}, not with an input layer")
    match node:
        case Series():
            return shape
        case Maxpool() | Reconfig():
            height = _shrink(node, shape.height, node.y_scale, "row")
            width = _shrink(node, shape.width, node.x_scale, "column")
            return Shape(height, width, node.num_out)
        case Lstm(summary=True):
            return Shape(shape.height, 1, node.num_out)
        case Parallel():
            return _side_by_side(node, shape)
        case Reversed(axis="xy"):
            inner = output_shape(node.child, Shape(shape.width, shape.height, shape.depth))
            return Shape(inner.width, inner.height, inner.depth)
        case Reversed():
            return output_shape(node.child, shape)
        case _:
            return Shape(shape.height, shape.width, node.num_out)


def output_width(root: Node, width: int) -> int:
    """Return the columns that come out for a line of `width` columns; 0 if it is too narrow."""
    return _along(root, _fixed_width(root) or width, "x")


def output_loss(root: Node) -> Loss:
    """Return the loss that the last layer of a network calls for."""
    match root:
        case Series():
            return output_loss(root.children[-1])
        case SoftmaxLstm() | Dense(activation="softmax"):
            return "ctc"
        case Dense(activation="softmax_no_ctc"):
            return "softmax"
        case Dense(activation="logistic"):
            return "logistic"
        case _:
            return "none"


def check_output(root: Node, num_classes: int) -> None:
    """Refuse a network whose outputs are not the codes of a character set.

    Tesseract does not check this and reads past the end of its arrays.

    Raises: SpecError: the number of outputs differs, or the last layer has no loss.
    """
    advice = "end the net_spec with an output layer such as O1c1"
    if root.num_out != num_classes:
        raise SpecError(
            f"the network gives {root.num_out} outputs at each step, but the character set has "
            f"{num_classes} codes; {advice}"
        )
    if output_loss(root) == "none":
        raise SpecError(f"the last layer of the network cannot be trained on text; {advice}")


def check_softmax(root: Node) -> None:
    """Refuse a network whose outputs are not class probabilities.

    Raises: SpecError: the last layer is no softmax.
    """
    if output_loss(root) not in ("ctc", "softmax"):
        raise SpecError("the network must end in a softmax: O1c, O1s, LS or LE")


def check_one_row(rows: int) -> None:
    """Refuse outputs that are not a single row of classes.

    Raises: SpecError: there are several rows.
    """
    if rows != 1:
        raise SpecError(f"the output has {rows} rows; reduce them to one, e.g. with Lfys48 or O1c")


def _shrink(node: Maxpool | Reconfig, size: int, scale: int, what: str) -> int:
    # Variable sizes are 0, which any scale divides.
    if size and size < scale:
        raise SpecError(
            f"{node.name} takes {scale} {what}s at a time, but only {size} {what}"
            f"{'s are' if size > 1 else ' is'} left at this point"
        )
    return size // scale


def _side_by_side(node: Parallel, shape: Shape) -> Shape:
    shapes = [output_shape(child, shape) for child in node.children]
    first = shapes[0]
    grids = {
        (
            each.height or -y_scale(child),  # two variable sizes agree if their scales do
            each.width or -x_scale(child),
        )
        for each, child in zip(shapes, node.children, strict=True)
    }
    if len(grids) > 1:
        sizes = " and ".join(
            f"{_size(height, 'the height')} rows by {_size(width, 'the width')} columns"
            for height, width in sorted(grids)
        )
        raise SpecError(f"layers side by side must give the same rows and columns, found {sizes}")
    return Shape(first.height, first.width, node.num_out)


def _size(size: int, name: str) -> str:
    if size > 0:
        return str(size)
    return name if size == -1 else f"{name}/{-size}"


def _fixed_width(root: Node) -> int:
    first = next(walk(root))[1]
    return first.width if isinstance(first, Input) else 0


def _other(axis: Literal["x", "y"]) -> Literal["x", "y"]:
    return "y" if axis == "x" else "x"


def _along(node: Node, size: int, axis: Literal["x", "y"]) -> int:
    """Follow a known number of columns (axis x) or rows through a node."""
    match node:
        case Maxpool() | Reconfig():
            return size // (node.x_scale if axis == "x" else node.y_scale)
        # Too narrow a line shrinks to no columns, which a summary keeps at none.
        case Lstm(summary=True) if axis == "x":
            return min(size, 1)
        case Series():
            for child in node.children:
                size = _along(child, size, axis)
            return size
        case Parallel():
            return _along(node.children[0], size, axis)
        case Reversed():
            return _along(node.child, size, _other(axis) if node.axis == "xy" else axis)
        case _:
            return size
