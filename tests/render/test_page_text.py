"""What a font can show: nothing is lost without being counted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from render.render_samples import sans

from lstmjax.render.characters import words
from lstmjax.render.page_text import (
    CUSTOM_LIGATURES,
    Coverage,
    add_ligatures,
    to_full_width,
    to_half_width,
)

MISSING = "\U0001f9ff"
TEXTS = st.text(st.sampled_from(f"abא \n\u3000\u0301\u200b{MISSING}\u0fff"), max_size=30)


@given(TEXTS)
def test_words_are_shown_or_named(text):
    stripped = Coverage(sans()).strip(text)
    parts = [text[start:end] for start, end in words(text)]
    left = [stripped.text[start:end] for start, end in words(stripped.text)]
    named = list(stripped.words)
    for part in parts:
        (left if left and left[0] == part else named).pop(0)
    assert left == named == []
    assert stripped.characters == 0


@given(TEXTS)
def test_without_words_single_characters_are_dropped_and_counted(text):
    coverage = Coverage(sans())
    stripped = coverage.strip(text, words_too=False)
    assert stripped.words == ()
    assert stripped.text == "".join(c for c in text if coverage.covers(c))
    assert stripped.characters == len(text) - len(stripped.text)


@pytest.mark.parametrize("word", ["abc", "שלום", "e\u0301", "1,5", "a\u200bb"])
def test_words_the_font_has(word):
    assert Coverage(sans()).can_render(word)


@pytest.mark.parametrize("word", [MISSING, f"a{MISSING}", "\u0fff", "今"])
def test_words_the_font_lacks(word):
    assert not Coverage(sans()).can_render(word)


@given(st.text())
def test_wide_letters_there_and_back(text):
    plain = to_half_width(text)
    assert to_half_width(to_full_width(plain)) == plain


@given(st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E)))
def test_all_of_ascii_becomes_wide(text):
    wide = to_full_width(text)
    assert all("\uff01" <= c <= "\uff5e" for c in wide)
    assert to_full_width(" a\t") == " \uff41\t"


def test_ligatures_are_put_in_for_any_font_but_only_where_a_font_has_them():
    text = "".join(CUSTOM_LIGATURES)
    assert add_ligatures(text) == "".join(CUSTOM_LIGATURES.values())
    assert Coverage(sans()).add_ligatures(text) == text
