"""The generator against recorded numbers and a plain loop."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstmjax.data.random import MinStd


@pytest.mark.parametrize(
    ("iteration", "state"),
    [(0, 48271), (1, 1879102496), (2, 1610721345), (3, 1342340194), (100, 1079172311)],
)
def test_state_for_a_sample_equals_the_real_one(iteration, state):
    assert MinStd.for_sample(iteration).state == state


@pytest.mark.parametrize(
    ("iteration", "first"),
    [
        (0, [-0.829935102, 0.202705211, 0.783222554, 0.935911404, -0.620620456]),
        (1, [-0.308676989, -0.146956638, 0.256125373]),
        (2, [0.382646021, 0.706086724, -0.487749253]),
    ],
)
def test_first_noise_equals_the_real_one(iteration, first):
    np.testing.assert_allclose(MinStd.for_sample(iteration).signed(len(first)), first, atol=5e-10)


def test_initial_weights_of_a_fresh_stream_equal_the_real_ones():
    drawn = MinStd().signed(4, float(np.float32(0.1))).astype(np.float32)
    expected = [-0.0999955088, -0.0829935148, 0.0202705208, 0.0783222541]
    np.testing.assert_allclose(drawn, expected, rtol=1e-8)


@given(seed=st.integers(0, 2**40), counts=st.lists(st.integers(0, 300), max_size=5))
def test_blocks_of_any_size_equal_one_number_at_a_time(seed, counts):
    stream, state = MinStd.seed(seed), MinStd.seed(seed).state
    for count in counts:
        expected = []
        for _ in range(count):
            state = state * 48271 % (2**31 - 1)
            expected.append(state)
        assert stream.integers(count).tolist() == expected
    assert stream.state == state


def test_skipping_equals_drawing():
    skipped, drawn = MinStd.seed(7), MinStd.seed(7)
    skipped.skip(1000)
    drawn.integers(1000)
    assert skipped.state == drawn.state


def test_a_seed_without_remainder_becomes_one():
    assert MinStd.seed(2**31 - 1).state == 1


def test_signed_numbers_stay_inside_the_range():
    numbers = MinStd.seed(3).signed(5000, 127.0)
    assert -127 < numbers.min() < -120
    assert 120 < numbers.max() < 127


@pytest.mark.parametrize("state", [0, -1, 2**31 - 1])
def test_an_impossible_state_is_refused(state):
    with pytest.raises(ValueError, match="state must be in"):
        MinStd(state)
