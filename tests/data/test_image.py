"""Network input against recorded values and a plain loop."""

import helpers
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstmjax.data.decode import decode
from lstmjax.data.image import (
    InputShape,
    SizeProblem,
    black_and_white,
    invert,
    normalise,
    prepare,
    quantise,
    scale_line,
    scaled_size,
    size_problem,
)
from lstmjax.data.random import MinStd
from lstmjax.errors import DataError

GREY_32 = InputShape(32, 0, 1)


def noise(height, width, channels=0, seed=0):
    shape = (height, width, channels) if channels else (height, width)
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


@pytest.fixture(scope="module")
def first_line():
    data = helpers.testdata("tesseract-test", "eng.Arial.exp0.lstmf").read_bytes()
    start = data.index(b"\x89PNG")
    return decode(data[start : start + 1608])


def test_first_line_of_the_real_data_has_the_recorded_input(first_line):
    scaled = scale_line(first_line, GREY_32)
    black, white = black_and_white(scaled)
    assert black == np.float32(0.2685185)
    assert white == np.float32(255.72917)
    block = normalise(scaled, GREY_32)
    assert block.shape == (32, 383, 1)
    assert block.dtype == np.float32
    np.testing.assert_allclose(block[16, :3, 0], [0.9942913, 0.9942913, -1.002102], rtol=1e-6)


def percent_point(levels, fraction, default):
    counts = [0] * 256
    for level in levels or [default]:
        counts[level] += 1
    target = min(max(fraction * sum(counts), 1.0), sum(counts))
    total = used = 0
    while total < target:
        total += counts[used]
        used += 1
    return np.float32(used - (total - target) / counts[used - 1])


@given(st.lists(st.integers(0, 5).map(lambda level: level * 51), min_size=1, max_size=40))
def test_black_and_white_equal_a_plain_loop(row):
    minima, maxima = [], []
    for p, c, n in zip(row, row[1:], row[2:], strict=False):
        if (c < p and c <= n) or (c <= p and c < n):
            minima.append(c)
        if (c > p and c >= n) or (c >= p and c > n):
            maxima.append(c)
    image = np.zeros((3, len(row)), np.uint8)
    image[1] = row
    expected = percent_point(minima, 0.25, 0), percent_point(maxima, 0.75, 255)
    assert black_and_white(image) == expected


@pytest.mark.parametrize(
    ("shape", "channels", "expected"),
    [
        ((32, 0, 1), 0, (32, 64, 1)),
        ((32, 0, 1), 3, (32, 64, 1)),
        ((32, 0, 3), 0, (32, 64, 3)),
        ((32, 0, 3), 3, (32, 64, 3)),
        ((1, 0, 32), 0, (1, 64, 32)),
        ((0, 0, 1), 0, (48, 96, 1)),
        ((32, 50, 1), 0, (32, 50, 1)),
        ((32, 80, 1), 0, (32, 80, 1)),
        ((1, 80, 32), 3, (1, 80, 32)),
    ],
    ids=str,
)
def test_blocks_have_the_shape_the_network_wants(shape, channels, expected):
    block = prepare(noise(60, 120, channels), InputShape(*shape), MinStd.for_sample(0))
    assert block.shape == expected
    assert block.dtype == np.float32


def test_low_images_keep_their_height_when_it_is_variable():
    assert prepare(noise(30, 50), InputShape(0, 0, 1)).shape == (30, 50, 1)
    assert prepare(noise(96, 100), InputShape(0, 0, 1)).shape == (48, 50, 1)


def test_columns_are_features_when_the_height_is_one():
    pixels = noise(32, 20)
    flat = normalise(pixels, InputShape(1, 0, 32))
    np.testing.assert_array_equal(flat[0].T, normalise(pixels, GREY_32)[..., 0])


def test_colour_has_fixed_contrast():
    pixels = noise(32, 9, 3)
    block = prepare(pixels, InputShape(32, 0, 3))
    np.testing.assert_array_equal(block, (pixels / np.float32(127.5)) - np.float32(1))


def test_two_valued_images_become_black_and_white():
    assert set(scale_line(noise(50, 60) > 99, GREY_32).ravel()) == {0, 255}


