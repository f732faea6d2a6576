import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstmjax.errors import FormatError
from lstmjax.formats.stream import Reader, Writer, to_bytes, to_text

SCALARS = {
    "u8": (0, 255), "i8": (-128, 127), "i16": (-32768, 32767),
    "i32": (-(2**31), 2**31 - 1), "u32": (0, 2**32 - 1), "i64": (-(2**63), 2**63 - 1),
}  # fmt: skip


@pytest.mark.parametrize("kind", SCALARS)
def test_integers_keep_their_extremes(kind):
    writer = Writer()
    for value in SCALARS[kind]:
        getattr(writer, kind)(value)
    reader = Reader(writer.data)
    assert (getattr(reader, kind)(), getattr(reader, kind)()) == SCALARS[kind]
    reader.expect_end("test")


@pytest.mark.parametrize("kind", SCALARS)
def test_integers_that_do_not_fit_are_refused(kind):
    with pytest.raises(FormatError, match=f"does not fit in a field of type {kind}"):
        getattr(Writer(), kind)(SCALARS[kind][1] + 1)


def test_swapped_reader_sees_big_endian():
    reader = Reader(bytes.fromhex("0000002a 3ff8000000000000 0001 0002"), swap=True)
    assert (reader.i32(), reader.f64()) == (42, 1.5)
    values = reader.array("i2", 2)
    assert values.tolist() == [1, 2]
    assert values.dtype == np.dtype("=i2")


def test_offset_and_remaining_follow_reads():
    reader = Reader(b"\x01" * 10, offset=1)
    reader.u32()
    reader.skip(2)
    assert (reader.offset, reader.remaining) == (7, 3)


@given(st.binary(max_size=50))
def test_any_bytes_survive_as_text(raw):
    writer = Writer()
    writer.str_(to_text(raw))
    assert writer.data[4:] == raw
    assert to_bytes(Reader(writer.data).str_()) == raw


def test_lone_surrogate_is_refused_by_name():
    with pytest.raises(FormatError, match=r"U\+D800"):
        to_bytes("a\ud800")


def test_f32_is_exact():
    value = float(np.float32(0.001))
    writer = Writer()
    writer.f32(value)
    assert Reader(writer.data).f32() == value


def test_truncated_scalar_names_the_offset():
    reader = Reader(b"\x00" * 6)
    reader.u32()
    with pytest.raises(FormatError, match=r"byte 0x4: truncated .* takes 4 bytes, 2 remain"):
        reader.u32()


@pytest.mark.parametrize("call", ["blob", "str_"])
def test_length_beyond_the_end_is_refused(call):
    with pytest.raises(FormatError, match="takes 4294967295 bytes, 3 remain"):
        getattr(Reader(b"\xff\xff\xff\xffabc"), call)()


def test_count_is_checked_before_anything_is_allocated():
    reader = Reader(b"\xff\xff\xff\xff" + bytes(8))
    with pytest.raises(FormatError, match="4294967295 edges need at least 34359738360 bytes, 8"):
        reader.count(8, "edges")
    with pytest.raises(FormatError, match="array of 1000000000000 values"):
        reader.array("f8", 10**12)


def test_left_over_bytes_are_counted():
    with pytest.raises(FormatError, match="3 unexpected bytes after the end of the page"):
        Reader(b"abc").expect_end("page")


def test_blobs_are_skipped_within_bounds():
    writer = Writer()
    for text in ("a", "", "bcd"):
        writer.str_(text)
    writer.u8(7)
    reader = Reader(writer.data)
    reader.skip_blobs(3)
    assert reader.u8() == 7
    for cut in range(1, len(writer.data)):
        with pytest.raises(FormatError, match="truncated or wrong length"):
            Reader(writer.data[:cut]).skip_blobs(4)
