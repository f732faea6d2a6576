"""Line breaking: the rules of Unicode as Pango applies them.

Thai, Lao, Khmer and Burmese are broken at spaces only, as other breaks need a dictionary.
Source: Unicode Standard Annex 14, rules LB1 to LB31, with the numbers of its example 7.
"""

import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from lstmjax.render.characters import joins_the_one_before
from lstmjax.render.line_classes import line_class

_LETTERS = ("AL", "HL")
_MARKS = ("CM", "ZWJ")
_CLOSERS = ("CL", "CP")
_HANGUL = ("JL", "JV", "JT", "H2")
_NUMBER_PARTS = ("NU", "SY", "IS")
_NO_BASE = ("", "BK", "CR", "LF", "NL", "SP", "ZW")
_LINE_ENDS = ("BK", "CR", "LF", "NL")


@dataclass(frozen=True)
class Breaks:
    """Break opportunities before each character of a text, and after the last.

    Attributes:
      line: [n + 1] whether a line may end here.
      inside: [n + 1] whether a line may end here if nothing else helps: between graphemes.
      white: [n] whether the character is a space that vanishes at the end of a line.
    """

    line: list[bool]
    inside: list[bool]
    white: list[bool]


@lru_cache(maxsize=65536)
def _class_of(character: str) -> str:
    """The class after rule LB1, which resolves the ambiguous ones."""
    name = line_class(character)
    if name == "SA":
        return "CM" if unicodedata.category(character) in ("Mn", "Mc") else "AL"
    return {"AI": "AL", "XX": "AL", "SG": "AL", "CJ": "NS"}.get(name, name)


@lru_cache(maxsize=65536)
def _is_white(character: str) -> bool:
    return unicodedata.category(character) in ("Zs", "Zl", "Zp") or character in "\t\n\r\f"


@lru_cache(maxsize=65536)
def _is_wide(character: str) -> bool:
    return unicodedata.east_asian_width(character) in "FWH"


def find_breaks(text: str) -> Breaks:
    """Find the break opportunities of a paragraph.

    Args:
      text: the paragraph, with the characters that end it, if any.
    """
    size = len(text)
    line, inside = [False] * (size + 1), [False] * (size + 1)
    classes = [_class_of(c) for c in text]
    # State before a character: classes of the two characters before it (without marks, and a row
    # of spaces counts as one), and whether they are part of a number ("N", or "C" after its
    # closing bracket).
    before, last, number = "", "", ""
    regional = 0  # regional indicators in a row up to here, two of which are a flag
    for i, (character, now) in enumerate(zip(text, classes, strict=True)):
        regional = regional + 1 if now == "RI" else 0
        boundary = _starts_grapheme(text, classes, i, regional)
        row = before if last == "SP" else last  # the class before any spaces
        following = classes[i + 1] if i + 1 < size else ""
        if boundary or now in ("CM", "ZWJ", "RI", "EM") or now in _HANGUL:
            inside[i] = boundary
            wide = (_is_wide(text[i - 1]) if last == "CP" and i else False) or (
                now == "OP" and _is_wide(character)
            )
            line[i] = _may_break(
                before, last, row, now, following == "NU", number, wide,
                i > 0 and text[i - 1] == "\u200d", now == "RI" and regional % 2 == 0,
            )  # fmt: skip
            number = _number_after(number, now)
        before, last = _advance(before, last, now)
    line[size] = inside[size] = True
    return Breaks(line, inside, [_is_white(c) for c in text])


def _starts_grapheme(text: str, classes: list[str], i: int, regional: int) -> bool:
    """Whether a grapheme begins at a character (Unicode Standard Annex 29, rules GB1 to GB13)."""
    if i == 0:
        return True
    character, now, last = text[i], classes[i], classes[i - 1]
    if character == "\n" and text[i - 1] == "\r":
        return False
    if classes[i - 1] in _LINE_ENDS:
        return True
    if joins_the_one_before(character):
        return False
    if now == "RI":
        return regional % 2 == 1
    if now in ("JL", "JV", "JT", "H2"):
        return not (
            (last == "JL" and now in ("JL", "JV", "H2"))
            or (last in ("JV", "H2") and now in ("JV", "JT"))
            or (last == "JT" and now == "JT")
        )
    return not (text[i - 1] == "\u200d" and classes[i] in ("ID", "EB", "EM") and i > 1)


