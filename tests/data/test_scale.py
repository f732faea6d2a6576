"""Scaling against Leptonica itself, against stored sums and against a plain loop."""

import io

import helpers
import numpy as np
import pytest
from PIL import Image

from lstmjax.data.scale import scale, scaled_side

FACTORS = [1, 2, 4, 0.5, 0.25, 0.125, 0.0625, 0.7, 0.71, 0.2, 0.21, 1.4, 1.39, 0.04, 3.3]


def noise(height, width, kind, seed=0):
    """Random pixels; half of the images are black and white so that clipping is reached."""
    rng = np.random.default_rng([seed, height, width])
    shape = (height, width, 3) if kind == "colour" else (height, width)
    pixels = rng.integers(0, 256, shape, dtype=np.uint8)
    if kind == "two-valued":
        return pixels > 127
    return np.where(pixels > 127, 255, 0).astype(np.uint8) if seed % 2 else pixels


@pytest.mark.reference
@pytest.mark.parametrize("kind", ["grey", "colour", "two-valued"])
@pytest.mark.parametrize("factor", FACTORS)
def test_equals_leptonica_at_special_factors(leptonica, kind, factor):
    for seed, (height, width) in enumerate([(48, 574), (37, 101), (64, 16), (100, 33)]):
        pixels = noise(height, width, kind, seed)
        expected = leptonica.scale(pixels, np.float32(factor))
        np.testing.assert_array_equal(scale(pixels, np.float32(factor)), expected)


@pytest.mark.reference
@pytest.mark.parametrize("kind", ["grey", "colour", "two-valued"])
def test_equals_leptonica_at_random_sizes(leptonica, kind):
    rng = np.random.default_rng(5)
    for seed in range(400):
        height, width = int(rng.integers(1, 150)), int(rng.integers(60, 300))
        factor = np.float32(rng.integers(3, 130)) / np.float32(height)
        pixels = noise(height, width, kind, seed)
        expected = leptonica.scale(pixels, factor)
        np.testing.assert_array_equal(scale(pixels, factor), expected, f"{pixels.shape} {factor}")


@pytest.mark.reference
@pytest.mark.parametrize("factor", [0.019, 0.0125, 0.01])
def test_equals_leptonica_when_hardly_anything_is_left(leptonica, factor):
    pixels = noise(160, 400, "grey")
    expected = leptonica.scale(pixels, np.float32(factor))
    np.testing.assert_array_equal(scale(pixels, np.float32(factor)), expected)


@pytest.mark.reference
@pytest.mark.parametrize("width", [1, 2, 3])
def test_equals_leptonica_on_two_valued_slivers(leptonica, width):
    pixels = noise(40, width, "two-valued")
    for factor in np.array([0.6, 0.77, 2.5], np.float32):
        np.testing.assert_array_equal(scale(pixels, factor), leptonica.scale(pixels, factor))


def test_first_line_of_the_real_data_has_the_recorded_sum():
    data = helpers.testdata("tesseract-test", "eng.Arial.exp0.lstmf").read_bytes()
    start = data.index(b"\x89PNG")
    pixels = np.asarray(Image.open(io.BytesIO(data[start : start + 1608])))
    scaled = scale(pixels, np.float32(32) / np.float32(48))
    assert scaled.shape == (32, 383)
    assert scaled.sum() == 2106718
    assert scaled[16, :8].tolist() == [255, 255, 0, 0, 0, 0, 255, 255]


