import helpers
import pytest
from formats.format_samples import UNICHARSET
from hypothesis import given
from hypothesis import strategies as st

from lstmjax.errors import FormatError
from lstmjax.formats import traineddata, unicharset
from lstmjax.formats.unicharset import UnicharRow, UnicharsetTable


def row(line: str, before: int = 0) -> UnicharRow:
    """Read a row that follows some others."""
    fill = "".join(f"x{i} 0 Latin {i}\n" for i in range(before))
    return unicharset.unpack(f"{before + 1}\n{fill}{line}\n".encode()).rows[-1]


def test_round_trip_with_all_columns():
    table = unicharset.unpack(UNICHARSET)
    assert unicharset.pack(table) == UNICHARSET
    assert table.has_special_codes
    assert table.rows[0] == UnicharRow(" ", 0, script="Common", normed=" ")
    assert table.rows[3].metrics == (95, 1.5, 12, 0, 112, 1e-06)
    assert table.rows[4].mirror == 4


def test_decimal_properties_are_written_on_demand():
    table = unicharset.unpack(UNICHARSET)
    decimal = unicharset.pack(table, decimal=True)
    assert b"\n, 16 0,40" in decimal
    assert unicharset.unpack(decimal).rows[2].properties == 0x15  # 15 misread, as by Tesseract


REAL = {
    "tesseract-test/eng.unicharset": 112,
    "tesseract-test/deu.unicharset": 118,
    "tesseract-test/trivial.unicharset": 4,
    "tesseract-test/chi_sim.unicharset": None,
    "tesseract-test/mar.unicharset": None,
    "langdata/Latin.unicharset": None,
    "langdata/Han.unicharset": None,
}


@pytest.mark.parametrize("name", REAL)
def test_real_unicharsets_round_trip(name):
    data = helpers.testdata(name).read_bytes()
    table = unicharset.unpack(data)
    assert unicharset.pack(table) == data
    assert REAL[name] in (None, len(table.rows))


def test_the_default_comment_is_that_of_the_real_tools():
    trained = traineddata.load(helpers.testdata("tessdata_best/heb.traineddata"))
    table = unicharset.unpack(trained.components["lstm-unicharset"])
    for line in table.rows[1:]:
        assert unicharset.default_comment(line.unichar, line.properties) == line.comment


@pytest.mark.parametrize(
    ("unichar", "properties", "comment"),
    [
        ("a", 3, "a [61 ]a"),
        ("A", 5, "A [41 ]A"),
        ("א", 1, "א [5d0 ]x"),
        ("7", 8, "7 [37 ]0"),
        ("!", 16, "! [21 ]p"),
        ("|ab|0|2", 1, "|ab|0|2"),
        ("|ab|1n2", 1, "|ab|1n2"),
        ("|Broken|0|1", 15, "Broken"),
    ],
)
def test_default_comments(unichar, properties, comment):
    assert unicharset.default_comment(unichar, properties) == comment


OLD = {
    "without normed": ("b 3 1,2,3,4,5,6,7,8,9,10 Latin 2 4 1", (1, 2, 3, 4), "Latin", 2, 4, 1),
    "four bounds": ("b 3 1,2,3,4 Latin 2 4 1", (1, 2, 3, 4), "Latin", 2, 4, 1),
    "no direction": ("b 3 1,2,3,4 Latin 2", (1, 2, 3, 4), "Latin", 2, 0, 3),
    "only script and case": ("b 3 Latin 2", (0, 255, 0, 255), "Latin", 2, 0, 3),
    "only script": ("b 3 Latin", (0, 255, 0, 255), "Latin", 3, 0, 3),
    "case NULL": ("b 3 Latin NULL", (0, 255, 0, 255), "Latin", 3, 0, 3),
    "ids beyond the set": ("b 3 1,2,3,4 Latin 9 0 9", (1, 2, 3, 4), "Latin", 3, 0, 3),
    "comment, no normed": (
        "b 3 1,2,3,4,5,6,7,8,9,10 Latin 2 4 1\t# b [62 ]a", (1, 2, 3, 4), "Latin", 2, 4, 1,
    ),
}  # fmt: skip


