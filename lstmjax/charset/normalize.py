"""Normalisation of training text: Unicode's, and Tesseract's own folding of quotes and dashes.

Source: Tesseract src/training/unicharset/normstrngs.cpp. The newer releases fold three more
characters (see `FOLDED_SINCE_5_4`); 5.3.0 is followed.
"""

import re
import unicodedata

from lstmjax.charset.characters import ZWJ, ZWNJ, is_letter

_IGNORED = re.compile("[\u200b\u200e\u200f\ufffd]+")
_JOINERS = re.compile(f"[{ZWNJ}{ZWJ}]")

_HYPHENS = "-\u2010\u2011\u2012\u2013\u2014\u2015\u207b\u208b\u2212\ufe58\ufe63\uff0d"
_SINGLE_QUOTES = "'`\u2018\u2019\u201b\u2032\u300c\uff07"
_DOUBLE_QUOTES = '"\u201c\u201d\u201f\u2033\u301d\u301e\uff02'
_FOLDED = str.maketrans(
    dict.fromkeys(_HYPHENS, "-")
    | dict.fromkeys(_SINGLE_QUOTES, "'")
    | dict.fromkeys(_DOUBLE_QUOTES, '"')
)
FOLDED_SINCE_5_4 = {"\u2e17": "-", "\u201a": "'", "\u201e": '"'}
"""Characters that only newer releases fold."""


def normalize(text: str) -> str:
    """Return the text in NFC, without zero-width marks and replacement characters.

    Zero-width here are U+200B, U+200E and U+200F; joiners stay.
    """
    return _IGNORED.sub("", unicodedata.normalize("NFC", text))


def fold(text: str) -> str:
    """Return the text with one hyphen for all dashes and one of each kind of quotes."""
    return text.translate(_FOLDED)


def strip_joiners(text: str) -> str:
    """Return the text without joiners if it has no letter."""
    if not _JOINERS.search(text) or any(map(is_letter, text)):
        return text
    return _JOINERS.sub("", text)
