"""An index of all lines in a set of documents, small enough for hundreds of thousands of them.

The index holds where each line is, how large its image is and what its text is; images stay in
the files and are read one at a time.
"""

import os
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lstmjax.data import pairs
from lstmjax.errors import DataError, FormatError
from lstmjax.formats import lstmf


@dataclass(frozen=True)
class Document:
    """A file of lines: an lstmf, or an image with its text beside it.

    Attributes:
      path: as in the list.
      first: the number of its first line in the index.
      count: how many usable lines it has, at least 1.
      swapped: an lstmf with the other byte order.
      is_image: an image with a text file.
      problem: what is wrong with the file behind these lines; None if it is whole.
    """

    path: str
    first: int
    count: int
    swapped: bool = False
    is_image: bool = False
    problem: str | None = None


@dataclass(frozen=True)
class Line:
    """One line of the index.

    Attributes:
      number: in the index.
      path: of its document.
      page: in the document, from 0.
      name: of the image it was cut from, for messages; the path if the file names none.
      page_number: of that image, -1 if unknown.
      width: of the unscaled image in pixels; 0 if its header could not be read.
      height: likewise.
      two_valued: whether the image has one bit a pixel, which scales in its own way.
      has_boxes: whether the lstmf has character boxes.
      text: the transcription; bytes that are not UTF-8 are surrogate escapes.
    """

    number: int
    path: str
    page: int
    name: str
    page_number: int
    width: int
    height: int
    two_valued: bool
    has_boxes: bool
    text: str


@dataclass(frozen=True, eq=False)
class LineIndex:
    """All lines of some documents; `index[number]` is a `Line`.

    Attributes:
      documents: those with usable lines, in list order.
      unusable: path and reason of each document left out.
      sizes: [n, 2] int32 width and height of the unscaled images.
      two_valued: [n] bool, images of one bit a pixel.
      has_boxes: [n] bool.
    """

    documents: tuple[Document, ...]
    unusable: tuple[tuple[str, str], ...]
    sizes: NDArray[np.int32]
    two_valued: NDArray[np.bool_]
    has_boxes: NDArray[np.bool_]
    _places: NDArray[np.int64] = field(repr=False)  # [n, 2] offset and length in the file
    _page_numbers: NDArray[np.int32] = field(repr=False)
    _ends: NDArray[np.int64] = field(repr=False)  # [2n + 1] where names and texts end in _texts
    _texts: bytes = field(repr=False)
    _firsts: NDArray[np.int64] = field(repr=False)

    def __len__(self) -> int:
        return len(self.sizes)

    def __getitem__(self, number: int) -> Line:
        if not 0 <= number < len(self):
            raise IndexError(f"line {number} of {len(self)}")
        document = self.document_of(number)
        width, height = self.sizes[number].tolist()
        return Line(
            number,
            document.path,
            number - document.first,
            self._string(2 * number) or document.path,
            int(self._page_numbers[number]),
            width,
            height,
            bool(self.two_valued[number]),
            bool(self.has_boxes[number]),
            self.text(number),
        )

    def __iter__(self) -> Iterator[Line]:
        return (self[number] for number in range(len(self)))

    @property
    def pages(self) -> NDArray[np.int64]:
        """[documents] how many lines each has, for the functions of `order`."""
        return np.array([document.count for document in self.documents], np.int64)

    def number(self, document: NDArray[np.int64], page: NDArray[np.int64]) -> NDArray[np.int64]:
        """The numbers of lines given by document and page, as `order` gives them."""
        return self._firsts[document] + page

    def document_of(self, number: int) -> Document:
        """The document a line is in."""
        return self.documents[int(np.searchsorted(self._firsts, number, side="right")) - 1]

    def text(self, number: int) -> str:
        """The transcription of a line."""
        return self._string(2 * number + 1)

    def _string(self, place: int) -> str:
        start, end = self._ends[place : place + 2].tolist()
        return self._texts[start:end].decode("utf-8", "surrogateescape")

    def image(self, number: int) -> bytes:
        """Read the encoded image of a line.

        Raises: DataError: the file cannot be read any more, or has changed.
        """
        document = self.document_of(number)
        if document.is_image:
            return pairs.read_image(document.path)
        offset, length = self._places[number].tolist()
        try:
            return lstmf.read_page(document.path, offset, length, document.swapped).image
        except FormatError as err:
            raise DataError(f"{err}; was the file changed during the run?") from err


