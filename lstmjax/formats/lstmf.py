"""Training lines: a document of line images with transcriptions and character boxes.

`unpack` is strict. `scan` lists the lines of a file of any size without reading their images; of a
damaged file it gives the complete lines and describes the damage. `read_page` then reads one line.
Source: Tesseract src/ccstruct/imagedata.cpp.
"""

import mmap
import struct
from dataclasses import dataclass

import numpy as np

from lstmjax.errors import FormatError, naming
from lstmjax.formats.files import PathLike, read_bytes, unreadable, write_atomically
from lstmjax.formats.stream import Reader, Writer

MIN_PAGE_SIZE = 30
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_HEAD = 26
"""Bytes of a PNG up to and including the colour type."""


@dataclass(frozen=True, eq=False)
class Page:
    """One line image with its text.

    Attributes:
      name: image file name, often empty.
      page_number: index in the image file, or -1.
      image: the encoded image, normally PNG.
      language: name of the language, usually empty.
      transcription: the text; bytes that are not UTF-8 are kept as surrogate escapes.
      boxes: [n, 4] int16 left, bottom, right, top, origin at the bottom left of the line image.
      box_texts: the text of each box, or a single text without boxes.
      vertical: whether the text runs from top to bottom.
    """

    name: str
    page_number: int
    image: bytes
    language: str
    transcription: str
    boxes: np.ndarray
    box_texts: tuple[str, ...]
    vertical: bool = False


@dataclass(frozen=True, slots=True)
class PageInfo:
    """The entry of a page in a `PageIndex`.

    Attributes:
      offset: first byte of the page in the file.
      length: size of the page in bytes.
      width: width in pixels, from the PNG header; 0 if the image is not PNG.
      height: height in pixels, from the PNG header; 0 if the image is not PNG.
      bit_depth: bits of a channel, from the PNG header; 0 if the image is not PNG.
      color_type: 0 grey, 2 RGB, 3 palette, 4 grey + alpha, 6 RGBA; -1 if the image is not PNG.
      name: image file name, often empty.
      page_number: index in the image file, or -1.
      transcription: the text; bytes that are not UTF-8 are kept as surrogate escapes.
      has_boxes: whether there are character boxes.
    """

    offset: int
    length: int
    width: int
    height: int
    bit_depth: int
    color_type: int
    name: str
    page_number: int
    transcription: str
    has_boxes: bool


@dataclass(frozen=True)
class PageIndex:
    """The pages of a file.

    Attributes:
      pages: the complete pages, in file order.
      swapped: whether the file is big-endian; hand this to `read_page`.
      problem: description of the damage after the last of `pages`; None if the file is whole.
    """

    pages: tuple[PageInfo, ...]
    swapped: bool = False
    problem: str | None = None


def _open(data: bytes | mmap.mmap) -> tuple[Reader, int]:
    """Read the page count and find the byte order.

    A count that the file has no room for is tried in the other byte order.

    Raises:
      FormatError: no count, or no pages.
    """
    reader = Reader(data)
    number = reader.u32()
    # In the wrong byte order a small count is huge; Tesseract decides in the same way.
    if number > len(data) // 4:
        other = Reader(data, swap=True)
        swapped = other.u32()
        if swapped <= (len(data) - 4) // MIN_PAGE_SIZE:
            reader, number = other, swapped
    if number == 0:
        raise reader.error("the file has no pages", at=0)
    return reader, number


def unpack(data: bytes) -> tuple[Page, ...]:
    """Read all pages.

    Raises:
      FormatError: damaged anywhere, or bytes are left over.
    """
    reader, number = _open(data)
    if number * MIN_PAGE_SIZE > reader.remaining:
        raise reader.error(
            f"{number} pages need at least {number * MIN_PAGE_SIZE} bytes, "
            f"{reader.remaining} remain",
            at=0,
        )
    pages = []
    for i in range(number):
        with naming(component=f"page {i + 1} of {number}"):
            pages.append(_read_page(reader))
    reader.expect_end("last page")
    return tuple(pages)


def _read_page(reader: Reader) -> Page:
    _expect_page(reader)
    name = reader.str_("the image name")
    page_number = reader.i32()
    image = reader.blob("the image")
    language = reader.str_("the language")
    transcription = reader.str_("the transcription")
    count = reader.count(8, "boxes")
    boxes = reader.array("i2", 4 * count).reshape(count, 4)
    start = reader.offset
    texts = tuple(reader.str_("a box text") for _ in range(reader.count(4, "box texts")))
    _check_texts(reader, count, len(texts), start)
    vertical = _read_vertical(reader)
    return Page(name, page_number, image, language, transcription, boxes, texts, vertical)


