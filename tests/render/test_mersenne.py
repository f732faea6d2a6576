"""The shuffle of GNU's C++ library, against numbers that it gave and Python's own twister."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstmjax.render.mersenne import _Draws, _seed_sequence, shuffled


def digest(numbers) -> int:
    value = 0
    for number in numbers:
        value = (value * 31 + number) & 0xFFFFFFFF
    return value


def test_seed_sequences_are_those_of_the_library():
    assert _seed_sequence([1], 8) == [
        2657236357, 3783058302, 1303927845, 2875186625, 4070506400, 3639031511, 1383952939,
        444424979,
    ]  # fmt: skip
    assert digest(_seed_sequence([0x18273645], 624)) == 3646285504


def test_draws_are_those_of_the_library():
    draws = _Draws(5)
    expected = [3800048296, 3803799341, 3362449719, 3527025709, 291420973]
    assert [draws._draw() for _ in expected] == expected


@given(st.integers(0, 2**32 - 1))
def test_draws_are_those_of_pythons_twister(seed):
    twister = random.Random()
    twister.setstate((3, (*_seed_sequence([seed], 624), 624), None))
    draws = _Draws(seed)
    assert [draws._draw() for _ in range(700)] == [twister.getrandbits(32) for _ in range(700)]


@given(st.integers(0, 99), st.integers(1, 2**32 - 1))
def test_limits_hold(seed, limit):
    draws = _Draws(seed)
    assert all(0 <= draws.below(limit) < limit for _ in range(5))


def test_all_numbers_below_a_limit_are_equally_likely():
    draws = _Draws(7)
    counts = [0] * 6
    for _ in range(6000):
        counts[draws.below(6)] += 1
    assert max(abs(count - 1000) for count in counts) < 130  # 4.5 standard deviations


@pytest.mark.parametrize(
    ("size", "first", "hashed"),
    [
        (7, [0, 1, 4, 3, 6, 2, 5], 32418441),
        (8, [0, 1, 3, 4, 2, 7, 5, 6], 977151688),
        (70_000, [15558, 67804, 34740, 64023], 2837933028),
        (70_001, [15558, 67804, 34740, 64023], 3446336722),
    ],
)
def test_shuffles_are_those_of_the_library(size, first, hashed):
    """Beyond 65,536 values it draws single places, below two at once."""
    result = shuffled(range(size), 5)
    assert result[: len(first)] == first
    assert digest(result) == hashed


@given(st.lists(st.integers(), max_size=30), st.integers(0, 9))
def test_shuffles_keep_everything(values, seed):
    assert sorted(shuffled(values, seed)) == sorted(values)
