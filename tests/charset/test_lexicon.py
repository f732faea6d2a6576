import helpers
import pytest
from charset.charset_samples import charset_of
from hypothesis import given
from hypothesis import strategies as st

from lstmjax.charset import lexicon
from lstmjax.charset.lexicon import build_dawg
from lstmjax.charset.unicharset import Unicharset
from lstmjax.charset.wordlist import ReversePolicy, WordEncoder
from lstmjax.errors import CharsetError
from lstmjax.formats import dawg, unicharset

LETTERS = charset_of(*"abcdefgh")


def build(words, charset=LETTERS):
    text = "\n".join(words).encode()
    graph = build_dawg(WordEncoder(charset).encode(text), len(charset))
    return dawg.unpack(dawg.pack(graph))


def listed(graph, charset=LETTERS):
    return ["".join(map(charset.unichar, word)) for word in dawg.iterate_words(graph)]


def minimal_edges(words: set[str]) -> int:
    """Edges of the smallest graph: one node for each set of endings."""

    def endings(prefix):
        return frozenset(w[len(prefix) :] for w in words if w.startswith(prefix) and w != prefix)

    nodes = {endings(word[:i]) for word in words for i in range(len(word) + 1)}
    return sum(len({ending[0] for ending in node}) for node in nodes)


def test_common_beginnings_and_endings_are_shared():
    graph = build(["bad", "bed", "cad", "ced", "cede"])
    assert listed(graph) == ["bad", "bed", "cad", "ced", "cede"]
    assert len(graph.edges) == minimal_edges({"bad", "bed", "cad", "ced", "cede"})


@given(st.sets(st.text("abcd", min_size=1, max_size=7), min_size=1, max_size=60))
def test_same_words_and_smallest(words):
    graph = build(sorted(words, key=len))
    assert listed(graph) == sorted(words)
    assert len(graph.edges) == minimal_edges(words)


def test_order_and_repeats_make_no_difference():
    words = ["fade", "bad", "fad", "bead", "a"]
    assert dawg.pack(build(words)) == dawg.pack(build(words[::-1] * 2))


def test_colliding_hashes_do_no_harm(monkeypatch):
    """Whatever hashes say, nodes become one only if they are equal."""
    mix, classes = lexicon._mix, lexicon._classes
    salts = []

    def poor_at_first(tree, salt):
        salts.append(salt)
        weak = (lambda values: values * 0) if len(salts) < poor else mix
        monkeypatch.setattr(lexicon, "_mix", weak)
        return classes(tree, salt)

    monkeypatch.setattr(lexicon, "_classes", poor_at_first)
    words = ["ab", "abc", "bcd", "ha", "hab"]
    poor = 3
    assert listed(build(words)) == sorted(words)
    assert len(set(salts)) == 3
    poor = 4
    salts.clear()
    with pytest.raises(AssertionError, match="collided"):
        build(words)


def test_no_words():
    with pytest.raises(CharsetError, match="no word is left"):
        build(["é"])


@pytest.mark.parametrize(
    ("charset", "words", "policy", "most"),
    [
        ("eng/eng.unicharset", "eng/eng.wordlist", 1, 410638),
        ("hin/hin.unicharset", "hin/hin.wordlist", 1, 16205),
        ("kor/kor.unicharset", "kor/kor.wordlist", 0, 74563),
        ("eng/eng.unicharset", "eng/eng.punc", 0, 539),
        ("heb/heb.unicharset", "heb/heb.punc", 1, 171),
        ("heb/heb.unicharset", "heb/heb.punc", 2, 171),
    ],
    ids=["eng", "hin", "kor", "eng punc", "heb punc", "heb punc reversed"],
)
@pytest.mark.reference
def test_words_are_those_of_the_real_tool(charset, words, policy, most, tmp_path):
    charset, words = helpers.testdata("langdata", charset), helpers.testdata("langdata", words)
    helpers.run_real("wordlist2dawg", "-r", policy, words, tmp_path / "real", charset)
    unichars = Unicharset(unicharset.load(charset))
    encoded = WordEncoder(unichars, ReversePolicy(policy)).read(words)
    ours, real = build_dawg(encoded, len(unichars)), dawg.load(tmp_path / "real")
    assert set(dawg.iterate_words(ours)) == set(dawg.iterate_words(real))
    assert len(ours.edges) <= min(len(real.edges), most)
