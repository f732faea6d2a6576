"""Properties of single characters, as Tesseract gets them from ICU.

Python's `unicodedata` has categories, combining and bidirectional classes and NFC, but neither
scripts nor the partners of mirrored characters: these come from `fontTools.unicodedata` (pure
Python, and needed by matplotlib anyhow; PyICU has no wheels). For every character assigned in
Unicode 14 the answers are those of ICU 72; tests compare them. Characters newer than the tables
of this Python count as unassigned: no letters, with the direction of their block.
"""

import unicodedata
from functools import cache

from fontTools import unicodedata as tables

VIRAMA_CLASS = 9
"""Canonical combining class of the signs that Unicode calls grapheme links."""

ZWNJ, ZWJ = "\u200c", "\u200d"

_DIRECTIONS = (
    "L", "R", "EN", "ES", "ET", "AN", "CS", "B", "S", "WS", "ON", "LRE", "LRO", "AL", "RLE",
    "RLO", "PDF", "NSM", "BN", "FSI", "LRI", "RLI", "PDI",
)  # fmt: skip
_DIRECTION_NUMBERS = {name: number for number, name in enumerate(_DIRECTIONS)}
_UNASSIGNED_DIRECTIONS = (
    (0x590, 0x5FF, "R"), (0x600, 0x7BF, "AL"), (0x7C0, 0x85F, "R"), (0x860, 0x8FF, "AL"),
    (0x2065, 0x2065, "BN"), (0x20A0, 0x20CF, "ET"), (0xFB1D, 0xFB4F, "R"),
    (0xFDD0, 0xFDEF, "BN"), (0xFB50, 0xFDFF, "AL"), (0xFE70, 0xFEFF, "AL"),
    (0xFFF0, 0xFFF8, "BN"), (0x10D00, 0x10D3F, "AL"), (0x10EC0, 0x10EFF, "AL"),
    (0x10F30, 0x10F6F, "AL"), (0x10800, 0x10FFF, "R"), (0x1EC70, 0x1ECBF, "AL"),
    (0x1ED00, 0x1ED4F, "AL"), (0x1EE00, 0x1EEFF, "AL"), (0x1E800, 0x1EFFF, "R"),
    (0xE0000, 0xE0FFF, "BN"),
)  # fmt: skip
"""Directions of unassigned code points, by block; the first match counts, otherwise L.

No library has them. They are from the `@missing` lines of the Unicode file DerivedBidiClass.txt.
"""
_NO_WHITE_SPACE = frozenset("\x1c\x1d\x1e\x1f")  # although str.isspace says they are
_MIRROR_SINCE_16 = frozenset("\u221d")  # got a partner after ICU 72


def is_letter(char: str) -> bool:
    """Whether the general category is L*."""
    return unicodedata.category(char)[0] == "L"


def is_mark(char: str) -> bool:
    """Whether the general category is Mn, Mc or Me."""
    return unicodedata.category(char)[0] == "M"


def is_grapheme_link(char: str) -> bool:
    """Whether the character is a virama that joins letters."""
    return unicodedata.combining(char) == VIRAMA_CLASS


def is_white_space(char: str) -> bool:
    """Whether the character has the property White_Space."""
    return char.isspace() and char not in _NO_WHITE_SPACE


def direction(char: str) -> int:
    """Return the number of the bidirectional class, as unicharset files have it."""
    return _DIRECTION_NUMBERS[unicodedata.bidirectional(char) or _unassigned_direction(ord(char))]


def _unassigned_direction(code: int) -> str:
    if code & 0xFFFE == 0xFFFE:  # a noncharacter: the last two of every plane
        return "BN"
    blocks = (name for first, last, name in _UNASSIGNED_DIRECTIONS if first <= code <= last)
    return next(blocks, "L")


@cache
def script(char: str) -> str:
    """Return the long name of the script, such as `Latin`, `Common` or `Old_Italic`."""
    return tables.script_name(tables.script(char)).replace(" ", "_")


def mirrored(char: str) -> str:
    """Return the character with the mirrored glyph, or the character itself if there is none."""
    partner = None if char in _MIRROR_SINCE_16 else tables.mirrored(ord(char))
    return char if partner is None else chr(partner)


def simple_upper(char: str) -> str:
    """Return the upper case if that is a single character, otherwise the character itself.

    Where the full upper case takes several characters, as with the Greek iota subscript, the
    simple upper case is the title case.
    """
    for other in (char.upper(), char.title()):
        if len(other) == 1:
            return other
    return char


def simple_lower(char: str) -> str:
    """Return the lower case, without the combining dot that a dotted capital I leaves behind."""
    return char.lower()[0]


def describe(char: str) -> str:
    """Return `U+0041 LATIN CAPITAL LETTER A`, or the value of a byte that is not valid UTF-8."""
    if "\udc80" <= char <= "\udcff":  # how `formats.stream.to_text` keeps invalid bytes
        return f"byte {ord(char) - 0xDC00:#04x}, not valid UTF-8"
    name = unicodedata.name(char, None) or f"category {unicodedata.category(char)}"
    return f"U+{ord(char):04X} {name}"
