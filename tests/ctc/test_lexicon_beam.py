"""The beam search with a dictionary on lines made by hand; whole lines are in infer/test_words."""

from dataclasses import replace

import numpy as np
import pytest
from charset.charset_samples import charset_of
from hypothesis import given
from hypothesis import strategies as st

from lstmjax.charset.dictionary import NUMBER, PUNC, WORD, build_dictionary
from lstmjax.charset.lexicon import build_dawg
from lstmjax.charset.prefixes import build_tables
from lstmjax.charset.unicharset import Unicharset
from lstmjax.charset.wordlist import WordEncoder
from lstmjax.ctc import lexicon_beam
from lstmjax.ctc.lexicon_beam import lexicon_search
from lstmjax.formats.unicharset import DIGIT, UnicharsetTable

LETTERS = "abcdel().10"
NULL = 2


def charset(**scripts: str) -> Unicharset:
    rows = [
        replace(
            row, script=scripts.get(row.unichar, "Latin"), properties=DIGIT * row.unichar.isdigit()
        )
        for row in charset_of(*LETTERS).table.rows
    ]
    return Unicharset(UnicharsetTable(tuple(rows)))


CHARSET = charset()
TABLES = build_tables([(code,) for code in range(len(CHARSET))])


def dictionary_of(charset=CHARSET, **lists: str):
    kinds = {"punc": PUNC, "word": WORD, "number": NUMBER}
    encoder = WordEncoder(charset)
    dawgs = {
        kinds[name]: build_dawg(encoder.encode(text.replace(",", "\n").encode()), len(charset))
        for name, text in lists.items()
    }
    return build_dictionary(dawgs, charset)


WORDS = dictionary_of(punc=" ,( ), .,", word="bad,bed,cab,ad", number="  ,  .  ")


def line(*steps: dict[str, float]) -> np.ndarray:
    """A step for each character and one of null between; the rest is spread over all codes."""
    probs = np.full((2 * len(steps), len(CHARSET)), 1e-6, np.float32)
    for t, step in enumerate(steps):
        for char, prob in step.items():
            probs[2 * t, CHARSET.ids[char]] = prob
    probs[1::2, NULL] = 0.99
    return probs / probs.sum(1, keepdims=True)


def plain(text: str) -> list[dict[str, float]]:
    return [{char: 0.99} for char in text]


def text_of(read, charset=CHARSET) -> str:
    return "".join(map(charset.unichar, read.unichar_ids))


def words_of(read, charset=CHARSET) -> list[str]:
    return [text_of(read, charset)[start:end] for start, end in read.words]


def read(*steps, dictionary=WORDS):
    return lexicon_search(line(*steps), TABLES, NULL, dictionary)


DOUBT = {"a": 0.45, "e": 0.55}


@pytest.mark.parametrize(
    ("before", "doubt", "after", "with_words", "without"),
    [
        ("c", {"a": 0.4, "e": 0.6}, "b", "cab", "ceb"),
        ("b", {"a": 0.4, "e": 0.6}, "d", "bed", "bed"),
        ("(c", {"a": 0.4, "e": 0.6}, "b)", "(cab)", "(ceb)"),
        ("c", {"a": 0.4, "e": 0.6}, "b)", "ceb)", "ceb)"),
        ("bad c", {"a": 0.4, "e": 0.6}, "b.", "bad cab.", "bad ceb."),
        ("a", {"d": 0.4, "l": 0.6}, " c", "ad c", "al c"),
        ("1", {"0": 0.4, "l": 0.6}, "", "10", "1l"),
        ("1", {"0": 0.4, "l": 0.6}, ".11", "10.11", "1l.11"),
        ("c", {"a": 0.01, "e": 0.99}, "b", "ceb", "ceb"),
    ],
    ids=[
        "word",
        "both",
        "brackets",
        "no such pattern",
        "second",
        "ends",
        "number",
        "point",
        "sure",
    ],
)
def test_doubts_are_settled_by_the_dictionary(before, doubt, after, with_words, without):
    steps = [*plain(before), doubt, *plain(after)]
    assert text_of(read(*steps)) == with_words
    assert text_of(read(*steps, dictionary=dictionary_of())) == without


def test_words_and_where_they_come_from():
    found = read(*plain("bad dab cab"))
    assert words_of(found) == ["bad", "dab", "cab"]
    assert found.in_dictionary == (True, False, True)
    assert found.starts.tolist() == list(range(0, 22, 2))
    assert (found.ends > found.starts).all()
    assert (found.certainty <= 0).all()


def test_a_second_space_belongs_to_the_next_word():
    found = read(*plain("a  b"))
    assert words_of(found) == ["a", " b"]


def test_scripts_without_spaces():
    thai = charset(b="Thai", a="Thai", d="Thai", c="Thai", e="Thai")
    words = dictionary_of(thai, punc=" ,", word="bad,cab,ad")
    found = lexicon_search(line(*plain("badcabl")), TABLES, NULL, words)
    assert words_of(found, thai) == ["bad", "cab", "l"]
    assert found.in_dictionary == (True, True, False)
    found = lexicon_search(line(*plain("eel")), TABLES, NULL, dictionary_of(thai))
    assert words_of(found, thai) == ["e", "e", "l"]


def test_characters_of_several_codes():
    sequences = [(code,) for code in range(len(CHARSET))]
    sequences[CHARSET.ids["l"]] = (CHARSET.ids["a"], CHARSET.ids["e"])
    tables = build_tables(sequences)
    words = dictionary_of(punc=" ,", word="bl")
    steps = line(*plain("b"), {"a": 0.9}, {"e": 0.4, "d": 0.6})
    assert text_of(lexicon_search(steps, tables, NULL, dictionary_of())) == "bad"
    assert text_of(lexicon_search(steps, tables, NULL, words)) == "bl"


@given(st.text("abcde (.1", max_size=8).map(str.strip))
def test_clear_lines_are_read_as_they_are(text):
    assert text_of(read(*plain(text))) == text
    assert text_of(read(*plain(text), dictionary=dictionary_of())) == text


def test_nothing_to_read():
    assert words_of(lexicon_search(np.empty((0, len(CHARSET))), TABLES, NULL, WORDS)) == []
    nothing = lexicon_search(np.repeat(line({})[1:], 9, 0), TABLES, NULL, WORDS)
    assert nothing.unichar_ids.size == len(nothing.words) == 0


def test_room_for_positions_grows(monkeypatch):
    text = "(bad) cab. 10.11 ad"
    expected = read(*plain(text))
    monkeypatch.setattr(lexicon_beam, "_POSITIONS_PER_STEP", 0)
    found = read(*plain(text))
    assert text_of(found) == text_of(expected) == text
    np.testing.assert_array_equal(found.certainty, expected.certainty)
    monkeypatch.setattr(lexicon_beam, "_MAX_POSITIONS", 0)
    with pytest.raises(ValueError, match="too many places at once"):
        read(*plain(text))


def test_arrays_that_do_not_fit():
    probs = line(*plain("ab"))
    with pytest.raises(ValueError, match="expected probs"):
        lexicon_search(probs[None], TABLES, NULL, WORDS)
    with pytest.raises(ValueError, match="do not fit the network"):
        lexicon_search(probs[:, :5], TABLES, NULL, WORDS)
    with pytest.raises(ValueError, match="null 99"):
        lexicon_search(probs, TABLES, 99, WORDS)
    small = build_dictionary({}, charset_of("a"))
    with pytest.raises(ValueError, match=r"the codes spell unichar 13, but .* has 4"):
        lexicon_search(probs, TABLES, NULL, small)
