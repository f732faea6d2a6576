import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstmjax.pages.crop import cut, on_page, padded
from lstmjax.pages.page_image import PageImage

W, H = 400, 120
SIDES = st.tuples(*[st.integers(-500, 500)] * 4)


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [
        ((-100, 70, 100, 112), True),
        ((-101, 70, 99, 112), False),
        ((500, 70, 700, 112), False),
        ((-1000, -1000, 3000, 3000), True),
        ((50, 50, 50, 80), False),
        ((50, 50, 80, 50), False),
    ],
    ids=["half", "less-than-half", "outside", "around", "no-width", "no-height"],
)
def test_lines_on_the_page(bounds, expected):  # each as the real tesseract decides
    assert on_page(bounds, W, H) is expected


@given(SIDES)
def test_padded_lines_stay_on_the_page(sides):
    left, bottom = min(sides[0], sides[2]), min(sides[1], sides[3])
    right, top = max(sides[0], sides[2]), max(sides[1], sides[3])
    if on_page((left, bottom, right, top), W, H):
        a, b, c, d = padded((left, bottom, right, top), W, H)
        assert 0 <= a < c <= W
        assert 0 <= b < d <= H


def test_rows_count_from_the_bottom():
    page = PageImage(np.arange(30, dtype=np.uint8).reshape(6, 5), (300, 300))
    crop = cut(page, (1, 0, 3, 2))
    np.testing.assert_array_equal(crop.pixels, [[21, 22], [26, 27]])
    assert crop.resolution == (300, 300)


def test_two_valued_pages_become_grey():
    page = PageImage(np.array([[True, False]]))
    np.testing.assert_array_equal(cut(page, (0, 0, 2, 1)).pixels, [[255, 0]])
