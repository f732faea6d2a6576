"""Images of pages and lines as the tesseract program sees them, a page at a time.

This is not `data.decode`, which makes the input of a network: here palettes, resolution and two-
valued pixels are preserved as the original preserves them in training data.
"""

import struct
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from lstmjax.errors import DataError

MAX_SIDE = 32767
"""Largest width or height, since Tesseract keeps coordinates in 16 bits."""
MAX_PIXELS = 89_000_000
"""Largest page; A3 at 600 dots per inch has 70 million, a hostile header may claim far more."""

_FORMATS = ("PNG", "PPM", "TIFF", "JPEG")
_INCHES_PER_METRE = 39.37
_WEIGHTS = (0.3, 0.5, 0.2)
_TIFF_X, _TIFF_Y, _TIFF_UNIT, _CENTIMETRE = 282, 283, 296, 3


@dataclass(frozen=True, eq=False)
class PageImage:
    """One page.

    Attributes:
      pixels: [h, w] bool (True is white), [h, w] uint8 grey or indices into the palette, or
        [h, w, 3] uint8 colour.
      resolution: dots per inch across and down, 0 where unknown.
      palette: [n, 3] uint8 colours that `pixels` are indices of, or None.
      of: number of pages in the file.
    """

    pixels: NDArray
    resolution: tuple[int, int] = (0, 0)
    palette: NDArray[np.uint8] | None = None
    of: int = 1

    @property
    def width(self) -> int:
        """Width in pixels."""
        return self.pixels.shape[1]

    @property
    def height(self) -> int:
        """Height in pixels."""
        return self.pixels.shape[0]


def read_pages(path: str) -> Iterator[PageImage]:
    """Yield the pages of an image file; only TIFF files have several.

    Sizes are checked before any pixel is decoded. Transparent pixels are laid over white, 16-bit
    samples keep their high byte, palettes of less than 256 colours (by depth) become grey.

    Raises: DataError: the file cannot be read, is no image, or a page is empty or too large; names
        the file, and the page where there are several.
    """
    try:
        # Pillow memory-maps a file that it opens itself, and rotates mapped pages wrongly.
        with open(path, "rb") as file, _open(file) as opened:
            count = getattr(opened, "n_frames", 1) if opened.format == "TIFF" else 1
            for page in range(count):
                opened.seek(page)
                name = path if count == 1 else f"{path}: page {page + 1}"
                yield replace(_read_page(opened, name), of=count)
    except (DataError, GeneratorExit):
        raise
    except UnidentifiedImageError:
        raise DataError(
            f"{path}: not an image this program reads (PNG, PNM, TIFF or JPEG); convert it to PNG"
        ) from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise DataError(f"{path}: the image has more than {MAX_PIXELS} pixels") from None
    except FileNotFoundError:
        raise DataError(f"{path}: there is no such file") from None
    except Exception as err:  # Pillow's decoders report broken files through many types
        raise DataError(f"{path}: the image cannot be decoded: {err}") from None