def _advance(before: str, last: str, now: str) -> tuple[str, str]:
    """The classes of the two characters before the next one."""
    if now == "SP":
        return (before, last) if last == "SP" else (last, now)
    if now in _MARKS:
        return (before, "AL") if last in _NO_BASE else (before, last)
    return last, now


def _number_after(number: str, now: str) -> str:
    """The state of a number after a character; see `find_breaks`."""
    if now in _MARKS:
        return number
    if now in _NUMBER_PARTS:
        return number if number == "N" else ("N" if now == "NU" else "")
    if now in _CLOSERS:
        return "C" if number == "N" else ""
    return ""


@lru_cache(maxsize=65536)
def _may_break(
    before: str, last: str, row: str, now: str, number_follows: bool, number: str, wide: bool,
    joined: bool, second_flag: bool,
) -> bool:  # fmt: skip
    """Decide on one place; the first rule that applies decides.

    Args:
      before: class of the character before the last.
      last: class of the character before this place, without marks.
      row: class of the character before this place, without marks and spaces.
      now: class of the character after this place.
      number_follows: whether the character after that is a digit.
      number: state of the number that may end here.
      wide: whether the bracket next to this place is East Asian.
      joined: whether a zero width joiner is before this place.
      second_flag: whether the two halves of a flag would be separated.
    """
    if last in _LINE_ENDS:  # LB4, LB5
        return not (last == "CR" and now == "LF")
    if now in _LINE_ENDS or now in ("SP", "ZW") or joined:  # LB6, LB7, LB8a
        return False
    if row == "ZW":  # LB8
        return True
    if now in _MARKS and last not in _NO_BASE:  # LB9
        return False
    # LB11, LB12, LB12a
    if "WJ" in (last, now) or last == "GL" or (now == "GL" and last not in ("SP", "BA", "HY")):
        return False
    if now == "EX" or (now in ("CL", "CP", "IS", "SY") and last != "NU"):  # LB13
        return False
    if (
        row == "OP"  # LB14
        or (row == "QU" and now == "OP")  # LB15
        or (row in _CLOSERS and now == "NS")  # LB16
        or (row == "B2" and now == "B2")  # LB17
    ):
        return False
    if last == "SP":  # LB18
        return True
    if "QU" in (last, now):  # LB19
        return False
    if "CB" in (last, now):  # LB20
        return True
    return not _kept_together(before, last or "AL", now, number_follows, number, wide, second_flag)


def _kept_together(
    before: str, last: str, now: str, number_follows: bool, number: str, wide: bool,
    second_flag: bool,
) -> bool:  # fmt: skip
    """Rules LB21 to LB30b: pairs without a space between them that stay together."""
    if now in ("BA", "HY", "NS", "IN") or last == "BB":  # LB21, LB22
        return True
    # LB21a, LB21b
    if (before == "HL" and last in ("HY", "BA")) or (last == "SY" and now == "HL"):
        return True
    # LB23, LB24, LB28, LB29
    if (last in _LETTERS and now in ("NU", "PR", "PO", *_LETTERS)) or (
        now in _LETTERS and last in ("NU", "PR", "PO", "IS")
    ):
        return True
    # LB23a
    if (last == "PR" and now in ("ID", "EB", "EM")) or (last in ("ID", "EB", "EM") and now == "PO"):
        return True
    return (
        _within_number(last, now, number_follows, number)
        or _within_syllable(last, now)
        or (last in (*_LETTERS, "NU") and now == "OP" and not wide)  # LB30
        or (last == "CP" and now in (*_LETTERS, "NU") and not wide)
        or second_flag  # LB30a
        or (last == "EB" and now == "EM")  # LB30b
    )


def _within_number(last: str, now: str, number_follows: bool, number: str) -> bool:
    """Rule LB25."""
    return (
        (last in ("PR", "PO", "OP", "HY") and now == "NU")
        or (last in ("PR", "PO") and now in ("OP", "HY") and number_follows)
        or (last == "NU" and now in _NUMBER_PARTS)
        or (number == "N" and now in (*_NUMBER_PARTS, *_CLOSERS))
        or (number in ("N", "C") and now in ("PO", "PR"))
    )


def _within_syllable(last: str, now: str) -> bool:
    """Rules LB26 and LB27."""
    return (
        (last in _HANGUL and now == "PO")
        or (last == "PR" and now in _HANGUL)
        or (last == "JL" and now in ("JL", "JV", "H2"))
        or (last in ("JV", "H2") and now in ("JV", "JT"))
        or (last in ("JT", "H2") and now == "JT")
    )
