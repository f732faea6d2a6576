"""Spec trees as plain lists and dicts, for JSON.

`kind` is the name of a node's class, but for a `Parallel` its own field of this name, whose values
are no names of classes.
"""

from dataclasses import fields
from typing import Any, get_args

from lstmjax.errors import SpecError
from lstmjax.netspec import tree
from lstmjax.netspec.tree import Node, ParallelKind

_KINDS = {
    kind.__name__: kind
    for kind in (
        tree.Input, tree.Convolve, tree.Maxpool, tree.Reconfig, tree.Dense, tree.Lstm,
        tree.SoftmaxLstm, tree.Series, tree.Reversed,
    )
}  # fmt: skip
_PARALLEL_KINDS = get_args(ParallelKind)


def to_plain(node: Node) -> dict[str, Any]:
    """The tree as dicts of numbers and texts; `from_plain` is the inverse."""
    values: dict[str, Any] = {"kind": type(node).__name__}
    for field in fields(node):
        value = getattr(node, field.name)
        if field.name == "children":
            value = [to_plain(child) for child in value]
        elif field.name == "child":
            value = to_plain(value)
        values[field.name] = value
    return values


def from_plain(values: dict[str, Any]) -> Node:
    """Build the tree again.

    Raises: SpecError: the values were not made by `to_plain`.
    """
    try:
        given = dict(values)
        kind = tree.Parallel if given["kind"] in _PARALLEL_KINDS else _KINDS[given.pop("kind")]
        if "children" in given:
            given["children"] = tuple(from_plain(child) for child in given["children"])
        if "child" in given:
            given["child"] = from_plain(given["child"])
        return kind(**given)
    except (KeyError, TypeError, ValueError) as err:
        raise SpecError(f"stored network cannot be read: {err}") from err
