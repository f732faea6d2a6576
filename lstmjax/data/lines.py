"""An index of all lines in a set of documents, small enough for hundreds of thousands of them.

The index holds the place of each line, the size of its image and its text; images stay in the
files and are read one at a time.
"""

import itertools
import os
import sys
import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from lstmjax.data import index_cache, pairs
from lstmjax.data.columns import Columns, ColumnsBuilder
from lstmjax.data.index_cache import CachedIndex, States
from lstmjax.errors import DataError, FormatError
from lstmjax.formats import lstmf, lstmf_table
from lstmjax.formats.lstmf_table import PageTable
from lstmjax.formats.stream import to_text

_WORTH_CACHING = 0.5
"""An index that took longer to build, in seconds, is cached for the next run."""
_MANY_BYTES = 1 << 25
"""Documents larger than this in all are read by a compiled loop, which takes time to load."""
_READERS = 4
_READ_AHEAD = 64


@dataclass(frozen=True, slots=True)
class Document:
    """A file of lines: an lstmf, or an image with its text beside it.

    Attributes:
      path: path of the file, as in the list.
      first: number of the first line in the index.
      count: number of usable lines, at least 1.
      swapped: whether it is an lstmf with the other byte order.
      is_image: whether it is an image with a text file.
      problem: description of the damage after these lines; None if the file is whole.
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
      number: number of the line in the index.
      path: path of the document.
      page: page of the document, from 0.
      name: name of the image that the line was cut from, for messages; `path` if unknown.
      page_number: page of that image, -1 if unknown.
      width: width of the unscaled image in pixels; 0 if its header could not be read.
      height: height of the unscaled image in pixels; 0 if its header could not be read.
      two_valued: whether the image has one bit a pixel, which is scaled in another way.
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
      documents: the documents with usable lines, in list order.
      unusable: path and reason of each document left out.
      columns: the lines in arrays.
    """

    documents: tuple[Document, ...]
    unusable: tuple[tuple[str, str], ...]
    columns: Columns
    _firsts: NDArray[np.int64] = field(repr=False)

    def __len__(self) -> int:
        return len(self.columns)

    def __getitem__(self, number: int) -> Line:
        if not 0 <= number < len(self):
            raise IndexError(f"line {number} of {len(self)}")
        document = self.document_of(number)
        columns = self.columns
        width, height = columns.sizes[number].tolist()
        return Line(
            number,
            document.path,
            number - document.first,
            to_text(columns.string(2 * number)) or document.path,
            int(columns.page_numbers[number]),
            width,
            height,
            bool(columns.two_valued[number]),
            bool(columns.has_boxes[number]),
            self.text(number),
        )

    def __iter__(self) -> Iterator[Line]:
        return (self[number] for number in range(len(self)))

    @property
    def sizes(self) -> NDArray[np.int32]:
        """[n, 2] width and height of the unscaled images, 0 if unreadable."""
        return self.columns.sizes

    @cached_property
    def pages(self) -> NDArray[np.int64]:
        """[documents] number of lines of each, for the functions of `order`; not writable."""
        pages = np.array([document.count for document in self.documents], np.int64)
        pages.flags.writeable = False
        return pages

    def number(self, document: NDArray[np.int64], page: NDArray[np.int64]) -> NDArray[np.int64]:
        """The numbers of lines given by document and page, as an `Order` returns them."""
        return self._firsts[document] + page

    def document_of(self, number: int) -> Document:
        """The document a line is in."""
        return self.documents[int(np.searchsorted(self._firsts, number, side="right")) - 1]

    def text(self, number: int) -> str:
        """The transcription of a line."""
        return to_text(self.columns.string(2 * number + 1))

    def image(self, number: int) -> bytes:
        """Read the encoded image of a line.

        Raises: DataError: the file cannot be read any more, or has changed.
        """
        document = self.document_of(number)
        if document.is_image:
            return pairs.read_image(document.path)
        offset, length = self.columns.places[number].tolist()
        try:
            page = lstmf.read_page(document.path, offset, length, document.swapped)
        except FormatError as err:
            raise DataError(f"{err}; was the file changed during the run?") from err
        # The text was taken when the line was indexed; another line's image would train it wrongly.
        if page.transcription != self.text(number):
            raise DataError(
                f"{document.path}: page at byte {offset:#x}: the text is not the one that was "
                "there before; was the file changed during the run?"
            )
        return page.image

    def read_ahead(self, numbers: Iterable[int]) -> None:
        """Tell the operating system which lines will be read soon, in the order of the files.

        It reads them in the background, which hides the time that a disk needs for lines in random
        order. Nothing happens on systems without such a call (macOS), nor for a missing file,
        which `image` will name.
        """
        if sys.platform != "linux":
            return
        # Sorted by number, lines of one document come together and in the order of the file.
        for document, lines in itertools.groupby(sorted(numbers), self.document_of):
            with suppress(OSError), open(document.path, "rb", buffering=0) as file:
                for number in lines:
                    offset, length = self.columns.places[number].tolist()  # zeros: the whole file
                    os.posix_fadvise(file.fileno(), offset, length, os.POSIX_FADV_WILLNEED)


