"""How text is laid out, as one value."""

from collections.abc import Callable
from dataclasses import dataclass

from lstmjax.render.face import Face
from lstmjax.render.itemize import Item


@dataclass(frozen=True)
class LayoutStyle:
    """How text is laid out.

    Attributes:
      face: the font.
      width: of the lines in pixels.
      leading: pixels added between lines.
      letter_spacing: pixels added between graphemes.
      ligatures: turn optional ligatures on.
      vertical: lines run from top to bottom.
      upright: in vertical lines, all characters stand upright.
      fallback: a face for characters the font does not have; None draws the font's missing glyph.
    """

    face: Face
    width: int
    leading: int = 12
    letter_spacing: int = 0
    ligatures: bool = False
    vertical: bool = False
    upright: bool = False
    fallback: Callable[[str], Face | None] | None = None

    @property
    def features(self) -> tuple[tuple[str, bool], ...]:
        """Font features that the shaper is asked for."""
        features: dict[str, bool] = {}
        if self.ligatures:
            features.update(dict.fromkeys(("liga", "clig", "dlig", "hlig"), True))
        if self.letter_spacing:
            features.update(dict.fromkeys(("liga", "clig", "dlig", "hlig"), False))
        return tuple(features.items())

    def stands(self, item: Item) -> bool:
        """Whether the characters of an item stand in a vertical line."""
        return self.vertical and (item.upright or self.upright)
