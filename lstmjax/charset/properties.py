"""Properties of unicharset entries that Unicode defines: kind, script, case, direction, mirror.

Source: Tesseract src/training/unicharset/unicharset_training_utils.cpp, SetupBasicProperties.
"""

import unicodedata
from collections.abc import Iterable
from dataclasses import replace

from lstmjax.charset.builder import UnicharIndex
from lstmjax.charset.characters import direction, mirrored, script, simple_lower, simple_upper
from lstmjax.charset.normalize import fold, normalize
from lstmjax.charset.unicharset import LIGATURES
from lstmjax.errors import CharsetError, Say
from lstmjax.formats.unicharset import (
    ALPHA,
    DIGIT,
    LOWER,
    PUNCTUATION,
    UPPER,
    UnicharRow,
    UnicharsetTable,
)

NUM_SPECIAL = 3
"""Ids below this are never reported: the space and the two codes that stand for no character."""

_KINDS = {"Ll": ALPHA | LOWER, "Lu": ALPHA | UPPER, "Nd": DIGIT}
_KINDS |= dict.fromkeys(("Lt", "Lm", "Lo"), ALPHA)
_KINDS |= dict.fromkeys(("Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po"), PUNCTUATION)


def basic_properties(table: UnicharsetTable, say: Say) -> UnicharsetTable:
    """Set every property that follows from the characters; bounds and metrics stay.

    Args:
      table: the entries; of their old properties only `mirror` can matter, where the mirrored
        text is no entry.
      say: called with a line for each case partner or mirrored text that is no entry.

    Raises: CharsetError: an entry is not valid UTF-8.
    """
    index = UnicharIndex(row.unichar for row in table.rows)
    return UnicharsetTable(
        tuple(_with_basics(index, i, row, say) for i, row in enumerate(table.rows))
    )


def _with_basics(index: UnicharIndex, unichar_id: int, row: UnicharRow, say: Say) -> UnicharRow:
    text = LIGATURES.get(row.unichar, row.unichar)
    if any("\ud800" <= char <= "\udfff" for char in text):
        raise CharsetError(
            f"unichar {unichar_id} {text!r} is not valid UTF-8; take it out of the unicharset, "
            "or make the unicharset again with unicharset_extractor"
        )
    properties = kind(text)
    other_case = unichar_id
    if properties & (LOWER | UPPER):
        convert = simple_upper if properties & LOWER else simple_lower
        other = "".join(map(convert, text))
        found = index.find(other)
        if found is not None:
            other_case = found
        elif unichar_id >= NUM_SPECIAL:
            say(f"Other case {other} of {text} is not in unicharset")
    image = "".join(map(mirrored, text))
    mirror = index.find(image)
    if mirror is None:
        say(f"Mirror {image} of {text} is not in unicharset")
        mirror = row.mirror
    # Script and direction are those of the first character, as in Tesseract.
    return replace(
        row,
        properties=properties,
        script=script(text[0]),
        other_case=other_case,
        direction=direction(text[0]),
        mirror=mirror,
        normed=text if unichar_id == 0 else fold(normalize(text)) or text,
        comment=None,
    )


def kind(text: str) -> int:
    """Return the property bits that any of the characters has."""
    bits = 0
    for char in text:
        bits |= _KINDS.get(unicodedata.category(char), 0)
    return bits


def script_names(rows: Iterable[UnicharRow], known: Iterable[str] = ("NULL",)) -> tuple[str, ...]:
    """Return the known scripts, then those of the rows in order of first use."""
    return tuple(dict.fromkeys([*known, *(row.script for row in rows)]))