@pytest.mark.reference
def test_grey_of_colour_images_equals_leptonica(leptonica):
    for seed, height in enumerate([32, 48, 64, 24]):
        pixels = noise(height, 211, 3, seed)
        factor = np.float32(32) / np.float32(height)
        expected = leptonica.scale_to_grey(pixels, factor)
        np.testing.assert_array_equal(scale_line(pixels, GREY_32), expected)


def test_wide_images_are_cut_after_contrast_is_measured():
    pixels = noise(32, 100)
    cut = prepare(pixels, InputShape(32, 60, 1))
    np.testing.assert_array_equal(cut, prepare(pixels, GREY_32)[:, :60])


@pytest.mark.parametrize("int8", [False, True], ids=["float", "int8"])
def test_narrow_images_are_padded_with_noise_row_by_row(int8):
    stream, same = MinStd.for_sample(0), MinStd.for_sample(0)
    block = prepare(noise(32, 50), InputShape(32, 53, 1), stream, int8=int8)
    drawn = same.signed(32 * 3, 127.0 if int8 else 1.0).reshape(32, 3)
    expected = np.round(drawn) if int8 else drawn.astype(np.float32)
    np.testing.assert_array_equal(block[:, 50:, 0], expected)
    assert stream.state == same.state


def test_padding_without_a_stream_is_zero():
    assert not prepare(noise(32, 50), InputShape(32, 53, 1))[:, 50:].any()


@pytest.mark.parametrize(
    ("value", "level"),
    [(0.0, 0), (0.9942913, 127), (3.0, 127), (-9.0, -127), (0.00390625, 1), (-0.00390625, -1)],
)
def test_quantise_rounds_half_away_and_clips(value, level):
    assert quantise(np.array([value], np.float32)) == np.float32(level)


def test_int8_input_is_the_quantised_float_input():
    pixels = noise(40, 70)
    np.testing.assert_array_equal(
        prepare(pixels, GREY_32, int8=True), quantise(prepare(pixels, GREY_32))
    )


def test_flat_images_do_not_divide_by_zero():
    assert np.isfinite(prepare(np.full((32, 9), 200, np.uint8), GREY_32)).all()


def test_invert_swaps_black_and_white():
    pixels = noise(5, 6)
    np.testing.assert_array_equal(invert(pixels), 255 - pixels)
    np.testing.assert_array_equal(invert(invert(pixels)), pixels)


@given(
    st.integers(1, 200), st.integers(1, 400), st.sampled_from([0, 16, 32, 36, 48]), st.booleans()
)
def test_scaled_size_needs_no_pixels(height, width, target, two_valued):
    shape = InputShape(target, 0, 1)
    new_width, new_height = scaled_size(width, height, target, two_valued=two_valued)
    assert new_height == (target or min(height, 48))
    kind = np.bool_ if two_valued else np.uint8
    try:
        assert scale_line(np.zeros((height, width), kind), shape).shape[1] == new_width
    except DataError:
        assert size_problem(new_width, new_height, 3) is SizeProblem.TOO_SMALL


@pytest.mark.parametrize(
    ("size", "problem"),
    [
        ((2, 32), SizeProblem.TOO_SMALL),
        ((3, 32), None),
        ((100, 2), SizeProblem.TOO_SMALL),
        ((128 * 32, 32), None),
        ((128 * 32 + 1, 32), SizeProblem.TOO_LARGE),
        ((0, 32), SizeProblem.TOO_SMALL),
    ],
    ids=str,
)
def test_sizes_that_cannot_be_learnt_are_named(size, problem):
    assert size_problem(*size, 3) is problem


def test_slivers_are_refused():
    with pytest.raises(DataError, match="too small for this network"):
        scale_line(np.zeros((2000, 3), np.uint8), GREY_32)


def test_low_images_cannot_grow_without_limit():
    with pytest.raises(DataError, match="too large for this network: 1048544 x 32"):
        scale_line(np.zeros((1, 32767), np.uint8), GREY_32)


def test_other_depths_are_refused():
    with pytest.raises(DataError, match="wants 2 values a pixel"):
        InputShape(32, 0, 2)
