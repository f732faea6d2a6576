"""Degradations: against plain NumPy, known numbers of the original, and Leptonica itself."""

import ctypes
import ctypes.util

import numpy as np
import pytest
from render.render_samples import noise

from lstmjax.data.random import MinStd
from lstmjax.render import degrade as rules
from lstmjax.render.degrade import NoiseState, blur, darken, degrade, distort, rotate_image

SIZES = [(3, 3), (4, 7), (40, 31), (61, 90)]


def as_id(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"


@pytest.mark.parametrize("size", SIZES, ids=as_id)
def test_blur_is_the_mean_inside(size):
    image = noise(*size)
    blurred = blur(image)
    windows = np.lib.stride_tricks.sliding_window_view(image, (3, 3)).astype(np.int64)
    expected = (2 * windows.sum((2, 3)) + 9) // 18
    np.testing.assert_array_equal(blurred[2:-1, 2:-1], expected[1:, 1:])


@pytest.mark.parametrize("size", SIZES, ids=as_id)
def test_white_stays_white(size):
    white = np.full(size, 255, np.uint8)
    blurred = blur(white)  # but for roundings at the edges, which the original makes too
    assert (blurred[2:-1, 2:-1] == 255).all()
    assert (blurred > 250).all()
    assert (darken(white) == 255).all()
    assert (rotate_image(white, 0.02) == 255).all()


@pytest.mark.parametrize("size", [(1, 1), (2, 5), *SIZES], ids=as_id)
def test_darken_takes_the_minimum(size):
    image = noise(*size)
    padded = np.pad(image, 1, constant_values=255)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3))
    np.testing.assert_array_equal(darken(image), windows.min((2, 3)))


def test_small_images_are_not_blurred():
    image = noise(2, 9)
    np.testing.assert_array_equal(blur(image), image)


def test_tiny_angles_do_nothing():
    image = noise(20, 30)
    np.testing.assert_array_equal(rotate_image(image, 0.0009), image)
    assert (rotate_image(image, 0.0015) != image).any()


def test_rotation_there_and_back_keeps_a_bar_in_place():
    image = np.full((101, 201), 255, np.uint8)
    image[45:56, 60:140] = 0
    back = rotate_image(rotate_image(image, 0.02), -0.02)
    assert (back[48:53, 64:136] < 64).all()
    assert (back[:40] == 255).all()


def test_first_angle_is_that_of_the_original():
    assert rules.draw_angle(NoiseState()) == pytest.approx(0.00304947, abs=5e-9)


def test_degrade_leaves_its_input_alone_and_repeats():
    image = noise(50, 60)
    before = image.copy()
    first, angle = degrade(image, NoiseState())
    second, again = degrade(image, NoiseState())
    np.testing.assert_array_equal(image, before)
    np.testing.assert_array_equal(first, second)
    assert angle == again != 0


@pytest.mark.parametrize("exposure", [-3, -1, 0, 1, 2, 3])
def test_speckles_are_small_and_offsets_as_documented(exposure):
    white = np.full((30, 40), 255, np.uint8)
    image, _ = degrade(white, NoiseState(), exposure=exposure, rotate=False)
    offset = (-48 if exposure <= 0 else 0) - 16 * exposure
    inside = image[2:-2, 2:-2].astype(int)
    assert np.abs(inside - min(255, 255 + offset)).max() <= 5


def test_absurd_exposure_is_harmless():
    for exposure in (-(10**9), 10**9):
        assert degrade(noise(5, 5), NoiseState(), exposure=exposure)[0].shape == (5, 5)


def test_distort_draws_the_same_whatever_it_changes():
    states = [NoiseState(MinStd.seed(k)) for k in range(1, 9)]
    results = [distort(noise(20, 20), state) for state in states]
    assert len({result.tobytes() for result in results}) > 3
    again = [distort(noise(20, 20), NoiseState(MinStd.seed(k))) for k in range(1, 9)]
    for one, other in zip(results, again, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.fixture(name="leptonica")
def load_leptonica():
    name = ctypes.util.find_library("lept") or ctypes.util.find_library("leptonica")
    if name is None:
        pytest.skip("Leptonica is not installed")
    library = ctypes.CDLL(name)
    for function in ("pixCreate", "pixBlockconv", "pixErodeGray", "pixRotate", "pixGetData"):
        getattr(library, function).restype = ctypes.c_void_p
    return library


def through(library, image: np.ndarray, function: str, *arguments) -> np.ndarray:
    """Send an image through a function of Leptonica."""
    height, width = image.shape
    pix = ctypes.c_void_p(library.pixCreate(width, height, 8))
    words = (width + 3) // 4
    padded = np.zeros((height, words * 4), np.uint8)
    padded[:, :width] = image
    data = padded.reshape(height, words, 4)[:, :, ::-1].tobytes()
    ctypes.memmove(library.pixGetData(pix), data, len(data))
    result = ctypes.c_void_p(getattr(library, function)(pix, *arguments))
    raw = ctypes.string_at(library.pixGetData(result), height * words * 4)
    for one in {pix.value, result.value}:
        library.pixDestroy(ctypes.byref(ctypes.c_void_p(one)))
    swapped = np.frombuffer(raw, np.uint8).reshape(height, words, 4)[:, :, ::-1]
    return swapped.reshape(height, words * 4)[:, :width]


@pytest.mark.reference
@pytest.mark.parametrize("size", SIZES, ids=as_id)
def test_blur_equals_leptonica(leptonica, size):
    image = noise(*size)
    np.testing.assert_array_equal(blur(image), through(leptonica, image, "pixBlockconv", 1, 1))


@pytest.mark.reference
@pytest.mark.parametrize("size", SIZES, ids=as_id)
def test_darken_equals_leptonica(leptonica, size):
    image = noise(*size)
    np.testing.assert_array_equal(darken(image), through(leptonica, image, "pixErodeGray", 3, 3))


@pytest.mark.reference
@pytest.mark.parametrize("angle", [0.00304947, -0.0199, 0.0011, 0.3])
def test_rotation_equals_leptonica(leptonica, angle):
    image = noise(90, 121)
    area_map, white = 1, 1
    expected = through(leptonica, image, "pixRotate", ctypes.c_float(angle), area_map, white, 0, 0)
    np.testing.assert_array_equal(rotate_image(image, angle), expected)
