"""Spacing: bearings and kerning that boxes of known places must give."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstmjax.render.clusters import CharBox
from lstmjax.render.face import Face, Glyph
from lstmjax.render.spacing import Spacing, _measure_page, show

ADVANCE, INK = 20, 12


class Ruler(Face):
    """Letters 12 pixels wide with 3 before and 5 after; no glyph for "?"."""

    def __init__(self):
        pass

    def glyph_of(self, character):
        return 0 if character == "?" else ord(character)

    def glyph(self, number):
        return Glyph((3, -10, INK, 10), 3, -10, None)  # type: ignore[arg-type]

    def advance(self, number):
        return ADVANCE


def pair(one, other, gap, x=0):
    return [CharBox(one, (x, 0, INK, 10), 0), CharBox(other, (x + INK + gap, 0, INK, 10), 0)]


def measured(*boxes):
    found = {}
    _measure_page(list(boxes), Ruler(), found)
    return found


def test_bearings_are_those_of_the_font():
    found = measured(*pair("a", "b", 8))
    assert found == {"a": Spacing(3, 5), "b": Spacing(3, 5)}


@given(st.integers(-5, 20))
def test_a_pair_is_kept_if_its_space_is_not_the_sum(gap):
    found = measured(*pair("a", "b", gap))
    assert found["a"].pairs == ({} if gap == 8 else {"b": gap})


def test_spaces_separate_bigrams():
    space = CharBox(" ", None, 0)
    found = measured(space, *pair("a", "b", 8), space, space, *pair("c", "d", 2, x=100))
    assert list(found) == ["a", "b", "c", "d"]
    assert found["c"].pairs == {"d": 2}


def test_only_new_characters_make_a_pair():
    space = CharBox(" ", None, 0)
    found = measured(*pair("a", "b", 8), space, *pair("a", "c", 2))
    assert found["a"].pairs == {}
    assert "c" in found


def test_characters_without_a_glyph_are_left_out():
    assert list(measured(*pair("a", "?", 2))) == ["a"]


@pytest.mark.parametrize(
    ("found", "text"),
    [
        ({}, "0\n"),
        ({"b": Spacing(1, 2), "a": Spacing(-1, 0)}, "2\na -1 0 0\nb 1 2 0\n"),
        ({"a": Spacing(1, 2, {"я": 4, "b": 3})}, "1\na 1 2 2 b 3 я 4\n"),
    ],
)
def test_files(found, text):
    assert show(found) == text
