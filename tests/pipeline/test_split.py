"""The division into training and evaluation is tesstrain's."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstmjax.errors import DataError
from lstmjax.pipeline.split import split

NAMES = [f"line{i:02d}" for i in range(10)]


def test_it_is_the_division_of_the_makefile():
    # What shuffle.py and generate_eval_train.py of tesstrain do to these names.
    expected = sorted(NAMES)
    random.seed("0")
    random.shuffle(expected)
    assert split(reversed(NAMES), 0.9, 0) == (expected[:9], expected[9:])


def test_the_division_is_always_the_same():
    assert split(NAMES, 0.7, 0).eval == ["line04", "line01", "line05"]


def test_seeds_differ():
    assert split(NAMES, 0.5, 1) != split(NAMES, 0.5, 2)


@given(st.sets(st.text(max_size=4), min_size=1), st.floats(0.01, 1), st.integers())
def test_nothing_is_lost(names, ratio, seed):
    try:
        parts = split(names, ratio, seed)
    except DataError:
        assert int(ratio * len(names)) == 0
        return
    assert sorted([*parts.train, *parts.eval]) == sorted(names)
    assert len(parts.train) == int(ratio * len(names))


def test_nothing_left_for_training_is_an_error():
    with pytest.raises(DataError, match=r"of 1 lines none is left for training"):
        split(["a"], 0.9, 0)
