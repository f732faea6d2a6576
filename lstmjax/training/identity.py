"""What stays the same during a run: the network and its place among the codes."""

from dataclasses import dataclass

import jax

from lstmjax.array_types import Params
from lstmjax.formats.nodes import NetworkNode
from lstmjax.netspec.tree import Series
from lstmjax.nn.headers import adam_leaves, frozen_leaves


@dataclass(frozen=True)
class Identity:
    """The network of a run.

    Attributes:
      root: layers of the network.
      net_spec: the text it was built from.
      null_char: the class that is the CTC blank.
      headers: flags and frozen layers where they are not the same all over, see `nn.headers`.
    """

    root: Series
    net_spec: str
    null_char: int
    headers: NetworkNode | None = None

    def frozen(self, params: Params) -> Params | None:
        """Which leaves no gradient reaches: True for these, in the shape of params; None: none."""
        if self.headers is None:
            return None
        leaves = frozen_leaves(self.headers, params)
        return leaves if any(jax.tree.leaves(leaves)) else None

    def updated_by_adam(self, params: Params, default: bool) -> bool | Params:
        """Which leaves Adam updates, a tree if layers differ; `default` without headers."""
        return default if self.headers is None else adam_leaves(self.headers, params)
