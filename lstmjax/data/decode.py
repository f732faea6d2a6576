"""Image files to pixels: size limits first, then Pillow, then one of three kinds of array."""

import io
import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from lstmjax.errors import DataError

# Leptonica and Tesseract keep coordinates in 16 bits; the product keeps a hostile header from
# claiming memory: 64 million pixels are 192 MB in colour.
MAX_SIDE = 32767
MAX_PIXELS = 1 << 26

_FORMATS = ("PNG", "PPM", "TIFF", "JPEG")

ImageSource = bytes | str | os.PathLike[str] | Image.Image


def decode(image: ImageSource, name: str | None = None) -> NDArray:
    """Decode an image file, or take over an image that Pillow has open.

    The limits are checked on the header, before any pixel is decoded. Of several frames the first
    is taken. Transparent pixels are laid over white, as the tesseract program does with the
    images it reads. Samples of 16 bits keep their high byte.

    Args:
      image: the bytes of a PNG, PNM, TIFF or JPEG file, a path to one, or a Pillow image.
      name: name of the image for errors; by default its path.
    Returns: [h, w] bool (two-valued, True is white), [h, w] uint8 grey or [h, w, 3] uint8 colour.
    Raises: DataError: the image cannot be read, is no image, has no pixels or too many.
    """
    if isinstance(image, Image.Image):
        return _pixels(image, name or "image")
    if isinstance(image, bytes):
        name, file = name or "image", io.BytesIO(image)
    else:
        name, file = name or os.fspath(image), Path(image)
    try:
        with Image.open(file, formats=_FORMATS) as opened:
            return _pixels(opened, name)
    except DataError:
        raise
    except UnidentifiedImageError:
        raise DataError(
            f"{name}: not an image this program reads (PNG, PNM, TIFF or JPEG); convert it to PNG"
        ) from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise DataError(f"{name}: the image has more than {MAX_PIXELS} pixels") from None
    except Exception as err:  # Pillow's decoders report broken files through many types
        raise DataError(f"{name}: the image cannot be decoded: {err}") from None


def _check_size(width: int, height: int, name: str) -> None:
    if width < 1 or height < 1:
        raise DataError(f"{name}: the image is empty ({width} x {height} pixels)")
    if max(width, height) > MAX_SIDE or width * height > MAX_PIXELS:
        raise DataError(
            f"{name}: the image has {width} x {height} pixels; at most {MAX_SIDE} a side and "
            f"{MAX_PIXELS} in all are read: cut it into lines or make it smaller"
        )


def _pixels(image: Image.Image, name: str) -> NDArray:
    _check_size(*image.size, name)
    mode = image.mode
    if mode == "1":
        return np.array(image, dtype=np.bool_)
    if mode.startswith("I"):
        return _high_bytes(np.asarray(image), name)
    if mode == "F":
        raise DataError(f"{name}: samples are floating point numbers; convert to 8-bit grey")
    if mode in ("LA", "La", "RGBA", "RGBa", "PA") or "transparency" in image.info:
        image = _over_white(image)
    elif mode == "P" or mode not in ("L", "RGB"):
        image = image.convert("RGB")
    pixels = np.array(image, dtype=np.uint8)
    if mode in ("P", "PA") and _is_grey(pixels):
        return np.ascontiguousarray(pixels[..., 0])
    return pixels


def _high_bytes(samples: NDArray, name: str) -> NDArray[np.uint8]:
    """Reduce 16-bit samples, which Pillow gives in 16 or 32 bits, to 8 bits."""
    if samples.size and not (samples.min() >= 0 and samples.max() <= 0xFFFF):
        raise DataError(f"{name}: samples are wider than 16 bits; convert to 8-bit grey")
    return (samples >> 8).astype(np.uint8)


def _over_white(image: Image.Image) -> Image.Image:
    grey = image.mode in ("L", "LA", "La")
    image = image.convert("RGBA")
    flat = Image.new("RGBA", image.size, "white")
    flat.alpha_composite(image)
    return flat.convert("L" if grey else "RGB")


def _is_grey(pixels: NDArray[np.uint8]) -> bool:
    red = pixels[..., 0]
    return bool((red == pixels[..., 1]).all() and (red == pixels[..., 2]).all())