def build_index(paths: Iterable[str]) -> LineIndex:
    """Scan documents and index their lines; no image is decoded.

    A document that cannot be read is left out and named in `unusable`; a damaged lstmf keeps the
    lines before the damage. An index that takes long to build is cached for the next run, which
    scans only the documents that have changed since; see `index_cache`.

    Args:
      paths: lstmf files, or images (PNG, PNM, TIFF, JPEG) with a .gt.txt beside each.
    Raises: DataError: not a single line can be used.
    """
    paths = [os.fspath(path) for path in paths]
    # Before the states: a file changed between the two counts as not settled.
    began = time.time_ns()
    states = index_cache.states_of(paths)
    cached = index_cache.load(paths)
    builder = _Builder(paths, states)
    if cached is None:
        builder.scan(0, len(paths))
    else:
        # Documents that were damaged or changed shortly before have no state: they are read again.
        known = cached.unchanged(states)
        # In list order, whether scanned or taken: numbers of lines do not depend on the cache.
        for start, end in _runs(known):
            builder.take(cached, start, end) if known[start] else builder.scan(start, end)
    index = builder.finish()
    if builder.seconds > _WORTH_CACHING:
        index_cache.save(paths, builder.to_cache(began, index.columns))
    return index


def _runs(flags: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Start and end of each run of equal flags."""
    edges = [0, *(np.flatnonzero(flags[1:] != flags[:-1]) + 1).tolist(), len(flags)]
    return list(itertools.pairwise(edges))


class _Builder:
    """Builds an index document by document, in the order of the list."""

    def __init__(self, paths: Sequence[str], states: States) -> None:
        self.paths, self.states = paths, states
        self.documents: list[Document] = []
        self.unusable: list[tuple[str, str]] = []
        self.columns = ColumnsBuilder()
        self.all_known: Columns | None = None
        self.counts = np.zeros(len(paths), np.int32)
        self.swapped = np.zeros(len(paths), np.bool_)
        self.whole = np.ones(len(paths), np.bool_)
        self.seconds = 0.0  # time spent on scanning

    def take(self, cached: CachedIndex, start: int, end: int) -> None:
        """Add documents from the cache."""
        firsts = np.concatenate([[0], np.cumsum(cached.counts, dtype=np.int64)])
        first = len(self.columns)
        if end - start == len(self.paths):
            self.all_known = cached.columns  # nothing has changed: no need to copy
        else:
            self.columns.extend(cached.columns, int(firsts[start]), int(firsts[end]))
        for i in range(start, end):
            count, swapped = int(cached.counts[i]), bool(cached.swapped[i])
            self._add(i, Document(self.paths[i], first, count, swapped, self._is_image(i)))
            first += count

    def scan(self, start: int, end: int) -> None:
        """Add documents by reading them."""
        began = time.monotonic()
        with closing(self._tables(start, end)) as tables:
            for i, pages in zip(range(start, end), tables, strict=True):
                path = self.paths[i]
                try:
                    self._add(i, self._scan_one(path, pages))
                except (DataError, FormatError) as err:
                    self.unusable.append((path, str(err).removeprefix(f"{path}: ")))
        self.seconds += time.monotonic() - began

    def _tables(self, start: int, end: int) -> Generator[PageTable | None, None, None]:
        """Yield the page table of each document, read ahead in threads; None if it must be scanned.

        The threads and the compiled loop pay off for large data only.
        """
        if self.states[start:end, 0].sum() < _MANY_BYTES:
            yield from itertools.repeat(None, end - start)
            return
        read = lstmf_table.make_reader()

        def table(i: int) -> PageTable | None:
            return None if self._is_image(i) else read(self.paths[i])

        with ThreadPoolExecutor(_READERS) as pool:
            # `map` starts all that it is given; a few documents at a time bound what is held.
            for first in range(start, end, _READ_AHEAD):
                yield from pool.map(table, range(first, min(first + _READ_AHEAD, end)))

    def _scan_one(self, path: str, pages: PageTable | None) -> Document:
        if pages is not None:
            return self._take_table(path, pages)
        return self._scan_image(path) if pairs.is_image_name(path) else self._scan_lstmf(path)

    def _take_table(self, path: str, pages: PageTable) -> Document:
        """Add the pages of an undamaged document; the result is that of `_scan_lstmf`."""
        first, count = len(self.columns), len(pages.offset)
        two_valued = (pages.bit_depth == 1) & (pages.color_type == 0)
        headers = np.stack([pages.width, pages.height, two_valued], 1)
        headers[np.maximum(pages.width, pages.height) >= 1 << 31] = 0  # as in `pairs.png_header`
        # Not PNG (the table reads no other headers): Pillow has to look.
        for i in np.flatnonzero(pages.width == 0).tolist():
            image = lstmf.read_page(path, int(pages.offset[i]), int(pages.length[i])).image
            header = pairs.read_header(image)
            headers[i] = header.width, header.height, header.two_valued
        self.columns.extend_by_pages(pages, headers)
        return Document(path, first, count)

    def _is_image(self, i: int) -> bool:
        return pairs.is_image_name(self.paths[i])

    def _add(self, i: int, document: Document) -> None:
        self.documents.append(document)
        self.counts[i], self.swapped[i] = document.count, document.swapped
        self.whole[i] = document.problem is None

    def _scan_lstmf(self, path: str) -> Document:
        index = lstmf.scan(path)
        if not index.pages:
            raise DataError(index.problem or "the file has no pages")
        first = len(self.columns)
        for page in index.pages:
            header = pairs.png_header(page.width, page.height, page.bit_depth, page.color_type)
            if header is None:
                whole = lstmf.read_page(path, page.offset, page.length, index.swapped)
                header = pairs.read_header(whole.image)
            self.columns.add(
                header,
                page.name,
                page.transcription,
                place=(page.offset, page.length),
                page_number=page.page_number,
                has_boxes=page.has_boxes,
            )
        return Document(path, first, len(index.pages), index.swapped, problem=index.problem)

    def _scan_image(self, path: str) -> Document:
        header, text = pairs.scan(path)
        first = len(self.columns)
        self.columns.add(header, "", text)
        return Document(path, first, 1, is_image=True)

    def to_cache(self, began: int, columns: Columns) -> CachedIndex:
        """The index to cache; damaged documents are marked to be read again."""
        settled = index_cache.settled(self.states, began)
        states = np.where(self.whole[:, None], settled, 0)
        return CachedIndex(states, self.counts, self.swapped, columns)

    def finish(self) -> LineIndex:
        if not self.documents:
            raise DataError(_nothing_usable(self.unusable))
        firsts = np.array([document.first for document in self.documents], np.int64)
        columns = self.columns.finish() if self.all_known is None else self.all_known
        return LineIndex(tuple(self.documents), tuple(self.unusable), columns, firsts)


def _nothing_usable(unusable: Sequence[tuple[str, str]], shown: int = 5) -> str:
    """Say why there are no lines, with the first few reasons."""
    if not unusable:
        return "no documents to read: the list of files is empty"
    reasons = [f"  {path}: {reason}" for path, reason in unusable[:shown]]
    if len(unusable) > shown:
        reasons.append(f"  and {len(unusable) - shown} more")
    return "\n".join([f"none of {len(unusable)} documents can be used:", *reasons])
