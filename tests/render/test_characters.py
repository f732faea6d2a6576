"""Properties of characters, against regular expressions and examples of the standards."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstmjax.render.characters import (
    WHITE_SPACE,
    is_upright,
    is_zero_width,
    joins_the_one_before,
    script,
    takes_any_font,
    words,
)

GAP = "[\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]"


@given(st.text(st.sampled_from("ab \t\n\xa0\u3000\u200b今"), max_size=30))
def test_words_are_what_white_space_separates(text):
    assert [text[start:end] for start, end in words(text)] == [w for w in re.split(GAP, text) if w]


def test_white_space_is_the_property_of_unicode():
    assert set(re.findall(GAP, "".join(map(chr, range(0x110000))))) == WHITE_SPACE


@pytest.mark.parametrize(
    ("character", "expected"), [*((c, True) for c in "今ア한、"), *((c, False) for c in "aяا")]
)
def test_upright_characters(character, expected):
    assert is_upright(character) == expected


@pytest.mark.parametrize(
    ("character", "expected"),
    [
        ("a", "Latn"),
        ("ж", "Cyrl"),
        ("א", "Hebr"),
        (".", "Zyyy"),
        ("\u0301", "Zinh"),
        ("今", "Hani"),
    ],
)
def test_scripts(character, expected):
    assert script(character) == expected


@pytest.mark.parametrize("character", ["\u200b", "\u200d", "\u2060", "\xad", "\ufeff"])
def test_controls_need_no_glyph(character):
    assert is_zero_width(character)
    assert takes_any_font(character)


@pytest.mark.parametrize("character", list("a1.今"))
def test_visible_characters_need_a_glyph(character):
    assert not is_zero_width(character)
    assert not takes_any_font(character)
    assert not joins_the_one_before(character)


@pytest.mark.parametrize("character", [" ", "\t", "\u3000", "\ufe0f"])
def test_spaces_and_selectors_take_any_font(character):
    assert takes_any_font(character)


@pytest.mark.parametrize("character", ["\u0301", "\u093f", "\u200d", "\U0001f3fd"])
def test_marks_join(character):
    assert joins_the_one_before(character)


def test_the_visible_space_of_ogham_and_arabic_number_signs_need_their_fonts():
    assert not takes_any_font("\u1680")
    assert not takes_any_font("\u0600")
