import struct

import helpers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstmjax.errors import FormatError
from lstmjax.formats import traineddata
from lstmjax.formats.traineddata import COMPONENTS, TrainedData

SIZES = {
    "tessdata_best/heb": {
        "lstm": 3022651, "lstm-punc-dawg": 1378, "lstm-word-dawg": 673826, "lstm-number-dawg": 1298,
        "lstm-unicharset": 4023, "lstm-recoder": 625, "version": 80,
    },
    "tesseract-test/deu.starter": {
        "config": 29, "lstm-punc-dawg": 5154, "lstm-word-dawg": 1089378, "lstm-number-dawg": 2194,
        "lstm-unicharset": 7832, "lstm-recoder": 1070, "version": 16,
    },
}  # fmt: skip


@pytest.mark.parametrize("name", SIZES)
def test_real_containers_round_trip(name):
    data = helpers.testdata(f"{name}.traineddata").read_bytes()
    trained = traineddata.unpack(data)
    assert {suffix: len(body) for suffix, body in trained.components.items()} == SIZES[name]
    assert traineddata.pack(trained) == data


@given(
    st.dictionaries(st.sampled_from(COMPONENTS), st.binary(min_size=1, max_size=9)),
    st.integers(1, 24),
)
def test_round_trip(components, num_entries):
    trained = TrainedData(components, num_entries)
    again = traineddata.unpack(traineddata.pack(trained))
    assert again.components == components
    assert traineddata.pack(again) == traineddata.pack(trained)


def test_a_table_too_short_for_its_components_grows():
    data = traineddata.pack(TrainedData({"version": b"x"}, num_entries=3))
    assert data[:4] == struct.pack("<I", 24)


def test_big_endian_is_read_and_flagged_but_not_written():
    table = [-1] * 17 + [4 + 8 * 18]
    trained = traineddata.unpack(struct.pack(">I18q", 18, *table) + b"net")
    assert trained.components == {"lstm": b"net"}
    assert trained.swapped
    with pytest.raises(FormatError, match="big-endian traineddata can be read but not written"):
        traineddata.pack(trained)


def test_entries_beyond_the_known_are_dropped():
    offsets = [-1] * 23 + [4 + 8 * 26, -1, 4 + 8 * 26 + 3]
    trained = traineddata.unpack(struct.pack("<I26q", 26, *offsets) + b"1.0extra")
    assert trained == TrainedData({"version": b"1.0"}, 24)


def test_version_and_charsets():
    assert TrainedData({}).version == "Pre-4.0.0"
    assert TrainedData({"lstm-unicharset": b"x"}).embeds_charsets
    assert not TrainedData({"lstm-unicharset": b"x", "lstm-recoder": b"y"}).embeds_charsets


def test_with_component_replaces_and_removes():
    trained = TrainedData({"lstm": b"a"}).with_component("version", b"b")
    assert trained.with_component("lstm", b"").components == {"version": b"b"}


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "truncated"),
        (b"\x01", "truncated"),
        (struct.pack("<I", 0), "0 entries, expected 1 to 1000"),
        (b"PK\x03\x04", "not a traineddata file"),
        (struct.pack("<I", 24), "a table of 24 offsets takes 192 bytes, 0 remain"),
        (struct.pack("<Iq", 1, 13) + b"ab", "component config starts at 13, expected 12"),
        (struct.pack("<Iqq", 2, 20, 10**15) + b"ab", "takes 999999999999980 bytes"),
        (struct.pack("<Iqq", 2, 20, -7) + b"ab", "component config ends at -7"),
        (struct.pack("<Iqq", 2, 20, 20) + b"ab", "component config ends at 20"),
        (struct.pack("<Iq", 1, -1) + b"ab", "2 unexpected bytes after the end of the offset table"),
    ],
    ids=[
        "empty",
        "one-byte",
        "no-entries",
        "zip",
        "no-table",
        "gap",
        "huge",
        "negative",
        "empty-part",
        "trailing",
    ],
)
def test_damaged_containers_are_refused(data, problem):
    with pytest.raises(FormatError, match=problem):
        traineddata.unpack(data)


def test_unknown_suffix_is_refused():
    with pytest.raises(FormatError, match="unknown component 'foo'"):
        traineddata.pack(TrainedData({"foo": b"x"}))


def test_load_names_the_file(tmp_path):
    path = tmp_path / "bad.traineddata"
    path.write_bytes(b"nonsense")
    with pytest.raises(FormatError, match=r"bad\.traineddata: byte 0x0: not a traineddata file"):
        traineddata.load(path)


def test_save_and_load(tmp_path):
    trained = TrainedData({"version": b"x"})
    traineddata.save(trained, tmp_path / "x.traineddata")
    assert traineddata.load(tmp_path / "x.traineddata") == trained
