"""Built networks as text, the way Tesseract prints them.

The printed form is not net_spec: `C3,3` stands without its activation, `Txy` and `Fc` cannot be
parsed, and a plain parallel loses its opening bracket. Log lines must look alike, so it is kept.
"""

from lstmjax.netspec.parse import Network
from lstmjax.netspec.tree import (
    Convolve,
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
    weight_count,
)

BUILT = "Num outputs,weights in Series:"
EXTENDED = "Num (Extended) outputs,weights in Series:"

_DENSE_LETTERS = {
    "logistic": "s",
    "lin_logistic": "p",
    "lin_tanh": "n",
    "tanh": "t",
    "relu": "r",
    "linear": "l",
    "softmax": "c",
    "softmax_no_ctc": "m",
}


def show(node: Node) -> str:
    """Return the spec of a built tree as Tesseract prints it.

    Source: the spec() functions of tesseract src/lstm/*.h.
    """
    match node:
        case Input():
            return f"{node.batch},{node.height},{node.width},{node.depth}"
        case Convolve():
            return f"C{2 * node.half_y + 1},{2 * node.half_x + 1}"
        case Maxpool():
            return f"Mp{node.y_scale},{node.x_scale}"
        case Reconfig():
            return f"S{node.y_scale},{node.x_scale}"
        case Dense():
            return f"F{_DENSE_LETTERS[node.activation]}{node.num_out}"
        case Lstm():
            return f"Lfx{'s' if node.summary else ''}{node.num_states}"
        case SoftmaxLstm():
            return f"L{'E' if node.binary else 'S'}{node.num_states}{show(node.softmax)}"
        case Series():
            return f"[{''.join(map(show, node.children))}]"
        case Parallel():
            return _show_parallel(node)
        case Reversed():
            return _show_reversed(node)


def series_table(node: Node, header: str = BUILT) -> list[str]:
    """Return the lines that report the weights of every series in a tree, innermost first.

    Args:
      node: any part of a network.
      header: line above each table; Tesseract uses `EXTENDED` after changing the outputs.
    """
    if not isinstance(node, Series):
        return [line for child in children(node) for line in series_table(child, header)]
    lines = [header]
    for child in node.children:
        lines += series_table(child, header)
        lines.append(f"  {show(child)}:{child.num_out}, {weight_count(child)}")
    return [*lines, f"Total weights = {weight_count(node)}"]


def describe(network: Network) -> str:
    """Return the lines that Tesseract prints while it builds a network from a net_spec.

    After `parse_append` the table holds the new layers only, the last line the whole network.
    The lines about training parameters come from elsewhere. No newline at the end.

    Source: tesseract src/lstm/series.cpp InitWeights, lstmtrainer.cpp InitNetwork.
    """
    lines = [*network.warnings, *series_table(network.built)]
    lines.append(f"Built network:{show(network.root)} from request {network.spec}")
    return "\n".join(lines)


def _show_parallel(node: Parallel) -> str:
    match node.kind:
        case "quad":
            return f"L2xy{node.num_out // 4}"
        case "bidi":
            first = node.children[0]
            summary = isinstance(first, Lstm) and first.summary
            return f"Lbx{'s' if summary else ''}{node.num_out // 2}"
        case "replicated":
            return f"R{len(node.children)}({show(node.children[0])})"
        case _:  # sic: Tesseract prints no opening bracket
            return "".join(map(show, node.children)) + ")"


def _show_reversed(node: Reversed) -> str:
    prefix = "Txy" if node.axis == "xy" else f"R{node.axis}"
    inner = show(node.child)
    if inner.startswith("L"):
        # sic: every f of what is inside becomes r, and every x becomes y, whatever it belongs to.
        inner = inner.replace("x", "y") if node.axis == "xy" else inner.replace("f", "r")
    return prefix + inner
