"""Sums in sixteen lanes against the same sums done one after the other."""

import numpy as np
import pytest

from lstmjax.exact.lanes import (
    LANES,
    column_sums,
    gate_panels,
    outer_sums,
    panels_of_columns,
    panels_of_rows,
    products,
)

SIZES = [1, 15, 16, 17, 32, 45]


def multiply_add(x, y, z):
    """x * y + z with one rounding; 64 bits of mantissa are enough for that."""
    return np.float32(np.longdouble(x) * np.longdouble(y) + np.longdouble(z))


def dot(x, y):
    """A dot product as the original adds it up."""
    lanes = [np.float32(0)] * LANES
    full = len(x) - len(x) % LANES
    for k in range(full):
        lanes[k % LANES] = multiply_add(x[k], y[k], lanes[k % LANES])
    while len(lanes) > 1:
        half = len(lanes) // 2
        lanes = [lanes[i] + lanes[i + half] for i in range(half)]
    total = lanes[0]
    for k in range(full, len(x)):
        total = multiply_add(x[k], y[k], total)
    return total


def numbers(*shape):
    return np.random.default_rng(sum(shape)).standard_normal(shape).astype(np.float32)


@pytest.mark.parametrize("terms", SIZES)
@pytest.mark.parametrize("results", [3, 16, 20])
def test_products_have_the_digits_of_the_order(terms, results):
    x, weights = numbers(4, terms), numbers(terms, results)
    expected = [[dot(row, column) for column in weights.T] for row in x]
    np.testing.assert_array_equal(products(x, panels_of_columns(weights), results), expected)
    rows = panels_of_rows(np.ascontiguousarray(weights.T))
    np.testing.assert_array_equal(products(x, rows, results), expected)


@pytest.mark.parametrize("steps", SIZES)
def test_gradient_sums_over_steps(steps):
    sources, errors = numbers(steps, 5), numbers(steps, 18)
    expected = [[dot(x, e) for e in errors.T] for x in sources.T]
    np.testing.assert_array_equal(outer_sums(sources, errors), expected)


def test_order_matters():
    x, y = numbers(400), numbers(400)[::-1]
    assert dot(x, y) != np.float32(sum(map(float, x * y)))


def test_bias_gradient_is_added_row_by_row():
    errors = numbers(50, 3)
    expected = np.zeros(3, np.float32)
    for row in errors:
        expected += row
    np.testing.assert_array_equal(column_sums(errors), expected)


def test_gate_panels_hold_each_gate():
    weights = numbers(20, 12)
    panels = gate_panels(weights, 4)
    assert panels.shape == (4, 2, 3, LANES)
    for source in range(20):
        for gate in range(4):
            column = panels[gate, source // LANES, :, source % LANES]
            np.testing.assert_array_equal(column, weights[source, 3 * gate : 3 * gate + 3])
    assert not panels[:, 1, :, 4:].any()
