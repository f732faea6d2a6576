"""Pictures of lines, small enough to stand inside a page."""

import base64
import io

import numpy as np
from PIL import Image

from lstmjax.data.decode import decode
from lstmjax.data.lines import LineIndex
from lstmjax.errors import DataError

_HEIGHT = 56
_MOST_WIDTH = 1600


def picture(index: LineIndex, number: int) -> str | None:
    """The image of a line as a data URI of a PNG, made smaller if need be; None if it is broken."""
    try:
        pixels = decode(index.image(number), f"line {number}")
    except DataError:
        return None
    if pixels.dtype == np.bool_:
        pixels = pixels.astype(np.uint8) * np.uint8(255)
    image = Image.fromarray(pixels)
    shrink = max(1.0, image.height / _HEIGHT, image.width / _MOST_WIDTH)
    if shrink > 1:
        size = (max(1, round(image.width / shrink)), max(1, round(image.height / shrink)))
        image = image.resize(size, Image.Resampling.LANCZOS)
    data = io.BytesIO()
    image.save(data, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(data.getvalue()).decode("ascii")
