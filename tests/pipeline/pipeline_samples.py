"""Line images and documents drawn with Pillow, for tests of the pipeline."""

import io
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from lstmjax.formats import lstmf


def draw(text: str, height: int = 36) -> Image.Image:
    """A line in Pillow's own font."""
    image = Image.new("L", (20 + 8 * len(text), height), 255)
    ImageDraw.Draw(image).text((8, height // 2 - 6), text.encode("latin-1", "replace"), fill=0)
    return image


def write_image(path: Path, text: str) -> Path:
    """A line image with its text beside it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draw(text).save(path)
    path.with_suffix(".gt.txt").write_text(text + "\n", encoding="utf-8")
    return path


def write_document(path: Path, texts: list[str]) -> Path:
    """An lstmf document of drawn lines, whose boxes are the whole images."""
    pages = []
    for number, text in enumerate(texts):
        buffer = io.BytesIO()
        image = draw(text)
        image.save(buffer, "PNG")
        boxes = np.tile(np.array([0, 0, *image.size], np.int16), (len(text), 1))
        pages.append(lstmf.Page("", number, buffer.getvalue(), "", text, boxes, tuple(text)))
    path.parent.mkdir(parents=True, exist_ok=True)
    lstmf.save(tuple(pages), path)
    return path
