"""Evaluation lines whose exact pixels are in the training lines, too.

Decoded pixels are compared, so a copy in another file format is found. To save time, an image is
decoded only if its size occurs in both parts.
"""

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from lstmjax.cores import usable_cores
from lstmjax.data.decode import decode
from lstmjax.data.lines import LineIndex
from lstmjax.errors import DataError

_AT_ONCE = 1024


def find_copies(
    index: LineIndex, train: Sequence[int], evaluation: Sequence[int]
) -> dict[int, int]:
    """Find evaluation lines with the pixels of a training line.

    Images that cannot be decoded have no copies; they are reported when they are read next.

    Args:
      index: all lines.
      train: numbers of the training lines.
      evaluation: numbers of the evaluation lines.
    Returns: number of an evaluation line -> number of the first training line with its pixels, in
      the order of `evaluation`.
    """
    sizes = index.sizes.astype(np.int64)
    sizes = sizes[:, 0] << 32 | sizes[:, 1]  # one integer each, for the set operations below
    both = np.intersect1d(sizes[list(train)], sizes[list(evaluation)])
    is_candidate = np.isin(sizes, both[both > 0])
    digests = _digests(index, np.flatnonzero(is_candidate).tolist())
    first: dict[bytes, int] = {}
    for number in sorted(train):
        if number in digests:
            first.setdefault(digests[number], number)
    return {
        number: first[digests[number]]
        for number in evaluation
        if number in digests and digests[number] in first
    }


def _digests(index: LineIndex, numbers: Sequence[int]) -> dict[int, bytes]:
    """The digests of pixels, by line number, read in the order of the files."""

    def digest(number: int) -> bytes | None:
        try:
            pixels = _canonical(decode(index.image(number)))
        except DataError:
            return None
        # The shape, too: the same bytes may be another picture.
        header = repr(pixels.shape).encode()
        return hashlib.blake2b(header + pixels.tobytes(), digest_size=16).digest()

    found: dict[int, bytes] = {}
    with ThreadPoolExecutor(usable_cores()) as pool:
        # In parts: `map` starts all that it is given.
        for start in range(0, len(numbers), _AT_ONCE):
            part = numbers[start : start + _AT_ONCE]
            pairs = zip(part, pool.map(digest, part), strict=True)
            found |= {number: one for number, one in pairs if one is not None}
    return found


def _canonical(pixels: NDArray) -> NDArray[np.uint8]:
    """The same array for the same picture, whether it is stored as bilevel, grey or colour."""
    if pixels.dtype == np.bool_:
        return pixels.astype(np.uint8) * np.uint8(255)
    if pixels.ndim == 3 and (pixels == pixels[..., :1]).all():
        return np.ascontiguousarray(pixels[..., 0])
    return pixels
