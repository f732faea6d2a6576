"""Tables of pages say what `lstmf.scan` says, or nothing."""

import struct

import helpers
import numpy as np
import pytest
from data.documents import page, png
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lstmjax.formats import lstmf
from lstmjax.formats.lstmf_table import make_reader

PAGES = (
    page("one", boxes=3, name="scan.tif", number=7),
    page("", png(two_valued=True), number=-1),
    page("caf\udce9", b"junk"),
)
WHOLE = lstmf.pack(PAGES)


@pytest.fixture(scope="module")
def read():
    return make_reader()


def check(read, path):
    """Compare with `scan`; returns whether there was a table."""
    table = read(path)
    if table is None:
        return False
    index = lstmf.scan(path)
    assert index.problem is None
    assert not index.swapped
    strings = iter(np.split(np.frombuffer(table.strings, "u1"), np.cumsum(table.string_sizes)))
    assert len(table.offset) == len(index.pages)
    for i, info in enumerate(index.pages):
        for name in ("offset", "length", "width", "height", "bit_depth", "color_type"):
            assert getattr(table, name)[i] == getattr(info, name)
        assert table.page_number[i] == info.page_number
        assert (table.boxes[i] > 0) == info.has_boxes
        for text in (info.name, info.transcription):
            assert bytes(next(strings)).decode("utf-8", "surrogateescape") == text
    return True


def test_whole_documents_have_tables(read, tmp_path):
    path = tmp_path / "x.lstmf"
    path.write_bytes(WHOLE)
    assert check(read, path)


@pytest.mark.parametrize("size", [0, 3, 4, 20, len(WHOLE) // 2, len(WHOLE) - 1])
def test_truncated_documents_have_none(read, tmp_path, size):
    (tmp_path / "x").write_bytes(WHOLE[:size])
    assert read(tmp_path / "x") is None


@pytest.mark.parametrize(
    "data",
    [WHOLE + b"\0", struct.pack("<I", 1 << 31) + WHOLE[4:], struct.pack(">I", 3) + WHOLE[4:]],
    ids=["bytes after the end", "too many pages", "swapped"],
)
def test_odd_documents_have_none(read, tmp_path, data):
    (tmp_path / "x").write_bytes(data)
    assert read(tmp_path / "x") is None


def test_what_cannot_be_read_has_none(read, tmp_path):
    assert read(tmp_path / "missing") is None
    assert read(tmp_path) is None


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(
    changes=st.lists(
        st.tuples(
            st.one_of(st.integers(0, 80), st.integers(0, len(WHOLE) - 1)),
            st.sampled_from([0, 1, 2, 4, 127, 128, 255]),
        ),
        min_size=1, max_size=4,
    )
)  # fmt: skip
def test_damaged_documents_have_none_or_a_true_one(read, tmp_path, changes):
    data = bytearray(WHOLE)
    for at, value in changes:
        data[at] = value
    path = tmp_path / "x.lstmf"
    path.write_bytes(data)
    if not check(read, path):
        try:
            index = lstmf.scan(path)
        except lstmf.FormatError:
            return
        assert index.problem or index.swapped


def test_the_real_document_has_a_table(read):
    assert check(read, helpers.testdata("tesseract-test", "eng.Arial.exp0.lstmf"))