STORED = {
    ("grey", 0.6667): (1696681, 7057912967),
    ("grey", 0.75): (2167641, 9487407182),
    ("grey", 0.5): (947042, 3535993379),
    ("grey", 2.0): (15256012, 76071227256),
    ("grey", 4.0): (60942907, 303398435131),
    ("grey", 1.2): (5509367, 26005202745),
    ("grey", 1.7): (11046968, 53575194754),
    ("grey", 0.1): (37407, 5540965),
    ("grey", 0.0125): (509, 1272),
    ("colour", 0.6667): (5082985, 25276398334),
    ("colour", 0.75): (6500359, 31790297639),
    ("colour", 0.5): (2844443, 13028302983),
    ("colour", 2.0): (45772262, 227913609605),
    ("colour", 4.0): (182871677, 910921254657),
    ("colour", 1.2): (16526240, 82282468978),
    ("colour", 1.7): (33129488, 164812112283),
    ("colour", 0.1): (112820, 50310581),
    ("colour", 0.0125): (1523, 9899),
    ("two-valued", 0.6667): (1684275, 7019680800),
    ("two-valued", 0.75): (2148120, 9415937475),
    ("two-valued", 0.5): (954210, 3557585070),
    ("two-valued", 2.0): (15191115, 75530460675),
    ("two-valued", 4.0): (60764460, 302564870520),
    ("two-valued", 1.2): (5476635, 25771527060),
    ("two-valued", 1.7): (10944090, 53266648590),
    ("two-valued", 0.1): (41565, 6127395),
    ("two-valued", 0.0125): (510, 1785),
}


def checksum(pixels):
    """A sum that notices when two pixels change places."""
    flat = pixels.astype(np.int64).ravel()
    return int(flat.sum()), int((flat * (np.arange(len(flat)) % 9973 + 1)).sum())


def wave(height, width, kind):
    """A picture that needs no random generator, so that its checksum can be stored."""
    y, x = np.mgrid[:height, :width]
    grey = ((x * x * 7 + y * y * 13 + x * y * 3) % 256).astype(np.uint8)
    if kind == "two-valued":
        return grey > 127
    return grey if kind == "grey" else np.stack([grey, 255 - grey, grey[::-1]], axis=-1)


@pytest.mark.parametrize("kind", ["grey", "colour", "two-valued"])
@pytest.mark.parametrize("factor", [0.6667, 0.75, 0.5, 2.0, 4.0, 1.2, 1.7, 0.1, 0.0125])
def test_results_of_leptonica_are_kept(kind, factor):
    assert checksum(scale(wave(90, 333, kind), np.float32(factor))) == STORED[kind, factor]


def area_map_pixel(pixels, y, x, height, width):
    """One averaged pixel, source pixel by source pixel."""
    spans = []
    for side, new_side, at in ((pixels.shape[0], height, y), (pixels.shape[1], width, x)):
        step = np.float32(16 * side / new_side)
        spans.append((int(step * np.float32(at)), int(float(step) * (at + 1)), side))
    if any(end >> 4 > side - 2 for _, end, side in spans):
        return pixels[spans[0][0] >> 4, spans[1][0] >> 4]
    total = 0
    for sy in range(spans[0][0], spans[0][1]):
        for sx in range(spans[1][0], spans[1][1]):
            total += int(pixels[sy >> 4, sx >> 4])
    area = (spans[0][1] - spans[0][0]) * (spans[1][1] - spans[1][0])
    return (total + 128) // area


def test_area_map_equals_counting_sixteenths():
    pixels = noise(40, 30, "grey")
    scaled = scale(pixels, np.float32(0.17))  # below 0.2 nothing is sharpened
    expected = [[area_map_pixel(pixels, y, x, 7, 5) for x in range(5)] for y in range(7)]
    np.testing.assert_array_equal(scaled, expected)


def test_factor_one_copies():
    pixels = noise(5, 6, "grey")
    scaled = scale(pixels, np.float32(1))
    np.testing.assert_array_equal(scaled, pixels)
    assert scaled is not pixels


@pytest.mark.parametrize("factor", FACTORS)
def test_flat_pictures_stay_flat(factor):
    assert set(scale(np.full((50, 60), 77, np.uint8), np.float32(factor)).ravel()) == {77}


@pytest.mark.parametrize(
    ("shape", "factor"),
    [((0, 5), 1.0), ((5, 5), 0.05), ((5, 5), 0.0), ((7, 90), 0.125), ((30, 400), 0.019)],
)
def test_an_empty_result_is_refused(shape, factor):
    with pytest.raises(ValueError, match="the result is empty"):
        scale(np.zeros(shape, np.uint8), np.float32(factor))


def test_scaled_side_rounds_in_single_precision():
    assert scaled_side(574, np.float32(32) / np.float32(48)) == 383
    assert scaled_side(3, np.float32(0.5)) == 2
    assert scaled_side(1, np.float32(0.1)) == 0
