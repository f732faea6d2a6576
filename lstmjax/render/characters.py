"""Properties of characters for the layout: script, width, whether it is a space.

Source: Unicode Standard Annexes 24, 29 and 50.
"""

import unicodedata
from bisect import bisect_right
from functools import lru_cache

from fontTools import unicodedata as scripts

WHITE_SPACE = frozenset(
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
"""Characters with the property White_Space."""

_ZERO_WIDTH = frozenset("\xad\u034f\u2028\ufeff") | {
    chr(code)
    for first, last in ((0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x2063), (0x2066, 0x2069))
    for code in range(first, last + 1)
}
# First characters of runs that stand upright in vertical text, and the characters after those runs.
_UPRIGHT = (
    0xA7, 0xA8, 0xA9, 0xAA, 0xAE, 0xAF, 0xB1, 0xB2, 0xBC, 0xBF, 0xD7, 0xD8, 0xF7, 0xF8,
    0x2EA, 0x2EC, 0x1100, 0x1200, 0x1401, 0x1680, 0x18B0, 0x1900, 0x2016, 0x2017, 0x2020, 0x2022,
    0x2030, 0x2032, 0x203B, 0x203D, 0x2042, 0x2043, 0x2047, 0x204A, 0x2051, 0x2052, 0x20DD, 0x20E1,
    0x20E2, 0x20E5, 0x2100, 0x2102, 0x2103, 0x210A, 0x210F, 0x2110, 0x2113, 0x2115, 0x2116, 0x2118,
    0x211E, 0x2124, 0x2125, 0x2126, 0x2127, 0x2128, 0x2129, 0x212A, 0x212E, 0x212F, 0x2135, 0x2140,
    0x2145, 0x214B, 0x214C, 0x214E, 0x214F, 0x218A, 0x218C, 0x2190, 0x221E, 0x221F, 0x2234, 0x2236,
    0x2300, 0x2308, 0x230C, 0x2320, 0x2324, 0x2329, 0x232B, 0x232C, 0x237D, 0x239B, 0x23BE, 0x23CE,
    0x23CF, 0x23D0, 0x23D1, 0x23DC, 0x23E2, 0x2423, 0x2424, 0x2500, 0x25A0, 0x261A, 0x2620, 0x2768,
    0x2776, 0x2794, 0x2B12, 0x2B30, 0x2B50, 0x2B5A, 0x2BB8, 0x2BD2, 0x2BD3, 0x2BEC, 0x2BF0, 0x2C00,
    0x2E80, 0x3008, 0x3012, 0x3014, 0x3020, 0x3030, 0x3031, 0x30A0, 0x30A1, 0x30FC, 0x30FD, 0xA4D0,
    0xA960, 0xA980, 0xAC00, 0xD800, 0xE000, 0xFB00, 0xFE10, 0xFE20, 0xFE30, 0xFE49, 0xFE50, 0xFE58,
    0xFE5F, 0xFE63, 0xFE67, 0xFE70, 0xFF01, 0xFF08, 0xFF0A, 0xFF0D, 0xFF0E, 0xFF1A, 0xFF1F, 0xFF3B,
    0xFF3C, 0xFF3D, 0xFF3E, 0xFF3F, 0xFF40, 0xFF5B, 0xFFE0, 0xFFE3, 0xFFE4, 0xFFE8, 0xFFF0, 0xFFF9,
    0xFFFC, 0xFFFE, 0x10980, 0x109A0, 0x11580, 0x11600, 0x11A00, 0x11AB0, 0x13000, 0x13430,
    0x14400, 0x14680, 0x16FE0, 0x18B00, 0x1B000, 0x1B130, 0x1B170, 0x1B300, 0x1D000, 0x1D200,
    0x1D2E0, 0x1D380, 0x1D800, 0x1DAB0, 0x1F000, 0x1F800, 0x1F900, 0x1FA70, 0x20000, 0x2FFFE,
    0x30000, 0x3FFFE, 0xF0000, 0xFFFFE, 0x100000, 0x10FFFE,
)  # fmt: skip
_VISIBLE_FORMATS = frozenset([*range(0x600, 0x700), 0x70F, 0x8E2])


@lru_cache(maxsize=65536)
def script(character: str) -> str:
    """The ISO 15924 tag of a character's script, "Zyyy" for common characters."""
    return scripts.script(character)


@lru_cache(maxsize=65536)
def is_upright(character: str) -> bool:
    """Whether a character stands upright in a vertical line of Chinese text."""
    return bool(bisect_right(_UPRIGHT, ord(character)) & 1)


def is_zero_width(character: str) -> bool:
    """Whether a character is a control that no font needs to have."""
    return character in _ZERO_WIDTH


@lru_cache(maxsize=65536)
def takes_any_font(character: str) -> bool:
    """Whether a character needs no font of its own: spaces, controls, variation selectors."""
    category = unicodedata.category(character)
    if category in ("Cc", "Cs", "Zl", "Zp"):
        return True
    code = ord(character)
    if category == "Cf":
        return code not in _VISIBLE_FORMATS
    if category == "Zs":
        return code != 0x1680
    return 0xFE00 <= code <= 0xFE0F or 0xE0100 <= code <= 0xE01EF


@lru_cache(maxsize=65536)
def joins_the_one_before(character: str) -> bool:
    """Whether a character belongs to the grapheme before it: marks, joiners, skin tones."""
    code = ord(character)
    if unicodedata.category(character) in ("Mn", "Me", "Mc"):
        return True
    return (
        code in (0x200C, 0x200D)
        or 0xFF9E <= code <= 0xFF9F
        or 0x1F3FB <= code <= 0x1F3FF
        or 0xE0020 <= code <= 0xE00FF
    )


def words(text: str) -> list[tuple[int, int]]:
    """Begin and end of each word of a text; White_Space separates words."""
    spans, start = [], -1
    for i, character in enumerate(text):
        if character in WHITE_SPACE:
            if start >= 0:
                spans.append((start, i))
            start = -1
        elif start < 0:
            start = i
    if start >= 0:
        spans.append((start, len(text)))
    return spans
