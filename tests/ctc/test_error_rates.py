"""Error rates against counting by hand, and against figures the real tools printed."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstmjax.ctc.error_rates import (
    ErrorCounts,
    bcer,
    bcer_batch,
    bwer,
    char_counts,
    delta_error,
    reported_percent,
    word_counts,
)

NULL = 9
codes = st.lists(st.integers(0, 9), max_size=12)


def test_delta_of_a_line():
    deltas = np.array([[0.5, -0.5, 0.1], [0.49, 0.0, 0.0]], np.float32)
    assert delta_error(deltas) == 1.0
    assert delta_error(np.full((3, 4), -0.7)) == 4.0  # more than one a step
    assert delta_error(np.zeros((0, 4))) == 0.0


@pytest.mark.parametrize(
    ("truth", "read", "rate"),
    [
        pytest.param([1, 2, 3, 4], [4, 3, 2, 1], 0.0, id="order-does-not-count"),
        pytest.param([1, 2, 3, 4], [1, 2, 3, 5], 0.5, id="substitution-counts-twice"),
        pytest.param([1, 2, 3, 4], [1, 2, 3], 0.25, id="deletion"),
        pytest.param([1, NULL, 2, NULL], [1, 2, NULL], 0.0, id="nulls-do-not-count"),
        pytest.param([1], [2, 2, 2], 1.0, id="never-above-one"),
        pytest.param([1, 2], [1, 3], 1.0, id="as-many-errors-as-codes"),
        pytest.param([], [], 0.0, id="both-empty"),
        pytest.param([], [1], 1.0, id="nothing-to-read"),
    ],
)
def test_bcer(truth, read, rate):
    assert bcer(truth, read, NULL) == rate


def slow_bcer(truth, read):
    truth, read = (Counter(c for c in line if c != NULL) for line in (truth, read))
    errors = ((truth - read) + (read - truth)).total()
    if truth.total() <= errors:
        return float(errors > 0)
    return errors / truth.total()


@given(st.lists(st.tuples(codes, codes), max_size=6))
def test_bcer_of_a_batch_equals_counting(lines):
    expected = [slow_bcer(truth, read) for truth, read in lines]
    got = bcer_batch([t for t, _ in lines], [r for _, r in lines], NULL)
    assert got.tolist() == expected


def test_bcer_refuses_what_does_not_fit():
    with pytest.raises(ValueError, match="a reading for each of 2 lines, found 1"):
        bcer_batch([[1], [2]], [[1]], NULL)
    with pytest.raises(ValueError, match="cannot be negative, found -1"):
        bcer([-1], [1], NULL)


@pytest.mark.parametrize(
    ("truth", "read", "rate"),
    [
        pytest.param("a b c d", "d c b a", 0.0, id="order-does-not-count"),
        pytest.param("a b", "a b c d", 0.0, id="extra-words-do-not-count"),
        pytest.param("a a b", "a b", 1 / 3, id="repeated-word-missing-once"),
        pytest.param("  a  b ", "a b", 0.0, id="empty-parts-dropped"),
        pytest.param("a\tb", "a", 1.0, id="only-spaces-part-words"),
        pytest.param(" ", "a", 0.0, id="no-words"),
    ],
)
def test_bwer(truth, read, rate):
    assert bwer(truth, read) == rate


@pytest.mark.parametrize(
    ("mean", "percent"),
    [(1.0, 100.0), (0.08458961, 8.459), (0.0000049, 0.0), (0.000005, 0.001), (1.25, 125.0)],
)
def test_reported_percent(mean, percent):
    assert reported_percent(mean) == percent


@pytest.mark.parametrize(
    ("truth", "read", "counts"),
    [
        pytest.param("kitten", "sitting", ErrorCounts(3, 6), id="all-kinds"),
        pytest.param("cafe\u0301", "caf\u00e9", ErrorCounts(0, 4), id="nfc"),
        pytest.param("", "ab", ErrorCounts(2, 0), id="nothing-to-read"),
        pytest.param("\U0001d11e", "", ErrorCounts(1, 1), id="beyond-16-bits"),
    ],
)
def test_char_counts(truth, read, counts):
    assert char_counts(truth, read) == counts


def test_word_counts():
    assert word_counts("the  cat\tsat", "the cat") == ErrorCounts(1, 3)
    assert word_counts("e\u0301 b", "\u00e9 b") == ErrorCounts(0, 2)


def test_error_counts_add_up():
    total = sum([ErrorCounts(1, 4), ErrorCounts(2, 6)], ErrorCounts())
    assert (total, total.rate) == (ErrorCounts(3, 10), 0.3)
    assert ErrorCounts().rate == 0.0
    assert ErrorCounts(1, 0).rate == float("inf")
