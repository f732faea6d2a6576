"""Small pages and lines, and what the real tesseract makes of them."""

import io
import subprocess
from pathlib import Path

import helpers
import numpy as np
from PIL import Image

from lstmjax.formats import lstmf

WIDTH, HEIGHT = 150, 80
BOXES = """\
a 10 45 40 70 0
  41 45 60 70 0
é 61 44 140 69 0
\t 141 44 145 70 0
WordStr 10 8 130 30 0 #second line
\t 131 8 135 30 0
"""
NEXT_BOXES = BOXES.replace(" 0\n", " 1\n").replace(" 0 #", " 1 #")
"""The same on the second page."""
LINES = [
    ("a é", ((10, 45, 40, 70), (41, 45, 60, 70), (61, 44, 140, 69))),
    ("second line", ((10, 8, 130, 30),)),
]


def grey(width: int = WIDTH, height: int = HEIGHT, seed: int = 0) -> np.ndarray:
    """[h, w] uint8, blots on paper."""
    random = np.random.default_rng(seed)
    blots = random.random((height // 4 + 1, width // 4 + 1)) < 0.3
    ink = np.kron(blots, np.ones((4, 4), bool))[:height, :width]
    paper = random.integers(200, 256, (height, width))
    return np.where(ink, paper // 4, paper).astype(np.uint8)


def colour(width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    """[h, w, 3] uint8."""
    one = grey(width, height)
    return np.stack([one, 255 - one // 2, np.minimum(one, 200)], axis=-1)


def write_page(path: Path, boxes: str = BOXES, image: Image.Image | None = None, **options) -> str:
    """Save an image with its box file; returns the image's path."""
    (image or Image.fromarray(grey())).save(path, **options)
    path.with_suffix(".box").write_bytes(boxes.encode())
    return str(path)


def write_line(path: Path, text: str = "a line", width: int = 60, seed: int = 0) -> str:
    """Save a line image with its text; returns the image's path."""
    Image.fromarray(grey(width, 20, seed)).save(path)
    path.with_suffix(".gt.txt").write_text(text + "\n")
    return str(path)


def real(image: str, base: str, psm: int = 13) -> subprocess.CompletedProcess[str]:
    """Make `base`.lstmf with the real tesseract."""
    return helpers.run_real("tesseract", image, base, "--psm", psm, "lstm.train")


def pixels(page: lstmf.Page) -> np.ndarray:
    """The image of an entry."""
    return np.array(Image.open(io.BytesIO(page.image)))
