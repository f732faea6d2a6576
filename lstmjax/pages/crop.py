"""Cutting a line out of a page.

Rectangles are (left, bottom, right, top) in pixels with the origin at the bottom left of the page,
as in box files; right and top are not part of them.
Source: Tesseract src/ccmain/linerec.cpp, GetRectImage.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lstmjax.pages import png
from lstmjax.pages.page_image import PageImage

PADDING = 4
"""Margin around the boxes of a line, in pixels."""

Rect = tuple[int, int, int, int]


@dataclass(frozen=True, eq=False)
class Crop:
    """The image of a line.

    Attributes:
      pixels: [h, w] uint8 grey or indices into the palette, or [h, w, 3] uint8 colour.
      resolution: dots per inch across and down, 0 where unknown.
      palette: [n, 3] uint8 colours that `pixels` are indices of, or None.
    """

    pixels: NDArray[np.uint8]
    resolution: tuple[int, int] = (0, 0)
    palette: NDArray[np.uint8] | None = None

    def png(self) -> bytes:
        """The image as a PNG file, with the bytes that the original writes."""
        return png.encode(self.pixels, self.resolution, self.palette)

    def colours(self) -> NDArray[np.uint8]:
        """The pixels as grey or colour, without a palette."""
        return self.pixels if self.palette is None else self.palette[self.pixels]

    def turned(self) -> "Crop":
        """Return the crop turned upright, after it was cut from vertical text."""
        return replace(self, pixels=np.ascontiguousarray(np.rot90(self.pixels)))


def on_page(bounds: Rect, width: int, height: int) -> bool:
    """Whether enough of a line is on the page: half of the smaller extent in both directions.

    Source: Tesseract src/ccstruct/rect.h, major_overlap.
    """
    left, bottom, right, top = bounds
    shared = min(right, width) - max(left, 0), min(top, height) - max(bottom, 0)
    if min(shared) <= 0:
        return False
    smaller = min(right - left, width), min(top - bottom, height)
    return all(2 * part >= whole for part, whole in zip(shared, smaller, strict=True))


def padded(bounds: Rect, width: int, height: int) -> Rect:
    """Grow a rectangle by the padding, but not beyond the page."""
    left, bottom, right, top = bounds
    return (
        max(left - PADDING, 0),
        max(bottom - PADDING, 0),
        min(right + PADDING, width),
        min(top + PADDING, height),
    )


def cut(page: PageImage, rect: Rect) -> Crop:
    """Cut out a rectangle that lies on the page and has pixels."""
    left, bottom, right, top = rect
    pixels = page.pixels[page.height - top : page.height - bottom, left:right]
    if pixels.dtype == np.bool_:
        pixels = pixels.astype(np.uint8) * np.uint8(255)
    return Crop(np.ascontiguousarray(pixels), page.resolution, page.palette)
