import struct

import helpers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstmjax.errors import FormatError
from lstmjax.formats import recoder, traineddata
from lstmjax.formats.recoder import Recoder


def test_bytes_of_a_small_recoder():
    data = recoder.pack(Recoder(((0,), (1, 2)), (1, 0)))
    assert data.hex(" ", 1) == (
        "02 00 00 00 01 01 00 00 00 00 00 00 00 00 02 00 00 00 01 00 00 00 02 00 00 00"
    )
    assert recoder.unpack(data) == Recoder(((0,), (1, 2)), (1, 0))


@given(st.lists(st.lists(st.integers(0, 65534), max_size=9).map(tuple), max_size=9))
def test_round_trip(codes):
    table = Recoder(((0,), *codes))
    assert recoder.unpack(recoder.pack(table)) == table


@pytest.mark.parametrize(
    ("name", "entries", "code_range"),
    [("tessdata_best/heb", 69, 69), ("tesseract-test/deu.starter", 118, 116)],
)
def test_real_recoders_round_trip(name, entries, code_range):
    data = traineddata.load(helpers.testdata(f"{name}.traineddata")).components["lstm-recoder"]
    table = recoder.unpack(data)
    assert (len(table.codes), table.code_range) == (entries, code_range)
    assert recoder.pack(table) == data


def test_big_endian():
    assert recoder.unpack(struct.pack(">Ibii", 1, 1, 1, 0), swap=True).codes == ((0,),)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (struct.pack("<I", 0), "the recoder is empty"),
        (struct.pack("<I", 10**9), "1000000000 recoder entries need at least 5000000000 bytes"),
        (struct.pack("<Ibi", 1, 1, 10) + bytes(40), "unichar 0 has 10 codes"),
        (struct.pack("<Ibi", 1, 1, -1), "unichar 0 has -1 codes"),
        (struct.pack("<Ibi", 1, 1, 0), r"the space has codes \(\)"),
        (struct.pack("<Ibii", 1, 1, 1, -1), r"codes \(-1,\), expected 0 to 65534"),
        (struct.pack("<Ibii", 1, 1, 1, 65535), "expected 0 to 65534"),
        (struct.pack("<Ibii", 1, 1, 1, 5), r"the space has codes \(5,\)"),
        (struct.pack("<Ibii", 1, 1, 1, 0) + b"x", "1 unexpected bytes"),
    ],
    ids=["empty", "huge", "long", "less", "none", "negative", "large", "space", "trailing"],
)
def test_damaged_recoders_are_refused(data, problem):
    with pytest.raises(FormatError, match=problem):
        recoder.unpack(data)
