"""Images of lines, small enough to embed in a page."""

import base64
import io

import numpy as np
from PIL import Image

from lstmjax.data.decode import decode
from lstmjax.data.lines import LineIndex
from lstmjax.errors import DataError

_MAX_HEIGHT = 56
_MAX_WIDTH = 1600


def picture(index: LineIndex, number: int) -> str | None:
    """The image of a line as a PNG data URI, scaled down if too large; None if it is broken."""
    try:
        pixels = decode(index.image(number), f"line {number}")
    except DataError:
        return None
    if pixels.dtype == np.bool_:
        pixels = pixels.astype(np.uint8) * np.uint8(255)
    image = Image.fromarray(pixels)
    shrink = max(1.0, image.height / _MAX_HEIGHT, image.width / _MAX_WIDTH)
    if shrink > 1:
        size = (max(1, round(image.width / shrink)), max(1, round(image.height / shrink)))
        image = image.resize(size, Image.Resampling.LANCZOS)
    data = io.BytesIO()
    image.save(data, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(data.getvalue()).decode("ascii")
