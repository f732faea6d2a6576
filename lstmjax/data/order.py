"""The order in which lines are visited: a serial number of the run -> page of a document.

An order is a pure function and never ends. `Shuffled` visits all lines once in each epoch, in
another order each time; `round_robin` and `sequential` are Tesseract's and shuffle nothing.

Source of these two: Tesseract src/ccstruct/imagedata.cpp, DocumentCache::GetPageBySerial.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

Indices = NDArray[np.int64]


_OF_LINES = 1
"""Part of the seed that keeps these random numbers apart from those that shuffle batches."""


class Order(Protocol):
    """`Shuffled`, `round_robin` or `sequential`."""

    def __call__(self, serials: ArrayLike, pages: ArrayLike) -> tuple[Indices, Indices]: ...


@dataclass(frozen=True)
class Shuffled:
    """Every page of every document once, in random order; then all again in another order.

    Attributes:
      seed: seed of the run, 0 or more.
    """

    seed: int

    def __call__(self, serials: ArrayLike, pages: ArrayLike) -> tuple[Indices, Indices]:
        """Return the pages that serial numbers mean.

        Args:
          serials: one or more numbers >= 0; `serial // sum(pages)` is the epoch.
          pages: [N] number of pages of each document, all >= 1.
        Returns: the documents and the pages, counted from 0, in the shape of `serials`.
        """
        serials, pages = _arrays(serials, pages)
        ends = np.cumsum(pages)
        epochs, places = np.divmod(serials, ends[-1])
        lines = np.empty(serials.shape, np.int64)
        for epoch in np.unique(epochs).tolist():
            here = epochs == epoch
            lines[here] = _permutation(self.seed, epoch, int(ends[-1]))[places[here]]
        document = np.searchsorted(ends, lines, side="right")
        return document, lines - (ends - pages)[document]


@lru_cache(2)  # an epoch that ends and the next one that begins; 8 bytes a line each
def _permutation(seed: int, epoch: int, count: int) -> Indices:
    permutation = np.random.default_rng([seed, epoch, _OF_LINES]).permutation(count)
    permutation.flags.writeable = False
    return permutation


def round_robin(serials: ArrayLike, pages: ArrayLike) -> tuple[Indices, Indices]:
    """Visit the first page of every document, then the second of every document, and so on.

    A document that runs out of pages starts again.

    Args:
      serials: one or more numbers >= 0.
      pages: [N] number of pages of each document, all >= 1.
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
      pages: [N] number of pages of each document, all >= 1.
    Returns: the documents and the pages, counted from 0, in the shape of `serials`.
    """
    serials, pages = _arrays(serials, pages)
    document = serials // pages[0] % len(pages)
    return document, serials % pages[0] % pages[document]


def round_length(order: Order, pages: ArrayLike) -> int:
    """The number of visits, from the first on, after which every page was met that ever is.

    Args:
      order: `Shuffled`, `round_robin` or `sequential`.
      pages: [N] number of pages of each document, all >= 1.
    """
    pages = np.asarray(pages, np.int64)
    return int(pages.sum() if isinstance(order, Shuffled) else pages.max() * len(pages))


def _arrays(serials: ArrayLike, pages: ArrayLike) -> tuple[Indices, Indices]:
    serials, pages = np.asarray(serials, np.int64), np.asarray(pages, np.int64)
    if pages.ndim != 1 or not len(pages) or pages.min() < 1:
        raise ValueError("an order needs documents, and at least one page in each")
    return serials, pages
