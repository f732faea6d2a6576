from dataclasses import replace

import helpers
import numpy as np
import pytest
from charset.charset_samples import charset_of

from lstmjax.charset.dictionary import (
    NONE,
    NUMBER,
    PUNC,
    WORD,
    Dictionary,
    build_dictionary,
    from_traineddata,
)
from lstmjax.charset.lexicon import build_dawg
from lstmjax.charset.unicharset import Unicharset
from lstmjax.charset.wordlist import WordEncoder
from lstmjax.errors import FormatError
from lstmjax.formats import dawg, traineddata
from lstmjax.formats.traineddata import TrainedData
from lstmjax.formats.unicharset import DIGIT, UnicharsetTable

LETTERS = charset_of(*"abc.1")


def graph(text: str, charset=LETTERS):
    return build_dawg(WordEncoder(charset).encode(text.encode()), len(charset))


def words_of(dictionary: Dictionary, kind: int, charset=LETTERS) -> set[str]:
    """All words of one dawg, read from the arrays."""
    found = set()

    def follow(edges, beginning):
        for edge in edges:
            word = beginning + charset.unichar(dictionary.letters[edge])
            if dictionary.word_ends[edge]:
                found.add(word)
            node = dictionary.nodes[edge]
            if node != NONE:
                last = node + int(np.argmax(dictionary.last[node:]))
                follow(range(node, last + 1), word)

    follow(dictionary.roots[kind][dictionary.roots[kind] != NONE], "")
    return found


def test_dawgs_are_put_side_by_side():
    lists = {PUNC: " \n .\n", WORD: "ab\nabc\nba\n", NUMBER: " .\n"}
    dictionary = build_dictionary({k: graph(text) for k, text in lists.items()}, LETTERS)
    for kind, text in lists.items():
        assert words_of(dictionary, kind) == set(text.split("\n")) - {""}
    assert dictionary.present.all()
    assert dictionary.through_punc


def test_words_stand_alone_without_a_pattern_for_them():
    assert not build_dictionary({WORD: graph("ab")}, LETTERS).through_punc
    assert not build_dictionary({PUNC: graph(" .")}, LETTERS).through_punc
    empty = build_dictionary({}, LETTERS)
    assert not empty.present.any()
    assert (empty.roots == NONE).all()


def test_digits_and_scripts():
    rows = list(LETTERS.table.rows)
    rows[7] = replace(rows[7], properties=DIGIT)
    rows[3] = replace(rows[3], script="Thai")
    dictionary = build_dictionary({}, Unicharset(UnicharsetTable(tuple(rows))))
    assert np.flatnonzero(dictionary.digits).tolist() == [7]
    assert np.flatnonzero(~dictionary.delimited).tolist() == [3]
    assert not dictionary.space_delimited
    rows[3] = replace(rows[3], script="Hangul")
    dictionary = build_dictionary({}, Unicharset(UnicharsetTable(tuple(rows))))
    assert (dictionary.space_delimited, dictionary.delimited[3]) == (True, False)


def test_damaged_and_foreign_dawgs_are_refused():
    parts = {"lstm-word-dawg": b"nothing"}
    with pytest.raises(FormatError, match=r"^lstm-word-dawg: .*not a dawg"):
        from_traineddata(TrainedData(parts), LETTERS)
    parts = {"lstm-punc-dawg": dawg.pack(graph("ab", charset_of("a", "b")))}
    with pytest.raises(FormatError, match=r"lstm-punc-dawg: made with a unicharset of 5 .* has 8"):
        from_traineddata(TrainedData(parts), LETTERS)


def test_a_real_model():
    trained = traineddata.load(helpers.testdata("tessdata_fast/fra.traineddata"))
    charset = Unicharset.unpack(trained.components["lstm-unicharset"])
    dictionary = from_traineddata(trained, charset)
    assert dictionary.present.all()
    assert dictionary.through_punc
    assert dictionary.space_delimited
    assert "".join(charset.unichar(i) for i in np.flatnonzero(dictionary.digits)) != ""
    sizes = [len(trained.components[f"lstm-{k}-dawg"]) // 8 for k in ("punc", "word", "number")]
    assert len(dictionary.letters) == sum(size - 1 for size in sizes)
