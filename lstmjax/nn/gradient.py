"""Declaring a function whose gradient is written by hand."""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax


def with_gradient(*static: int) -> Callable[[Callable[..., Any]], Any]:
    """Decorate a function whose `.defvjp(forward, backward)` follows.

    `jax.custom_vjp` hides types from checkers when it is given arguments; this does not.

    Args:
      static: positions of arguments that are plain Python values.
    """
    return partial(jax.custom_vjp, nondiff_argnums=static)
