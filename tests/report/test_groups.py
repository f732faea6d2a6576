"""Fonts, files and scripts of lines, from their names and texts."""

import pytest

from lstmjax.data.lines import Line
from lstmjax.report.groups import UNKNOWN, file_of, font_of, group_of, script_of


def line(path, name="", text="x"):
    return Line(0, path, 0, name or path, -1, 60, 20, False, False, text)


@pytest.mark.parametrize(
    ("path", "name", "font"),
    [
        ("data/eng.Arial.exp0.lstmf", "", "Arial"),
        ("fra.Arial_Unicode_MS.exp-1.lstmf", "", "Arial Unicode MS"),
        ("eng.Times_New_Roman,_Bold.exp12.tif", "", "Times New Roman, Bold"),
        ("chi_sim.AR_PL_UKai_CN.exp0.lstmf", "", "AR PL UKai CN"),
        ("all.lstmf", "deu.Fira.exp0.tif", "Fira"),
        ("FreeSans.lstmf", "", UNKNOWN),
        (".exp0.lstmf", "", UNKNOWN),
        ("a.\x1b[1m.exp0.lstmf", "", "\\x1b[1m"),
    ],
    ids=["plain", "spaces", "bold", "with region", "image name", "font only", "no font", "control"],
)
def test_fonts_are_found_in_names(path, name, font):
    assert font_of(line(path, name)) == font


@pytest.mark.parametrize(
    ("path", "group"),
    [("a/b.lstmf", "a/b.lstmf"), ("a/b.png", "a/"), ("b.png", "./")],
    ids=["document", "image", "image here"],
)
def test_images_are_grouped_by_folder(path, group):
    assert file_of(line(path)) == group


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("Hello, Мир!", "Latin"),
        ("שלום 12", "Hebrew"),
        ("हिन्दी", "Devanagari"),
        ("漢字かな漢", "Han"),
        ("12:30", "Common"),
        ("aб", "Cyrillic"),
    ],
    ids=["mixed", "hebrew", "marks", "han", "digits", "tie by name"],
)
def test_the_script_of_most_letters(text, script):
    assert script_of(text) == script
    assert group_of("script", line("x.lstmf", text=text)) == script
