"""Bucketed collectives: small arrays share one exchange, since each one synchronises devices."""

from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
import numpy as np

_SMALL = 65_536  # concatenating larger arrays takes longer than one more exchange


def in_buckets(
    arrays: Sequence[jax.Array], exchange: Callable[[jax.Array], jax.Array]
) -> list[jax.Array]:
    """Exchange all arrays, small ones together.

    Args:
      arrays: arrays of any shapes.
      exchange: elementwise collective from [n] to [..., n] numbers, such as a sum over devices.
    Returns: for each array its numbers in a row, with the axes that the exchange adds in front.
    """
    rows = [array.reshape(-1) for array in arrays]
    small = [i for i, row in enumerate(rows) if row.size <= _SMALL]
    done = {i: exchange(row) for i, row in enumerate(rows) if i not in small}
    if small:
        together = exchange(jnp.concatenate([rows[i] for i in small]))
        ends = np.cumsum([rows[i].size for i in small])[:-1]
        done.update(zip(small, jnp.split(together, ends, axis=-1), strict=True))
    return [done[i] for i in range(len(rows))]
