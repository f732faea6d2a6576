"""Scaled line images on demand, kept in memory up to a limit."""

import threading
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from lstmjax.data.decode import decode
from lstmjax.data.image import (
    MAX_VARIABLE_HEIGHT,
    Input,
    InputShape,
    as_grey,
    black_and_white,
    invert,
    normalise,
    scale_line,
)
from lstmjax.data.lines import LineIndex
from lstmjax.data.memory import PixelMemory, packed_size
from lstmjax.data.random import MinStd
from lstmjax.data.scale import Pixels
from lstmjax.errors import DataError


@dataclass(frozen=True, eq=False)
class ScaledLine:
    """A line scaled for one network.

    Attributes:
      pixels: [h, w] or [h, w, 3] uint8, not writable.
      levels: of ink and paper; None for colour.
    """

    pixels: Pixels
    levels: tuple[np.float32, np.float32] | None


class ImageStore:
    """Loads, scales and keeps line images; several threads may use one store.

    Pixels are kept as bytes, a quarter of what the network reads. Every line is visited once in
    each epoch, so none is worth more than another: images are kept until the memory is full and
    then stay, which serves as large a part of the visits as fits. Two threads that want the same
    new line may both load it.
    """

    def __init__(
        self, index: LineIndex, shape: InputShape, max_bytes: int, *, in_grey: bool = False
    ):
        """Keep images of `index` scaled for `shape` in at most `max_bytes`; 0 keeps none.

        With `in_grey` images of two values are scaled in grey, see `skips.Geometry`.
        """
        self.index = index
        self.shape = shape
        self.in_grey = in_grey
        self._memory = PixelMemory(max_bytes)
        self._lock = threading.Lock()

    @property
    def used_bytes(self) -> int:
        """How much memory is taken now."""
        return self._memory.used_bytes

    def scaled(self, number: int) -> ScaledLine:
        """The scaled image of line `number`.

        Raises: DataError: the image cannot be read, decoded or scaled, or is another than when the
          lines were indexed; names file and page.
        """
        with self._lock:
            kept = self._memory.get(number)
        if kept is None:
            line = self._load(number)
            with self._lock:
                self._memory.put(number, line.pixels, line.levels)
            return line
        return ScaledLine(*kept)

    def read_ahead(self, numbers: Iterable[int]) -> None:
        """Have the system read lines that will be asked for soon, unless their images are kept."""
        with self._lock:
            missing = [number for number in numbers if number not in self._memory]
        self.index.read_ahead(missing)

    def input(
        self,
        number: int,
        stream: MinStd | None = None,
        *,
        int8: bool = False,
        inverted: bool = False,
    ) -> Input:
        """The network input of line `number`; arguments and errors as in `normalise`, `scaled`.

        Args:
          number: of the line in the index.
          stream: where padding noise comes from.
          int8: for an int8 network.
          inverted: swap black and white first.
        Returns: [H, W, D] float32.
        """
        line = self.scaled(number)
        if inverted:
            return normalise(invert(line.pixels), self.shape, stream, int8=int8)
        return normalise(line.pixels, self.shape, stream, int8=int8, levels=line.levels)

    def _load(self, number: int) -> ScaledLine:
        line = self.index[number]
        name = f"{line.path}: page {line.page}"
        pixels = decode(self.index.image(number), name)
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
        scaled.flags.writeable = False
        return ScaledLine(scaled, None if self.shape.colour else black_and_white(scaled))


def size_of_all(index: LineIndex, shape: InputShape) -> int:
    """About how much memory a store takes that keeps every line, in bytes."""
    width, height = np.maximum(index.sizes.T, 1).astype(np.float64)
    rows = np.minimum(height, MAX_VARIABLE_HEIGHT)
    if shape.target_height:
        rows = np.full(len(index), float(shape.target_height))
    pixels = (np.ceil(width * rows / height) * np.ceil(rows)).sum() * (3 if shape.colour else 1)
    return packed_size(int(pixels), len(index))
