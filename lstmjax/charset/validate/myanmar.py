"""Myanmar syllables: a letter and a fixed order of optional signs, each a part of its own.

    kinzi? letter (virama letter)? medials* vowels* signs* tone?

Releases after 5.3.0 know more tone marks and a sign after them; 5.3.0 is followed.
Source: Tesseract src/training/unicharset/validate_myanmar.cpp; Unicode, table 16-3.
"""

from collections.abc import Callable

from lstmjax.charset.characters import ZWJ, ZWNJ, script
from lstmjax.charset.validate.walk import Walk

MYANMAR = 0x1000

_KINZI = "\u1004\u103a\u1039"
_VIRAMA, _ASAT, _MEDIAL_YA = "\u1039", "\u103a", "\u103b"


def _characters(*ranges: int | tuple[int, int]) -> frozenset[str]:
    pairs = ((item, item) if isinstance(item, int) else item for item in ranges)
    return frozenset(chr(code) for first, last in pairs for code in range(first, last + 1))


_LETTERS = _characters(
    (0x1000, 0x102A), 0x103F, (0x104C, 0x1055), (0x105A, 0x105D), 0x1061, 0x1065, 0x1066,
    (0x106E, 0x1070), (0x1075, 0x1081), 0x108E, (0xA9E0, 0xA9E4), (0xA9E7, 0xA9EF),
    (0xA9FA, 0xA9FE), (0xAA60, 0xAA6F), (0xAA71, 0xAA73), 0xAA7A, 0xAA7E, 0xAA7F,
)  # fmt: skip
_SYMBOLS = _characters(
    (0x1040, 0x104F), (0x1090, 0x1099), 0x109E, 0x109F, (0xA9F0, 0xA9F9), 0xA9E6, 0xAA70,
    (0xAA74, 0xAA79),
)  # fmt: skip
_MEDIALS = "\u103a\u103b\u103c\u103d\u103e\u105e\u105f\u1060\u1081\u1031"
_VOWELS_I = _characters(0x102D, 0x102E, 0x1032)
_VOWELS_U = _characters(
    0x102F, 0x1030, (0x1056, 0x1059), 0x1062, 0x1067, 0x1068, (0x1071, 0x1074), (0x1083, 0x1086),
    0x109C, 0x109D,
)  # fmt: skip
_VOWELS_AA = "\u102b", "\u102c"
_SIGNS = "\u1036\u1037\u1038"
_TONES = _characters(
    0x1038, 0x103A, 0x1063, 0x1064, (0x1069, 0x106D), (0x1087, 0x108D), 0x108F, 0x109A, 0x109B,
    (0xAA7B, 0xAA7D),
)  # fmt: skip


def classify(_script: int) -> Callable[[str], str]:
    """Return the function from a character to its class: C letter, O anything that stands alone.

    The grammar does not tell signs apart by class: all of them get M.
    """
    return _classify_char


def _classify_char(char: str) -> str:
    foreign = script(char) != "Myanmar" and char not in (ZWJ, ZWNJ)
    if foreign or char in _SYMBOLS:
        return "O"
    return "C" if char in _LETTERS else "M"


def consume(walk: Walk) -> bool:
    """Take a syllable, or a character of no syllable."""
    if walk.kind() == "O":
        walk.take_part()
        return True
    if walk.text.startswith(_KINZI, walk.used):
        walk.take()
        walk.take()
        walk.take_part(3)
        if walk.at_end:
            return True
    if walk.char() not in _LETTERS:
        return walk.complain("Invalid start of Myanmar syllable", walk.char())
    walk.take_part()
    if walk.char() == _VIRAMA and walk.char(1) in _LETTERS:
        walk.take()
        walk.take_part(2)
    _signs(walk)
    return True


def _signs(walk: Walk) -> None:
    """Take the optional signs in their order."""
    for medial in _MEDIALS:
        if _take_any(walk, medial) and medial == _MEDIAL_YA:
            _take_any(walk, _ASAT)
    _take_any(walk, _VOWELS_I)
    _take_any(walk, _VOWELS_U)
    if _take_any(walk, _VOWELS_AA):
        _take_any(walk, _ASAT)
    for sign in _SIGNS:
        _take_any(walk, sign)
    _take_any(walk, _TONES)


def _take_any(walk: Walk, chars: str | tuple[str, ...] | frozenset[str]) -> bool:
    """Take the next character if it is one of these."""
    if walk.at_end or walk.char() not in chars:
        return False
    walk.take_part()
    return True
