"""Fonts for a text: counted by hand."""

import shutil

import numpy as np
import pytest
from render.render_samples import FONTS, SANS, sans

from lstmjax.render import Degradation, FontCatalog, Settings
from lstmjax.render.find_fonts import Hits, first_page, measure_fonts, title_face, title_font

SETTINGS = Settings(width=600, height=300, margin=40, degradation=Degradation(degrade=False))


@pytest.fixture
def catalog(tmp_path):
    for name in ("DejaVuSans.ttf", "cmsy10.ttf"):  # the latter has symbols only
        shutil.copy(FONTS / name, tmp_path / name)
    return FontCatalog([tmp_path])


def test_a_report_of_hits():
    hits = Hits("Some Font", 3, 4, 2, 3)
    assert str(hits) == "Some Font : 3 hits = 75.00%, raw = 2 = 66.67%"
    assert hits.failure == "Font Some Font failed with 3 hits = 75.00%"


@pytest.mark.parametrize(
    ("characters", "share", "reached"), [(3, 0.75, True), (3, 0.76, False), (0, 0.0, False)]
)
def test_a_font_needs_a_share_of_the_text_and_some_of_it(characters, share, reached):
    assert Hits("x", characters, 4, 1, 1).reaches(share) == reached


def test_characters_and_kinds_are_counted(catalog):
    found = {hits.name: hits for hits, _ in measure_fonts("жж b\U0001f9ff", catalog, 20.0)}
    sans = found["DejaVu Sans"]
    assert (sans.characters, sans.total, sans.kinds, sans.all_kinds) == (4, 5, 3, 4)
    (symbols,) = (hits for name, hits in found.items() if name != "DejaVu Sans")
    assert (symbols.characters, symbols.kinds) == (2, 2)  # the space and the b


def test_titles_are_in_a_font_that_has_them(catalog):
    font = title_font(catalog)
    assert font is not None
    assert font.family == "DejaVu Sans"
    face = title_face(catalog, SETTINGS)
    assert face is not None
    assert face.pixels == pytest.approx(8 * 300 / 72)


def test_a_first_page_has_its_title_above_the_text(catalog):
    with_title = first_page("abc", sans(), "A title", title_face(catalog, SETTINGS), SETTINGS, 0)
    without = first_page("abc", sans(), "A title", None, SETTINGS, 0)
    assert set(np.unique(with_title.image)) == {0, 255}
    changed = np.flatnonzero((with_title.image != without.image).any(1))
    assert len(changed) > 10
    assert changed.max() < SETTINGS.margin + 10
    assert SANS.exists()
