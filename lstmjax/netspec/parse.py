"""net_spec (VGSL) text to a built tree, with errors that point at the column.

    net      := '[' input layer* ']' | input '[' layer* ']'
    input    := batch ',' height ',' width ',' depth
    layer    := '[' layer+ ']' | '(' layer+ ')' | 'Rx' layer | 'Ry' layer | 'R' count layer
              | 'C' act y ',' x ',' depth | 'Mp' y ',' x | 'S' y ',' x
              | 'L' ('f'|'r'|'b') ('x'|'y') ['s'] states | 'L2xy' states | 'L2yx' states
              | 'LS' states | 'LE' states
              | 'F' act depth | 'O' ('0'|'1'|'2') ('l'|'s'|'c') [count]
    act      := 's' | 't' | 'r' | 'l' | 'm' | 'p' | 'n'

An input directly before '[' belongs to that series, even inside another: '[1,8,0,1 [Lfx4] O1c1]'
is a series in a series. Tesseract drops a broken last item of a series and everything after the
last ']' without a word; both are errors here.

Source: tesseract src/training/common/networkbuilder.cpp.
"""

from dataclasses import dataclass, replace

from lstmjax.errors import SpecError
from lstmjax.netspec import build
from lstmjax.netspec.reader import MAX_SIZE, Reader
from lstmjax.netspec.shape import Shape, input_of, output_shape
from lstmjax.netspec.tree import (
    Activation,
    Dense,
    Input,
    Lstm,
    Maxpool,
    Node,
    Parallel,
    Reconfig,
    Reversed,
    Series,
    SoftmaxLstm,
    children,
    walk,
    weight_count,
)

MAX_DEPTH = 32  # nesting of the built tree
MAX_NODES = 10_000
MAX_WEIGHTS = 2**31 - 1  # the count is an int32 in model files

_ACTIVATIONS: dict[str, Activation] = {
    "s": "logistic",
    "t": "tanh",
    "r": "relu",
    "l": "linear",
    "m": "softmax",
    "p": "lin_logistic",
    "n": "lin_tanh",
}
_OUTPUTS: dict[str, Activation] = {"l": "logistic", "s": "softmax_no_ctc", "c": "softmax"}
_OUTPUT_DIMS = {"0": "one result per image", "1": "one per column", "2": "one per pixel"}
_OUTPUT_TYPES = {"c": "softmax with CTC", "s": "softmax", "l": "logistic"}
_LSTM_KINDS = {
    "f": "forward",
    "r": "reverse",
    "b": "both ways",
    "2": "2-D",
    "S": "with softmax",
    "E": "with encoded softmax",
}
_LSTM_AXES = {"x": "along the line", "y": "across it"}
_NO_SUCH_LAYER = {
    "A": " (Tesseract has no such layer)",
    "B": " (Tesseract has no batch normalisation)",
    "D": " (Tesseract has no dropout)",
    "T": " (Txy appears in printed specs only; write the y axis instead, such as Lfys48)",
}


@dataclass(frozen=True)
class Network:
    """A network built from a net_spec.

    Attributes:
      root: series of all layers.
      spec: the net_spec as given.
      built: the series this spec made: the root itself, or only the new layers that
        `parse_append` put on top of kept ones.
      warnings: lines that Tesseract prints about the spec while it reads it.
    """

    root: Series
    spec: str
    built: Series
    warnings: tuple[str, ...] = ()


def parse(net_spec: str, num_classes: int) -> Network:
    """Build the tree of a net_spec.

    Args:
      net_spec: the text, such as '[1,36,0,1 Ct3,3,16 Mp3,3 Lfys48 Lfx96 Lrx96 Lfx192 O1c1]'.
      num_classes: codes of the character set, null included; it replaces the count after 'O'.
    Raises: SpecError: the spec is wrong; says what was expected at which column.
    """
    parser = _Parser(net_spec, num_classes)
    root = parser.whole(None)
    if not isinstance(root, Series):
        parser.fail("expected '[' and the layers of the network after the input layer")
    return Network(root, net_spec, root, tuple(parser.warnings))


def parse_append(net_spec: str, num_classes: int, base: Series, keep: int) -> Network:
    """Put the layers of a net_spec on top of the lower part of another network.

    A CTC softmax that stays, being the last layer of the old network, becomes a tanh layer.

    Args:
      net_spec: the new layers, such as '[Lfx256 O1c1]'.
      num_classes: codes of the character set, null included.
      base: the old network; its direct children are the layers counted by `keep`.
      keep: index of the last layer kept (the `append_index` of lstmtraining); 0 is the input.
    Returns: a network whose root is named `MasterSeries`.
    Raises: SpecError: in the spec, or `keep` is outside the base.
    """
    if not 0 <= keep < len(base.children):
        raise SpecError(
            f"cannot cut the network after layer {keep}: its layers are numbered 0 to "
            f"{len(base.children) - 1}; choose another append_index"
        )
    input_of(base)
    kept = list(base.children[: keep + 1])
    last = kept[-1]
    if keep + 1 == len(base.children) and isinstance(last, Dense) and last.activation == "softmax":
        kept[-1] = replace(last, activation="tanh")
    parser = _Parser(net_spec, num_classes)
    new = parser.whole(output_shape(Series(tuple(kept))))
    if not isinstance(new, Series):
        parser.fail("layers to append must stand in '[' and ']', such as [Lfx256 O1c1]", 0)
    root = Series((*kept, *new.children), name="MasterSeries")
    # The root is checked as a whole: kept and new layers together may be too many.
    parser.check(root, 0)
    return Network(root, net_spec, new, tuple(parser.warnings))