def _scan_page(reader: Reader) -> PageInfo:
    """Read a page like `_read_page`, but step over the fields that an index leaves out."""
    offset = reader.offset
    _expect_page(reader)
    name = reader.str_("the image name")
    page_number = reader.i32()
    image_size = reader.count(1, "bytes of the image")
    # The image is stepped over: only its first bytes, with the size, are read.
    head = reader.take(min(image_size, _PNG_HEAD))
    reader.skip(image_size - len(head))
    reader.skip(reader.count(1, "bytes of the language"))
    transcription = reader.str_("the transcription")
    count = reader.count(8, "boxes")
    reader.skip(8 * count)
    start = reader.offset
    texts = reader.count(4, "box texts")
    reader.skip_blobs(texts, "a box text")
    _check_texts(reader, count, texts, start)
    _read_vertical(reader)
    return PageInfo(
        offset,
        reader.offset - offset,
        *png_size(head),
        name=name,
        page_number=page_number,
        transcription=transcription,
        has_boxes=count > 0,
    )


def _expect_page(reader: Reader) -> None:
    start = reader.offset
    flag = reader.u8()
    if flag != 1:
        raise reader.error(f"page flag {flag}, expected 1", at=start)


def _check_texts(reader: Reader, boxes: int, texts: int, start: int) -> None:
    # A line that came with a text only has one text and no box.
    if texts != boxes and not (boxes == 0 and texts == 1):
        raise reader.error(f"{texts} box texts for {boxes} boxes", at=start)


def _read_vertical(reader: Reader) -> bool:
    start = reader.offset
    vertical = reader.i8()
    if vertical not in (0, 1):
        raise reader.error(f"vertical text flag {vertical}, expected 0 or 1", at=start)
    return bool(vertical)


def png_size(head: bytes) -> tuple[int, int, int, int]:
    """Read width, height, bit depth and colour type from the first 26 bytes of a PNG.

    Returns: (0, 0, 0, -1) if it is no PNG.
    """
    if len(head) < _PNG_HEAD or not head.startswith(PNG_SIGNATURE) or head[12:16] != b"IHDR":
        return 0, 0, 0, -1
    width, height, bit_depth, color_type = struct.unpack_from(">IIBB", head, 16)
    return width, height, bit_depth, color_type


def pack(pages: tuple[Page, ...]) -> bytes:
    """Write pages."""
    writer = Writer()
    writer.u32(len(pages))
    for page in pages:
        writer.u8(1)
        writer.str_(page.name)
        writer.i32(page.page_number)
        writer.blob(page.image)
        writer.str_(page.language)
        writer.str_(page.transcription)
        writer.u32(len(page.boxes))
        writer.array("i2", page.boxes)
        writer.u32(len(page.box_texts))
        for text in page.box_texts:
            writer.str_(text)
        writer.i8(page.vertical)
    return writer.data


def load(path: PathLike) -> tuple[Page, ...]:
    """Read all pages of a file; errors name it."""
    with naming(file=str(path)):
        return unpack(read_bytes(path))


def save(pages: tuple[Page, ...], path: PathLike) -> None:
    """Write a file of pages."""
    write_atomically(path, pack(pages))


def scan(path: PathLike) -> PageIndex:
    """List the pages of a file without reading their images.

    A damaged file gives the pages before the damage, and `problem` describes it.

    Raises:
      FormatError: the file cannot be read, or not even its page count.
    """
    try:
        with (
            naming(file=str(path)),
            open(path, "rb") as file,
            # Mapped, so that images in the file are never read.
            mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data,
        ):
            return _scan(data, path)
    except ValueError as err:  # an empty file cannot be mapped
        raise FormatError("the file is empty", file=str(path), offset=0) from err
    except OSError as err:
        raise unreadable(path, err) from err


def _scan(data: mmap.mmap, path: PathLike) -> PageIndex:
    reader, number = _open(data)
    pages: list[PageInfo] = []
    problem = None
    try:
        with naming(file=str(path)):
            for i in range(number):
                with naming(component=f"page {i + 1} of {number}"):
                    pages.append(_scan_page(reader))
            reader.expect_end("last page")
    except FormatError as err:
        problem = str(err)
    return PageIndex(tuple(pages), reader.swap, problem)


def read_page(path: PathLike, offset: int, length: int, swapped: bool = False) -> Page:
    """Read one page found by `scan`.

    Args:
      path: path of the file.
      offset: `PageInfo.offset`.
      length: `PageInfo.length`.
      swapped: `PageIndex.swapped`.

    Raises:
      FormatError: the file cannot be read, or changed since it was scanned.
    """
    try:
        with open(path, "rb") as file:
            file.seek(offset)
            reader = Reader(file.read(length), swap=swapped)
    except OSError as err:
        raise unreadable(path, err) from err
    with naming(file=str(path), component=f"page at byte {offset:#x}"):
        page = _read_page(reader)
        reader.expect_end("page")
    return page
