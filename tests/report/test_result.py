"""The figures of a report, compared with jiwer and with hand-computed values."""

import random

import jiwer
import pytest
from rapidfuzz.distance import Levenshtein
from report.crafted import reading, report_of

from lstmjax.errors import DataError
from lstmjax.report.result import labels, make_report, measure

WORDS = "the quick brown fox jumps over a lazy dog ça été naïve Übergröße 12,50 €".split()  # noqa: SIM905


def noisy(text, random):
    """A text with some characters changed, deleted and inserted."""
    out = []
    for char in text:
        out.append({0: "", 1: "x", 2: char + "y", 3: " "}.get(random.randrange(25), char))
    return " ".join("".join(out).split())


def sample(n=60, seed=1):
    source = random.Random(seed)
    truths = [" ".join(source.choices(WORDS, k=source.randint(1, 6))) for _ in range(n)]
    return truths, [noisy(text, source) for text in truths]


def test_rates_are_those_of_jiwer_and_rapidfuzz():
    truths, texts = sample()
    found = measure([reading(t, r) for t, r in zip(truths, texts, strict=True)])
    assert found.cer.value == pytest.approx(jiwer.cer(truths, texts), abs=1e-12)
    assert found.wer.value == pytest.approx(jiwer.wer(truths, texts), abs=1e-12)
    edits = sum(Levenshtein.distance(t, r) for t, r in zip(truths, texts, strict=True))
    assert (found.char_edits, found.chars) == (edits, sum(map(len, truths)))
    words = [(t.split(), r.split()) for t, r in zip(truths, texts, strict=True)]
    assert found.word_edits == sum(Levenshtein.distance(*pair) for pair in words)


def test_confusions_add_up_to_the_rate(tmp_path):
    truths, texts = sample(30)
    report, _ = report_of(tmp_path, truths, texts)
    model = report.models[0]
    assert sum(one.count for one in model.confusions.characters) == model.measures.char_edits
    assert model.perfect == sum(t == r for t, r in zip(truths, texts, strict=True))


def test_groups_hold_all_lines(tmp_path):
    report, _ = report_of(tmp_path, ["abc", "где", "1"], ["abc", "гда", "2"])
    assert [(g.name, g.measures[0].lines) for g in report.groups["font"]] == [("Some Font", 3)]
    scripts = {g.name: g.measures[0].char_edits for g in report.groups["script"]}
    assert scripts == {"Latin": 0, "Cyrillic": 1, "Common": 1}


def test_models_are_compared_line_by_line(tmp_path):
    truths = ["abcd"] * 8
    first, second = ["abxx"] * 8, ["abcx"] * 7 + ["axxx"]
    report, _ = report_of(tmp_path, truths, first, second)
    (one,) = report.comparisons
    assert one.cer.value == pytest.approx((7 + 3 - 16) / 32)
    assert (one.cer.better, one.cer.worse) == (7, 1)
    # Of the 2^8 swaps, those with a sum of at least 6: none or one changed sign, either way.
    assert one.cer.p_value == pytest.approx(2 * (1 + 8) / 2**8)
    assert one.adjusted == one.cer.p_value
    assert [line.line.number for line in report.changed(1, 3, better=True)] == [0, 1, 2]
    assert [line.line.number for line in report.changed(1, 3, better=False)] == [7]


def test_over_fitting_is_evaluation_minus_training(tmp_path):
    train = [reading("abcd", "abcd")] * 9 + [reading("abcd", "abcx")]
    report, _ = report_of(
        tmp_path, ["abcd"] * 6, ["abxx"] * 3 + ["abcx"] * 3, train=("train.list", train)
    )
    gap = report.overfitting.cer
    assert gap.value == pytest.approx(9 / 24 - 1 / 40)
    assert 0 < gap.low < gap.high


def test_the_worst_lines_come_first(tmp_path):
    report, _ = report_of(tmp_path, ["aaaa", "bb", "cccc"], ["aaax", "xx", "cccc"])
    assert [line.line.number for line in report.worst(9)] == [1, 0]
    assert len(report.worst(1)) == 1


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["a/x.traineddata", "b/y.traineddata"], ["x", "y"]),
        (["a/x.traineddata", "b/x.traineddata"], ["a/x", "b/x"]),
        (["x", "x"], ["x (1)", "x (2)"]),
        (["x.traineddata", "x"], ["x.traineddata (1)", "x (2)"]),
        (["\x1b"], ["\\x1b"]),
    ],
    ids=["different", "folders", "the same", "endings", "control"],
)
def test_models_get_different_names(paths, names):
    assert labels(paths) == names


def test_nothing_read_is_an_error(tmp_path):
    _, index = report_of(tmp_path, ["a"], ["a"])
    with pytest.raises(DataError, match="no line could be read by all models"):
        make_report("l", ["m"], index, [{}], {})
