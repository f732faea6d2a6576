"""Small arrays travel together, large ones by themselves, and all arrive where they belong."""

import jax.numpy as jnp
import numpy as np
import pytest

from lstmjax.training.fast.collectives import in_buckets

SHAPES = {"small": [(3, 4), (), (7,)], "large": [(300, 300)], "both": [(2,), (400, 200), (5, 1)]}


@pytest.mark.parametrize("shapes", SHAPES.values(), ids=SHAPES)
def test_numbers_come_back_in_order(shapes):
    draw = np.random.default_rng(0)
    arrays = [jnp.asarray(draw.normal(size=shape), jnp.float32) for shape in shapes]
    calls = []

    def twice(numbers):
        calls.append(numbers.size)
        return jnp.stack([numbers, 2 * numbers])

    rows = in_buckets(arrays, twice)
    assert len(calls) == len([a for a in arrays if a.size > 65_536]) + any(
        a.size <= 65_536 for a in arrays
    )
    for array, row in zip(arrays, rows, strict=True):
        np.testing.assert_array_equal(row, jnp.stack([array.ravel(), 2 * array.ravel()]))
