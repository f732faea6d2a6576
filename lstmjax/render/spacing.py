"""The spacing of a font: bearings and kerning, from a text of bigrams.

Source: Tesseract src/training/text2image.cpp, pango_font_info.cpp.
"""

from dataclasses import dataclass, field

from lstmjax.render.clusters import CharBox
from lstmjax.render.face import Face
from lstmjax.render.pages import PageRenderer


@dataclass
class Spacing:
    """The space around a character in pixels.

    Attributes:
      before: white pixels before the character.
      after: white pixels after the character.
      pairs: following character -> space, where that is not the sum of both.
    """

    before: int
    after: int
    pairs: dict[str, int] = field(default_factory=dict)


def measure(text: str, renderer: PageRenderer) -> dict[str, Spacing]:
    """Measure the characters of a text of bigrams, page by page.

    Returns: the spacing of each character that the font has.
    """
    found: dict[str, Spacing] = {}
    start, pages = 0, 0
    while start < len(text):
        page = renderer.draw(text[start:], blank=True)
        if not page.consumed:
            break
        start += page.consumed
        boxes = page.boxes
        if len(boxes) > 2 and not _is_space(boxes[-1]) and _is_space(boxes[-2]):
            start -= len(boxes[-1].text)  # a page break within a bigram
        _measure_page(boxes, renderer.face, found)
        pages += 1
        # `start` can go back by as much as it went on; this ends the loop all the same.
        if pages > len(text):
            break
    return found


def _measure_page(boxes: list[CharBox], face: Face, found: dict[str, Spacing]) -> None:
    i = 0
    while i < len(boxes):
        while i < len(boxes) and _is_space(boxes[i]):
            i += 1
        if i + 1 >= len(boxes):
            return
        if not _is_space(boxes[i + 1]):
            _measure_pair(boxes[i], boxes[i + 1], face, found)
        i += 2


def _measure_pair(one: CharBox, other: CharBox, face: Face, found: dict[str, Spacing]) -> None:
    """Learn the characters of a bigram, and their pair only if both are new, as the original."""
    assert one.rect is not None
    assert other.rect is not None
    gap = other.rect[0] - (one.rect[0] + one.rect[2])
    new = [_learn(box.text, box.rect[2], face, found) for box in (one, other) if box.rect]
    if all(new) and gap != found[one.text].after + found[other.text].before:
        found[one.text].pairs[other.text] = gap


def _learn(text: str, width: int, face: Face, found: dict[str, Spacing]) -> bool:
    """Whether a character was new and the font has it."""
    if text in found:
        return False
    bearing, advance = 0, 0
    for i, character in enumerate(text):
        number = face.glyph_of(character)
        if not number:
            return False
        left = advance + face.glyph(number).ink[0]
        bearing = left if i == 0 else min(bearing, left)
        advance += face.advance(number)
    found[text] = Spacing(bearing, advance - bearing - width)
    return True


def _is_space(box: CharBox) -> bool:
    return box.rect is None or not box.text.strip()


def show(found: dict[str, Spacing]) -> str:
    """The text of a fontinfo file."""
    lines = [str(len(found))]
    for text in sorted(found, key=str.encode):
        one = found[text]
        pairs = [f"{other} {gap}" for other, gap in sorted(one.pairs.items(), key=_by_bytes)]
        lines.append(" ".join([f"{text} {one.before} {one.after} {len(pairs)}", *pairs]))
    return "\n".join(lines) + "\n"


def _by_bytes(pair: tuple[str, int]) -> bytes:
    return pair[0].encode()
