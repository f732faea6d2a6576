"""The rows of a character set as a text file: whole and readable, or refused."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstmjax.errors import FormatError
from lstmjax.formats import charset_rows
from lstmjax.formats.recoder import MAX_CODE, MAX_LENGTH

UNICHARS = st.none() | st.text(
    st.characters(exclude_categories=["Cs"]) | st.just("\udcff"), max_size=8
)
CODES = st.lists(st.integers(0, MAX_CODE), max_size=MAX_LENGTH).map(tuple)
ROWS = st.lists(st.tuples(UNICHARS, CODES), max_size=20).map(tuple)
SMALL = ((" ", (0,)), ("ä", (1, 2)), (None, (3,)))


@given(rows=ROWS)
def test_rows_come_back(rows):
    assert charset_rows.unpack(charset_rows.pack(rows)) == rows
    assert charset_rows.from_plain(charset_rows.to_plain(rows)) == rows


def test_the_file_is_text_that_people_can_read():
    head, *lines = charset_rows.pack(SMALL).decode().splitlines()
    assert head.startswith("lstmjax charset 1: 3 rows, sha256 ")
    assert lines == ['[" ", [0]]', '["ä", [1, 2]]', "[null, [3]]"]


def sealed(body: str, rows: int) -> bytes:
    digest = hashlib.sha256(body.encode()).hexdigest()
    return f"lstmjax charset 1: {rows} rows, sha256 {digest}\n{body}".encode()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not the rows of a character set"),
        (b"112\nNULL 0 Common 0\n", "line 1 is b'112'"),
        (charset_rows.pack(SMALL).replace("ä".encode(), b"a"), "damaged: the checksum"),
        (charset_rows.pack(SMALL)[:-4], "damaged: the checksum"),
        (sealed("x\n", 1), "not JSON in every line"),
        (sealed("[" * 100_000 + "\n", 1), "not JSON in every line"),
        (sealed('["a", [1]]\n', 2), "promises 2 rows, 1 follow"),
        (sealed('["a"]\n', 1), "row 0 is not a unichar with its codes"),
        (sealed('["a", [true]]\n', 1), "row 0 is not"),
        (sealed(f'["a", [{MAX_CODE + 1}]]\n', 1), "row 0 is not"),
        (sealed(f'["a", {[1] * 10}]\n', 1), "row 0 is not"),
    ],
    ids=["empty", "unicharset", "changed", "cut", "text", "deep", "count", "row", "bool", "code",
         "codes"],
)  # fmt: skip
def test_what_is_none_is_refused(tmp_path, data, message):
    path = tmp_path / "m.charset"
    path.write_bytes(data)
    with pytest.raises(FormatError, match=message) as caught:
        charset_rows.load(path)
    assert str(caught.value).startswith(str(path))


def test_a_file_that_says_so_already_is_left_alone(tmp_path):
    path = tmp_path / "m.charset"
    charset_rows.save(SMALL, path)
    before = path.stat().st_ino
    charset_rows.save(SMALL, path)
    assert path.stat().st_ino == before
    charset_rows.save(SMALL[:2], path)
    assert charset_rows.load(path) == SMALL[:2]
