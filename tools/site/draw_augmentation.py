"""A picture of what `--augment` does, kind by kind: docs/images/augment.png.

    .venv/bin/python tools/site/draw_augmentation.py [--out FILE] [--font NAME] [--strength S]

A line is rendered, and each row shows it after one kind of augmentation, twice; the first two rows
show it unchanged and after all kinds together. Kinds that change only half of the lines are shown
by samples that they changed.
"""

import argparse
import itertools
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from lstmjax.data.augment import augment
from lstmjax.data.augmentation import KINDS, Augmentation, parse_augmentation
from lstmjax.data.image import InputShape, scale_line
from lstmjax.data.scale import Pixels
from lstmjax.render import FontCatalog, render_line

TEXT = "Waves of light, 1887 (p. 4)"
SHAPE = InputShape(36, 0, 1)
PIXELS = 42  # of the em square, about as in a scan at 300 dpi
GAP, LABEL = 8, 84
LEVELS = 14  # grey levels kept, for a small file
COLUMNS = 2
SEED = 3


def main() -> None:
    parser = argparse.ArgumentParser(description="Draw what --augment does.")
    parser.add_argument(
        "--out", type=Path, default=Path(__file__).parents[2] / "docs/images/augment.png"
    )
    parser.add_argument("--font", default="DejaVu Serif")
    parser.add_argument("--strength", type=float, default=1.0)
    arguments = parser.parse_args()
    line = draw_line(arguments.font)
    everything = parse_augmentation(arguments.strength)
    rows = [("as it is", [line] * COLUMNS), ("all", samples(line, everything))]
    rows += [(kind, samples(line, Augmentation(**{kind: arguments.strength}))) for kind in KINDS]
    sheet = compose(rows)
    step = 255 / (LEVELS - 1)
    levels = np.round(np.round(np.asarray(sheet) / step) * step).astype(np.uint8)
    Image.fromarray(levels).quantize(LEVELS).save(arguments.out, optimize=True)
    print(f"{arguments.out}: {sheet.width} x {sheet.height}, {arguments.out.stat().st_size} bytes")


def draw_line(font: str) -> Pixels:
    """A rendered line, scaled for the network."""
    catalog = FontCatalog()
    found = catalog.find(font)
    if found is None:
        raise SystemExit(f"there is no font {font!r}; --font takes another")
    image = render_line(TEXT, catalog.open(found, PIXELS), padding=5).image
    return scale_line(image, SHAPE)


def samples(line: Pixels, settings: Augmentation) -> list[Pixels]:
    """The first samples that differ from the line by more than the mean of the first fifty."""
    drawn = [augment(line, settings, SEED, sample) for sample in range(50)]
    changes = [np.abs(each.astype(float) - line).mean() for each in drawn]
    seen = (each for each, change in zip(drawn, changes, strict=True) if change > np.mean(changes))
    return list(itertools.islice(seen, COLUMNS))


def compose(rows: list[tuple[str, list[Pixels]]]) -> Image.Image:
    """All rows below each other, with their names at the left."""
    height, width = rows[0][1][0].shape
    size = (LABEL + COLUMNS * (width + GAP), len(rows) * (height + GAP) + GAP)
    sheet = Image.new("L", size, 208)
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(14)
    for row, (name, images) in enumerate(rows):
        top = GAP + row * (height + GAP)
        draw.text((GAP, top + height // 2), name, 0, font, anchor="lm")
        for column, image in enumerate(images):
            sheet.paste(Image.fromarray(image), (LABEL + column * (width + GAP), top))
    return sheet


if __name__ == "__main__":
    main()
