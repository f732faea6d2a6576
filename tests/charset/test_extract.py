import hashlib
import time
import unicodedata

import pytest
from charset.unicharset_texts import VECTOR_SHA256, VECTOR_UNICHARSETS, VECTORS
from hypothesis import given
from hypothesis import strategies as st

from lstmjax.charset.extract import Extractor
from lstmjax.charset.segment import NormMode
from lstmjax.formats import unicharset


def extract(*files: bytes, mode: int = 1) -> tuple[bytes, list[str]]:
    said: list[str] = []
    extractor = Extractor(NormMode(mode), said.append)
    for data in files:
        extractor.add_file("name", data)
    table = extractor.table()
    return unicharset.pack(table, decimal=True), [s for s in said if "Other case" not in s]


def entries(*files: bytes, mode: int = 1) -> list[str]:
    return [row.unichar for row in unicharset.unpack(extract(*files, mode=mode)[0]).rows[3:]]


def test_the_vector_is_intact():
    assert hashlib.sha256(VECTORS).hexdigest() == VECTOR_SHA256


@pytest.mark.parametrize("mode", [1, 2, 3])
def test_unicharset_of_many_scripts(mode):
    assert hashlib.sha256(extract(VECTORS, mode=mode)[0]).hexdigest() == VECTOR_UNICHARSETS[mode]


def test_order_of_first_appearance_over_files():
    assert entries(b"ba\nab c\n", b"cd\na") == ["b", "a", "c", "d"]


def test_ligatures_become_letters():
    assert entries("fi ﬁne".encode()) == ["f", "i", "n", "e"]
    assert entries("abﬁne xi".encode()) == ["a", "b", "fi", "n", "e", "x", "i"]


def test_text_is_composed_first():
    assert entries("cafe\u0301 a\u200b\u0301".encode()) == ["c", "a", "f", "é", "a\u0301"]


def test_no_unichar_without_text():
    assert entries(b"\n\n \t\r\n") == []


BOXES = b"a 1 2 3 4 0\nb 5 6 7 8 0\r\n  1 2 3 4 0\n\t 1 2 3 4 0\nWordStr 1 2 3 4 0 #q w\n"
TEXT = ["a", "1", "2", "3", "4"]


@pytest.mark.parametrize(
    ("data", "kind", "expected"),
    [
        (BOXES, "box", ["a", "b", "q", "w"]),
        (b"\xef\xbb\xbfa 1 2 3 4\n", "box", ["a"]),
        (b"a 1 0 3 x\n", "box", ["a"]),
        (b"a 1 2 3 99999999999999\n", "box", ["a"]),
        (b"a 1 2 3 4\nb 4 2 1 4\n", "plain text", [*TEXT, "b"]),
        (b"a 1 2 3\n", "plain text", TEXT[:-1]),
        (b"a 1 2 3 4\n\r\n", "plain text", TEXT),
        (b"a 1 2 3 4\n\xff 1 2 3 4\n", "plain text", TEXT),
        (b"a 99999999999 2 3 4\n", "plain text", ["a", "9", "2", "3", "4"]),
        (b"  1 2 3 4\n", "plain text", TEXT[1:]),
    ],
    ids=["box", "signature", "bad-top-is-0", "huge-top", "negative-width", "too-few", "bare-cr",
         "no-utf-8", "huge-left", "only-blanks"],
)  # fmt: skip
def test_box_files_are_told_from_text(data, kind, expected):
    packed, said = extract(data)
    assert f"Extracting unicharset from {kind} file name" in said
    assert [row.unichar for row in unicharset.unpack(packed).rows[3:]] == expected


def test_what_makes_a_text_no_box_file_is_said():
    assert extract(b"some text\nmore\n")[1][0] == "Bad box coordinates in boxfile string! some text"
    said = extract(b"a\xffb 1 2 3 4\n")[1]
    assert said[0] == "Bad UTF-8 str \udcffb starts with 0xff at col 2"


def test_bad_bytes_are_left_out_and_reported():
    packed, said = extract(b"\xef\xbb\xbfab\r\nc\x00d\nx\xffy\xe2\x82\nz\n")
    rows = unicharset.unpack(packed).rows[3:]
    assert [row.unichar for row in rows] == ["\ufeff", "a", "b", "c", "x", "y", "z"]
    assert said[2:] == [
        "Warning: name begins with a byte order mark, which becomes a unichar",
        "Warning: name: zero byte in line 2; the rest of such lines is ignored",
        "Warning: name: byte 0xff in line 3 is not valid UTF-8; such bytes are left out",
    ]


def test_a_line_that_breaks_a_rule_adds_nothing():
    packed, said = extract("ab\nक् ऄा\u093f\u094d\u094d x\nc\n".encode())
    assert [row.unichar for row in unicharset.unpack(packed).rows[3:]] == ["a", "b", "c"]
    assert said[-1].startswith("Normalization failed for string 'क् ")


def test_units_too_long_are_left_out():
    packed, said = extract(("q" + "\u0301" * 20 + " a\n").encode())
    assert [row.unichar for row in unicharset.unpack(packed).rows[3:]] == ["a"]
    assert said[-1].startswith("Utf8 buffer too big, size>30 for q\u0301")


def test_units_with_spaces_are_kept_and_reported():
    packed, said = extract("ꦏ꧀ ꦲ\n".encode())
    assert "ꦏ꧀  1 " in packed.decode()
    assert said[-1].startswith("Warning: unichar 3 'ꦏ꧀ ' holds white space")


@given(st.lists(st.text(), max_size=4), st.sampled_from([1, 2, 3]))
def test_any_text_gives_entries_that_are_not_blank(lines, mode):
    packed, said = extract("\n".join(lines).encode("utf-8", "surrogatepass"), mode=mode)
    count = int(packed.split(b"\n")[0])
    if not any("white space" in line for line in said):
        assert packed.count(b"\n") == count + 1


@given(st.binary(max_size=60), st.sampled_from([1, 2, 3]))
def test_any_bytes_are_taken(data, mode):
    extract(data, mode=mode)


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_megabyte_of_latin_takes_less_than_a_second(form):
    lines = "\n".join(f"Wört{i:x} naïve “quoted” — {i}" for i in range(30_000))
    data = unicodedata.normalize(form, lines).encode()
    assert len(data) > 1_000_000
    start = time.process_time()
    extract(data)
    assert time.process_time() - start < 1
