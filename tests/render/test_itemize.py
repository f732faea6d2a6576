"""Items: one script, one level and one face each; together they are the paragraph."""

import pytest
from fontTools import unicodedata as tables
from hypothesis import given
from hypothesis import strategies as st

from lstmjax.render.bidi import embedding_levels
from lstmjax.render.itemize import itemize

FACE, OTHER = object(), object()
TEXTS = st.text(st.sampled_from("ab яж אבגم12 ,.()[]«»\u0301\u200d\u2028\t今한ア"), max_size=40)


def items_of(text, levels=None, face_for=lambda _: FACE):
    """Text and script of each item."""
    items = itemize(text, 0, levels or [0] * len(text), face_for)
    return [(text[one.start : one.start + one.length], one.script) for one in items]


@given(TEXTS.filter(bool), st.integers(0, 50))
def test_items_are_the_paragraph_in_order(text, start):
    levels = embedding_levels(text, "L")
    place = start
    for item in itemize(text, start, levels, lambda _: FACE):
        assert item.start == place
        assert item.length > 0
        here = slice(place - start, place - start + item.length)
        assert set(levels[here]) == {item.level}
        scripts = {tables.script(c) for c in text[here]} - {"Zyyy", "Zinh"}
        assert scripts <= {item.script}
        place += item.length
    assert place == start + len(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("abc", [("abc", "Latn")]),
        ("12, 3", [("12, 3", "Zyyy")]),
        ("12 abc 3", [("12 abc 3", "Latn")]),
        ("abc жзи", [("abc ", "Latn"), ("жзи", "Cyrl")]),
        ("e\u0301", [("e\u0301", "Latn")]),
        ("a (ж) c", [("a (", "Latn"), ("ж", "Cyrl"), (") c", "Latn")]),
        ("a «ж [b» c", [("a «", "Latn"), ("ж [", "Cyrl"), ("b» c", "Latn")]),
        ("(ж) a", [("(ж) ", "Cyrl"), ("a", "Latn")]),
        ("a\tb", [("a", "Latn"), ("\t", "Latn"), ("b", "Latn")]),
        ("a\u2028b", [("a", "Latn"), ("\u2028", "Latn"), ("b", "Latn")]),
    ],
)
def test_scripts(text, expected):
    assert items_of(text) == expected


def test_a_change_of_level_ends_an_item():
    assert items_of("abcd", [0, 0, 1, 1]) == [("ab", "Latn"), ("cd", "Latn")]


def test_faces_change_at_letters_but_not_at_spaces():
    found = items_of("ab x x cd", face_for=lambda c: OTHER if c == "x" else FACE)
    assert [text for text, _ in found] == ["ab ", "x x ", "cd"]
    items = itemize("ab x", 0, [0] * 4, lambda c: OTHER if c == "x" else FACE)
    assert [item.face for item in items] == [FACE, OTHER]


@pytest.mark.parametrize(
    ("text", "upright"),
    [("今天", [True]), ("ab", [False]), ("今a", [True, False]), ("今\u200db", [True, True])],
)
def test_characters_that_stand_in_vertical_lines(text, upright):
    items = itemize(text, 0, [0] * len(text), lambda _: FACE)
    assert [item.upright for item in items][:: len(items) - 1 or 1] == upright
