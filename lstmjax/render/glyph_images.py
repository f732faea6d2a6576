"""Square images of single characters, cut from a page.

Source: Tesseract src/training/text2image.cpp; Leptonica src/scale1.c, scaling of 1 bit images.
"""

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lstmjax.errors import UsageError
from lstmjax.render.clusters import CharBox
from lstmjax.render.settings import MAX_SIDE


@dataclass(frozen=True)
class GlyphImages:
    """The size of the images.

    Attributes:
      side: size in pixels to which a character is stretched, in both directions.
      border: white pixels around the character.

    Raises:
      UsageError: a size is out of range.
    """

    side: int
    border: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.side <= MAX_SIDE:
            raise UsageError(
                f"--glyph_resized_size must be positive and up to {MAX_SIDE}, found {self.side}"
            )
        if not 0 <= self.border <= MAX_SIDE:
            raise UsageError(
                f"--glyph_num_border_pixels_to_pad must be 0 or positive and up to {MAX_SIDE}, "
                f"found {self.border}"
            )

    def cut(self, ink: NDArray[np.bool_], boxes: Iterable[CharBox]) -> Iterator[bytes]:
        """Yield a JPEG for each box that lies within the page and is no smaller than the border.

        Args:
          ink: [H, W] True where the page is black.
          boxes: boxes of the page, y growing downwards.
        """
        for box in boxes:
            if box.rect is None or not self._fits(box.rect, ink.shape):
                continue
            left, top, width, height = box.rect
            glyph = ink[top : top + height, left : left + width]
            rows, columns = _sample(height, self.side), _sample(width, self.side)
            scaled = np.pad(glyph[np.ix_(rows, columns)], self.border)
            yield _jpeg(np.where(scaled, 0, 255).astype(np.uint8))

    def _fits(self, rect: tuple[int, int, int, int], shape: tuple[int, ...]) -> bool:
        left, top, width, height = rect
        inside = left >= 0 and top >= 0 and left + width <= shape[1] and top + height <= shape[0]
        return inside and not (width < self.border and height < self.border)


def _sample(size: int, wanted: int) -> NDArray[np.int64]:
    """The source row or column of each row or column of a stretched image."""
    ratio = np.float32(size) / np.float32(wanted)
    places = np.float32(ratio) * np.arange(wanted, dtype=np.float32)
    return np.minimum((places.astype(np.float64) + 0.5).astype(np.int64), size - 1)


def _jpeg(image: NDArray[np.uint8]) -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=100, subsampling=0)
    return buffer.getvalue()
