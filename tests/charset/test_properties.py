import pytest

from lstmjax.charset.properties import basic_properties, kind, script_names
from lstmjax.errors import CharsetError
from lstmjax.formats.unicharset import BROKEN, UnicharRow, UnicharsetTable


def completed(*unichars: str, **changes) -> tuple[tuple[UnicharRow, ...], list[str]]:
    rows = [UnicharRow(text, 0, **changes) for text in (" ", "Joined", BROKEN, *unichars)]
    said: list[str] = []
    return basic_properties(UnicharsetTable(tuple(rows)), said.append).rows, said


@pytest.mark.parametrize(
    ("text", "bits"),
    [("a", 3), ("A", 5), ("ª", 1), ("ǅ", 1), ("5", 8), ("½", 0), ("-", 16), ("+", 0), ("a5.", 27)],
)
def test_kind(text, bits):
    assert kind(text) == bits


def test_special_entries():
    rows, said = completed()
    assert [row.properties for row in rows] == [0, 7, 15]
    assert [row.script for row in rows] == ["Common", "Latin", "Common"]
    assert [row.direction for row in rows] == [9, 0, 10]
    assert rows[0].normed == " "
    assert said == []


def test_case_partners_are_ids_and_missing_ones_are_reported():
    rows, said = completed("a", "A", "b", "ß", "xY", "Xy")
    assert [row.other_case for row in rows[3:]] == [4, 3, 5, 6, 7, 8]
    assert said == [
        "Other case B of b is not in unicharset",
        "Other case XY of xY is not in unicharset",
        "Other case XY of Xy is not in unicharset",
    ]


def test_a_letter_of_one_case_only_is_its_own_partner():
    rows, said = completed("ß")
    assert rows[3].other_case == 3
    assert said == []


def test_mirrors():
    rows, said = completed("(", ")", "[", "∝", mirror=2)
    assert [row.mirror for row in rows[3:]] == [4, 3, 2, 6]
    assert said == ["Mirror ] of [ is not in unicharset"]


def test_private_ligatures_count_as_their_letters():
    rows, said = completed("\ue003", "c", "t")
    assert (rows[3].properties, rows[3].normed, rows[3].script) == (3, "ct", "Latin")
    assert said[:2] == ["Other case CT of ct is not in unicharset",
                        "Mirror ct of ct is not in unicharset"]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "normed"), [("“", '"'), ("—", "-"), ("e\u0301", "é"), ("\u200b", "\u200b")]
)
def test_normed_text_is_folded(text, normed):
    assert completed(text)[0][3].normed == normed


def test_bytes_that_are_no_text_are_refused():
    with pytest.raises(CharsetError, match=r"unichar 3 .* is not valid UTF-8"):
        completed("\udcff")


def test_scripts_in_order_of_first_use():
    rows, _ = completed("a", "ж", "b", "ა")
    assert script_names(rows) == ("NULL", "Common", "Latin", "Cyrillic", "Georgian")
    assert script_names(rows, ["NULL", "Latin"])[:3] == ("NULL", "Latin", "Common")
