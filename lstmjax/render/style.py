"""The style of a layout, as one value."""

from collections.abc import Callable
from dataclasses import dataclass

from lstmjax.render.face import Face
from lstmjax.render.itemize import Item


@dataclass(frozen=True)
class LayoutStyle:
    """How text is laid out.

    Attributes:
      face: the font.
      width: width of the lines in pixels.
      leading: pixels added between lines.
      letter_spacing: pixels added between graphemes.
      ligatures: whether optional ligatures are on.
      vertical: whether lines run from top to bottom.
      upright: whether all characters stand upright in vertical lines.
      fallback: function from a character that the font lacks to a face that has it; None draws the
        font's missing glyph.
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
        """Font features that the shaper turns on or off."""
        features: dict[str, bool] = {}
        if self.ligatures:
            features.update(dict.fromkeys(("liga", "clig", "dlig", "hlig"), True))
        if self.letter_spacing:
            features.update(dict.fromkeys(("liga", "clig", "dlig", "hlig"), False))
        return tuple(features.items())

    def stands(self, item: Item) -> bool:
        """Whether the characters of an item stand in a vertical line."""
        return self.vertical and (item.upright or self.upright)