@pytest.mark.parametrize("form", OLD)
def test_older_rows(form):
    line, *expected = OLD[form]
    got = row(line, before=3)
    assert [got.bounds, got.script, got.other_case, got.direction, got.mirror] == expected
    assert (got.unichar, got.properties, got.normed) == ("b", 3, "b")


texts = st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"]), min_size=1, max_size=7)


@given(st.lists(texts, unique=True, max_size=6), st.integers(0, 31), st.floats(0, 1e6, width=32))
def test_drawn_tables_round_trip(unichars, properties, width):
    rows = tuple(
        UnicharRow(
            text, properties, (1, 2, 3, 4), (float(f"{width:g}"), 0, 0, 0, 0, 0), "Latin",
            i, 3, i, text, unicharset.default_comment(text, properties),
        )
        for i, text in enumerate(unichars)
        if text != "NULL" and "#" not in text
    )  # fmt: skip
    rows = rows if len(rows) == len(unichars) else ()
    table = UnicharsetTable(rows)
    assert unicharset.unpack(unicharset.pack(table)) == table


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "line 1 is '', expected a count"),
        (b"x\n", "line 1 is 'x', expected a count"),
        (b"-1\n", "expected a count"),
        (b"99999999999\n", "expected a count"),
        (b"2\na 3 Latin 0\n", "line 1 promises 2 unichars, 1 rows follow"),
        (b"1\na\n", "line 2 .unichar 0.: 1 columns"),
        (b"1\na zz Latin 0\n", "properties 'zz' are not hexadecimal"),
        (b"2\na 3 Latin 0\na 3 Latin 0\n", "line 3 .unichar 1.: 'a' is already unichar 0"),
        (b"1\n" + b"a" * 31 + b" 3 Latin 0\n", "31 bytes, the limit is 30"),
        (b"1\na 3 Latin 0 " + b" " * 250 + b"\n", "262 bytes long, the limit is 254"),
        (b"1\na 3 1,2,3,4 Latin -1 0 0\n", "negative unichar id"),
        (b"1\na 3 1,2,x,4 Latin 0 0 0\n", "bounds '1,2,x,4' are not numbers"),
        (b"1\na 3 1,2,3,4,nan,6,7,8,9,10 Latin 0 0 0\n", "are not numbers"),
        (b"1\na 3 1,2,3,4\n", "the script is missing"),
        (b"1\na 3 1,2,3,4,5,6,7,8,9,10 Latin 0\n", "are not three numbers"),
        (b"3\na 3 L 0\nb 3 L 1\n|Broken|0|1 f L 2\n", "'a' where NULL"),
    ],
)
def test_damaged_unicharsets_are_refused(data, problem):
    with pytest.raises(FormatError, match=problem):
        unicharset.unpack(data)


def test_rows_after_the_count_are_ignored(tmp_path):
    path = tmp_path / "x.unicharset"
    path.write_bytes(b"1\r\na 3 Latin 0\r\nrubbish\r\n")
    assert unicharset.load(path).rows[0].unichar == "a"
    unicharset.save(unicharset.load(path), path)
    assert path.read_bytes() == b"1\na 3 0,255,0,255,0,0,0,0,0,0 Latin 0 0 0 a\t# a [61 ]a\n"


def test_unichar_may_begin_with_white_space_that_is_not_ascii():
    row = "\u00a0\u0301 0 0,255,0,255,0,0,0,0,0,0 Common 1 10 1 \u00a0\u0301\t# x"
    table = unicharset.unpack(f"2\nNULL 0 Common 0\n{row}\n".encode())
    assert table.rows[1].unichar == "\u00a0\u0301"
