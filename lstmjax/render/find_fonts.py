"""Fonts that can show a text: the share of it that each has, and a first page in each.

Source: Tesseract src/training/pango/stringrenderer.cpp, pango_font_info.cpp.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lstmjax.render.catalog import FontCatalog, FontEntry
from lstmjax.render.characters import WHITE_SPACE
from lstmjax.render.degrade import threshold
from lstmjax.render.face import Face
from lstmjax.render.page_text import Coverage
from lstmjax.render.pages import CleanPage, PageRenderer
from lstmjax.render.settings import Settings

_TITLE_SIZE = 8
_TEMPLATE = "%s : %d hits = %.2f%%, raw = %d = %.2f%%"


@dataclass(frozen=True)
class Hits:
    """The part of a text that a font has.

    Attributes:
      name: name of the font.
      characters: number of characters of the text that the font has.
      total: number of characters of the text.
      kinds: number of different characters of the text that the font has.
      all_kinds: number of different characters of the text.
    """

    name: str
    characters: int
    total: int
    kinds: int
    all_kinds: int

    def __str__(self) -> str:
        share = 100 * self.characters / self.total
        kinds = 100 * self.kinds / self.all_kinds
        return _TEMPLATE % (self.name, self.characters, share, self.kinds, kinds)

    @property
    def failure(self) -> str:
        """The message about a font that has too little."""
        share = 100 * self.characters / self.total
        return f"Font {self.name} failed with {self.characters} hits = {share:.2f}%"

    def reaches(self, share: float) -> bool:
        """Whether the font has at least this share of the text, and any of it."""
        return self.characters > 0 and self.characters >= self.total * share


def measure_fonts(text: str, catalog: FontCatalog, pixels: float) -> Iterator[tuple[Hits, Face]]:
    """Yield the hits of each font of a catalog, sorted by name, and its face."""
    counts = Counter(text)
    for entry in sorted(catalog.fonts, key=lambda font: str(font.description).encode()):
        face = catalog.open(entry, pixels)
        kinds = [c for c in counts if c in WHITE_SPACE or face.glyph_of(c)]
        characters = sum(counts[c] for c in kinds)
        yield Hits(name_of(entry), characters, len(text), len(kinds), len(counts)), face


def name_of(entry: FontEntry) -> str:
    """The name of a font without a comma at its end."""
    return str(entry.description).rstrip(",")


def title_font(catalog: FontCatalog) -> FontEntry | None:
    """The first font that can show the title of a page."""
    for entry in sorted(catalog.fonts, key=lambda font: str(font.description).encode()):
        coverage = Coverage(catalog.open(entry, _TITLE_SIZE))
        if all(coverage.can_render(word) for word in _TEMPLATE.split()):
            return entry
    return None


def first_page(
    text: str, face: Face, title: str, titles: Face | None, settings: Settings, index: int
) -> CleanPage:
    """Draw the first page of a text in a font, with a title at its top, black and white."""
    # The original divides the margin by 8 for the title and multiplies it again afterwards.
    top = settings.margin // 8 * 8 if index else settings.margin
    page = PageRenderer(face, settings).draw(text, index, top=top)
    ink = threshold(page.image)
    if titles is not None:
        small = replace(settings, point_size=_TITLE_SIZE)
        ink |= threshold(PageRenderer(titles, small).draw(title, top=settings.margin // 8).image)
    return replace(page, image=_to_grey(ink))


def _to_grey(ink: NDArray[np.bool_]) -> NDArray[np.uint8]:
    return np.where(ink, 0, 255).astype(np.uint8)


def title_face(catalog: FontCatalog, settings: Settings) -> Face | None:
    """The face that titles are drawn with."""
    entry = title_font(catalog)
    return catalog.open(entry, _TITLE_SIZE * settings.resolution / 72) if entry else None
