"""The text that a font can show: words left out, characters dropped, ligatures, wide letters.

Source: Tesseract src/training/pango/stringrenderer.cpp, pango_font_info.cpp, ligature_table.cpp.
"""

from dataclasses import dataclass

from lstmjax.render.bidi import base_direction, embedding_levels
from lstmjax.render.characters import WHITE_SPACE, is_zero_width, words
from lstmjax.render.face import DOTTED_CIRCLE, Face
from lstmjax.render.itemize import itemize

CUSTOM_LIGATURES = {
    "ct": "\ue003", "\u017fh": "\ue006", "\u017fi": "\ue007", "\u017fl": "\ue008",
    "\u017f\u017f": "\ue009",
}  # fmt: skip
"""Pairs of letters -> private-use characters that some historical fonts have for them."""

_FULL_WIDTH = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}
_HALF_WIDTH = {wide: narrow for narrow, wide in _FULL_WIDTH.items()}


@dataclass(frozen=True)
class Stripped:
    """A text without the words and characters that a font cannot show.

    Attributes:
      text: the remaining text.
      words: words left out.
      characters: number of other characters left out.
    """

    text: str
    words: tuple[str, ...] = ()
    characters: int = 0


class Coverage:
    """Tells which words a face can show; answers are cached by word."""

    def __init__(self, face: Face):
        self._face = face
        self._words: dict[str, bool] = {}

    def covers(self, character: str) -> bool:
        """Whether the face has a glyph for a character, or none is needed."""
        return (
            character in WHITE_SPACE
            or is_zero_width(character)
            or bool(self._face.glyph_of(character))
        )

    def can_render(self, word: str) -> bool:
        """Whether the face has all characters of a word and none is out of place.

        Shapers show a dotted circle for a mark without a base; such a word cannot be rendered.
        """
        known = self._words.get(word)
        if known is None:
            known = all(map(self.covers, word)) and self._shapes(word)
            self._words[word] = known
        return known

    def _shapes(self, word: str) -> bool:
        circle = self._face.glyph_of(DOTTED_CIRCLE)
        # Without the glyph no shaper can show it; in ASCII there are no marks.
        if not circle and word.isascii():
            return True
        base = base_direction(word) or "L"
        for item in itemize(word, 0, embedding_levels(word, base), lambda _: self._face):
            run = self._face.shape(
                word, item.start, item.length, level=item.level, script=item.script
            )
            if circle and circle in run.glyphs:
                return False
        return True

    def strip(self, text: str, *, words_too: bool = True) -> Stripped:
        """Leave out the words and characters that the face cannot show.

        Args:
          text: text of a page.
          words_too: whether to leave out whole words, not only characters.
        """
        missing: list[str] = []
        if words_too:
            parts, last = [], 0
            for start, end in words(text):
                parts.append(text[last:start])
                last = end
                if self.can_render(text[start:end]):
                    parts.append(text[start:end])
                else:
                    missing.append(text[start:end])
            text = "".join([*parts, text[last:]])
        kept = "".join(filter(self.covers, text)) if not self._covers_all(text) else text
        return Stripped(kept, tuple(missing), len(text) - len(kept))

    def _covers_all(self, text: str) -> bool:
        return all(map(self.covers, set(text)))

    def add_ligatures(self, text: str) -> str:
        """Replace letters by the private-use characters of historical ligatures that it has."""
        for pair, ligature in CUSTOM_LIGATURES.items():
            if pair in text and self.can_render(ligature):
                text = text.replace(pair, ligature)
        return text


def add_ligatures(text: str) -> str:
    """Replace letters by the private-use characters of historical ligatures, for any font."""
    for pair, ligature in CUSTOM_LIGATURES.items():
        text = text.replace(pair, ligature)
    return text


def to_full_width(text: str) -> str:
    """Turn ASCII into the wide characters of East Asian text; spaces stay."""
    return text.translate(_FULL_WIDTH)


def to_half_width(text: str) -> str:
    """Undo `to_full_width`."""
    return text.translate(_HALF_WIDTH)
