"""Khmer syllables: C (R | N)? (H C R?)* ((Z | z)? M P?)? D? (H C)?

A piece of a matra (P) may stand for the matra. Parts of several characters are a virama with its
consonant, and a joiner with its matra.
Source: Tesseract src/training/unicharset/validate_khmer.cpp.
"""

from collections.abc import Callable

from lstmjax.charset.characters import ZWJ, ZWNJ
from lstmjax.charset.validate.walk import PAGE, Walk, is_vedic

KHMER = 0x1780

_CLASSES = "C" * 52 + "M" * 18 + "PDDNNDRDDDDDH" + "O" * 45


def classify(_script: int) -> Callable[[str], str]:
    """Return the function from a character to its class."""

    def classify_char(char: str) -> str:
        offset = ord(char) - KHMER
        if 0 <= offset < PAGE:
            return _CLASSES[offset]
        if char == ZWNJ:
            return "z"
        return "Z" if char == ZWJ else "v" if is_vedic(char) else "O"

    return classify_char


def consume(walk: Walk) -> bool:
    """Take a syllable, or a character of no syllable."""
    if walk.kind() == "O":
        walk.take_part()
        return True
    if walk.kind() != "C":
        return walk.complain("Invalid start of Khmer syllable", walk.char())
    walk.take_part()
    if walk.kind() in ("R", "N"):
        walk.take_part()
    while _subscript(walk):
        if walk.kind() == "R":
            walk.take_part()
    if not _vowel(walk):
        return False
    if walk.kind() == "D":
        walk.take_part()
    _subscript(walk)
    return True


def _subscript(walk: Walk) -> bool:
    """Take a virama and its consonant if both come next. Returns: whether they did."""
    if walk.kind() != "H" or walk.kind(1) != "C":
        return False
    walk.take()
    walk.take_part(2)
    return True


def _vowel(walk: Walk) -> bool:
    """Take an optional vowel sign with its joiner and its second piece."""
    joined = walk.at_joiner()
    if joined:
        walk.take()
        if walk.at_end:
            return walk.complain("Unterminated joiner", walk.output[-1], separator=": ")
    kind = walk.kind()
    if kind in ("M", "P"):
        walk.take_part(2 if joined else 1)
    elif joined:
        problem = "Joiner with non-dependent vowel after it!"
        return walk.complain(problem, walk.output[-1], walk.char())
    if walk.kind() == "P" and walk.kind(-1) != "P":
        walk.take_part()
    return True
