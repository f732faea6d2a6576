"""Wrapping with a font whose characters are all equally wide, against Python's own wrapping."""

import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstmjax.render.face import EMPTY, UNITS, Face, GlyphRun
from lstmjax.render.itemize import itemize
from lstmjax.render.line_break import find_breaks
from lstmjax.render.style import LayoutStyle
from lstmjax.render.wrap import Wrapper

PIXELS = 10


class Mono(Face):
    """Ten pixels for each character, from left to right."""

    def __init__(self):
        pass

    def shape(self, text, start, length, **_options):
        places = list(range(start, start + length))
        codes = [ord(text[i]) for i in places]
        widths = [PIXELS * UNITS] * length
        return GlyphRun(codes, places, widths, [0] * length, [0] * length)


class Line:
    """A wrapped line: its characters, and its width in characters."""

    def __init__(self, text, pieces):
        self.text = "".join(text[item.start : item.start + item.length] for item, _ in pieces)
        self.glyphs = [glyphs for _, glyphs in pieces]
        self.width = sum(glyphs.width for _, glyphs in pieces) / (PIXELS * UNITS)


def wrap(text: str, characters: int, letter_spacing: int = 0) -> list[Line]:
    face = Mono()
    style = LayoutStyle(face, characters * PIXELS, letter_spacing=letter_spacing)
    items = itemize(text, 0, [0] * len(text), lambda _: face)
    wrapper = Wrapper(
        text, find_breaks(text), items, style,
        lambda text, item: face.shape(text, item.start, item.length),
    )  # fmt: skip
    lines = list(wrapper.lines())
    starts = [start for start, _ in lines]
    assert starts == sorted(set(starts))
    return [Line(text, pieces) for _, pieces in lines]


WORDS = st.lists(st.text(st.sampled_from("abcde"), min_size=1, max_size=9), min_size=1, max_size=30)


@given(WORDS, st.integers(9, 30))
def test_words_are_wrapped_as_by_python(words, width):
    found = [line.text.rstrip(" ") for line in wrap(" ".join(words), width)]
    assert found == textwrap.wrap(" ".join(words), width)


@given(
    st.text(st.sampled_from("aaab  -\t\u2028яж今한"), min_size=1, max_size=60), st.integers(1, 25)
)
def test_no_character_is_lost_and_lines_fit(text, width):
    lines = wrap(text, width)
    assert "".join(line.text for line in lines) == text
    for line in lines:
        short = len(line.text.rstrip(" ")) < 2 or "\t" in line.text
        assert short or line.width <= width or line.text.endswith("  ")


def test_the_space_at_which_a_line_wraps_has_no_width():
    first, second = wrap("abc defg", 5)
    assert (first.text, first.width) == ("abc ", 3)
    assert first.glyphs[-1].glyphs[-1] == EMPTY
    assert (second.text, second.width) == ("defg", 4)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("abcdefghijklm", ["abcde", "fghij", "klm"]),
        ("a bcdefghijk", ["a ", "bcdef", "ghijk"]),
        ("ab-cdef", ["ab-", "cdef"]),
        ("abcde\u0301fg", ["abcd", "e\u0301fg"]),
        ("ab\u2028cd", ["ab\u2028", "cd"]),
        ("今天今天今天今", ["今天今天今", "天今"]),
        ("ab жзи", ["ab ", "жзи"]),
        ("abcжз", ["abcжз"]),
    ],
)
def test_places_of_breaks(text, expected):
    assert [line.text for line in wrap(text, 5)] == expected


def test_lines_go_back_to_the_last_break_in_an_earlier_item():
    """No break lies between the scripts, so the word before moves along."""
    assert [line.text for line in wrap("aa bbжжж", 6)] == ["aa ", "bbжжж"]


@pytest.mark.parametrize("before", [0, 1, 7, 8, 9, 20])
def test_tabs_end_at_multiples_of_eight_spaces(before):
    (line,) = wrap("a" * before + "\tb", 100)
    assert line.width == (before // 8 + 1) * 8 + 1


def test_letter_spacing_is_added_to_each_grapheme():
    plain, spaced = wrap("abcd", 100), wrap("abcd", 100, letter_spacing=3)
    assert spaced[0].width - plain[0].width == pytest.approx(4 * 3 / PIXELS)
    assert len(wrap("abcd", 5, letter_spacing=5)) == 2
