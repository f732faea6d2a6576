import helpers
import pytest

from lstmjax.charset.radicals import parse_radicals
from lstmjax.errors import CharsetError


def test_lines_comments_and_repeats():
    table = parse_radicals(b"# code point, numbers\n\n19968 1 0\n19969  1 1 2 \n19968 7\n")
    assert table == {19968: (7,), 19969: (1, 1, 2)}


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b"19968", "expected 1 to 8 numbers"),
        (b"19968 1 2 3 4 5 6 7 8 9", "expected 1 to 8 numbers"),
        (b"19968 1 x", "everything in a line must be a number"),
        (b"19968 -1", "everything in a line must be a number"),
        (b"19968 1\r", "everything in a line must be a number"),
        (b"\xff\xfe", "everything in a line must be a number"),
        (b"19968 65535", "at most 65534"),
    ],
    ids=["none", "many", "word", "negative", "carriage return", "not UTF-8", "large"],
)
def test_bad_lines_are_named(line, problem):
    with pytest.raises(CharsetError, match=f"radical table at line 2: .*{problem}.*langdata_lstm"):
        parse_radicals(b"19969 1\n" + line + b"\n19970 2\n")


def test_the_real_table():
    table = parse_radicals(helpers.testdata("langdata/radical-stroke.txt").read_bytes())
    assert len(table) == 21003
    assert max(max(numbers) for numbers in table.values()) == 24
    assert sum(len(numbers) == 4 for numbers in table.values()) == 16814
