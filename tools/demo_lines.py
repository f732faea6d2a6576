"""More training lines for the demo, drawn on the spot in the fonts that matplotlib brings along.

Four hundred lines are few: a network learns them by heart before it learns to read. Words of
the demonstration texts are put together at random, so that there is nothing to learn by heart.
"""

import random
from pathlib import Path

import matplotlib
import numpy as np
from demo_text import MAX_LENGTH, MIN_LENGTH, make_lines
from make_demo_data import as_page, render

from lstmjax.formats import lstmf

SEED = 7
FONTS = (
    "DejaVuSans", "STIXGeneral", "DejaVuSans-Bold", "DejaVuSerif", "DejaVuSans-Oblique",
    "STIXGeneralBol", "DejaVuSansMono", "DejaVuSerif-Bold", "STIXGeneralBolIta",
    "STIXGeneralItalic",
)  # fmt: skip


def draw_lines(count: int, folder: Path) -> list[Path]:
    """Write documents of drawn lines, one for each font, unless they are there; their paths."""
    fonts = Path(matplotlib.get_data_path(), "fonts", "ttf")
    texts = mixed_lines(count)
    paths = []
    for i, name in enumerate(FONTS):
        path = folder / f"{name}.lstmf"
        paths.append(path)
        if path.exists():
            continue
        rng = np.random.default_rng([SEED, i])
        pages = []
        for number, text in enumerate(texts[i :: len(FONTS)]):
            image = render(text, fonts / f"{name}.ttf", int(rng.integers(36, 49)), rng)
            pages.append(as_page(image, text, number))
        lstmf.save(tuple(pages), path)
    return paths


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
