"""Syllables, rule by rule: what a script's grammar takes together, and what it refuses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstmjax.charset.characters import ZWJ, ZWNJ
from lstmjax.charset.validate import grapheme, indic, javanese, khmer, myanmar
from lstmjax.charset.validate.walk import Walk, run

KA, SSA, RA, VIRAMA, AA, ANUSVARA = "\u0915", "\u0937", "\u0930", "\u094d", "\u093e", "\u0902"
BY_SCRIPT = {
    indic.DEVANAGARI: indic, myanmar.MYANMAR: myanmar, khmer.KHMER: khmer,
    javanese.JAVANESE: javanese,
}  # fmt: skip


def syllables(text, script):
    """The parts of a text, whether it is valid, and the complaints."""
    rules = BY_SCRIPT[script]
    walk = Walk(text, script, rules.classify(script))
    valid = run(walk, rules.consume)
    return walk.parts, valid, walk.messages


def graphemes(text):
    walk = Walk(text, 0, grapheme.classify_char)
    return run(walk, grapheme.consume), walk.parts, walk.messages


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("abc", ["a", "b", "c"]),
        ("e\u0301x", ["e\u0301", "x"]),
        ("a\u0301\u0323b", ["a\u0301\u0323", "b"]),
        (f"{KA}{VIRAMA}{SSA}{AA}", [f"{KA}{VIRAMA}{SSA}{AA}"]),
        (f"a{ZWJ}b", [f"a{ZWJ}b"]),
        ("\u0e01\u0e34\u0e48\u0e19", ["\u0e01\u0e34\u0e48", "\u0e19"]),
    ],
)
def test_graphemes(text, parts):
    assert graphemes(text) == (True, parts, [])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"{KA}{VIRAMA}{VIRAMA}", "Two grapheme links in a row"),
        ("\u0905\u093e", "Badly formed Indic vowel sequence"),
        ("\u0e48\u0e48", "Badly formed Thai"),
    ],
)
def test_bad_graphemes(text, message):
    valid, _, messages = graphemes(text)
    assert not valid
    assert messages[0].startswith(message)


@given(st.text(st.sampled_from(f"ab {KA}{VIRAMA}{AA}\u0301\u0e01\u0e34{ZWJ}{ZWNJ}"), max_size=12))
def test_graphemes_of_valid_texts_are_the_text(text):
    valid, parts, messages = graphemes(text)
    if valid:
        assert "".join(parts) == text
    assert valid == (not messages)


@pytest.mark.parametrize(
    ("text", "script", "parts"),
    [
        (KA + AA + ANUSVARA, indic.DEVANAGARI, [KA, AA, ANUSVARA]),
        (f"{KA}{VIRAMA}{SSA}", indic.DEVANAGARI, [KA, VIRAMA, SSA]),
        (f"{KA}{VIRAMA}", indic.DEVANAGARI, [KA, VIRAMA + ZWNJ]),
        ("\u1780\u17d2\u1780\u17b6", khmer.KHMER, ["\u1780", "\u17d2\u1780", "\u17b6"]),
        ("\u1000\u103b\u102d", myanmar.MYANMAR, ["\u1000", "\u103b", "\u102d"]),
        ("\u1004\u103a\u1039\u1000", myanmar.MYANMAR, ["\u1004\u103a\u1039", "\u1000"]),
        ("\ua98f\ua9c0\ua98f", javanese.JAVANESE, ["\ua98f", "\ua9c0\ua98f"]),
    ],
)
def test_syllables(text, script, parts):
    found, valid, _ = syllables(text, script)
    assert valid
    assert found == parts


@pytest.mark.parametrize(
    ("text", "script", "message"),
    [
        (AA, indic.DEVANAGARI, "Invalid start of grapheme sequence:M=0x93e"),
        ("\u17b6", khmer.KHMER, "Invalid start of Khmer syllable"),
        (f"\u1780{ZWJ}", khmer.KHMER, "Unterminated joiner"),
        ("\u102d", myanmar.MYANMAR, "Invalid start of Myanmar syllable"),
    ],
)
def test_bad_syllables(text, script, message):
    _, valid, messages = syllables(text, script)
    assert not valid
    assert messages[0].startswith(message)


def test_an_isolated_joiner_is_dropped_with_a_word():
    parts, valid, messages = syllables(ZWJ + KA, indic.DEVANAGARI)
    assert (parts, valid) == ([KA], True)
    assert messages == ["Dropping isolated joiner: 0x200d"]


@pytest.mark.parametrize("script", BY_SCRIPT)
@given(data=st.data())
def test_any_text_is_taken_to_its_end(script, data):
    letters = [chr(script + i) for i in range(0x60)] + [ZWJ, ZWNJ, "a", " "]
    text = data.draw(st.text(st.sampled_from(letters), max_size=10))
    parts, valid, messages = syllables(text, script)
    assert all(parts)
    assert valid or messages


def test_what_is_pending_becomes_single_parts():
    walk = Walk("abcd", 0, lambda _: "O")
    for _ in "abcd":
        walk.take()
    assert walk.pending == 4
    walk.part(2)
    assert (walk.parts, walk.pending, walk.at_end) == (["a", "b", "cd"], 0, True)
    assert walk.char() == walk.kind() == ""
    assert walk.char(-1) == "d"