class _Parser(Reader):
    """One method per rule of the grammar; each starts after the letter that selected it."""

    def __init__(self, spec: str, num_classes: int):
        super().__init__(spec)
        if not 1 <= num_classes <= MAX_SIZE:
            raise SpecError(
                f"a character set of {num_classes} codes cannot be an output layer, "
                f"expected 1 to {MAX_SIZE}"
            )
        self.num_classes = num_classes
        self.warnings: list[str] = []

    def whole(self, shape: Shape | None) -> Node:
        """Take the whole spec; `shape` is None when it must bring its own input layer."""
        node = self.item(shape, 0)
        self.skip_blanks()
        if self.peek():
            self.fail("expected the end of the spec after its last ']'")
        return node

    def item(self, shape: Shape | None, level: int) -> Node:
        """Take the input layer, if there was none yet, or one layer of any kind."""
        self.skip_blanks()
        start = self.at
        if level > MAX_DEPTH:
            self.fail(f"layers are nested more than {MAX_DEPTH} deep")
        try:
            if self.peek() == "[":
                node = self.series(shape, level)
            elif shape is None:
                node = self.input(level)
            else:
                node = self.layer(shape, level)
            self.check(node, start)
            output_shape(node, shape)
        except SpecError as err:
            if err.column is None:  # from a node or a shape, which know no column
                self.fail(err.problem, start)
            raise
        return node

    def check(self, node: Node, start: int) -> None:
        """Refuse a tree that is too large to be intended, before more is built from it."""
        nodes, depth = _count(node)
        if nodes > MAX_NODES:
            self.fail(f"this makes {nodes} layers, more than {MAX_NODES}", start)
        if depth > MAX_DEPTH:
            self.fail(f"this nests layers {depth} deep, more than {MAX_DEPTH}", start)
        weights = weight_count(node)
        if weights > MAX_WEIGHTS:
            self.fail(f"this has {weights} weights, more than {MAX_WEIGHTS}", start)
        widest = max(node.num_out, *(_matrix_size(leaf) for _, leaf in walk(node)))
        if widest > MAX_SIZE:
            self.fail(f"this needs {widest} features per position, more than {MAX_SIZE}", start)

    def input(self, level: int) -> Node:
        if not self.at_number():
            example = "batch,height,width,depth such as 1,36,0,1"
            self.fail(f"expected the input layer, {example}; {self.found()}")
        batch, height, width = self.numbers("batch", "height", "width", least=0)
        self.comma("the depth of the input")
        column = self.at
        depth = self.number("the depth of the input")
        if height != 1 and depth not in (1, 3):
            self.fail(f"expected depth 1 (grey) or 3 (colour) for the input, found {depth}", column)
        layer = Input(batch, height, width, depth)
        self.skip_blanks()
        return self.series(None, level, layer) if self.peek() == "[" else layer

    def series(self, shape: Shape | None, level: int, first: Input | None = None) -> Series:
        opened = self.at
        self.at += 1
        # A single layer may be appended: its series only carries it to the one it joins.
        least = 1 if level == 0 and shape is not None else 2
        nodes: list[Node] = []
        if first is not None:
            nodes.append(first)
            shape = output_shape(first)
        while not self.closes("]", opened):
            # Each layer takes the shape that the one before it gives.
            nodes.append(self.item(shape, level + 1))
            shape = output_shape(nodes[-1], shape)
        if len(nodes) < least:
            self.fail(
                f"a series needs at least {least} layers (Tesseract cannot train one of fewer), "
                f"found {len(nodes)}",
                opened,
            )
        return Series(tuple(nodes))

    def layer(self, shape: Shape, level: int) -> Node:
        start = self.at
        letter = self.peek()
        if letter == "(":
            return self.parallel(shape, level)
        if not letter or letter not in "RCMSLFO":
            hint = _NO_SUCH_LAYER.get(letter, "")
            self.fail(f"expected a layer, one of [ ( C Mp L S F R O; {self.found()}{hint}")
        self.at += 1
        match letter:
            case "R":
                return self.repeated(shape, level)
            case "C":
                act = self.activation()
                y, x, depth = self.numbers("rows of the window", "columns of it", "outputs")
                return build.convolution(shape.depth, y, x, depth, act)
            case "M":
                self.one_of({"p": "max pooling"}, "the kind of pooling")
                y, x = self.numbers("rows to pool", "columns to pool")
                return Maxpool(shape.depth, x, y)
            case "S":
                if self.peek() == "(":
                    self.fail("the general reshape S(...) does not exist in Tesseract")
                y, x = self.numbers("rows to move into depth", "columns to move into depth")
                return Reconfig(shape.depth, x, y)
            case "L":
                return self.lstm(shape, start)
            case "F":
                act = self.activation()
                depth = self.number("outputs")
                return self.dense(shape, depth, act, self.since(start), start)
            case _:
                return self.output(shape, start)

    def activation(self) -> Activation:
        names = {letter: name.replace("_", " ") for letter, name in _ACTIVATIONS.items()}
        return _ACTIVATIONS[self.one_of(names, "the activation")]

    def parallel(self, shape: Shape, level: int) -> Parallel:
        opened = self.at
        self.at += 1
        nodes: list[Node] = []
        while not self.closes(")", opened):
            nodes.append(self.item(shape, level + 1))
        if not nodes:
            self.fail("expected at least one layer between '(' and ')'", opened)
        return Parallel(tuple(nodes))

    def repeated(self, shape: Shape, level: int) -> Node:
        axis = self.peek()
        if axis in ("x", "y"):
            self.at += 1
            child = self.item(shape, level + 1)
            return Reversed(child, "x" if axis == "x" else "y", name=f"Reverse{axis}")
        if not self.at_number():
            self.fail(f"expected x, y or a count of copies after R; {self.found()}")
        column = self.at
        count = self.number("a count of copies", most=MAX_NODES)
        child = self.item(shape, level + 1)
        # Before the copies are made: nested ones multiply, and all would be visited.
        if count * _count(child)[0] > MAX_NODES:
            self.fail(f"these copies make more than {MAX_NODES} layers", column)
        return Parallel((child,) * count, "replicated", name="Replicated")

    def lstm(self, shape: Shape, start: int) -> Node:
        kind = self.one_of(_LSTM_KINDS, "the kind of LSTM")
        if kind == "2":
            axes = self.spec[self.at : self.at + 2]
            if axes not in ("xy", "yx"):
                self.fail(f"expected xy or yx after L2; {self.found()}")
            self.at += 2
            node = build.quad(shape.depth, self.number("the number of states"))
            # Only the second letter counts, so the plainer looking L2xy is the transposed one.
            return build.transposed(node) if axes == "xy" else node
        if kind in "SE":
            states = self.number("the number of states")
            name = self.since(start)
            return SoftmaxLstm(shape.depth, states, self.num_classes, kind == "E", name=name)
        axis = self.one_of(_LSTM_AXES, "the axis")
        summary = self.peek() == "s"
        if summary:
            self.at += 1
        states = self.number("the number of states")
        return build.scan(shape.depth, states, kind, axis, summary, self.since(start))

    def dense(self, shape: Shape, depth: int, act: Activation, name: str, start: int) -> Node:
        """Return a dense layer over everything, which needs a fixed height and width."""
        sizes = {"height": shape.height, "width": shape.width}
        variable = " and the ".join(axis for axis, size in sizes.items() if not size)
        if variable:
            self.fail(
                f"{self.spec[start : start + 2]} needs a fixed height and width, but the "
                f"{variable} can differ from line to line here; use O1 for the output or "
                "C1,1 for a hidden layer, or summarise with Lfys or Lfxs first",
                start,
            )
        return build.flattened(shape, shape.height, shape.width, depth, act, name)

    def output(self, shape: Shape, start: int) -> Node:
        dims = self.one_of(_OUTPUT_DIMS, "the dimensions of the output")
        act = _OUTPUTS[self.one_of(_OUTPUT_TYPES, "the type of output")]
        given = 0
        if self.at_number():
            given = self.number("a count of outputs", least=0, most=MAX_WEIGHTS)
        # The number after O is ignored but for this warning, as in Tesseract.
        if given != self.num_classes:
            self.warnings.append(
                f"Warning: given outputs {given} not equal to unicharset of {self.num_classes}."
            )
        if dims == "0":
            return self.dense(shape, self.num_classes, act, "Output", start)
        if dims == "2":
            return Dense(shape.depth, self.num_classes, act, name="Output2d")
        if not shape.height:
            self.fail(
                "O1 needs a fixed height, but the height can differ from line to line here; "
                "give the input a height or summarise it with Lfys first",
                start,
            )
        return build.flattened(shape, shape.height, 1, self.num_classes, act, "Output")


def _count(node: Node) -> tuple[int, int]:
    """Return the number of nodes of a tree and how deep they are nested."""
    counts = [_count(child) for child in children(node)]
    return 1 + sum(n for n, _ in counts), 1 + max((d for _, d in counts), default=0)


def _matrix_size(leaf: Node) -> int:
    """Return the longer side of the largest weight matrix of a leaf, bias included."""
    match leaf:
        case Lstm() | SoftmaxLstm():
            return max(leaf.num_out, leaf.num_source + 1)
        case Dense():
            return max(leaf.num_out, leaf.num_in + 1)
        case _:
            return leaf.num_out
