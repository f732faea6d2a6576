"""A face, against what fontTools reads in the same file."""

import numpy as np
import pytest
from fontTools.pens.boundsPen import BoundsPen
from fontTools.ttLib import TTFont
from hypothesis import given
from hypothesis import strategies as st
from render.render_samples import SANS, sans

from lstmjax.errors import FormatError
from lstmjax.render.face import EMPTY, UNITS, Face, round_units

PIXELS = 100.0


@pytest.fixture(scope="module")
def font():
    return TTFont(SANS)


@given(st.integers(-(10**7), 10**7))
def test_units_are_rounded_to_pixels_halves_upwards(units):
    assert round_units(units) == (units * 2 + UNITS) // (2 * UNITS) * UNITS


@pytest.mark.parametrize("character", list("aQ€ж\u05d0"))
def test_glyph_numbers(font, character):
    assert sans().glyph_of(character) == font.getGlyphID(font.getBestCmap()[ord(character)])


def test_missing_characters_have_no_glyph():
    assert sans().glyph_of("\U0001f9ff") == 0


@pytest.mark.parametrize("character", list("aQg.|ж"))
def test_extents_and_bitmaps_hold_the_outline(font, character):
    """Without hinting, ink is the outline to the pixel; y grows downwards."""
    face = Face(SANS, PIXELS, hinting="none")
    glyph = face.glyph(face.glyph_of(character))
    pen = BoundsPen(glyphs := font.getGlyphSet())
    glyphs[font.getBestCmap()[ord(character)]].draw(pen)
    scale = PIXELS / font["head"].unitsPerEm
    x0, y0, x1, y1 = (value * scale for value in pen.bounds)
    left, top, width, height = glyph.ink
    assert (left, top) == (pytest.approx(x0, abs=1.1), pytest.approx(-y1, abs=1.1))
    assert (left + width, top + height) == (
        pytest.approx(x1, abs=1.1), pytest.approx(-y0, abs=1.1),
    )  # fmt: skip
    rows, columns = glyph.bitmap.shape
    assert (glyph.left, glyph.top) >= (left, top)
    assert (glyph.left + columns, glyph.top + rows) <= (left + width, top + height)
    assert glyph.bitmap.max() > 200


@pytest.mark.parametrize("text", ["Hello", "fjord", "12,50"])
def test_advances_are_those_of_the_font_to_the_pixel(font, text):
    run = Face(SANS, PIXELS, hinting="none").shape(text, 0, len(text), script="Latn")
    scale = PIXELS / font["head"].unitsPerEm
    names = [font.getBestCmap()[ord(c)] for c in text]
    assert run.glyphs == [font.getGlyphID(name) for name in names]
    assert run.clusters == list(range(len(text)))
    for width, name in zip(run.widths, names, strict=True):
        assert width % UNITS == 0
        assert width / UNITS == pytest.approx(font["hmtx"][name][0] * scale, abs=8)  # kerning


def test_right_to_left_runs_are_in_visual_order():
    run = sans().shape("אבג", 0, 3, level=1, script="Hebr")
    assert run.clusters == [2, 1, 0]


def test_parts_are_joined_to_the_letters_around_them():
    """An Arabic letter has another form in the middle of a word."""
    face = sans()
    whole = face.shape("ببب", 0, 3, level=1, script="Arab")
    middle = face.shape("ببب", 1, 1, level=1, script="Arab")
    alone = face.shape("ب", 0, 1, level=1, script="Arab")
    assert middle.clusters == [1]
    assert middle.glyphs[0] == whole.glyphs[1] != alone.glyphs[0]


def test_vertical_runs_go_down():
    run = sans().shape("ab", 0, 2, script="Latn", vertical=True)
    assert run.clusters == [0, 1]
    assert all(width > 20 * UNITS and width % UNITS == 0 for width in run.widths)


def test_controls_are_not_drawn():
    run = sans().shape("a\u200bb", 0, 3, script="Latn")
    assert EMPTY in run.glyphs
    glyph = sans().glyph(EMPTY)
    assert glyph.ink == (0, 0, 0, 0)
    assert glyph.bitmap.shape == (0, 0)


@pytest.mark.parametrize(("hinting", "blurred"), [("full", 0), ("slight", 1), ("none", 2)])
def test_hinting_moves_the_edges_of_a_bar_to_pixels(hinting, blurred):
    face = Face(SANS, 23.0, hinting=hinting)
    bitmap = face.glyph(face.glyph_of("-")).bitmap
    column = bitmap[:, bitmap.shape[1] // 2]
    assert np.count_nonzero((column > 0) & (column < 255)) == blurred


def test_no_font(tmp_path):
    path = tmp_path / "x.ttf"
    path.write_bytes(b"no font at all")
    with pytest.raises(FormatError, match="is no font"):
        Face(path, 20.0)
    with pytest.raises(FormatError, match="is no font"):
        Face(SANS, 20.0, index=3)
