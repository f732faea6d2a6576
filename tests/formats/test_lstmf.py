import struct

import helpers
import numpy as np
import pytest
from formats.format_samples import ONE_PIXEL_PNG, page
from hypothesis import given
from hypothesis import strategies as st

from lstmjax.errors import FormatError
from lstmjax.formats import lstmf

PAGES = (page("ab"), page("no boxes", boxes=0, page_number=-1), page("\udcffa", name="x.png"))


def key(one):
    return (
        one.name, one.page_number, one.image, one.language, one.transcription,
        one.boxes.tolist(), one.box_texts, one.vertical,
    )  # fmt: skip


@pytest.fixture
def path(tmp_path):
    lstmf.save(PAGES, tmp_path / "x.lstmf")
    return tmp_path / "x.lstmf"


def test_round_trip(path):
    pages = lstmf.load(path)
    assert [key(one) for one in pages] == [key(one) for one in PAGES]
    assert lstmf.pack(pages) == path.read_bytes()
    assert pages[0].boxes.dtype == np.int16


@given(st.lists(st.tuples(st.text(), st.integers(1, 4), st.binary(max_size=40), st.booleans())))
def test_drawn_pages_round_trip(drawn):
    pages = tuple(
        page(text, boxes, image=image, vertical=vertical) for text, boxes, image, vertical in drawn
    )
    if pages:
        assert list(map(key, lstmf.unpack(lstmf.pack(pages)))) == list(map(key, pages))


def test_scan_tells_what_load_reads(path):
    index = lstmf.scan(path)
    assert (len(index.pages), index.swapped, index.problem) == (3, False, None)
    assert [info.has_boxes for info in index.pages] == [True, False, True]
    for info, one in zip(index.pages, PAGES, strict=True):
        assert (info.width, info.height, info.bit_depth, info.color_type) == (1, 1, 8, 0)
        assert (info.name, info.page_number) == (one.name, one.page_number)
        assert info.transcription == one.transcription
        assert key(lstmf.read_page(path, info.offset, info.length)) == key(one)


def test_real_file():
    path = helpers.testdata("tesseract-test", "eng.Arial.exp0.lstmf")
    pages, index = lstmf.load(path), lstmf.scan(path)
    assert lstmf.pack(pages) == path.read_bytes()
    assert (len(pages), sum(len(one.boxes) for one in pages)) == (1036, 17501)
    assert sum(len(one.image) for one in pages) == 1360471
    assert len(index.pages) == len(pages)
    first = index.pages[0]
    assert (first.page_number, first.width, first.height) == (590, 574, 48)
    assert first.transcription == "below Purchase BREAKS"
    assert pages[0].boxes[:2].tolist() == [[4, 8, 27, 44], [31, 7, 55, 35]]


def test_image_that_is_no_png_has_no_size(tmp_path):
    lstmf.save((page(image=b"P5 1 1 255 x"),), tmp_path / "x.lstmf")
    info = lstmf.scan(tmp_path / "x.lstmf").pages[0]
    assert (info.width, info.height, info.bit_depth, info.color_type) == (0, 0, 0, -1)


def big_endian_file() -> bytes:
    head = struct.pack(">IBIiI", 1, 1, 0, 5, len(ONE_PIXEL_PNG)) + ONE_PIXEL_PNG
    return head + struct.pack(">II2sI4hII2sb", 0, 2, b"ab", 1, 1, 2, 3, 4, 1, 2, b"ab", 0)


def test_big_endian(tmp_path):
    path = tmp_path / "x.lstmf"
    path.write_bytes(big_endian_file())
    index = lstmf.scan(path)
    one = lstmf.read_page(path, index.pages[0].offset, index.pages[0].length, index.swapped)
    for got in (one, *lstmf.load(path)):
        assert (got.page_number, got.boxes.tolist(), got.box_texts) == (5, [[1, 2, 3, 4]], ("ab",))


def test_truncated_file_keeps_its_complete_pages(path):
    data = path.read_bytes()
    path.write_bytes(data[: lstmf.scan(path).pages[2].offset + 20])
    index = lstmf.scan(path)
    assert len(index.pages) == 2
    assert index.problem is not None
    assert "x.lstmf: page 3 of 3: byte 0x" in index.problem
    assert "truncated" in index.problem or "remain" in index.problem
    with pytest.raises(FormatError, match="page 3 of 3"):
        lstmf.load(path)


def test_count_beyond_the_pages_keeps_them(path):
    path.write_bytes(struct.pack("<I", 1000) + path.read_bytes()[4:])
    index = lstmf.scan(path)
    assert (len(index.pages), index.swapped) == (3, False)
    assert index.problem is not None
    assert "page 4 of 1000" in index.problem
    with pytest.raises(FormatError, match="1000 pages need at least 30000 bytes"):
        lstmf.load(path)


def test_bytes_after_the_last_page(path):
    path.write_bytes(path.read_bytes() + b"xy")
    assert len(lstmf.scan(path).pages) == 3
    assert "2 unexpected bytes" in str(lstmf.scan(path).problem)
    with pytest.raises(FormatError, match="2 unexpected bytes after the end of the last page"):
        lstmf.load(path)


ONE = lstmf.pack((page(),))


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (bytes(4), "the file has no pages"),
        (b"\x01\x00", "truncated"),
        (ONE[:4] + b"\x00" + ONE[5:], "page 1 of 1: byte 0x4: page flag 0, expected 1"),
        (ONE[:-1] + b"\x05", "vertical text flag 5"),
        (lstmf.pack((page(box_texts=("a",)),)), "1 box texts for 2 boxes"),
        (ONE[:-1], "truncated"),
    ],
    ids=["none", "short", "null", "vertical", "texts", "cut"],
)
def test_damaged_files_are_refused(data, problem, tmp_path):
    with pytest.raises(FormatError, match=problem):
        lstmf.unpack(data)
    (tmp_path / "x").write_bytes(data)
    try:
        index = lstmf.scan(tmp_path / "x")
    except FormatError:
        return
    assert index.problem


def test_unreadable_files_are_named(tmp_path):
    (tmp_path / "empty").write_bytes(b"")
    for name in ("nope", "empty"):
        for read in (lstmf.scan, lstmf.load):
            with pytest.raises(FormatError, match=name):
                read(tmp_path / name)
    with pytest.raises(FormatError, match="nope: cannot be read"):
        lstmf.read_page(tmp_path / "nope", 4, 30)


def test_a_page_that_changed_is_refused(path):
    with pytest.raises(FormatError, match="page at byte 0x4"):
        lstmf.read_page(path, 4, 10**9)
