"""Every reason for leaving out a line, once, with its message."""

import numpy as np
import pytest

from lstmjax.charset.failures import BlankTextError, EmptyTextError, UnencodableError
from lstmjax.data.image import InputShape
from lstmjax.data.lines import Line
from lstmjax.data.skips import Geometry, Skip, SkipReason, classify, named, printable


class Letters:
    """A codec for lower-case letters and spaces."""

    def encode(self, text):
        if not text:
            raise EmptyTextError
        if text.isspace():
            raise BlankTextError(text)
        for i, character in enumerate(text):
            if not (character == " " or "a" <= character <= "z"):
                raise UnencodableError(text, text, i)
        return np.array([ord(c) for c in text], np.int32)

    def min_timesteps(self, codes):
        return len(codes) + int(np.sum(codes[1:] == codes[:-1]))


GEOMETRY = Geometry(InputShape(32, 0, 1), 3, lambda width: width // 3)


def line(text="some text", width=100, height=64):
    return Line(0, "list.lstmf", 4, "list.lstmf", -1, width, height, False, True, text)


def test_good_lines_give_their_codes():
    codes = classify(line("abc"), Letters(), GEOMETRY)
    assert isinstance(codes, np.ndarray)
    assert codes.tolist() == [97, 98, 99]


@pytest.mark.parametrize(
    ("bad", "reason", "detail"),
    [
        (line(""), SkipReason.EMPTY_TEXT, "empty text"),
        (line("  "), SkipReason.BLANK_TEXT, "blank text"),
        (
            line("naß"),
            SkipReason.UNENCODABLE,
            "'ß' U+00DF LATIN SMALL LETTER SHARP S at character 3 of the text",
        ),
        (line("a" * 9, 96), SkipReason.TOO_LONG, "9 codes need 17 time steps, the image has 16"),
        (line(width=4), SkipReason.TOO_SMALL, "2 x 32 pixels after scaling, expected 3 a side"),
        (line(width=9000), SkipReason.TOO_LARGE, "4500 x 32 pixels after scaling"),
        (line(width=0), SkipReason.UNDECODABLE, "the image has no readable header"),
    ],
    ids=lambda value: value.name if isinstance(value, SkipReason) else "",
)
def test_every_bad_line_has_its_reason(bad, reason, detail):
    skip = classify(bad, Letters(), GEOMETRY)
    assert isinstance(skip, Skip)
    assert (skip.reason, skip.detail) == (reason, detail)
    message = skip.message(bad)
    assert message == f"list.lstmf: page 4: skipped: {detail}. {reason.value}"


def test_failures_of_the_codec_are_kept():
    skip = classify(line("!"), Letters(), GEOMETRY)
    assert isinstance(skip, Skip)
    assert isinstance(skip.error, UnencodableError)


def test_a_fixed_width_decides_the_time_steps():
    fixed = Geometry(InputShape(32, 30, 1), 3, lambda width: width // 3)
    assert isinstance(classify(line("abcdefghij"), Letters(), fixed), np.ndarray)
    skip = classify(line("abcdefghijk"), Letters(), fixed)
    assert isinstance(skip, Skip)
    assert skip.reason is SkipReason.TOO_LONG


@pytest.mark.parametrize(
    ("character", "name"),
    [
        ("a", "'a' U+0061 LATIN SMALL LETTER A"),
        ("\x07", "U+0007 without a name"),
        ("\udce9", "U+DCE9 without a name"),
    ],
)
def test_characters_are_named(character, name):
    assert named(character) == name


def test_names_cannot_act_on_a_terminal():
    assert printable("a\x1b[2J\n\udce9é") == "a\\x1b[2J\\n\\udce9é"