def _open(file: BinaryIO) -> Image.Image:
    """Read the header of an image; Pillow's warning about its size becomes an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        return Image.open(file, formats=_FORMATS)


def _read_page(image: Image.Image, name: str) -> PageImage:
    width, height = image.size
    if width < 1 or height < 1:
        raise DataError(f"{name}: the image is empty ({width} x {height} pixels)")
    # Checked on the header: `load` below would take memory for all pixels.
    if max(width, height) > MAX_SIDE or width * height > MAX_PIXELS:
        raise DataError(
            f"{name}: the image has {width} x {height} pixels; at most {MAX_SIDE} a side and "
            f"{MAX_PIXELS} in all are read: cut it into parts or make it smaller"
        )
    # Both before `load`, which replaces what they look at.
    resolution, bits = _resolution(image), _palette_bits(image)
    image.load()  # which also rotates a TIFF that asks for it
    if image.mode == "P" and "transparency" not in image.info:
        return _palette_page(image, bits, resolution)
    return PageImage(_pixels(image, name), resolution)


def _pixels(image: Image.Image, name: str) -> NDArray:
    mode = image.mode
    if mode == "1":
        return np.array(image, np.bool_)
    if mode.startswith("I"):
        samples = np.asarray(image)
        if samples.min() < 0 or samples.max() > 0xFFFF:
            raise DataError(f"{name}: samples are wider than 16 bits; convert to 8-bit grey")
        return (samples >> 8).astype(np.uint8)
    if mode == "F":
        raise DataError(f"{name}: samples are floating point numbers; convert to 8-bit grey")
    if mode in ("LA", "La", "PA", "RGBA", "RGBa", "P"):
        return _over_white(np.array(image.convert("RGBA")))
    if mode == "CMYK" and image.format == "JPEG":
        inks = np.array(image).astype(np.uint16)
        return ((255 - inks[..., :3]) * (255 - inks[..., 3:]) // 255).astype(np.uint8)
    return np.array(image if mode in ("L", "RGB") else image.convert("RGB"), np.uint8)


def _over_white(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Blend [h, w, 4] with white. Source: Leptonica 1.82 src/pix5.c, pixAlphaBlendUniform."""
    # float32 for the share and double for the rest, as in the original.
    share = (1.0 / 255.0 * pixels[..., 3:]).astype(np.float32)
    paper = (1.0 - share.astype(np.float64)) * 255
    return (paper + share * pixels[..., :3]).astype(np.uint8)


def _palette_page(image: Image.Image, bits: int, resolution: tuple[int, int]) -> PageImage:
    """Keep palettes of 8 bits; turn others into grey, and those of 1 bit into colour if needed."""
    indices = np.array(image, np.uint8)
    listed = np.array(image.getpalette("RGB") or [], np.uint8).reshape(-1, 3)
    # Indices beyond the listed colours are black.
    palette = np.zeros((max(len(listed), int(indices.max()) + 1), 3), np.uint8)
    palette[: len(listed)] = listed
    if bits == 8:
        return PageImage(indices, resolution, palette)
    if bits == 1 and (palette != palette[:, :1]).any():
        return PageImage(palette[indices], resolution)
    red, green, blue = (palette[:, i] * np.float32(_WEIGHTS[i]) for i in range(3))
    grey = (red + green + blue + np.float32(0.5)).astype(np.uint8)
    return PageImage(grey[indices], resolution)


def _palette_bits(image: Image.Image) -> int:
    """Bits a pixel of a palette image, from the raw mode that Pillow is about to unpack."""
    tiles: Any = getattr(image, "tile", None)
    arguments = tiles[0][3] if tiles else "P"
    raw_mode = arguments if isinstance(arguments, str) else arguments[0]
    _, _, bits = raw_mode.partition(";")
    return int(bits[0]) if bits[:1].isdigit() else 8


def _resolution(image: Image.Image) -> tuple[int, int]:
    """Dots per inch, as Leptonica reads them from the file."""
    info = image.info
    if image.format == "PNG" and "dpi" in info:
        # The file has dots per metre, from which Pillow made these; Leptonica rounds its own way.
        per_metre = [round(dots / 0.0254) for dots in info["dpi"]]
        x, y = (int(number / _INCHES_PER_METRE + 0.5) for number in per_metre)
    elif image.format == "JPEG" and info.get("jfif_unit") in (1, 2):
        factor = 1 if info["jfif_unit"] == 1 else 2.54
        x, y = (int(factor * number + 0.5) for number in info["jfif_density"])
    elif image.format == "TIFF":
        tags: Any = getattr(image, "tag_v2", {})
        x, y = (_dots_per_inch(tags, tag) for tag in (_TIFF_X, _TIFF_Y))
        x, y = x or y, y or x
    else:
        return 0, 0
    return (x, y) if 0 < x < 1 << 24 and 0 < y < 1 << 24 else (0, 0)


def _dots_per_inch(tags: Any, tag: int) -> int:
    """Read a resolution in float32, truncated as in Leptonica; 0 if there is none."""
    try:
        value = struct.unpack("f", struct.pack("f", float(tags.get(tag, 0))))[0]
        return int(2.54 * value + 0.5 if tags.get(_TIFF_UNIT) == _CENTIMETRE else value)
    except (ArithmeticError, TypeError, ValueError, struct.error):
        return 0
