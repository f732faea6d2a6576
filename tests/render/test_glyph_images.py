"""Images of single characters: stretched, framed, and only of boxes on the page."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from lstmjax.errors import UsageError
from lstmjax.render.clusters import CharBox
from lstmjax.render.glyph_images import GlyphImages, _sample


def black(data: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image) < 128


def test_a_checkerboard_is_stretched_and_framed():
    ink = np.zeros((30, 40), bool)
    ink[10:14, 20:24] = np.indices((4, 4)).sum(0) % 2 == 0
    (data,) = GlyphImages(8, border=3).cut(ink, [CharBox("a", (20, 10, 4, 4), 0)])
    rows = [0, 1, 1, 2, 2, 3, 3, 3]  # halves are rounded up, and the last row is repeated
    expected = np.pad(ink[10:14, 20:24][np.ix_(rows, rows)], 3)
    np.testing.assert_array_equal(black(data), expected)


@given(st.integers(1, 300), st.integers(1, 300))
def test_samples_go_through_the_whole_side(size, wanted):
    places = _sample(size, wanted)
    assert len(places) == wanted
    assert places[0] == 0
    assert (np.diff(places) >= 0).all()
    assert places[-1] <= size - 1
    assert np.abs(places - np.arange(wanted) * size / wanted).max() <= 1


@pytest.mark.parametrize(
    ("rect", "number"),
    [
        ((0, 0, 40, 30), 1),
        ((-1, 0, 5, 5), 0),
        ((0, 26, 5, 5), 0),
        ((36, 0, 5, 5), 0),
        ((0, 0, 2, 2), 0),
        ((0, 0, 3, 2), 1),
        (None, 0),
    ],
)
def test_boxes_beyond_the_page_and_tiny_ones_are_passed_over(rect, number):
    images = GlyphImages(10, border=3).cut(np.ones((30, 40), bool), [CharBox("a", rect, 0)])
    assert len(list(images)) == number


@pytest.mark.parametrize(("side", "border"), [(0, 0), (-1, 0), (5, -1), (10**9, 0), (5, 10**9)])
def test_absurd_sizes_are_refused(side, border):
    with pytest.raises(UsageError, match="--glyph_"):
        GlyphImages(side, border)
