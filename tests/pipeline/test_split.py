"""The division into training and evaluation, as in tesstrain and by groups."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstmjax.errors import DataError
from lstmjax.pipeline.split import split, split_groups

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


def pages_of(*sizes):
    return {f"{page}_{line:02d}": str(page) for page, n in enumerate(sizes) for line in range(n)}


def test_whole_groups_are_held_out():
    groups = pages_of(*[10] * 20)
    parts, fits = split_groups(groups, 0.9, 0)
    assert fits
    assert (len(parts.train), len(parts.eval)) == (180, 20)
    assert not {groups[name] for name in parts.train} & {groups[name] for name in parts.eval}
    assert split_groups(groups, 0.9, 0) == (parts, fits)
    assert split_groups(groups, 0.9, 1) != (parts, fits)
    shuffled = [*split(groups, 0.9, 0).train, *split(groups, 0.9, 0).eval]
    assert parts.train == [name for name in shuffled if name in set(parts.train)]


@pytest.mark.parametrize(
    ("sizes", "ratio", "held_out", "fits"),
    [
        ([30] * 10, 0.9, 30, True),  # one of ten pages
        ([30] * 8, 0.9, 30, True),  # 24 lines were wanted, 30 is a quarter more
        ([30] * 7, 0.9, 30, False),
        ([50, 50], 0.9, 50, False),
        ([5, 95], 0.9, 5, False),
        ([564, 52, 1908], 0.856, 564, False),  # nearer to 364 than 52 is
        ([10] * 10, 0.5, 50, True),
    ],
)
def test_how_near_groups_come_to_the_ratio(sizes, ratio, held_out, fits):
    parts, near = split_groups(pages_of(*sizes), ratio, 0)
    assert near == fits
    assert len(parts.eval) == held_out


def test_one_group_cannot_be_divided():
    with pytest.raises(DataError, match="one page or book"):
        split_groups(pages_of(10), 0.5, 0)


@given(st.lists(st.integers(1, 30), min_size=2, max_size=30), st.floats(0.5, 1), st.integers(0, 9))
def test_groups_are_never_torn_and_nothing_is_lost(sizes, ratio, seed):
    groups = pages_of(*sizes)
    parts, near = split_groups(groups, ratio, seed)
    assert sorted([*parts.train, *parts.eval]) == sorted(groups)
    assert not {groups[name] for name in parts.train} & {groups[name] for name in parts.eval}
    assert parts.train
    wanted = len(groups) - int(ratio * len(groups))
    if near:
        assert abs(len(parts.eval) - wanted) <= min(wanted, len(groups) - wanted) / 4
