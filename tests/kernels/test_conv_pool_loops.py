"""The compiled convolution with its pool does what plain loops do.

Pixels and weights are small whole numbers, so that sums are exact and often equal.
"""

import jax
import numpy as np
import pytest

from lstmjax.kernels import jax_calls

pytestmark = pytest.mark.skipif(not jax_calls.usable(), reason="no vectors that multiply and add")

CASES = {  # taps along x, y; pool along x, y; rows and columns of cells, B, D; vectors of features
    "tutorial": ((3, 3), (3, 3), (4, 7, 3, 1), 1),
    "one-position": ((3, 1), (1, 1), (2, 5, 2, 1), 2),
    "few-positions": ((1, 3), (2, 2), (2, 3, 4, 2), 1),
    "positions-and-one-more": ((3, 3), (2, 5), (2, 3, 1, 1), 1),
    "three-groups-of-positions": ((3, 3), (4, 5), (1, 4, 2, 1), 1),
    "five-positions": ((1, 1), (5, 1), (2, 2, 2, 3), 3),
    "many-taps": ((5, 5), (1, 3), (2, 4, 2, 3), 1),
    "one-tap": ((1, 1), (3, 3), (1, 1, 1, 1), 1),
}


def draw(case):
    """Picture, weights, and asked gradients of the results, all whole numbers."""
    taps, pool, (rows, columns, B, D), vectors = case
    random = np.random.default_rng(sum(taps) + sum(pool))
    H, W = rows * pool[1] + taps[1] - 1, columns * pool[0] + taps[0] - 1
    N = vectors * jax_calls.lanes()
    sizes = ((H, W, B, D), (taps[0] * taps[1] * D, N), (rows, columns, B, N))
    return [random.integers(-2, 3, size).astype(np.float32) for size in sizes]


def by_loops(x, w, lengths, d, taps, pool):
    """Best, index, and the gradient of w, position by position."""
    best, index, dw = np.zeros_like(d), np.zeros(d.shape, np.int32), np.zeros_like(w)
    for row, column, b in np.ndindex(*d.shape[:3]):
        if column >= lengths[b]:
            continue
        windows = np.array(
            [
                x[row * pool[1] + below :, column * pool[0] + across :, b][: taps[1], : taps[0]]
                for across in range(pool[0])
                for below in range(pool[1])
            ]
        ).reshape(pool[0] * pool[1], -1)
        sums = windows @ w
        best[row, column, b] = sums.max(0)
        index[row, column, b] = first = sums.argmax(0)
        dw += windows[first].T * d[row, column, b]
    return best, index, dw


def compiled(x, w, lengths, d, taps, pool):
    best, index = jax.jit(jax_calls.conv_pool_forward, static_argnums=(3, 4))(
        x, w, lengths, taps, pool
    )
    backward = jax.jit(jax_calls.conv_pool_backward, static_argnums=(4, 5))
    return best, index, backward(d, x, index, lengths, taps, pool)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_whole_numbers_agree_exactly(case):
    x, w, d = draw(case)
    lengths = np.arange(d.shape[2], dtype=np.int32) % 3 + d.shape[1] - 2  # one of them is full
    lengths[-1] = d.shape[1]
    wanted = by_loops(x, w, lengths, d, *case[:2])
    for got, like in zip(compiled(x, w, lengths, d, *case[:2]), wanted, strict=True):
        np.testing.assert_array_equal(got, like)


def test_lengths_outside_of_the_picture():
    case = CASES["tutorial"]
    x, w, d = draw(case)
    given, meant = np.array([-5, 99, 0], np.int32), np.array([0, d.shape[1], 0], np.int32)
    for got, like in zip(
        compiled(x, w, given, d, *case[:2]), by_loops(x, w, meant, d, *case[:2]), strict=True
    ):
        np.testing.assert_array_equal(got, like)


@pytest.mark.parametrize("pool", [(3, 3), (4, 4)], ids=["one-pass", "two-passes"])
def test_of_equal_sums_the_first_wins_also_across_passes(pool):
    N = jax_calls.lanes()
    x, w = np.ones((pool[1], pool[0], 1, 1), np.float32), np.ones((1, N), np.float32)
    lengths, d = np.ones(1, np.int32), np.ones((1, 1, 1, N), np.float32)
    best, index, dw = compiled(x, w, lengths, d, (1, 1), pool)
    np.testing.assert_array_equal(best, np.ones_like(d))
    np.testing.assert_array_equal(index, np.zeros_like(d))
    np.testing.assert_array_equal(dw, np.ones_like(w))


def test_not_a_number_stays_where_it_comes_first_and_is_passed_over_later():
    N = jax_calls.lanes()
    x = np.array([[1, np.nan, 5], [np.nan, 2, 3]], np.float32).T[:, :, None, None]  # [3, 2, 1, 1]
    w, lengths = np.ones((1, N), np.float32), np.full(1, 2, np.int32)
    d = np.ones((1, 2, 1, N), np.float32)
    best, index, _ = compiled(x, w, lengths, d, (1, 1), (1, 3))
    np.testing.assert_array_equal(best[0, :, 0, 0], [5, np.nan])
    np.testing.assert_array_equal(index[0, :, 0, 0], [2, 0])
