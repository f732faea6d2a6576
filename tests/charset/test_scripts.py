import pytest

from lstmjax.charset.scripts import complete, side_by_side, widened, with_properties_of, xheights
from lstmjax.formats import unicharset
from lstmjax.formats.unicharset import BROKEN, UnicharRow, UnicharsetTable

A = UnicharRow("a", 3, (10, 20, 100, 110), (50, 5, 7, 1, 60, 6), "Latin", 0, 0, 0, "a")
ACUTE = UnicharRow(
    "\u0301", 0, (150, 160, 200, 210), (20, 2, -64, 3, 4, 1), "Inherited", 1, 17, 1, "'"
)


def table(*rows: UnicharRow) -> UnicharsetTable:
    return UnicharsetTable(rows)


def raw(*unichars: str) -> UnicharsetTable:
    return table(*(UnicharRow(text, 0, normed=text) for text in (" ", "Joined", BROKEN, *unichars)))


def test_one_row_keeps_its_numbers():
    assert side_by_side([A]) == A


def test_rows_side_by_side():
    joined = side_by_side([A, ACUTE])
    assert joined.bounds == (10, 160, 100, 210)
    # The mark begins at 60 - 64 = -4, left of the letter's 7; its deviation adds up likewise.
    assert joined.metrics == (64 + 4, 7 + 9, -4, 6 + 3, 64, 7)
    assert (joined.script, joined.direction, joined.normed) == ("Latin", 0, "a'")
    assert joined.properties == 3


def test_sums_are_in_single_precision():
    piece = UnicharRow("x", 0, metrics=(0, 0, 0, 0, 16777216, 0))
    one = UnicharRow("y", 0, metrics=(0, 0, 0, 0, 1, 0))
    assert side_by_side([piece, one]).metrics[4] == 16777216


def test_widened_cuts_off():
    assert widened((255, 0, 255, 0), (-5, 300, 9, 4)) == (0, 255, 4, 9)


def test_properties_come_by_text_and_ids_are_translated():
    source = table(
        UnicharRow(" ", 0, script="Common"),
        UnicharRow("(", 16, script="Common", mirror=2, normed="("),
        UnicharRow(")", 16, script="Common", mirror=1, normed=")"),
        UnicharRow("a", 3, (1, 2, 3, 4), script="Latin", other_case=4, mirror=3, normed="a"),
        UnicharRow("A", 5, script="Latin", other_case=3, mirror=4, normed="A"),
    )
    changed, taken = with_properties_of(raw(")", "a", "zz", "("), source)
    assert [row.mirror for row in changed.rows[3:]] == [6, 4, 0, 3]
    assert changed.rows[4].other_case == 4  # A is not in the set
    assert changed.rows[4].bounds == (1, 2, 3, 4)
    assert changed.rows[5] == raw("zz").rows[3]
    assert [row.unichar for row in taken] == [" ", ")", "a", "("]


@pytest.fixture
def folder(tmp_path):
    latin = table(
        UnicharRow(" ", 0, script="Common"),
        UnicharRow("a", 3, (1, 2, 3, 4), (5, 6, 7, 8, 9, 10), "Latin", 1, 0, 1, "a"),
        UnicharRow("'", 16, (5, 6, 7, 8), (9, 0, 0, 0, 9, 0), "Greek", 2, 10, 2, "'"),
    )
    unicharset.save(latin, tmp_path / "Latin.unicharset")
    (tmp_path / "Cyrillic.unicharset").write_text("7\nNULL 0 Common 0\n")
    (tmp_path / "Latin.xheights").write_bytes(b"Arial 10\n")
    (tmp_path / "Greek.xheights").write_bytes(b"Arial 11\n")
    return tmp_path


def test_complete_says_what_it_does(folder):
    said: list[str] = []
    completed = complete(raw("a", "'", "ж"), folder, said.append)
    assert completed.scripts == ("NULL", "Common", "Latin", "Cyrillic", "Greek")
    assert said == [
        "Setting unichar properties",
        "Other case A of a is not in unicharset",
        "Other case Ж of ж is not in unicharset",
        "Setting script properties",
        f"Failed to load script unicharset from:{folder}/Cyrillic.unicharset",
        f"{folder}/Cyrillic.unicharset: line 1 promises 7 unichars, 1 rows follow",
        f"Failed to load script unicharset from:{folder}/Greek.unicharset",
        "Warning: properties incomplete for index 5 = ж",
    ]
    assert completed.table.rows[3].metrics == (5, 6, 7, 8, 9, 10)
    assert completed.table.rows[5].properties == 3


def test_xheights_follow_the_order_of_scripts(folder):
    assert xheights(folder, ["NULL", "Greek", "Han", "Latin"]) == b"Arial 11\nArial 10\n"
