import pytest
from charset.charset_samples import charset_of

from lstmjax.charset.lexicon import build_dawg
from lstmjax.charset.lookup import WordLookup, check_unicharset, words_as_text
from lstmjax.charset.wordlist import WordEncoder
from lstmjax.errors import FormatError

LETTERS = charset_of("a", "b", "c", "*", "\ue003")


def build(text: str):
    return build_dawg(WordEncoder(LETTERS).encode(text.encode()), len(LETTERS))


def test_words_are_found_and_their_beginnings_not():
    lookup = WordLookup(build("ab\nabc\ncab\n"))
    found = [
        LETTERS.encode(word) in lookup for word in ("ab", "abc", "cab", "a", "ca", "abcc", "b")
    ]
    assert found == [True, True, True, False, False, False, False]
    assert () not in lookup


def test_wildcard_matches_any_one_unichar():
    lookup = WordLookup(build("ab\nabc\ncab\n*c"), wildcard=LETTERS.ids["*"])
    found = [LETTERS.encode(w) in lookup for w in ("a*", "**c", "*", "*c", "****", "b**", "***")]
    assert found == [True, True, False, True, False, False, True]
    assert LETTERS.encode("a*") not in WordLookup(build("ab\n"))


def test_words_as_text_spell_private_ligatures_out():
    assert list(words_as_text(build("ba\na\ue003\n"), LETTERS)) == ["act", "ba"]


def test_a_dawg_of_another_unicharset_is_refused():
    check_unicharset(build("ab\n"), LETTERS, "x.dawg")
    with pytest.raises(FormatError, match=r"^x\.dawg: made with a unicharset of 8 .* has 7;"):
        check_unicharset(build("ab\n"), charset_of("a", "b", "c", "*"), "x.dawg")
