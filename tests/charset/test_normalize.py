import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstmjax.charset.normalize import fold, normalize, strip_joiners


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cafe\u0301", "café"),
        ("\u1112\u1161\u11ab", "한"),
        ("a\u200bb\u200ec\u200fd\ufffd", "abcd"),
        ("a\u200c\u200db", "a\u200c\u200db"),
        ("ﬁ", "ﬁ"),
        ("", ""),
    ],
    ids=["compose", "hangul", "zero-width", "joiners-stay", "ligature-stays", "empty"],
)
def test_normalize(text, expected):
    assert normalize(text) == expected


def test_fold_leaves_one_hyphen_and_two_quotes():
    assert fold("a–b—c‐d") == "a-b-c-d"
    assert fold("‘a’ `b′ 「") == "'a' 'b' '"
    assert fold("“a” ″ 〝") == '"a" " "'
    assert fold("‚a„ ⸗ 「」") == "‚a„ ⸗ '」"


def test_joiners_go_only_where_there_are_no_letters():
    assert strip_joiners("1\u200c2\u200d3") == "123"
    assert strip_joiners("1\u200ca") == "1\u200ca"


def test_what_a_zero_width_mark_held_apart_is_not_composed():
    assert normalize("a\u200b\u0301") == "a\u0301"


@given(st.text(st.characters(exclude_characters="\u200b\u200e\u200f\ufffd")))
def test_normalize_is_nfc(text):
    assert normalize(text) == unicodedata.normalize("NFC", text)