def build_index(paths: Iterable[str]) -> LineIndex:
    """Scan documents and index their lines; no image is decoded.

    A document that cannot be read is left out and named in `unusable`; a damaged lstmf keeps the
    lines before the damage.

    Args:
      paths: lstmf files, or images (PNG, PNM, TIFF, JPEG) with a .gt.txt beside each.
    Raises: DataError: not a single line can be used.
    """
    builder = _Builder()
    for path in paths:
        builder.add(os.fspath(path))
    return builder.finish()


class _Builder:
    """Grows the columns of an index, a document at a time."""

    def __init__(self) -> None:
        self.documents: list[Document] = []
        self.unusable: list[tuple[str, str]] = []
        self.places, self.ends = array("q"), array("q", [0])
        self.sizes, self.page_numbers = array("i"), array("i")
        self.two_valued, self.has_boxes = bytearray(), bytearray()
        self.texts = bytearray()

    def add(self, path: str) -> None:
        try:
            if pairs.is_image_name(path):
                self._add_image(path)
            else:
                self._add_lstmf(path)
        except (DataError, FormatError) as err:
            reason = str(err).removeprefix(f"{path}: ")
            self.unusable.append((path, reason))

    def _add_lstmf(self, path: str) -> None:
        index = lstmf.scan(path)
        if not index.pages:
            raise DataError(index.problem or "the file has no pages")
        first = len(self.page_numbers)
        for page in index.pages:
            header = pairs.png_header(page.width, page.height, page.bit_depth, page.color_type)
            if header is None:
                whole = lstmf.read_page(path, page.offset, page.length, index.swapped)
                header = pairs.read_header(whole.image)
            self._add_line(header, page.name, page.transcription)
            self.places.extend((page.offset, page.length))
            self.page_numbers.append(page.page_number)
            self.has_boxes.append(page.has_boxes)
        self.documents.append(
            Document(path, first, len(index.pages), index.swapped, problem=index.problem)
        )

    def _add_image(self, path: str) -> None:
        header, text = pairs.scan(path)
        first = len(self.page_numbers)
        self._add_line(header, "", text)
        self.places.extend((0, 0))
        self.page_numbers.append(0)
        self.has_boxes.append(False)
        self.documents.append(Document(path, first, 1, is_image=True))

    def _add_line(self, header: pairs.Header, name: str, text: str) -> None:
        for string in (name, text):
            self.texts += string.encode("utf-8", "surrogateescape")
            self.ends.append(len(self.texts))
        self.sizes.extend((header.width, header.height))
        self.two_valued.append(header.two_valued)

    def finish(self) -> LineIndex:
        if not self.documents:
            raise DataError(_nothing_usable(self.unusable))
        return LineIndex(
            documents=tuple(self.documents),
            unusable=tuple(self.unusable),
            sizes=np.array(self.sizes, np.int32).reshape(-1, 2),
            two_valued=np.frombuffer(bytes(self.two_valued), np.bool_),
            has_boxes=np.frombuffer(bytes(self.has_boxes), np.bool_),
            _places=np.array(self.places, np.int64).reshape(-1, 2),
            _page_numbers=np.array(self.page_numbers, np.int32),
            _ends=np.array(self.ends, np.int64),
            _texts=bytes(self.texts),
            _firsts=np.array([document.first for document in self.documents], np.int64),
        )


def _nothing_usable(unusable: Sequence[tuple[str, str]], shown: int = 5) -> str:
    """Say why there are no lines, with the first few reasons."""
    if not unusable:
        return "no documents to read: the list of files is empty"
    reasons = [f"  {path}: {reason}" for path, reason in unusable[:shown]]
    if len(unusable) > shown:
        reasons.append(f"  and {len(unusable) - shown} more")
    return "\n".join([f"none of {len(unusable)} documents can be used:", *reasons])
