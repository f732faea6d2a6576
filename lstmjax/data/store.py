"""Scaled line images on demand, cached in memory up to a limit."""

import threading
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from lstmjax.data.decode import decode
from lstmjax.data.image import (
    MAX_VARIABLE_HEIGHT,
    InputShape,
    as_grey,
    black_and_white,
    scale_line,
)
from lstmjax.data.lines import LineIndex
from lstmjax.data.memory import PixelMemory, packed_size
from lstmjax.data.scale import Pixels
from lstmjax.errors import DataError


@dataclass(frozen=True, eq=False)
class ScaledLine:
    """A line scaled for one network.

    Attributes:
      pixels: [h, w] or [h, w, 3] uint8, not writable.
      levels: grey levels of ink and paper; None for colour.
    """

    pixels: Pixels
    levels: tuple[np.float32, np.float32] | None


class ImageStore:
    """Loads, scales and caches line images; several threads may use one store.

    Pixels are cached as bytes, a quarter of the size of the network's input. Every line is visited
    once in each epoch, so none is worth more than another: the first images that fit stay in the
    cache for good, which gives the highest rate of hits. Two threads that want the same new line
    may both load it.
    """

    def __init__(
        self, index: LineIndex, shape: InputShape, max_bytes: int, *, in_grey: bool = False
    ):
        """Make a store.

        Args:
          index: all lines.
          shape: input shape of the network.
          max_bytes: size of the cache; 0 for none.
          in_grey: whether images of two values are scaled in grey, see `skips.Geometry`.
        """
        self.index = index
        self.shape = shape
        self.in_grey = in_grey
        self._memory = PixelMemory(max_bytes)
        self._lock = threading.Lock()

    @property
    def used_bytes(self) -> int:
        """Size of the images cached now, in bytes."""
        return self._memory.used_bytes

    def scaled(self, number: int) -> ScaledLine:
        """The scaled image of line `number`.

        Raises: DataError: the image cannot be read, decoded or scaled, or has changed since the
          lines were indexed; names file and page.
        """
        with self._lock:
            kept = self._memory.get(number)
        if kept is None:
            # Loaded without the lock: decoding takes long, and other threads go on meanwhile.
            line = self._load(number)
            with self._lock:
                self._memory.put(number, line.pixels, line.levels)
            return line
        return ScaledLine(*kept)

    def read_ahead(self, numbers: Iterable[int]) -> None:
        """Have the system read lines that are needed soon, unless their images are cached."""
        with self._lock:
            missing = [number for number in numbers if number not in self._memory]
        self.index.read_ahead(missing)

    def _load(self, number: int) -> ScaledLine:
        line = self.index[number]
        name = f"{line.path}: page {line.page}"
        pixels = decode(self.index.image(number), name)
        # Buckets were fitted to the size in the index.
        if pixels.shape[:2] != (line.height, line.width) and line.width:
            raise DataError(
                f"{name}: the image has {pixels.shape[1]} x {pixels.shape[0]} pixels, it had "
                f"{line.width} x {line.height} before; was the file changed during the run?"
            )
        if self.in_grey:
            pixels = as_grey(pixels)
        try:
            scaled = scale_line(pixels, self.shape)
        except DataError as err:
            raise DataError(f"{name}: {err}") from None
        # One array serves every visit.
        scaled.flags.writeable = False
        return ScaledLine(scaled, None if self.shape.colour else black_and_white(scaled))


def size_of_all(index: LineIndex, shape: InputShape) -> int:
    """Estimate the size of a cache that holds every line, in bytes."""
    width, height = np.maximum(index.sizes.T, 1).astype(np.float64)
    rows = np.minimum(height, MAX_VARIABLE_HEIGHT)
    if shape.target_height:
        rows = np.full(len(index), float(shape.target_height))
    pixels = (np.ceil(width * rows / height) * np.ceil(rows)).sum() * (3 if shape.colour else 1)
    return packed_size(int(pixels), len(index))
