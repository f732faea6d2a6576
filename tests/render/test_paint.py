"""Painting: ink adds up, is cut off at the edges, and turns with the lines."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from render.render_samples import noise, sans

from lstmjax.render.face import UNITS
from lstmjax.render.layout import Layout
from lstmjax.render.paint import _blend, _coverage, paint
from lstmjax.render.style import LayoutStyle

PLACES = st.integers(-12, 25)


def lay_out(text, **options):
    return list(Layout(LayoutStyle(sans(30.0), 400, **options)).lines(text))


@given(PLACES, PLACES, st.integers(1, 12), st.integers(1, 12))
def test_ink_is_taken_from_white_within_the_page(left, top, height, width):
    page, bitmap = noise(15, 20, seed=1), noise(height, width, seed=2)
    expected = page.astype(int)
    for i in range(height):
        for j in range(width):
            if 0 <= top + i < 15 and 0 <= left + j < 20:
                expected[top + i, left + j] = max(0, expected[top + i, left + j] - bitmap[i, j])
    _blend(page, bitmap, left, top)
    np.testing.assert_array_equal(page, expected)


@given(st.integers(-3000, 3000), st.integers(1, 5000))
def test_a_bar_covers_as_much_as_it_is_thick(top, thickness):
    cover = _coverage(top, thickness).astype(int)
    assert abs(cover.sum() - thickness * 255 / UNITS) <= len(cover)
    assert (cover[1:-1] == 255).all()


def test_lines_below_each_other_do_not_mix():
    lines = lay_out("ab\ncd")
    both = paint((120, 80), lines, (5, 5))
    alone = [paint((120, 80), [line], (5, 5)) for line in lines]
    np.testing.assert_array_equal(both, np.minimum(*alone))


def test_the_origin_moves_everything():
    lines = lay_out("Ag")
    one, other = paint((60, 80), lines, (0, 0)), paint((67, 85), lines, (5, 7))
    np.testing.assert_array_equal(other[7:, 5:], one)


def test_vertical_latin_is_the_horizontal_turned():
    """Its letters lie on their side; the axis of the line is the only difference."""
    flat = paint((60, 200), lay_out("Hello, g"), (0, 0))
    turned = paint((200, 60), lay_out("Hello, g", vertical=True), (60, 0), vertical=True)
    expected = np.rot90(flat, -1)
    ink = [np.flatnonzero((image < 255).any(0)) for image in (expected, turned)]
    shifted = np.roll(expected, ink[1][0] - ink[0][0], axis=1)
    np.testing.assert_array_equal(turned, shifted)


@pytest.mark.parametrize("vertical", [False, True])
def test_underlines_lie_under_their_words_only(vertical):
    lines = lay_out("aa bb cc", vertical=vertical)
    shape, origin = ((300, 60), (60, 0)) if vertical else ((60, 300), (0, 0))
    plain = paint(shape, lines, origin, vertical=vertical)
    marked = paint(shape, lines, origin, vertical=vertical, underlines=[(3, 5)])
    changed = np.rot90(marked != plain) if vertical else marked != plain
    columns = np.flatnonzero(changed.any(0))
    advance = sum(lines[0].runs[0].glyphs.widths[:3]) // UNITS
    width = sum(lines[0].runs[0].glyphs.widths[3:5]) // UNITS
    assert (columns[0], columns[-1]) == (advance, advance + width - 1)
    assert changed.sum(0).max() <= 4
