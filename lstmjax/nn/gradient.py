"""Hand-written gradients: how to declare them, and those of a matrix product."""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
from jax import lax


def with_gradient(*static: int) -> Callable[[Callable[..., Any]], Any]:
    """Decorate a function whose `.defvjp(forward, backward)` follows.

    Type checkers lose the function's type when `jax.custom_vjp` is given arguments; here they do
    not.

    Args:
      static: positions of arguments that are plain Python values.
    """
    return partial(jax.custom_vjp, nondiff_argnums=static)


@jax.custom_vjp
def matmul(x: jax.Array, w: jax.Array) -> jax.Array:
    """Product of x [..., D] and weights [D, N] with a fast gradient, see `weight_gradient`."""
    return x @ w


def _matmul_backward(residual: tuple[jax.Array, jax.Array], dz: jax.Array):
    x, w = residual
    return dz @ w.T, weight_gradient(x, dz)


matmul.defvjp(lambda x, w: (x @ w, (x, w)), _matmul_backward)


def weight_gradient(x: jax.Array, dz: jax.Array) -> jax.Array:
    """The gradient [D, N] of weights that took x [..., D] to sums with gradients dz [..., N].

    The input is transposed before the product, behind a barrier: XLA's fast kernels for CPUs take
    rows times columns only, and its simplifier would otherwise transpose both factors and choose a
    slow kernel.
    """
    rows = lax.optimization_barrier(x.reshape(-1, x.shape[-1]).T)
    return rows @ lax.optimization_barrier(dz.reshape(-1, dz.shape[-1]))
