"""Pages against the real text2image: box files and pixels.

With these fonts and texts everything is equal, byte for byte, but for Devanagari: FreeType hints it
differently from version to version, which moves edges by up to a pixel.
"""

from pathlib import Path

import numpy as np
import pytest
from helpers import run_real
from PIL import Image
from render.render_samples import TEXTS

from lstmjax.formats import box
from lstmjax.render import Degradation, FontCatalog, Settings
from lstmjax.render.files import Job, run_job

pytestmark = pytest.mark.reference

SIZE = {"width": 1300, "height": 700}
EDGE_TOLERANCE = 1
PIXEL_TOLERANCE = 0.02  # of the ink

SCRIPTS = {
    "eng": "DejaVu Sans",
    "rus": "Liberation Serif",
    "heb": "DejaVu Sans",
    "ara": "DejaVu Sans",
    "hin": "Noto Sans Devanagari",
    "chi_sim": "Noto Sans CJK SC",
}
OPTIONS = {
    "exposure": (["--exposure", "2"], {"degradation": Degradation(exposure=2)}),
    "distorted": (["--distort_image"], {"degradation": Degradation(distort=True)}),
    "both ways": (["--bidirectional_rotation"], {"degradation": Degradation(both_ways=True)}),
    "spaced": (["--char_spacing", "0.25"], {"char_spacing": 0.25}),
    "padded words": (
        ["--box_padding", "3", "--output_word_boxes"], {"box_padding": 3, "word_boxes": True}
    ),
    "small": (["--ptsize", "8", "--leading", "32"], {"point_size": 8, "leading": 32}),
}  # fmt: skip


@pytest.fixture(scope="module", name="catalog")
def make_catalog() -> FontCatalog:
    return FontCatalog()


def run_both(text: str, font: str, folder: Path, catalog: FontCatalog, flags, values) -> None:
    """Write real.* and ours.*."""
    entry = catalog.find(font)
    if entry is None:
        pytest.skip(f"the font {font} is not installed")
    (folder / "text.txt").write_text(text, encoding="utf-8")
    result = run_real(
        "text2image", "--text=text.txt", "--outputbase=real", f"--font={font}",
        f"--xsize={SIZE['width']}", f"--ysize={SIZE['height']}", *flags, cwd=folder,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    settings = Settings(**{**SIZE, **values})
    run_job(Job(text, entry, str(folder / "ours"), settings), catalog)


def compare(folder: Path) -> None:
    real, ours = (box.load(folder / f"{name}.box").boxes for name in ("real", "ours"))
    assert [(b.text, b.page) for b in ours] == [(b.text, b.page) for b in real]
    edges = np.array([
        [(b.left, b.bottom, b.right, b.top) for b in boxes] for boxes in (real, ours)
    ])  # fmt: skip
    assert np.abs(edges[0] - edges[1]).max() <= EDGE_TOLERANCE
    with Image.open(folder / "real.tif") as one, Image.open(folder / "ours.tif") as other:
        assert one.n_frames == other.n_frames  # pyright: ignore
        for page in range(one.n_frames):  # pyright: ignore
            one.seek(page)
            other.seek(page)
            black = ~np.array(one)
            assert (black == np.array(other)).sum() <= PIXEL_TOLERANCE * black.sum()


@pytest.mark.parametrize("script", SCRIPTS)
def test_scripts(tmp_path, catalog, script):
    run_both(TEXTS[script] * 3, SCRIPTS[script], tmp_path, catalog, [], {})
    compare(tmp_path)
    if script == "eng":
        for suffix in ("tif", "box"):
            same = [(tmp_path / f"{name}.{suffix}").read_bytes() for name in ("real", "ours")]
            assert same[0] == same[1]


@pytest.mark.parametrize(("flags", "values"), OPTIONS.values(), ids=list(OPTIONS))
def test_options(tmp_path, catalog, flags, values):
    run_both(TEXTS["eng"] * 6, "DejaVu Sans", tmp_path, catalog, flags, values)
    compare(tmp_path)


def test_vertical_chinese(tmp_path, catalog):
    text = "今天天气很好，我们去公园散步。\n第二行：中文（括号）！\n"
    mode = "vertical-upright"
    run_both(
        text, "Noto Sans CJK SC", tmp_path, catalog, ["--writing_mode", mode],
        {"writing_mode": mode},
    )  # fmt: skip
    compare(tmp_path)
