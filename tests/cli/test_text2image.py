"""`lstmjax text2image`: messages, exit statuses, files; differences from the original."""

from pathlib import Path

import matplotlib
import pytest
from helpers import run_lstmjax, run_real

from lstmjax.cli.text2image import main

FONTS = Path(matplotlib.get_data_path(), "fonts", "ttf")
SANS = str(FONTS / "DejaVuSans.ttf")
SMALL = ("--xsize=700", "--ysize=300", "--margin=30")


@pytest.fixture(name="text")
def write_text(tmp_path) -> Path:
    path = tmp_path / "text.txt"
    path.write_text("Hello world, a test.\nSecond line 123\n", encoding="utf-8")
    return path


def run(*arguments: object) -> int:
    return main([*map(str, arguments)])


def test_renders_a_text(tmp_path, text, capsys):
    base = tmp_path / "out"
    assert run("--text", text, "--outputbase", base, "--font", SANS, *SMALL) == 0
    assert capsys.readouterr().err == f"Rendered page 0 to file {base}.tif\n"
    assert (tmp_path / "out.box").read_text().startswith("H ")
    assert (tmp_path / "out.tif").read_bytes()[:4] == b"II*\0"


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ((), "'--text' option is missing!"),
        (("--text=x",), "'--outputbase' option is missing!"),
        (
            ("--text=x", "--outputbase=y", "--unicharset_file=z"),
            "Use '--unicharset_file' only if '--render_ngrams' is set.",
        ),
        (("--text=x", "--outputbase=y", "--workers=0"), "--workers must be from 1"),
    ],
    ids=["text", "outputbase", "unicharset", "workers"],
)
def test_missing_flags(flags, message, capsys):
    assert run("--xsize=100", *flags) == 1
    assert message in capsys.readouterr().err


def test_missing_font(text, tmp_path, capsys):
    flags = ("--text", text, "--outputbase", tmp_path / "o", "--fonts_dir", FONTS)
    assert run(*flags, "--font=DejaVu Sans Bold Italic") == 1
    assert capsys.readouterr().err == (
        "Could not find font named 'DejaVu Sans Bold Italic'.\n"
        "Pango suggested font 'DejaVu Sans Bold Oblique'.\n"
        "Please correct --font arg.\n"
    )


BAD = {
    "no text": (["--text=none.txt"], "none.txt: cannot be read"),
    "no folder": (["--fonts_dir=none"], "none: no such folder"),
    "argument": (["extra"], "unexpected argument 'extra'"),
    "mode": (["--writing_mode=up"], "Invalid writing mode: up"),
    "huge": (["--xsize=99999"], "--xsize must be from 1"),
    "unwritable": (["--outputbase=none/out"], "none/out.tif: cannot be written"),
    "broken font": (["--font=broken.ttf"], "broken.ttf"),
    "size of glyphs": (["--output_individual_glyph_images"], "glyph_resized_size"),
}


@pytest.mark.parametrize(("flags", "message"), BAD.values(), ids=list(BAD))
def test_errors_name_what_is_wrong(tmp_path, text, flags, message):
    (tmp_path / "broken.ttf").write_bytes(b"\0\1\0\0 nothing")
    base = ["--text", text, "--outputbase=out", "--font", SANS, *SMALL]
    result = run_lstmjax("text2image", *base, *flags, cwd=tmp_path)
    assert result.returncode == 1
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert {p.name for p in tmp_path.iterdir()} == {"text.txt", "broken.ttf"}


def test_several_fonts(tmp_path, text, capsys):
    names = "DejaVu Sans Mono+DejaVu Serif Bold"
    base = tmp_path / "out"
    flags = ("--text", text, "--outputbase", base, "--fonts_dir", FONTS, *SMALL)
    assert run(*flags, "--fontlist", names, "--workers=2") == 0
    assert f"{base}.DejaVu_Serif_Bold: 1 pages, 2 lines" in capsys.readouterr().err
    written = {p.name for p in tmp_path.iterdir()} - {"text.txt"}
    assert written == {
        f"out.{name}.{suffix}"
        for name in ("DejaVu_Sans_Mono", "DejaVu_Serif_Bold")
        for suffix in ("tif", "box")
    }


def test_lists_fonts(capsys):
    assert run("--list_available_fonts", "--fonts_dir", FONTS) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.endswith(": DejaVu Sans") for line in lines)
    assert lines[0].startswith("  0: ")


def test_finds_fonts(tmp_path, text, capsys):
    base = tmp_path / "out"
    flags = ("--text", text, "--outputbase", base, "--fonts_dir", FONTS, *SMALL, "--find_fonts")
    assert run(*flags, "--render_per_font=false") == 0
    assert "Total chars = 37\n" in capsys.readouterr().err
    names = (tmp_path / "out.fontlist.txt").read_text().splitlines()
    assert "DejaVu Sans" in names
    assert run(*flags, "--max_pages=2") == 0
    assert len(list(tmp_path.glob("out.*.tif"))) == 2


def test_spacing_and_single_glyphs(tmp_path, text):
    base = tmp_path / "out"
    flags = ("--text", text, "--outputbase", base, "--font", SANS, *SMALL)
    assert run(*flags, "--only_extract_font_properties") == 0
    assert (tmp_path / "out.fontinfo").read_text().splitlines()[0].isdigit()
    assert run(*flags, "--output_individual_glyph_images", "--glyph_resized_size=20") == 0
    assert len(list(tmp_path.glob("out_*.jpg"))) == 30


def test_ngrams_of_a_unicharset(tmp_path, text, capsys):
    (tmp_path / "u").write_text("4\nNULL 0 Common 0\nH 5 Latin 0\ne 3 Latin 0\nl 3 Latin 0\n")
    text.write_text("He Hello Hell x")
    flags = ("--text", text, "--outputbase", tmp_path / "o", "--font", SANS, *SMALL)
    assert run(*flags, "--render_ngrams", "--unicharset_file", tmp_path / "u") == 0
    assert "Left out 2 of 4 ngrams" in capsys.readouterr().err
    labels = {line.split(" ")[0] for line in (tmp_path / "o.box").read_text().splitlines()}
    assert labels == {"He", "Hell", ""}


@pytest.mark.reference
@pytest.mark.parametrize(
    "flags",
    [
        ["--xsize=900", "--ysize=500"],
        ["--xsize=900", "--ysize=500", "--render_ngrams", "--max_pages=1"],
        ["--only_extract_font_properties"],
    ],
    ids=["page", "ngrams", "spacing"],
)
def test_same_files_as_the_original(tmp_path, text, flags):
    files = {}
    for name, runner in (("real", run_real), ("ours", run_lstmjax)):
        arguments = ("--text", text, "--outputbase", name, "--font", "DejaVu Sans", *flags)
        result = runner("text2image", *arguments, cwd=tmp_path)
        if name == "real" and "Could not find font" in result.stderr:
            pytest.skip("DejaVu Sans is not installed")
        assert result.returncode == 0, result.stderr
        files[name] = {p.suffix: p.read_bytes() for p in sorted(tmp_path.glob(f"{name}.*"))}
    assert files["real"] == files["ours"]
    assert files["ours"]
