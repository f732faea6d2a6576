"""Checks before training: which lines are dropped, and how the report words what it found."""

import pytest
from infer.models import tiny_traineddata
from pipeline.pipeline_samples import write_document

from lstmjax.charset.codec import Codec
from lstmjax.data.image import InputShape
from lstmjax.data.lines import build_index
from lstmjax.data.skips import Geometry
from lstmjax.pipeline.dropped import check_texts, dropped_lines, summarize, warnings

CODEC = Codec.from_traineddata(tiny_traineddata())
GEOMETRY = Geometry(InputShape(36, 0, 1), 1, lambda width: width)
NOTHING = {
    "lines": 3, "dropped": [], "missing": [], "rare": [], "one_case": 0, "blanks_at_ends": 0,
    "dominant": [], "duplicates": 0,
}  # fmt: skip


@pytest.fixture
def index(tmp_path):
    path = write_document(tmp_path / "page.lstmf", ["é,", "ex", "", ",é", "é,"])
    return build_index([str(path)])


def test_lines_that_cannot_be_encoded_are_dropped(index):
    found = dropped_lines(index, CODEC, GEOMETRY)
    assert [(one.line, one.reason) for one in found] == [(2, "UNENCODABLE"), (3, "EMPTY_TEXT")]
    assert all(one.path == index.documents[0].path for one in found)
    assert "skipped" in found[0].message


def test_lines_too_long_for_the_network_are_dropped(index):
    few_steps = Geometry(GEOMETRY.shape, 1, lambda width: 1)
    reasons = {one.reason for one in dropped_lines(index, CODEC, few_steps)}
    assert reasons == {"TOO_LONG", "UNENCODABLE", "EMPTY_TEXT"}


def test_the_summary_counts_what_was_found(index):
    summary = summarize(check_texts(index, CODEC), dropped_lines(index, CODEC, GEOMETRY))
    assert summary["lines"] == 5
    assert len(summary["dropped"]) == 2
    assert {"e", "x"} <= {character for character, _, _ in summary["missing"]}
    assert summary["duplicates"] == 1


def test_a_summary_without_findings_has_no_warnings():
    assert list(warnings(NOTHING)) == []


def test_at_most_ten_dropped_lines_are_shown():
    dropped = [{"reason": "TOO_LONG", "message": f"line {i}"} for i in range(12)]
    shown = list(warnings({**NOTHING, "lines": 20, "dropped": dropped}))
    assert shown[0] == "12 of 20 lines cannot be used (too long 12):"
    assert shown[1:11] == [f"  line {i}" for i in range(10)]
    assert shown[11:] == ["  ... and 2 more; report.json has them all"]


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ({"missing": [["ſ", 3, "s"]]}, "not in the character set: 'ſ', 3 times; could be 's'"),
        ({"missing": [["ꝛ", 1, None]]}, "not in the character set: 'ꝛ', 1 times"),
        ({"rare": [["q", 2], ["x", 1]]}, "2 characters occur too rarely to be learned: q x"),
        ({"dominant": [["the", 0.31]]}, "much of the text is one and the same: 'the', 31%"),
        ({"blanks_at_ends": 4}, "4 texts begin or end with a blank"),
        ({"duplicates": 2}, "2 texts occur several times"),
    ],
)
def test_every_finding_has_a_sentence(found, expected):
    assert list(warnings({**NOTHING, **found})) == [expected]
