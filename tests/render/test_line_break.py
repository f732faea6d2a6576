"""Line breaks: examples from Unicode Standard Annex 14 and properties."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstmjax.render.line_break import find_breaks
from lstmjax.render.line_classes import line_class

CASES = {
    "words": ("a bc d", "a |bc |d"),
    "hyphen": ("well-known fact", "well-|known |fact"),
    "number": ("1,234.50 km", "1,234.50 |km"),
    "minus": ("a -5 b", "a |-5 |b"),
    "price": ("$5 £7 9€", "$5 |£7 |9€"),
    "bracket": ("see (no. 7) here", "see |(no. |7) |here"),
    "quotes": ('say "well" now', 'say |"well" |now'),
    "no-break space": ("a\u00a0b c", "a\u00a0b |c"),
    "word joiner": ("a-\u2060b", "a-\u2060b"),
    "zero width space": ("ab\u200bcd", "ab\u200b|cd"),
    "han": ("今天，天气（好）。", "今|天，|天|气|（好）。"),
    "kana": ("カード", "カー|ド"),
    "hangul": ("한국어 말", "한|국|어 |말"),
    "hebrew hyphen": ("אב-גד הו", "אב-גד |הו"),
    "marks": ("a\u0301 b", "a\u0301 |b"),
    "slash": ("and/or", "and/|or"),
    "dashes": ("a — b", "a |— |b"),
    "ellipsis": ("wait… now", "wait… |now"),
}


@pytest.mark.parametrize(("text", "expected"), CASES.values(), ids=list(CASES))
def test_examples(text, expected):
    breaks = find_breaks(text).line
    shown = "".join(("|" if breaks[i] and i else "") + c for i, c in enumerate(text))
    assert shown == expected


@pytest.mark.parametrize(
    ("character", "name"),
    [("a", "AL"), ("א", "HL"), ("7", "NU"), ("今", "ID"), ("(", "OP"), (")", "CP"), ("，", "CL"),
     ("ー", "CJ"), ("ก", "SA"), ("\u200d", "ZWJ"), ("\n", "LF"), ("\u0301", "CM"), ("«", "QU")],
)  # fmt: skip
def test_classes(character, name):
    assert line_class(character) == name


@given(st.text(max_size=60))
def test_any_text_has_breaks_at_its_end_and_none_before_spaces(text):
    breaks = find_breaks(text)
    assert len(breaks.line) == len(breaks.inside) == len(text) + 1 == len(breaks.white) + 1
    assert breaks.line[-1]
    assert breaks.inside[-1]
    for i, character in enumerate(text):
        if character == " " and i and text[i - 1] not in "\n\r\x0b\x0c\x85\u2028\u2029":
            assert not breaks.line[i]
