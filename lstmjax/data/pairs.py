"""Line images with their text beside them: `x.png` and `x.gt.txt`."""

import io
import os
from dataclasses import dataclass

from PIL import Image

from lstmjax.errors import DataError
from lstmjax.formats.lstmf import png_size

IMAGE_SUFFIXES = (".png", ".tif", ".tiff", ".jpg", ".jpeg", ".pnm", ".pbm", ".pgm", ".ppm")
# Endings of prepared images, which share the text of the image they were made from.
PREPARED_SUFFIXES = (".bin.png", ".nrm.png", ".raw.png")
_TEXT_SUFFIX = ".gt.txt"
_MAX_TEXT_BYTES = 1 << 16
_MAX_IMAGE_BYTES = 1 << 28
_HEAD_BYTES = 1 << 12


@dataclass(frozen=True)
class Header:
    """The header of an image: size in pixels, 0 if unreadable; whether it has two values."""

    width: int = 0
    height: int = 0
    two_valued: bool = False


def is_image_name(path: str) -> bool:
    """Whether a path in a list means an image with a text beside it."""
    return path.lower().endswith(IMAGE_SUFFIXES)


def text_path(path: str) -> str:
    """The path of an image's text: `.gt.txt` in place of the image's ending."""
    lower = path.lower()
    for suffix in PREPARED_SUFFIXES:
        if lower.endswith(suffix):
            return path[: -len(suffix)] + _TEXT_SUFFIX
    return os.path.splitext(path)[0] + _TEXT_SUFFIX


def scan(path: str) -> tuple[Header, str]:
    """Read the header of an image, not its pixels, and its text.

    Raises: DataError: the image or its text is missing.
    """
    try:
        with open(path, "rb") as file:
            head = file.read(_HEAD_BYTES)
    except OSError as err:
        raise DataError(f"cannot be read: {err.strerror or err}") from err
    return png_header(*png_size(head)) or read_header(path), _read_text(text_path(path))


def png_header(width: int, height: int, bit_depth: int, color_type: int) -> Header | None:
    """The header of a PNG, from the numbers of a `formats.lstmf.PageInfo`; None if it is no PNG."""
    if not width:
        return None
    if max(width, height) >= 1 << 31:  # more than the format allows
        return Header()
    return Header(width, height, two_valued=bit_depth == 1 and color_type == 0)


def read_header(image: bytes | str) -> Header:
    """The header of an image of any kind, without decoding it."""
    try:
        with Image.open(io.BytesIO(image) if isinstance(image, bytes) else image) as opened:
            return Header(*opened.size, two_valued=opened.mode == "1")
    except Exception:  # broken headers fail in many ways, which decoding will report
        return Header()


def read_image(path: str) -> bytes:
    """Read an image file whole.

    Raises: DataError: it cannot be read or is larger than any line image.
    """
    try:
        with open(path, "rb") as file:
            # One byte more than allowed tells a file that is too large, without reading all of it.
            data = file.read(_MAX_IMAGE_BYTES + 1)
    except OSError as err:
        raise DataError(f"{path}: cannot be read: {err.strerror or err}") from err
    if len(data) > _MAX_IMAGE_BYTES:
        raise DataError(f"{path}: larger than {_MAX_IMAGE_BYTES} bytes; is it a line image?")
    return data


def _read_text(path: str) -> str:
    """The first line of a text file, without byte order mark and surrounding blanks."""
    try:
        with open(path, "rb") as file:
            data = file.read(_MAX_TEXT_BYTES)
    except OSError as err:
        problem = err.strerror or err
        raise DataError(
            f"its text {path} cannot be read: {problem}; write what the image says into it"
        ) from err
    first = data.removeprefix(b"\xef\xbb\xbf").split(b"\n", 1)[0]
    return first.decode("utf-8", "surrogateescape").strip()
