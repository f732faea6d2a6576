"""Character sets for tests."""

from lstmjax.charset.unicharset import Unicharset
from lstmjax.formats.unicharset import BROKEN, UnicharRow, UnicharsetTable

SPECIALS = (" ", "Joined", BROKEN)


def charset_of(*unichars: str, special: bool = True, **directions: int) -> Unicharset:
    """A unicharset of these unichars; mirrored pairs of brackets know each other."""
    texts = (*SPECIALS, *unichars) if special else (" ", *unichars)
    mirror = {"(": ")", ")": "("}
    rows = [
        UnicharRow(
            text,
            0,
            direction=directions.get(text, 0),
            mirror=texts.index(mirror[text]) if mirror.get(text) in texts else i,
            normed=text,
        )
        for i, text in enumerate(texts)
    ]
    return Unicharset(UnicharsetTable(tuple(rows)))
