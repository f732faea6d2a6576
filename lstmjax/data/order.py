"""The order in which lines are visited: which page of which document a serial number means.

Nothing is shuffled: lists and pages keep their order, and both orders go on for ever.

Source: Tesseract src/ccstruct/imagedata.cpp, DocumentCache::GetPageBySerial.
"""

from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

Indices = NDArray[np.int64]


class Order(Protocol):
    """One of the functions below."""

    def __call__(self, serials: ArrayLike, pages: ArrayLike) -> tuple[Indices, Indices]: ...


def round_robin(serials: ArrayLike, pages: ArrayLike) -> tuple[Indices, Indices]:
    """Visit the first page of every document, then the second of every document, and so on.

    A document that runs out of pages starts again.

    Args:
      serials: one or more numbers >= 0.
      pages: [N] how many pages each document has, all >= 1.
    Returns: the documents and the pages, counted from 0, in the shape of `serials`.
    """
    serials, pages = _arrays(serials, pages)
    document = serials % len(pages)
    return document, serials // len(pages) % pages[document]


def sequential(serials: ArrayLike, pages: ArrayLike) -> tuple[Indices, Indices]:
    """Visit the documents one after the other, each for as many pages as the *first* one has.

    So pages of longer documents are left out and those of shorter ones are repeated, as in the
    original; with one document, or documents of one length, every page is visited once a round.

    Args:
      serials: one or more numbers >= 0.
      pages: [N] how many pages each document has, all >= 1.
    Returns: the documents and the pages, counted from 0, in the shape of `serials`.
    """
    serials, pages = _arrays(serials, pages)
    document = serials // pages[0] % len(pages)
    return document, serials % pages[0] % pages[document]


def _arrays(serials: ArrayLike, pages: ArrayLike) -> tuple[Indices, Indices]:
    serials, pages = np.asarray(serials, np.int64), np.asarray(pages, np.int64)
    if pages.ndim != 1 or not len(pages) or pages.min() < 1:
        raise ValueError("an order needs documents, and at least one page in each")
    return serials, pages
