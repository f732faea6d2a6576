import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstmjax.charset.builder import SPECIAL, UnicharIndex, too_long
from lstmjax.charset.unicharset import Unicharset
from lstmjax.formats.unicharset import UnicharRow, UnicharsetTable


def test_a_new_set_has_the_special_entries():
    assert UnicharIndex().unichars == [" ", "Joined", "|Broken|0|1"]
    assert UnicharIndex().find("Joined") == 1


def test_what_entries_can_spell_is_not_added():
    index = UnicharIndex()
    added = [index.add(text) for text in ("ab", "a", "b", "ba", "a", "abc", "c")]
    assert added == [True, True, True, False, False, True, True]
    assert index.unichars[3:] == ["ab", "a", "b", "abc", "c"]


def test_texts_are_cleaned():
    index = UnicharIndex()
    assert index.add("ﬁ")
    assert index.unichars[3:] == ["fi"]
    assert index.find("ﬁ") == 3
    assert not index.add("\u0640")
    assert index.add("ا\u0640")
    assert index.unichars[4:] == ["ا"]


@pytest.mark.parametrize("entries", [["ﬁ"], ["a\u0640"], ["f", "i", "fi"]])
def test_old_style_entries_end_the_cleaning(entries):
    index = UnicharIndex([*SPECIAL, *entries])
    assert index.old_style
    assert index.unichars[3:] == entries
    assert index.add("ﬂ")
    assert index.find("fl") is None


def test_encode_takes_text_as_it_is():
    assert UnicharIndex([" ", "f", "i"]).encode("ﬁ") is None
    assert UnicharIndex([" ", "ﬁ"]).encode("ﬁ") == (1,)


def test_hopeless_texts_take_little_time():
    assert UnicharIndex([" ", "a", "aa", "aaa", "aaaa"]).encode("a" * 5000 + "b") is None


@given(st.lists(st.text("abc", min_size=1, max_size=3), unique=True), st.text("abcd", max_size=8))
def test_splits_are_those_of_a_finished_unicharset(entries, text):
    index = UnicharIndex([" ", *entries])
    rows = tuple(UnicharRow(unichar, 0) for unichar in index.unichars)
    finished = Unicharset(UnicharsetTable(rows))
    try:
        expected = finished.encode(text)
    except Exception:
        expected = None
    assert index.encode(text) == expected


def test_too_long_counts_bytes():
    assert not too_long("ä" * 15)
    assert too_long("ä" * 15 + "b")
