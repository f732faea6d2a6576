"""Font names, catalogues, faces, and fonts that are broken."""

import shutil

import numpy as np
import pytest
from render.render_samples import FONTS, SANS, sans

from lstmjax.errors import DataError, FormatError
from lstmjax.render import Face, FallbackFaces, FontCatalog
from lstmjax.render.catalog import read_font_list
from lstmjax.render.description import Description, parse

NAMES = {
    "DejaVu Sans": Description("DejaVu Sans"),
    "DejaVu Sans Bold Italic 12": Description("DejaVu Sans", 700, "Italic"),
    "dejavu sans semibold": Description("dejavu sans", 600),
    "Open Sans Light Condensed": Description("Open Sans", 300, "", "Condensed"),
    "Open Sans Condensed, Bold": Description("Open Sans Condensed", 700),
    "Noto Sans Old Italic,": Description("Noto Sans Old Italic"),
    "FreeSerif Bold Oblique Ultra-Expanded 9.5": Description(
        "FreeSerif", 700, "Oblique", "Ultra-Expanded"
    ),
}


@pytest.mark.parametrize(("text", "expected"), NAMES.items(), ids=list(NAMES))
def test_parse_names(text, expected):
    assert parse(text).key == expected.key


@pytest.mark.parametrize("description", NAMES.values(), ids=str)
def test_names_survive_a_round_trip(description):
    assert parse(str(description)) == description


@pytest.fixture(name="folder")
def make_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "fonts"
    folder.mkdir()
    for name in ("DejaVuSans.ttf", "DejaVuSans-BoldOblique.ttf", "DejaVuSerif.ttf"):
        shutil.copy(FONTS / name, folder / name)
    (folder / "readme.txt").write_text("no font")
    (folder / "broken.ttf").write_bytes(SANS.read_bytes()[:5000])
    (folder / "empty.otf").write_bytes(b"OTTO")
    return folder


@pytest.mark.parametrize("run", ["first", "from the cache"])
def test_catalog_lists_and_finds(folder, run):
    catalog = FontCatalog([folder])
    if run == "from the cache":
        catalog = FontCatalog([folder])
    assert catalog.list_names() == ["DejaVu Sans", "DejaVu Sans Bold Oblique", "DejaVu Serif"]
    assert len(catalog.problems) == 2
    assert "broken.ttf" in catalog.problems[0]
    for name in ("DejaVu Sans", "dejavu sans 12", "DejaVu Sans Book", str(SANS)):
        font = catalog.find(name)
        assert font is not None, name
        assert font.path.endswith("DejaVuSans.ttf"), name
    assert catalog.find("DejaVu Sans Bold Italic") is None
    assert catalog.suggest("DejaVu Sans Bold Italic") == "DejaVu Sans Bold Oblique"
    assert catalog.suggest("DejaVu Seriff") == "DejaVu Serif"


def test_changed_files_are_read_again(folder):
    FontCatalog([folder])
    shutil.copy(FONTS / "DejaVuSansMono.ttf", folder / "DejaVuSans.ttf")
    assert "DejaVu Sans Mono" in FontCatalog([folder]).list_names()


def test_no_fonts_at_all(tmp_path):
    catalog = FontCatalog([tmp_path])
    assert catalog.list_names() == []
    assert catalog.suggest("Arial") is None
    with pytest.raises(DataError, match="no such folder"):
        FontCatalog([tmp_path / "none"])


def test_font_lists(tmp_path):
    assert read_font_list("A Bold + B, C") == ["A Bold", "B", "C"]
    path = tmp_path / "list.txt"
    path.write_text("# fonts\nA Bold\n\nOpen Sans Condensed, Bold\n")
    assert read_font_list(str(path)) == ["A Bold", "Open Sans Condensed, Bold"]


def test_fallback_has_what_is_asked_for(folder):
    faces = FallbackFaces(FontCatalog([folder]), 20.0)
    face = faces("ж")
    assert face is not None
    assert face.glyph_of("ж")
    assert faces("\U00010ffd") is None


@pytest.mark.parametrize("cut", [0, 3, 200, 5000, 300_000], ids="{}".format)
def test_cut_fonts_are_refused(tmp_path, cut):
    path = tmp_path / "cut.ttf"
    path.write_bytes(SANS.read_bytes()[:cut])
    with pytest.raises(FormatError, match=r"cut\.ttf"):
        Face(path, 30.0)


def test_spoilt_fonts_are_survived(tmp_path):
    rng = np.random.default_rng(1)
    original = np.frombuffer(SANS.read_bytes(), np.uint8)
    for k in range(6):
        data = original.copy()
        data[rng.integers(0, data.size, 2000)] = rng.integers(0, 256, 2000)
        path = tmp_path / f"spoilt{k}.ttf"
        path.write_bytes(data.tobytes())
        try:
            face = Face(path, 30.0)
            face.shape("Hamburg", 0, 7)
            for number in range(0, 300, 7):
                face.glyph(number)
        except FormatError:
            continue


@pytest.mark.parametrize("pixels", [0.0, -3.0, 1e6, float("nan")])
def test_absurd_sizes_are_refused(pixels):
    with pytest.raises(ValueError, match="pixels high"):
        Face(SANS, pixels)


def test_metrics_of_the_yardstick():
    face = sans(50.0)
    assert (face.ascent, face.descent) == (47, 12)
    glyph = face.glyph(face.glyph_of("H"))
    assert glyph.ink == (4, -36, 29, 36)
    assert glyph.bitmap.shape == (36, 29)
    assert face.glyph(10**6).ink == (0, 0, 0, 0)
