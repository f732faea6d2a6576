"""Make the demonstration data in examples/: rendered lines, lists, a starter traineddata.

    .venv/bin/python tools/demonstration/make_demo_data.py --script_dir=<langdata_lstm>

Needs the DejaVu, Liberation and FreeFont fonts; `--script_dir` holds Latin.unicharset and
radical-stroke.txt. The same seed gives the same texts and, with the same versions of Pillow and
FreeType, the same bytes.
"""

import argparse
import io
import sys
import tempfile
from pathlib import Path

import numpy as np
from demo_text import make_lines
from PIL import Image, ImageDraw, ImageFilter, ImageFont

import lstmjax
from lstmjax.formats import lstmf

SEED = 20
LINES_PER_FONT, EVAL_LINES = 80, 60
TRAINING_FONTS = (
    "dejavu/DejaVuSans.ttf",
    "dejavu/DejaVuSerif.ttf",
    "liberation/LiberationSerif-Regular.ttf",
    "liberation/LiberationSans-Regular.ttf",
    "freefont/FreeSerif.ttf",
)
HELD_OUT_FONT = "freefont/FreeSans.ttf"
MARGIN = 4
GREY_STEP = 17  # sixteen grey levels keep the files small


def render(
    text: str, font_path: Path, height: int, rng: np.random.Generator, *, strength: float = 1.0
) -> Image.Image:
    """Draw a line `height` pixels high, a little turned, blurred, faded and speckled."""
    font = _font_for(font_path, height - 2 * MARGIN)
    width = int(font.getlength(text)) + 4 * MARGIN
    image = Image.new("L", (width, height), 255)
    ascent, descent = font.getmetrics()
    top = (height - ascent - descent) / 2 + rng.uniform(-1, 1)
    ImageDraw.Draw(image).text((2 * MARGIN, top), text, font=font, fill=0)
    # Turning by more than this would push the ends of a long line out of the image.
    most = np.degrees(np.arctan(2 * MARGIN * 0.8 / width))
    image = image.rotate(
        strength * rng.uniform(-most, most), Image.Resampling.BICUBIC, fillcolor=255
    )
    image = image.filter(ImageFilter.GaussianBlur(strength * rng.uniform(0.2, 0.7)))
    ink, paper = strength * rng.uniform(0, 80), 255 - strength * rng.uniform(0, 40)
    pixels = ink + np.asarray(image, np.float64) / 255 * (paper - ink)
    specks = rng.random(pixels.shape) < strength * rng.uniform(0, 0.004)
    pixels = np.where(specks, rng.uniform(40, 200), pixels)
    levels = np.clip(np.round(pixels / GREY_STEP), 0, 15).astype(np.uint8)
    return Image.fromarray(levels * GREY_STEP)


def _font_for(path: Path, height: int) -> ImageFont.FreeTypeFont:
    """The largest size whose ascent and descent fit into `height` pixels."""
    for size in range(height, 5, -1):
        font = ImageFont.truetype(path, size, layout_engine=ImageFont.Layout.BASIC)
        if sum(font.getmetrics()) <= height:
            return font
    raise SystemExit(f"{path}: no size fits into {height} pixels")


def as_page(image: Image.Image, text: str, number: int) -> lstmf.Page:
    """A page whose every character has the whole line as its box, as line images have it."""
    box = np.array([0, 0, *image.size], np.int16)
    boxes = np.tile(box, (len(text), 1))
    return lstmf.Page("", number, _png(image), "", text, boxes, tuple(text))


def _png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def make_document(
    texts: list[str], font: Path, seed: int, path: Path, *, strength: float = 1.0
) -> None:
    """Render lines with one font into one lstmf."""
    rng = np.random.default_rng([SEED, seed])
    pages = []
    for number, text in enumerate(texts):
        image = render(text, font, int(rng.integers(36, 49)), rng, strength=strength)
        pages.append(as_page(image, text, number))
    lstmf.save(tuple(pages), path)


def make_samples(font_folder: Path, folder: Path) -> None:
    """Draw four images to try a model on, each as another kind of scan would look."""
    texts = [line for line in make_lines(40, SEED + 2, held_out=True) if len(line) > 25][:4]
    fonts = (HELD_OUT_FONT, TRAINING_FONTS[1], HELD_OUT_FONT, TRAINING_FONTS[2])
    rng = np.random.default_rng([SEED, 99])
    for i, (text, font) in enumerate(zip(texts, fonts, strict=True)):
        line = render(text, font_folder / font, 72, rng, strength=0.7)
        paper = int(np.median(np.asarray(line)))
        page = Image.new("L", (line.width + 60, line.height + 16), paper)
        page.paste(line, (30, 8))
        _finish(np.asarray(page, np.float64), i).save(folder / f"sample-{i + 1}.png", optimize=True)
        (folder / f"sample-{i + 1}.gt.txt").write_text(text + "\n", encoding="utf-8")


def _finish(page: np.ndarray, kind: int) -> Image.Image:
    """Yellow paper, a shadow, two values, or plain grey."""
    if kind == 0:
        tint = np.array([1.0, 0.95, 0.8])
        return Image.fromarray((page[..., None] * tint).astype(np.uint8))
    if kind == 1:
        shadow = np.linspace(0.7, 1.0, page.shape[1])
        return Image.fromarray((page * shadow).astype(np.uint8))
    if kind == 2:
        return Image.fromarray(page > 140)
    return Image.fromarray(page.astype(np.uint8))


def make_starter(texts: list[str], script_dir: Path, path: Path) -> None:
    """Make the character set and the starter traineddata of some texts."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        lstmjax.make_unicharset(texts, folder / "unicharset")
        made = lstmjax.combine_lang_model(
            input_unicharset=folder / "unicharset", script_dir=script_dir, output_dir=folder,
            lang="demo",
        )  # fmt: skip
        path.write_bytes(made.read_bytes())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, default=Path("examples"))
    parser.add_argument("--fonts", type=Path, default=Path("/usr/share/fonts/truetype"))
    parser.add_argument("--script_dir", type=Path, required=True)
    flags = parser.parse_args()
    missing = [f for f in (*TRAINING_FONTS, HELD_OUT_FONT) if not (flags.fonts / f).exists()]
    if missing:
        sys.exit(f"{flags.fonts}: fonts missing: {', '.join(missing)}; give their folder: --fonts")
    for part in ("train", "eval", "samples"):
        (flags.out / part).mkdir(parents=True, exist_ok=True)

    training = make_lines(LINES_PER_FONT * len(TRAINING_FONTS), SEED)
    training_names = []
    for i, font in enumerate(TRAINING_FONTS):
        name = f"train/{Path(font).stem}.lstmf"
        training_names.append(name)
        make_document(training[i :: len(TRAINING_FONTS)], flags.fonts / font, i, flags.out / name)
    evaluation = [
        line for line in make_lines(2 * EVAL_LINES, SEED + 1, held_out=True) if line not in training
    ]
    eval_name = f"eval/{Path(HELD_OUT_FONT).stem}.lstmf"
    held_out = flags.fonts / HELD_OUT_FONT
    make_document(evaluation[:EVAL_LINES], held_out, 50, flags.out / eval_name)
    (flags.out / "train.list").write_text("\n".join(training_names) + "\n")
    (flags.out / "eval.list").write_text(eval_name + "\n")
    make_samples(flags.fonts, flags.out / "samples")
    make_starter(training, flags.script_dir, flags.out / "demo.traineddata")


if __name__ == "__main__":
    main()
