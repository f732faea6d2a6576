"""Javanese syllables: the Indic grammar with a few differences.

A virama that links nothing gets no non-joiner. Instead it takes any next character into its part,
even a space. At the end of the text there is no such character; Tesseract then reads beyond its
array, while here the virama stays alone.
Source: Tesseract src/training/unicharset/validate_javanese.cpp.
"""

from collections.abc import Callable

from lstmjax.charset.characters import ZWJ, ZWNJ
from lstmjax.charset.validate.indic import Traits, consume_syllable
from lstmjax.charset.validate.walk import PAGE, Walk

JAVANESE = 0xA980

_CLASSES = "DDDD" + "C" * 47 + "NP" + "M" * 5 + "C" + "MMM" + "NN" + "H" + "O" * 63
_TRAITS = Traits(ya="\ua9be", ra="\ua9bf", subscripts=True, adds_non_joiner=False, piece_alone=True)


def classify(_script: int) -> Callable[[str], str]:
    """Return the function from a character to its class."""

    def classify_char(char: str) -> str:
        offset = ord(char) - JAVANESE
        if 0 <= offset < PAGE:
            return _CLASSES[offset]
        return "z" if char == ZWNJ else "Z" if char == ZWJ else "O"

    return classify_char


def consume(walk: Walk) -> bool:
    """Take a syllable, or a character of no syllable."""
    return consume_syllable(walk, _TRAITS)
