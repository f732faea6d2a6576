"""Lines for evaluation whose very pixels are trained on as well.

Images are compared decoded, so that a copy saved otherwise is found. Only images are decoded whose
size occurs on both sides.
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
    """Find lines for evaluation that have the pixels of a line for training.

    Images that cannot be decoded have no copies; whoever reads them next names them.

    Args:
      index: all lines.
      train: numbers of the lines for training.
      evaluation: numbers of the lines for evaluation.
    Returns: number of a line for evaluation -> that of the first line for training like it, in the
      order of `evaluation`.
    """
    sizes = index.sizes.astype(np.int64)
    sizes = sizes[:, 0] << 32 | sizes[:, 1]
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
    """The digests of pixels; a part of the lines at a time, in the order of the files."""

    def digest(number: int) -> bytes | None:
        try:
            pixels = _one_form(decode(index.image(number)))
        except DataError:
            return None
        header = repr(pixels.shape).encode()
        return hashlib.blake2b(header + pixels.tobytes(), digest_size=16).digest()

    found: dict[int, bytes] = {}
    with ThreadPoolExecutor(usable_cores()) as pool:
        for start in range(0, len(numbers), _AT_ONCE):
            part = numbers[start : start + _AT_ONCE]
            pairs = zip(part, pool.map(digest, part), strict=True)
            found |= {number: one for number, one in pairs if one is not None}
    return found


def _one_form(pixels: NDArray) -> NDArray[np.uint8]:
    """The same array for the same picture, whether stored with two values, as grey or in colour."""
    if pixels.dtype == np.bool_:
        return pixels.astype(np.uint8) * np.uint8(255)
    if pixels.ndim == 3 and (pixels == pixels[..., :1]).all():
        return np.ascontiguousarray(pixels[..., 0])
    return pixels
