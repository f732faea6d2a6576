"""What a record holds beside the shape and weights of a network: flags, and which layers learn.

Headers are a record of the network without its matrices. A run keeps them, so that a network that
layers were appended to, or whose lower layers are frozen, is written as it was read.
"""

from dataclasses import fields, replace
from typing import Any

from lstmjax.array_types import Params
from lstmjax.errors import FormatError, SpecError
from lstmjax.formats import nodes
from lstmjax.formats.nodes import NetworkNode

_PLAIN = tuple(
    field.name
    for field in fields(NetworkNode)
    if field.name not in ("children", "gates", "weights", "softmax")
)
_TUPLES = ("shape", "half", "scale", "learning_rates")


def headers_of(node: NetworkNode) -> NetworkNode:
    """A record without its matrices."""
    return replace(
        node,
        children=tuple(headers_of(child) for child in node.children),
        gates=(),
        weights=None,
        softmax=None,
    )


def to_plain(headers: NetworkNode) -> dict[str, Any]:
    """Headers as dicts of numbers and texts, for JSON; `from_plain` is the inverse."""
    plain = {name: getattr(headers, name) for name in _PLAIN}
    return plain | {"children": [to_plain(child) for child in headers.children]}


def from_plain(plain: dict[str, Any]) -> NetworkNode:
    """Build headers again.

    Raises: FormatError: not something `to_plain` made.
    """
    try:
        values = {name: plain[name] for name in _PLAIN}
        for name in _TUPLES:
            # JSON has lists where the record has tuples.
            values[name] = None if values[name] is None else tuple(values[name])
        return NetworkNode(**values, children=tuple(map(from_plain, plain["children"])))
    except (KeyError, TypeError) as err:
        raise FormatError(f"stored headers of the network cannot be read: {err}") from err


def frozen_leaves(headers: NetworkNode, params: Params) -> Params:
    """Which leaves of the params no gradient reaches.

    Args:
      headers: headers of the network.
      params: weights in any state; only the keys count.
    Returns: True for every frozen leaf, in the shape of params.
    Source: Tesseract src/lstm/series.cpp and others, Backward, whose result says whether to go on.
    """
    return _descend(headers, params, True)[0]


def _descend(node: NetworkNode, params: Params, arrives: bool) -> tuple[Params, bool]:
    """Leaves of a node that are frozen, and whether a gradient leaves it downwards."""
    if not node.children:
        return _fill(params, not arrives), arrives and bool(node.needs_backprop)
    found: Params = {}
    reaches = arrives
    # Errors come from the end of the network.
    for i in reversed(range(len(node.children))):
        key = str(i)
        below, passes = _descend(node.children[i], params.get(key, {}), reaches)
        if key in params:
            found[key] = below
        # Only a series hands errors on from child to child; layers side by side all get the same.
        if node.type == "Series":
            reaches = passes
    return {key: found[key] for key in params}, reaches and bool(node.needs_backprop)


def adam_leaves(headers: NetworkNode, params: Params) -> Params:
    """Which leaves Adam updates: those of nodes with its flag, but never the softmax of LS and LE.

    Args:
      headers: headers of the network.
      params: weights in any state; only the keys count.
    """
    if headers.children:
        return {key: adam_leaves(headers.children[int(key)], params[key]) for key in params}
    adam = bool(headers.flags & nodes.ADAM)
    return {key: _fill(leaf, adam and key != "softmax") for key, leaf in params.items()}


def output_leaves(params: Params) -> Params:
    """The leaves of the last layer of a network."""
    while all(key.isdigit() for key in params):
        params = params[max(params, key=int)]
    return params


def mark_output(params: Params) -> Params:
    """Which leaves belong to the last layer: True for these, in the shape of params."""
    if not all(key.isdigit() for key in params):
        return _fill(params, True)
    last = max(params, key=int)
    return {key: mark_output(params[key]) if key == last else _fill(params[key], False)
            for key in params}  # fmt: skip


def _fill(params: Any, value: bool) -> Any:
    if isinstance(params, dict):
        return {key: _fill(below, value) for key, below in params.items()}
    return value


def freeze_below(headers: NetworkNode, layer: int) -> NetworkNode:
    """Let no gradient into the first layers of a network, nor out of the first one above them.

    Args:
      headers: headers of the whole network, a Series.
      layer: number of the first top-level layer that learns, as `append_index` counts; 0: all do.
    Raises: SpecError: nothing would be left to train.
    """
    count = len(headers.children)
    left = headers.children[layer:] if layer >= 0 else ()
    if not any(_learns(child) for child in left):
        raise SpecError(
            f"freezing the layers below {layer} leaves nothing to train; the network has layers "
            f"0 to {count - 1}"
        )
    passes = False
    made = list(headers.children[:layer])
    for child in left:
        made.append(_with_backprop(child, passes))
        passes = passes or _learns(child)
    return replace(headers, children=tuple(made))


def _learns(node: NetworkNode) -> bool:
    if node.children:
        return any(_learns(child) for child in node.children)
    return node.num_weights > 0


def _with_backprop(node: NetworkNode, passes: bool) -> NetworkNode:
    """Source: Tesseract src/lstm/plumbing.cpp, series.cpp, SetupNeedsBackprop."""
    made = []
    below = passes
    for child in node.children:
        made.append(_with_backprop(child, below))
        if node.type == "Series":
            below = below or _learns(child)
    return replace(node, needs_backprop=int(passes), children=tuple(made))


def with_flags(headers: NetworkNode, flags: int) -> NetworkNode:
    """Set the network flags of every node but a root without any, as appending leaves it.

    Args:
      headers: headers of the whole network.
      flags: LAYER_RATES and ADAM.
    """
    made = _flagged(headers, flags)
    return made if headers.flags else replace(made, flags=0, learning_rates=None)


def _flagged(node: NetworkNode, flags: int) -> NetworkNode:
    rates = node.learning_rates
    # An empty tuple: asked for, but not filled in before the first update.
    if node.children and flags & nodes.LAYER_RATES:
        rates = rates or ()
    elif not flags & nodes.LAYER_RATES:
        rates = None
    below = tuple(_flagged(child, flags) for child in node.children)
    return replace(node, flags=flags, learning_rates=rates, children=below)
