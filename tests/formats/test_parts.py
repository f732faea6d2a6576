import pytest

from lstmjax.errors import FormatError
from lstmjax.formats import parts
from lstmjax.formats.traineddata import TrainedData


def test_suffixes_of_file_names():
    assert parts.suffix_of("a/b.c/eng.lstm-word-dawg") == "lstm-word-dawg"
    assert parts.suffix_of("eng.foo") is None
    assert parts.suffix_of("lstm") is None


def test_prefixes_may_end_in_a_dot():
    assert parts.part_path("a/eng", "lstm") == parts.part_path("a/eng.", "lstm") == "a/eng.lstm"


def test_gather(tmp_path):
    (tmp_path / "x.lstm").write_bytes(b"net")
    trained = parts.gather(tmp_path / "x")
    assert trained.components == {"version": b"5.3.0", "lstm": b"net"}
    (tmp_path / "x.version").write_bytes(b"mine")
    assert parts.gather(tmp_path / "x").version == "mine"
    (tmp_path / "x.config").write_bytes(b"")
    with pytest.raises(FormatError, match=r"x\.config: the component file is empty"):
        parts.gather(tmp_path / "x")


def test_replace_parts_refuses_unknown_suffixes():
    with pytest.raises(FormatError, match=r"x\.foo: its suffix names no component"):
        parts.replace_parts(TrainedData({}), ["x.foo"])


def test_completeness():
    assert parts.is_complete(TrainedData({"lstm": b"x"}))
    assert parts.is_complete(TrainedData({"unicharset": b"x", "inttemp": b"y"}))
    assert not parts.is_complete(TrainedData({"unicharset": b"x"}))


def test_the_listing_counts_from_192():
    trained = TrainedData({"config": b"ab", "lstm": b"xyz", "version": b"v1"})
    assert parts.describe(trained).splitlines() == [
        "Version:v1",
        "0:config:size=2, offset=192",
        "17:lstm:size=3, offset=194",
        "23:version:size=2, offset=197",
    ]
