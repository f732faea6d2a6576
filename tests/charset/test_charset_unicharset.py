import time

import helpers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstmjax.charset.failures import UnencodableError
from lstmjax.charset.unicharset import Unicharset
from lstmjax.errors import CharsetError
from lstmjax.formats.unicharset import BROKEN, UnicharRow, UnicharsetTable


def unichars(*texts: str, special: bool = True) -> Unicharset:
    first = [" ", "Joined", BROKEN] if special else [" "]
    rows = [UnicharRow(text, 0, normed=text) for text in [*first, *texts]]
    return Unicharset(UnicharsetTable(tuple(rows)))


def test_ids_and_texts():
    charset = unichars("a", "b")
    assert (len(charset), charset.ids["b"], charset.unichar(3)) == (5, 4, "a")
    assert charset.has_special_codes
    assert not unichars("a", "b", special=False).has_special_codes
    assert charset.is_space(0)
    assert not charset.is_space(3)


def test_normed_text_is_what_is_printed():
    rows = [UnicharRow(" ", 0, normed="x"), UnicharRow("“", 0, normed='"')]
    charset = Unicharset(UnicharsetTable(tuple(rows)))
    assert (charset.normed(0), charset.normed(1)) == (" ", '"')


@pytest.mark.parametrize(
    ("texts", "text", "split"),
    [
        (["a", "b"], "ab a", ["a", "b", " ", "a"]),
        (["a", "ab", "b"], "ab", ["a", "b"]),
        (["a", "ab", "c"], "abc", ["ab", "c"]),
        (["a", "ab", "abc", "bc", "d"], "abcd", ["a", "bc", "d"]),
        (["क", "क्ष", "ष"], "क्षक", ["क्ष", "क"]),
        (["Join", "e"], "Joined", ["Joined"]),
        (["a"], "", []),
    ],
    ids=["letters", "shortest-first", "backtrack", "first-found", "conjunct", "special", "empty"],
)
def test_encode_takes_the_shortest_pieces_that_work(texts, text, split):
    charset = unichars(*texts)
    assert [charset.unichar(i) for i in charset.encode(text)] == split


def test_cleanup_comes_first_even_if_the_set_holds_the_ligature():
    assert Unicharset.cleanup("ﬁﬂ\u0640ﬀ") == "fiflﬀ"
    charset = unichars("f", "i", "ﬁ")
    assert charset.encode("ﬁ") == charset.encode("fi")
    with pytest.raises(UnencodableError) as caught:
        unichars("ﬁ", "a").encode("aﬁ")
    assert (caught.value.text, caught.value.cleaned, caught.value.position) == ("aﬁ", "afi", 1)


@pytest.mark.parametrize(
    ("text", "position", "name"),
    [
        ("ab\u200bc", 2, "U+200B ZERO WIDTH SPACE"),
        ("x", 0, "U+0078 LATIN SMALL LETTER X"),
        ("aabb", 3, "U+0062 LATIN SMALL LETTER B"),
        ("ab\x00", 2, "U+0000 without a name"),
        ("ab\udcff", 2, "byte 0xff, which is not valid UTF-8"),
        ("ab\ud800", 2, "U+D800"),
    ],
    ids=["invisible", "first", "furthest", "nul", "not-utf8", "surrogate"],
)
def test_encode_names_what_it_cannot_get_past(text, position, name):
    with pytest.raises(UnencodableError) as caught:
        unichars("a", "ab", "aa", "c").encode(text)
    assert (caught.value.position, caught.value.character) == (position, text[position])
    assert name in str(caught.value)
    assert f"at character {position + 1} of" in str(caught.value)
    assert caught.value.log("eng")


def test_a_long_text_is_quoted_in_part():
    with pytest.raises(UnencodableError) as caught:
        unichars("a").encode("a" * 200 + "b" + "a" * 200)
    assert "'..." in str(caught.value)
    assert len(str(caught.value)) < 300


def test_hostile_text_takes_no_more_than_linear_time():
    charset = unichars("a", "aa", "aaa", "aaaa")
    start = time.perf_counter()
    with pytest.raises(UnencodableError) as caught:
        charset.encode("a" * 20_000 + "b")
    assert caught.value.position == 20_000
    assert time.perf_counter() - start < 5


def all_splits(pieces: set[str], text: str):
    """Every way to split a text, depth first with shorter pieces first."""
    if not text:
        yield []
    for end in range(1, len(text) + 1):
        if text[:end] in pieces:
            yield from ([text[:end], *rest] for rest in all_splits(pieces, text[end:]))


@given(st.sets(st.text("abc", min_size=1, max_size=4), min_size=1), st.text("abc", max_size=10))
def test_encode_finds_the_first_of_all_splits(pieces, text):
    charset = unichars(*sorted(pieces))
    expected = next(all_splits(pieces, text), None)
    try:
        found = [charset.unichar(i) for i in charset.encode(text)]
    except UnencodableError:
        found = None
    assert found == expected


def test_a_set_without_a_space_is_refused():
    with pytest.raises(CharsetError, match="empty"):
        Unicharset(UnicharsetTable(()))
    with pytest.raises(CharsetError, match="unichar 0 is 'a'"):
        Unicharset(UnicharsetTable((UnicharRow("a", 0),)))


@pytest.mark.parametrize("language", ["eng", "fra", "deu", "jpn", "chi_sim", "ara", "mar"])
def test_every_unichar_of_a_real_set_encodes(language):
    data = helpers.testdata("tesseract-test", f"{language}.unicharset").read_bytes()
    charset = Unicharset.unpack(data)
    for i in range(3, len(charset)):
        text = charset.unichar(i)
        if text == charset.cleanup(text):
            assert "".join(charset.unichar(j) for j in charset.encode(text)) == text
