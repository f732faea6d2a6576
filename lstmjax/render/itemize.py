"""A paragraph in pieces that are shaped together: one script, one direction, one face.

Source: Pango's itemisation, Unicode Standard Annex 24.
"""

import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from lstmjax.render.characters import is_upright, script, takes_any_font
from lstmjax.render.face import Face

_LINE_SEPARATOR = "\u2028"
_COMMON = ("Zyyy", "Zinh", "Zzzz")
_QUOTES = {"\xab": "\xbb", "\u2018": "\u2019", "\u201c": "\u201d", "\u2039": "\u203a", "<": ">"}
_STACK = 128


@dataclass
class Item:
    """A piece of a paragraph; wrapping cuts parts off its front.

    Attributes:
      start: index of the first character in the text of the layout.
      length: number of characters.
      level: embedding level.
      script: ISO 15924 tag.
      face: face that draws the characters.
      upright: whether the characters stand in vertical text.
    """

    start: int
    length: int
    level: int
    script: str
    face: Face
    upright: bool


def itemize(
    text: str, start: int, levels: list[int], face_for: Callable[[str], Face]
) -> list[Item]:
    """Cut a paragraph into items.

    Args:
      text: text of the paragraph.
      start: index of the paragraph in the text of the layout.
      levels: embedding level of each character.
      face_for: function from a character to the face that draws it.
    """
    items: list[Item] = []
    for begin, end, tag, upright in _runs(text, levels):
        items += _by_face(text, begin, end, levels[begin], tag, upright, face_for)
    for item in items:
        item.start += start
    return items


def _runs(text: str, levels: list[int]) -> Iterator[tuple[int, int, str, bool]]:
    """Yield stretches of one script, one level and one width."""
    tags = _resolve_scripts(text)
    widths = _resolve_widths(text)
    begin = 0
    for i in range(1, len(text) + 1):
        if i == len(text) or (tags[i], widths[i], levels[i]) != (
            tags[begin],
            widths[begin],
            levels[begin],
        ):
            yield begin, i, tags[begin][1], widths[begin]
            begin = i


def _resolve_widths(text: str) -> list[bool]:
    """Whether each character stands upright in vertical text; joined characters as the first."""
    widths: list[bool] = []
    joined = False
    for character in text:
        code = ord(character)
        follows = joined or code in (0x200D, 0xFE0E, 0xFE0F) or 0x1F3FB <= code <= 0x1F3FF
        joined = code == 0x200D
        widths.append(widths[-1] if follows and widths else is_upright(character))
    return widths


def _resolve_scripts(text: str) -> list[tuple[int, str]]:
    """Give common characters the script of their run.

    A closing bracket or quote gets the script of the opening one.

    Returns: [n] number of the run and its script.
    """
    result: list[tuple[int, str]] = []
    stack: list[tuple[str, str | None]] = []  # closing characters to come, scripts before opening
    begin, current, number = 0, None, 0
    for i, character in enumerate(text):
        tag = script(character)
        own = None if tag in _COMMON else tag
        closes = False
        if tag == "Zyyy":
            partner = _partner(character)
            if partner:
                # As deep as Pango's stack.
                stack = [*stack[-_STACK:], (partner, current)]
            elif any(character == entry[0] for entry in stack):
                # Unmatched brackets inside of the pair are forgotten.
                while stack[-1][0] != character:
                    stack.pop()
                own, closes = stack[-1][1], True
        if own and current and own != current:
            result += [(number, current)] * (i - begin)
            begin, current, number = i, None, number + 1
        if own and not current:
            # Common characters before the first letter belong to its run, brackets included.
            current = own
            stack = [(end, known or own) for end, known in stack]
        if closes:
            stack.pop()
    return result + [(number, current or "Zyyy")] * (len(text) - begin)


def _partner(character: str) -> str | None:
    """The character that closes a quote or bracket; None if the character opens nothing."""
    if character in _QUOTES:
        return _QUOTES[character]
    if unicodedata.category(character) != "Ps":
        return None
    if character in "([{":
        return {"(": ")", "[": "]", "{": "}"}[character]
    # U+FF3B and U+FF5B have another character between them and their partner.
    following = chr(ord(character) + (2 if character in "\uff3b\uff5b" else 1))
    return following if unicodedata.category(following) == "Pe" else None


def _by_face(
    text: str, begin: int, end: int, level: int, tag: str, upright: bool,
    face_for: Callable[[str], Face],
) -> Iterator[Item]:  # fmt: skip
    """Yield the items of a run.

    Tabs and line separators are items of their own; spaces and the like take any face.
    """
    start, face, forced = begin, None, False
    for i in range(begin, end):
        character = text[i]
        alone = character in ("\t", _LINE_SEPARATOR)
        wanted = None if takes_any_font(character) else face_for(character)
        changes = wanted is not None and face is not None and wanted is not face
        if i > start and (alone or forced or changes):
            yield Item(start, i - start, level, tag, face or face_for(" "), upright)
            start, face = i, None
        face = face or wanted
        forced = alone
    yield Item(start, end - start, level, tag, face or face_for(" "), upright)
