import time

from hypothesis import given
from hypothesis import strategies as st

from lstmjax.charset.check import Checker, Missing, Repeated, Report, TextLine
from lstmjax.charset.codec import Codec, pass_through
from lstmjax.charset.failures import TextError
from lstmjax.charset.unicharset import Unicharset
from lstmjax.formats.unicharset import BROKEN, UnicharRow, UnicharsetTable

TEXTS = (" ", "Joined", BROKEN, *"abcABC", "x\u0301", "-")
UNICHARSET = Unicharset(UnicharsetTable(tuple(UnicharRow(text, 0, normed=text) for text in TEXTS)))
CODEC = Codec(UNICHARSET, pass_through(UNICHARSET))


def check(*texts: str, min_count: int = 3, dominance: float = 0.9) -> Report:
    checker = Checker(CODEC, min_count, dominance)
    for number, text in enumerate(texts, 1):
        checker.add(TextLine("file", number, text))
    return checker.report()


def test_good_lines():
    report = check("ab", "ab c")
    assert (report.lines, report.dropped, report.missing) == (2, (), ())


def test_every_line_that_would_be_dropped():
    report = check("ab", "aé?éb", "", "  ", "a–b")
    found = [(one.line.number, one.reason, one.characters) for one in report.dropped]
    assert found == [
        (2, "character not in the unicharset", ("é", "?")),
        (3, "empty text", ()),
        (4, "blank text", ()),
        (5, "character not in the unicharset", ("–",)),
    ]
    assert [one.mended_by for one in report.dropped] == [None] * 3 + ["other quotes or dashes"]


def test_missing_characters_are_counted_over_all_lines():
    assert check("éé?", "–é").missing == (
        Missing("é", 3, 2, None),
        Missing("?", 1, 1, None),
        Missing("–", 1, 1, "-"),
    )


def test_a_known_character_in_the_wrong_place():
    (dropped,) = check("ax\u0301b x ab\u0301").dropped
    assert dropped.characters == ("x", "\u0301")


def test_the_names_of_special_codes_are_no_characters():
    assert check("Join").dropped[0].characters == ("J", "o", "i", "n")


def test_rare_and_unused_unichars():
    report = check("aaa bb b c", "a B-")
    assert [(one.text, one.count) for one in report.rare] == [("c", 1), ("B", 1), ("-", 1)]
    assert report.unused == ("A", "C", "x\u0301")


def test_words_of_one_case():
    report = check("abc Abc cab", "abc cab BAC", "cab BAC BAC", "A A A", min_count=3)
    assert report.one_case == (Repeated("cab", 3), Repeated("BAC", 3))


def test_white_space_at_ends():
    lines = check("ab", " ab", "ab\t", "a b").blanks_at_ends
    assert [line.number for line in lines] == [2, 3]


def test_dominant_characters_and_words():
    report = check(*["ab ab c"] * 30, dominance=0.4)
    found = [(one.text, one.count, round(one.share, 2)) for one in report.dominant]
    assert found == [("a", 60, 0.4), ("b", 60, 0.4), ("ab", 60, 0.67)]
    assert check("aaaa").dominant == ()


def test_duplicates():
    assert check("a", "b", "a", "c", "a", "b").duplicates == (Repeated("a", 3), Repeated("b", 2))


def test_hostile_lines_take_little_time():
    start = time.process_time()
    check("a\u0301" * 20_000, "éa" * 20_000, "x" * 20_000)
    assert time.process_time() - start < 2


@given(st.lists(st.text("abx\u0301é- \u00a0", max_size=6)))
def test_dropped_are_just_the_lines_that_cannot_be_encoded(texts):
    bad = []
    for number, text in enumerate(texts, 1):
        try:
            CODEC.encode(text)
        except TextError:
            bad.append(number)
    report = check(*texts)
    assert [one.line.number for one in report.dropped] == bad
    assert all(one.characters or not one.line.text.strip(" ") for one in report.dropped)
