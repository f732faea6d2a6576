"""Intervals and tests, compared with a plain bootstrap, enumeration and known cases."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstmjax.report import statistics
from lstmjax.report.statistics import (
    holm,
    paired_difference,
    rate_of,
    resampled_sums,
    unpaired_difference,
)


def lines(n, rate, seed=0):
    random = np.random.default_rng(seed)
    lengths = random.integers(5, 40, n)
    return random.binomial(lengths, rate), lengths


def test_intervals_are_those_of_the_plain_bootstrap():
    edits, lengths = lines(70, 0.1)
    rate = rate_of(edits, lengths, seed=3)
    drawn = np.random.default_rng(3).integers(0, 70, (statistics.NUM_RESAMPLES, 70))
    plain = np.quantile(edits[drawn].sum(axis=1) / lengths[drawn].sum(axis=1), [0.025, 0.975])
    assert (rate.low, rate.high) == pytest.approx(tuple(plain), abs=1e-12)
    assert rate.value == pytest.approx(edits.sum() / lengths.sum())
    assert rate.low < rate.value < rate.high


def test_resampling_draws_whole_lines_in_pieces_of_any_size(monkeypatch):
    columns = np.stack([np.arange(9.0), np.ones(9)], axis=1)
    whole = resampled_sums(columns, seed=1, num_resamples=50)
    monkeypatch.setattr(statistics, "_CELLS", 9 * 10)
    pieces = resampled_sums(columns, seed=1, num_resamples=50)
    np.testing.assert_array_equal(whole, pieces)
    assert (whole[:, 1] == 9).all()
    assert whole[:, 0].min() >= 0
    assert whole[:, 0].max() <= 72


@pytest.mark.parametrize(
    ("edits", "lengths", "expected"),
    [
        ([2], [8], (0.25, 0.25, 0.25)),
        ([0, 0], [5, 5], (0, 0, 0)),
        ([0], [0], (0, 0, 0)),
        ([3], [0], (np.inf, np.inf, np.inf)),
    ],
    ids=["one line", "no error", "nothing to read", "read where nothing is"],
)
def test_rates_of_small_sets(edits, lengths, expected):
    rate = rate_of(edits, lengths)
    assert (rate.value, rate.low, rate.high) == expected


def p_by_enumeration(change):
    found = abs(sum(change))
    sums = [
        abs(sum(s * c for s, c in zip(signs, change, strict=True)))
        for signs in product((1, -1), repeat=len(change))
    ]
    return sum(total >= found for total in sums) / len(sums)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(-4, 4), min_size=1, max_size=9))
def test_few_changes_are_tested_exactly(change):
    first = np.full(len(change), 5)
    second = first + np.array(change)
    lengths = np.full(len(change), 20)
    found = paired_difference(first, second, lengths)
    assert found.p_value == pytest.approx(p_by_enumeration([c for c in change if c]))
    back = paired_difference(second, first, lengths)
    assert back.p_value == found.p_value
    assert back.value == -found.value
    assert (back.better, back.worse) == (found.worse, found.better)


def test_random_swaps_come_close_to_all_swaps(monkeypatch):
    change = np.random.default_rng(5).integers(-3, 5, 13)
    first, lengths = np.full(13, 4), np.full(13, 30)
    exact = paired_difference(first, first + change, lengths).p_value
    monkeypatch.setattr(statistics, "_EXACT_UP_TO", 0)
    assert paired_difference(first, first + change, lengths).p_value == pytest.approx(
        exact, abs=0.02
    )


def test_a_clear_difference_is_found_and_chance_is_not():
    first, lengths = lines(400, 0.05, seed=1)
    alike, _ = lines(400, 0.05, seed=2)
    fewer = np.maximum(first - 1, 0)
    found = paired_difference(first, fewer, lengths)
    assert found.p_value < 0.001
    assert found.low <= found.value <= found.high < 0
    assert found.better == np.count_nonzero(first)
    assert found.worse == 0
    lengths_alike = np.full(400, 20)
    assert paired_difference(first, alike, lengths_alike).p_value > 0.05


def test_p_values_of_models_alike_are_spread_evenly():
    """Under the null hypothesis, p is below x with probability x."""
    random = np.random.default_rng(0)
    values = []
    for seed in range(150):
        a, b = random.binomial(20, 0.1, (2, 30))
        values.append(paired_difference(a, b, np.full(30, 20), seed=seed).p_value)
    assert 0.01 <= np.mean(np.array(values) < 0.05) <= 0.10
    assert 0.3 <= np.mean(np.array(values) < 0.5) <= 0.58  # ties make it a little careful


def test_the_same_lines_twice_differ_by_nothing():
    edits, lengths = lines(20, 0.2)
    found = paired_difference(edits, edits, lengths)
    assert (found.value, found.low, found.high, found.p_value) == (0, 0, 0, 1)


def test_gaps_between_different_lines():
    train, evaluated = lines(200, 0.02, seed=3), lines(60, 0.10, seed=4)
    gap = unpaired_difference(train, evaluated)
    rates = [edits.sum() / lengths.sum() for edits, lengths in (train, evaluated)]
    assert gap.value == pytest.approx(rates[1] - rates[0])
    assert 0 < gap.low < gap.value < gap.high
    assert gap.p_value is None


def test_holm_adjusts_in_the_order_given():
    assert holm([0.04, 0.01, 0.03]) == pytest.approx([0.06, 0.03, 0.06])
    assert holm([0.5, 0.9]) == [1.0, 1.0]
    assert holm([]) == []
