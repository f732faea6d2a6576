"""The built network as a value: one frozen dataclass per kind of node Tesseract can make.

A tree is valid once it exists: every constructor checks that its sizes are positive and that its
children fit together, so users of a tree need not check again. Nodes know their `name` (the
text stored in model files), `num_in` and `num_out`; nothing here knows about arrays.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from lstmjax.errors import SpecError

Loss: TypeAlias = Literal["none", "ctc", "softmax", "logistic"]
Activation: TypeAlias = Literal[
    "logistic", "lin_logistic", "lin_tanh", "tanh", "relu", "linear", "softmax", "softmax_no_ctc"
]
ParallelKind: TypeAlias = Literal["parallel", "replicated", "bidi", "quad", "dep_par"]
Axis: TypeAlias = Literal["x", "y", "xy"]


@dataclass(frozen=True)
class Input:
    """The image as it enters: 0 stands for a size that differs from line to line.

    With height 1 the depth is the height of the line in pixels: each image column is one time
    step. Otherwise depth is 1 (grey) or 3 (colour).
    """

    batch: int
    height: int
    width: int
    depth: int
    loss: Loss = "none"
    name: str = field(default="Input", kw_only=True)

    def __post_init__(self) -> None:
        _positive("Input", depth=self.depth)
        if min(self.batch, self.height, self.width) < 0:
            raise SpecError(f"Input sizes must be 0 (variable) or more, found {self}")

    @property
    def num_in(self) -> int:
        """Height in pixels that line images are scaled to, 0 if they keep their own."""
        return self.depth if self.height == 1 else self.height

    @property
    def num_out(self) -> int:
        return self.depth


@dataclass(frozen=True)
class Convolve:
    """Copy the window of 2*half+1 columns and rows around each position into its depth."""

    num_in: int
    half_x: int
    half_y: int
    name: str = field(default="Convolve", kw_only=True)

    def __post_init__(self) -> None:
        _positive("Convolve", num_in=self.num_in)
        if min(self.half_x, self.half_y) < 0:
            raise SpecError(f"Convolve needs half sizes of 0 or more, found {self}")

    @property
    def num_out(self) -> int:
        return self.num_in * (2 * self.half_x + 1) * (2 * self.half_y + 1)


@dataclass(frozen=True)
class Maxpool:
    """Keep the maximum of each tile of x_scale columns and y_scale rows, per feature."""

    num_in: int
    x_scale: int
    y_scale: int
    name: str = field(default="Maxpool", kw_only=True)

    def __post_init__(self) -> None:
        _positive("Maxpool", num_in=self.num_in, x_scale=self.x_scale, y_scale=self.y_scale)

    @property
    def num_out(self) -> int:
        return self.num_in


@dataclass(frozen=True)
class Reconfig:
    """Move each tile of x_scale columns and y_scale rows into the depth."""

    num_in: int
    x_scale: int
    y_scale: int
    name: str = field(default="Reconfig", kw_only=True)

    def __post_init__(self) -> None:
        _positive("Reconfig", num_in=self.num_in, x_scale=self.x_scale, y_scale=self.y_scale)

    @property
    def num_out(self) -> int:
        return self.num_in * self.x_scale * self.y_scale


@dataclass(frozen=True)
class Dense:
    """A fully connected layer at every position; `softmax` is the one with the CTC loss."""

    num_in: int
    num_out: int
    activation: Activation
    name: str = field(default="", kw_only=True)

    def __post_init__(self) -> None:
        _positive("Dense", num_in=self.num_in, num_out=self.num_out)


@dataclass(frozen=True)
class Lstm:
    """An LSTM scanning x forward; `summary` keeps the last step only, `two_d` also looks up."""

    num_in: int
    num_states: int
    summary: bool = False
    two_d: bool = False
    name: str = field(default="", kw_only=True)

    def __post_init__(self) -> None:
        _positive("Lstm", num_in=self.num_in, num_states=self.num_states)

    @property
    def num_out(self) -> int:
        return self.num_states

    @property
    def num_gates(self) -> int:
        return 5 if self.two_d else 4

    @property
    def num_source(self) -> int:
        """Columns of a gate matrix without the bias: input, own output, and the row above."""
        return self.num_in + self.num_states * (2 if self.two_d else 1)


@dataclass(frozen=True)
class SoftmaxLstm:
    """An LSTM with a softmax layer inside whose result is fed back at the next step.

    `binary` (LE) feeds back the bits of the best class, otherwise (LS) all probabilities.
    """

    num_in: int
    num_states: int
    num_classes: int
    binary: bool
    name: str = field(default="", kw_only=True)

    def __post_init__(self) -> None:
        sizes = {"num_states": self.num_states, "num_classes": self.num_classes}
        _positive("SoftmaxLstm", num_in=self.num_in, **sizes)

    @property
    def num_out(self) -> int:
        return self.num_classes

    @property
    def num_feedback(self) -> int:
        return (self.num_classes - 1).bit_length() if self.binary else self.num_classes

    @property
    def num_source(self) -> int:
        """Columns of a gate matrix without the bias: input, feedback, own output."""
        return self.num_in + self.num_feedback + self.num_states

    @property
    def softmax(self) -> Dense:
        """The layer inside, which Tesseract stores as a node of its own."""
        return Dense(self.num_states, self.num_classes, "softmax", name="LSTM Softmax")


@dataclass(frozen=True)
class Series:
    """Layers one after the other; each takes the outputs of the one before."""

    children: "tuple[Node, ...]"
    name: str = field(default="Series", kw_only=True)

    def __post_init__(self) -> None:
        if not self.children:
            raise SpecError(f"{self.name} has no layers")
        for before, after in zip(self.children, self.children[1:], strict=False):
            # An Input further down the series would not take anything from the layer before it.
            if isinstance(after, Input) or before.num_out != after.num_in:
                raise SpecError(
                    f"{self.name}: {after.name} takes {after.num_in} features per position, "
                    f"but {before.name} before it gives {before.num_out}"
                )

    @property
    def num_in(self) -> int:
        return self.children[0].num_in

    @property
    def num_out(self) -> int:
        return self.children[-1].num_out


@dataclass(frozen=True)
class Parallel:
    """Layers side by side on one input; their outputs are stacked in depth."""

    children: "tuple[Node, ...]"
    kind: ParallelKind = "parallel"
    name: str = field(default="Parallel", kw_only=True)

    def __post_init__(self) -> None:
        if not self.children:
            raise SpecError(f"{self.name} has no layers")
        needed = {"bidi": 2, "quad": 4}.get(self.kind, len(self.children))
        if len(self.children) != needed:
            raise SpecError(
                f"{self.name} is of kind {self.kind}, which has {needed} layers, "
                f"found {len(self.children)}"
            )
        inputs = {child.num_in for child in self.children}
        if len(inputs) > 1:
            raise SpecError(f"{self.name}: layers side by side take {sorted(inputs)} features")

    @property
    def num_in(self) -> int:
        return self.children[0].num_in

    @property
    def num_out(self) -> int:
        return sum(child.num_out for child in self.children)


@dataclass(frozen=True)
class Reversed:
    """A layer that sees x reversed, y reversed, or (`xy`) the two axes exchanged."""

    child: "Node"
    axis: Axis
    name: str = field(default="", kw_only=True)

    @property
    def num_in(self) -> int:
        return self.child.num_in

    @property
    def num_out(self) -> int:
        return self.child.num_out


Leaf: TypeAlias = Input | Convolve | Maxpool | Reconfig | Dense | Lstm | SoftmaxLstm
Node: TypeAlias = Leaf | Series | Parallel | Reversed


def children(node: Node) -> tuple[Node, ...]:
    """Return the direct children of a node, none for a leaf."""
    match node:
        case Series() | Parallel():
            return node.children
        case Reversed():
            return (node.child,)
        case _:
            return ()


def walk(node: Node) -> Iterator[tuple[str, Node]]:
    """Yield (path, leaf) in the order of Tesseract's layer ids, such as (':4:1:0', Lstm(...)).

    Source: tesseract src/lstm/plumbing.cpp, EnumerateLayers.
    """
    stack: list[tuple[str, Node]] = [("", node)]
    while stack:
        path, current = stack.pop()
        inner = children(current)
        if not inner:
            yield path, current
        stack.extend((f"{path}:{i}", inner[i]) for i in reversed(range(len(inner))))


def weight_count(node: Node) -> int:
    """Return the number of weights of a node and all below it, biases included."""
    match node:
        case Dense():
            return node.num_out * (node.num_in + 1)
        case Lstm():
            return node.num_gates * node.num_states * (node.num_source + 1)
        case SoftmaxLstm():
            return 4 * node.num_states * (node.num_source + 1) + weight_count(node.softmax)
        case _:
            return sum(weight_count(child) for child in children(node))


def x_scale(node: Node) -> int:
    """Return how many input columns make one output column (a summary counts as 1)."""
    return _scale(node, transposed=False)


def y_scale(node: Node) -> int:
    """Return how many input rows make one output row (a summary counts as 1)."""
    return _scale(node, transposed=True)


def _scale(node: Node, *, transposed: bool) -> int:
    match node:
        case Maxpool() | Reconfig():
            return node.y_scale if transposed else node.x_scale
        case Series():
            product = 1
            for child in node.children:
                product *= _scale(child, transposed=transposed)
            return product
        case Parallel():
            # Children that differ here cannot stand side by side, see `output_shape`.
            return _scale(node.children[0], transposed=transposed)
        case Reversed():
            return _scale(node.child, transposed=transposed != (node.axis == "xy"))
        case _:
            return 1


def _positive(kind: str, **sizes: int) -> None:
    wrong = ", ".join(f"{name} {size}" for name, size in sizes.items() if size < 1)
    if wrong:
        raise SpecError(f"{kind} needs sizes of 1 or more, found {wrong}")
