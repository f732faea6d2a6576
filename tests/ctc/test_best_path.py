"""Greedy reading against a loop."""

from itertools import groupby

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstmjax.ctc.best_path import best_path

NULL = 3


@pytest.mark.parametrize(
    ("line", "codes"),
    [
        pytest.param([1, 1, NULL, 1, 2, 2], [1, 1, 2], id="repeats"),
        pytest.param([NULL, NULL], [], id="nulls"),
        pytest.param([0], [0], id="one-step"),
        pytest.param([2, 1, 2], [2, 1, 2], id="no-nulls"),
    ],
)
def test_reads_a_line(line, codes):
    (got,) = best_path(np.array(line)[:, None], np.array([len(line)]), NULL)
    assert got.tolist() == codes
    assert got.dtype == np.int32


@given(st.lists(st.lists(st.integers(0, NULL), max_size=8), max_size=5), st.booleans())
def test_equals_a_loop_and_ignores_padding(lines, merge):
    lengths = np.array([len(line) for line in lines], int)
    best = np.full((8, len(lines)), 1)
    for b, line in enumerate(lines):
        best[: len(line), b] = line
    expected = [
        [code for code in ([c for c, _ in groupby(line)] if merge else line) if code != NULL]
        for line in lines
    ]
    got = best_path(best, lengths, NULL, merge_repeats=merge)
    assert [codes.tolist() for codes in got] == expected


@pytest.mark.parametrize(
    ("best", "lengths", "message"),
    [
        pytest.param(np.zeros(3), np.array([3]), "expected best codes", id="rank"),
        pytest.param(np.zeros((3, 2)), np.array([3]), "expected best codes", id="lines-differ"),
        pytest.param(np.zeros((3, 1)), np.array([4]), "lengths must lie in 0..3", id="too-long"),
    ],
)
def test_refuses_what_does_not_fit(best, lengths, message):
    with pytest.raises(ValueError, match=message):
        best_path(best, lengths, NULL)
