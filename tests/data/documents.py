"""Small documents made for tests."""

import io

import numpy as np
from PIL import Image

from lstmjax.formats import lstmf


def png(width=60, height=40, seed=0, two_valued=False, kind="PNG"):
    """The bytes of an image of noise."""
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels > 127 if two_valued else pixels).save(buffer, kind)
    return buffer.getvalue()


def page(text, image=None, boxes=0, name="", number=0):
    """One page of an lstmf."""
    image = png() if image is None else image
    rows = np.arange(4 * boxes, dtype=np.int16).reshape(boxes, 4)
    texts = ("x",) * boxes or (text,)
    return lstmf.Page(name, number, image, "", text, rows, texts)


def save(path, *pages):
    """Write an lstmf and return its path as text."""
    lstmf.save(pages, path)
    return str(path)
