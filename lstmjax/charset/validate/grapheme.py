"""Graphemes of any script: a character and its combining marks; Indic vowels; Thai.

Source: Tesseract src/training/unicharset/validate_grapheme.cpp. Classes, beside those of the
package: "c" combiner, " " white space.
"""

from functools import cache

from lstmjax.charset.characters import ZWJ, ZWNJ, is_grapheme_link, is_mark, is_white_space
from lstmjax.charset.validate.walk import Walk, is_vedic

_JAVANESE_TALING = "\ua9ba"  # a mark, but written before its consonant

_BAD_VOWELS = frozenset(
    first + second
    for first, seconds in {
        "\u0905": "\u0946\u093e\u0949\u094a\u094b\u094c",
        "\u0906": "\u0949\u094a\u094b\u094c",
        "\u0909": "\u0941",
        "\u090f": "\u0945\u0946\u0947",
        "\u093e": "\u0945\u0946\u0947\u0948",
        "\u094d": "".join(map(chr, range(0x93E, 0x94D))),
        "\u0985": "\u09be",
        "\u0c12": "\u0c55\u0c4c",
        "\u0c92": "\u0ccc",
    }.items()
    for second in seconds
)
"""Pairs that look like one vowel letter, which is how they should be written."""


@cache
def classify_char(char: str) -> str:
    """Return the class of a character."""
    if is_vedic(char):
        return "v"
    if is_grapheme_link(char):
        return "H"
    if is_white_space(char):
        return " "
    if char == _JAVANESE_TALING:
        return "C"
    return "c" if char in (ZWJ, ZWNJ) or is_mark(char) else "O"


def consume(walk: Walk) -> bool:
    """Take a character and everything that combines with it."""
    before, last, last_kind = " ", " ", " "
    length = 0
    while not walk.at_end:
        char, kind = walk.char(), walk.kind()
        if last_kind == "H" and kind == "H":
            return walk.complain("Two grapheme links in a row", last, char)
        if last_kind != " " and kind != " ":
            if last + char in _BAD_VOWELS:
                return walk.complain("Badly formed Indic vowel sequence", last, char)
            if _is_bad_thai(last, char):
                return walk.complain("Badly formed Thai", last, char)
        # A virama or a joiner before it binds a character that is no mark itself.
        joins = last == ZWJ or last_kind == "H" or (last == ZWNJ and (kind == "H" or before == ZWJ))
        if length and kind not in "cH" and not joins:
            break
        walk.take()
        length += 1
        before, last, last_kind = last, char, kind
    if length:
        walk.part(length)
    return True


def _is_bad_thai(last: str, char: str) -> bool:
    """Whether a Thai sign may not follow the last character."""
    if not "\u0e30" <= char <= "\u0e4d":
        return False
    consonant = "\u0e01" <= last <= "\u0e2e"
    tone = "\u0e48" <= last <= "\u0e4b"
    bears_tone = _bears_tone(last)
    if last == "\u0e24":
        good = False
    elif "\u0e48" <= char <= "\u0e4b":
        good = consonant or bears_tone
    elif _bears_tone(char) or char == "\u0e47":
        good = consonant
    elif char == "\u0e4c":
        good = consonant or last in "\u0e34\u0e38"
    elif char == "\u0e4d":
        good = consonant or last in "\u0e48\u0e49"
    elif char in "\u0e30\u0e32\u0e33":
        good = consonant or tone or last + char in ("\u0e32\u0e30", "\u0e4d\u0e32")
    elif "\u0e40" <= char <= "\u0e44":
        good = not ("\u0e40" <= last <= "\u0e44" or last in "\u0e31\u0e37")
    else:
        good = True
    return not good


def _bears_tone(char: str) -> bool:
    """Whether a tone mark may stand on this vowel sign."""
    return char == "\u0e31" or "\u0e34" <= char <= "\u0e39"
