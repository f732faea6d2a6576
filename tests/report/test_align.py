"""Alignments rebuild both texts, and the number of their edits is the edit distance."""

import unicodedata
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import Levenshtein

from lstmjax.report.align import character_edits, confusions, segments

TEXTS = st.text(alphabet="abcé e\u0301رק<&", max_size=12)


@given(TEXTS, TEXTS)
def test_segments_rebuild_both_texts(truth, read):
    pieces = segments(truth, read)
    assert "".join(piece.truth for piece in pieces) == unicodedata.normalize("NFC", truth)
    assert "".join(piece.read for piece in pieces) == unicodedata.normalize("NFC", read)
    kinds = [piece.same for piece in pieces]
    assert all(a != b for a, b in pairwise(kinds))


@given(TEXTS, TEXTS)
def test_edits_are_as_many_as_the_distance(truth, read):
    composed = [unicodedata.normalize("NFC", text) for text in (truth, read)]
    edits = character_edits(truth, read)
    assert len(edits) == Levenshtein.distance(*composed)
    assert all(len(edit.truth) + len(edit.read) in (1, 2) for edit in edits)


@pytest.mark.parametrize(
    ("truth", "read", "run"),
    [
        ("modern", "modem", ("rn", "m")),
        ("mine", "rnine", ("m", "rn")),
        ("aufier", "außer", ("fi", "ß")),
        ("at all", "atall", None),
        ("ice", "iceberg", ("", "berg")),
    ],
    ids=["two read as one", "one as two", "ligature", "single", "inserted"],
)
def test_runs_are_found_whole(truth, read, run):
    found = confusions([(7, truth, read)])
    assert [(one.truth, one.read) for one in found.runs] == ([run] if run else [])
    assert all(one.lines == (7,) for one in found.characters)


def test_confusions_are_counted_and_sorted():
    lines = [(0, "eel", "cel"), (1, "tee", "tce"), (2, "see", "see"), (3, "a", "ab")]
    found = confusions(lines).characters
    assert [(one.truth, one.read, one.count, one.of) for one in found] == [
        ("e", "c", 2, 6),
        ("", "b", 1, 0),
    ]
    assert found[0].lines == (0, 1)


def test_a_confusion_names_few_lines_once_each():
    found = confusions([(n, "oo", "00") for n in range(20)]).characters
    assert found[0].count == 40
    assert found[0].lines == (0, 1, 2, 3, 4)


def test_composed_and_decomposed_letters_are_alike():
    assert confusions([(0, "e\u0301", "é")]).characters == ()
