"""The lines of the demo: drawn on the spot, in the fonts at hand, one font held out.

matplotlib brings the DejaVu and STIX fonts along; with some of the system's the network meets more
shapes of letters. Words of the demonstration texts are put together at random, so that there is
nothing to learn by heart.
"""

import io
import logging
import random
from collections.abc import Iterable
from pathlib import Path

import matplotlib
import numpy as np
from demo_text import MAX_LENGTH, MIN_LENGTH, make_lines
from PIL import Image

from lstmjax.formats import lstmf
from lstmjax.render import (
    Degradation,
    Face,
    FontCatalog,
    FontEntry,
    LineImage,
    NoiseState,
    render_line,
)
from lstmjax.render.catalog import system_folders

SEED = 7
OWN_FONTS = (
    "DejaVu Sans", "STIXGeneral", "DejaVu Sans Bold", "DejaVu Serif", "DejaVu Sans Oblique",
    "STIXGeneral Bold", "DejaVu Sans Mono", "DejaVu Serif Bold", "STIXGeneral Italic",
    "DejaVu Serif Italic",
)  # fmt: skip
SYSTEM_FONTS = (
    "Liberation Serif", "Liberation Sans", "FreeSerif", "Noto Sans", "Noto Serif", "Open Sans",
    "Arial", "Times New Roman", "Georgia", "Verdana",
)  # fmt: skip
HELD_OUT = ("FreeSans", "Helvetica", "Nimbus Sans", "DejaVu Sans Mono Bold")
"""The first of these that is there is kept for evaluation; the last always is."""
SIZES = (30, 34, 38, 42)
"""Pixels of the em square."""


class Fonts:
    """The fonts of the demo.

    Attributes:
      training: fonts to train on.
      held_out: the font to evaluate on.
    """

    def __init__(self) -> None:
        # It warns of implausible dates in old fonts, a line each.
        logging.getLogger("fontTools").setLevel(logging.ERROR)
        own = Path(matplotlib.get_data_path(), "fonts", "ttf")
        self._catalog = FontCatalog([own, *system_folders()])
        self.training = list(self._found((*OWN_FONTS, *SYSTEM_FONTS)))
        self.held_out = next(self._found(HELD_OUT))

    def _found(self, names: Iterable[str]):
        return (font for font in map(self._catalog.find, names) if font is not None)

    def open(self, font: FontEntry, pixels: float) -> Face:
        """A font at a size."""
        return self._catalog.open(font, pixels)


def draw_training(count: int, folder: Path, fonts: Fonts) -> list[Path]:
    """Write documents of drawn lines, one for each training font, unless they are there."""
    texts = mixed_lines(count)
    number = len(fonts.training)
    return [
        draw_document(texts[i::number], font, i, folder, fonts)
        for i, font in enumerate(fonts.training)
    ]


def draw_evaluation(count: int, folder: Path, fonts: Fonts) -> Path:
    """Write the document of the held-out font, with sentences that are not trained on."""
    texts = make_lines(count, SEED + 1, held_out=True)
    return draw_document(texts, fonts.held_out, 999, folder, fonts)


def draw_document(texts: list[str], font: FontEntry, seed: int, folder: Path, fonts: Fonts) -> Path:
    """Draw lines in one font, in several sizes, a little turned, blurred and speckled."""
    path = folder / f"{str(font.description).replace(' ', '_')}.lstmf"
    if path.exists():
        return path
    faces = [fonts.open(font, pixels) for pixels in SIZES]
    state = NoiseState()
    state.draws.skip(1_000_003 * seed)
    pages = []
    for number, text in enumerate(texts):
        face = faces[number % len(faces)]
        degradation = Degradation(exposure=number // len(faces) % 3 - 1)
        line = render_line(text, face, padding=5, degradation=degradation, state=state)
        pages.append(as_page(line, number))
    lstmf.save(tuple(pages), path)
    return path


def as_page(line: LineImage, number: int) -> lstmf.Page:
    """An entry of a document."""
    buffer = io.BytesIO()
    Image.fromarray(line.image).save(buffer, "PNG")
    boxes = [(one.left, one.bottom, one.right, one.top) for one in line.boxes]
    texts = tuple(one.text for one in line.boxes)
    return lstmf.Page(
        "", number, buffer.getvalue(), "", "".join(texts), np.array(boxes, np.int16), texts
    )


def mixed_lines(count: int) -> list[str]:
    """Lines of 15 to 35 characters: words of the training texts in any order."""
    rng = random.Random(SEED)
    words = " ".join(make_lines(400, SEED)).split()
    lines = []
    while len(lines) < count:
        length = rng.randint(MIN_LENGTH, MAX_LENGTH)
        line = rng.choice(words)
        while len(line) < length:
            line += " " + rng.choice(words)
        lines.append(line[:MAX_LENGTH].strip())
    return lines
