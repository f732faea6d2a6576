"""The lines of an index in arrays: a few dozen bytes a line, however many there are."""

from array import array
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lstmjax.data.pairs import Header
from lstmjax.formats.lstmf_table import PageTable
from lstmjax.formats.stream import to_bytes


@dataclass(frozen=True, eq=False)
class Columns:
    """Lines, one row each; all arrays may be read-only.

    Attributes:
      places: [n, 2] int64 offset and length of the page in its file; zeros for an image file.
      ends: [2n] int64 ends in `texts` of the name and the text of each line.
      sizes: [n, 2] int32 width and height of the unscaled image, 0 if unreadable.
      page_numbers: [n] int32 number of the page that each line was cut from, -1 if unknown.
      two_valued: [n] bool, whether the image has one bit a pixel.
      has_boxes: [n] bool, whether the line has character boxes.
      texts: names and texts in UTF-8, one after the other.
    """

    places: NDArray[np.int64]
    ends: NDArray[np.int64]
    sizes: NDArray[np.int32]
    page_numbers: NDArray[np.int32]
    two_valued: NDArray[np.bool_]
    has_boxes: NDArray[np.bool_]
    texts: bytes

    def __len__(self) -> int:
        return len(self.sizes)

    def string(self, place: int) -> bytes:
        """The name (place 2 i) or the text (2 i + 1) of line i."""
        start = int(self.ends[place - 1]) if place else 0
        return self.texts[start : int(self.ends[place])]


class ColumnsBuilder:
    """Builds columns line by line, or from parts of other columns."""

    def __init__(self) -> None:
        self._places, self._ends = array("q"), array("q")
        self._sizes, self._page_numbers = array("i"), array("i")
        self._two_valued, self._has_boxes = bytearray(), bytearray()
        self._texts = bytearray()

    def __len__(self) -> int:
        return len(self._page_numbers)

    def add(
        self,
        header: Header,
        name: str,
        text: str,
        *,
        place: tuple[int, int] = (0, 0),
        page_number: int = 0,
        has_boxes: bool = False,
    ) -> None:
        """Add a line; arguments as in `Columns`."""
        for string in (name, text):
            self._texts += to_bytes(string)
            self._ends.append(len(self._texts))
        self._places.extend(place)
        self._sizes.extend((header.width, header.height))
        self._page_numbers.append(page_number)
        self._two_valued.append(header.two_valued)
        self._has_boxes.append(has_boxes)

    def extend(self, other: Columns, start: int, end: int) -> None:
        """Add the lines `start` to `end` (not included) of other columns."""
        first = int(other.ends[2 * start - 1]) if start else 0
        # Ends count from the begin of all texts, so they move by what this builder holds already.
        ends = other.ends[2 * start : 2 * end] + (len(self._texts) - first)
        if end > start:
            self._texts += other.texts[first : int(other.ends[2 * end - 1])]
        self._ends.frombytes(ends.tobytes())
        self._places.frombytes(other.places[start:end].tobytes())
        self._sizes.frombytes(other.sizes[start:end].tobytes())
        self._page_numbers.frombytes(other.page_numbers[start:end].tobytes())
        self._two_valued += other.two_valued[start:end].tobytes()
        self._has_boxes += other.has_boxes[start:end].tobytes()

    def extend_by_pages(self, pages: PageTable, headers: NDArray[np.int64]) -> None:
        """Add the pages of a document.

        Args:
          pages: table of the document's pages.
          headers: [n, 3] width, height and whether the image has two values.
        """
        self._ends.frombytes((np.cumsum(pages.string_sizes) + len(self._texts)).tobytes())
        self._texts += pages.strings
        self._places.frombytes(np.stack([pages.offset, pages.length], 1).tobytes())
        self._sizes.frombytes(headers[:, :2].astype(np.int32).tobytes())
        self._page_numbers.frombytes(pages.page_number.astype(np.int32).tobytes())
        self._two_valued += headers[:, 2].astype(np.bool_).tobytes()
        self._has_boxes += (pages.boxes > 0).tobytes()

    def finish(self) -> Columns:
        """Return the columns, which share the builder's memory: it must not be used again."""
        return Columns(
            places=np.frombuffer(self._places, np.int64).reshape(-1, 2),
            ends=np.frombuffer(self._ends, np.int64),
            sizes=np.frombuffer(self._sizes, np.int32).reshape(-1, 2),
            page_numbers=np.frombuffer(self._page_numbers, np.int32),
            two_valued=np.frombuffer(self._two_valued, np.bool_),
            has_boxes=np.frombuffer(self._has_boxes, np.bool_),
            texts=bytes(self._texts),
        )
