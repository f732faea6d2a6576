"""Scaled line images on demand, kept in memory up to a limit."""

import threading
from collections import OrderedDict
from dataclasses import dataclass

import numpy as np

from lstmjax.data.decode import decode
from lstmjax.data.image import Input, InputShape, black_and_white, invert, normalise, scale_line
from lstmjax.data.lines import LineIndex
from lstmjax.data.random import MinStd
from lstmjax.data.scale import Pixels
from lstmjax.errors import DataError

# What Python objects around the pixels of one image take, roughly, in bytes.
_OVERHEAD = 600


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

    Pixels are kept as bytes, a quarter of what the network reads, least recently used ones are
    dropped first. Two threads that want the same new line may both load it.
    """

    def __init__(self, index: LineIndex, shape: InputShape, max_bytes: int):
        """Keep images of `index` scaled for `shape` in at most `max_bytes`; 0 keeps none."""
        self.index = index
        self.shape = shape
        self.max_bytes = max_bytes
        self._bytes = 0
        self._kept: OrderedDict[int, ScaledLine] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def used_bytes(self) -> int:
        """How much is kept now."""
        return self._bytes

    def scaled(self, number: int) -> ScaledLine:
        """The scaled image of line `number`.

        Raises: DataError: the image cannot be read, decoded or scaled; names file and page.
        """
        with self._lock:
            kept = self._kept.get(number)
            if kept is not None:
                self._kept.move_to_end(number)
                return kept
        loaded = self._load(number)
        self._keep(number, loaded)
        return loaded

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
        try:
            scaled = scale_line(pixels, self.shape)
        except DataError as err:
            raise DataError(f"{name}: {err}") from None
        scaled.flags.writeable = False
        return ScaledLine(scaled, None if self.shape.colour else black_and_white(scaled))

    def _keep(self, number: int, line: ScaledLine) -> None:
        size = _size(line)
        with self._lock:
            if number in self._kept or size > self.max_bytes:
                return
            self._kept[number] = line
            self._bytes += size
            while self._bytes > self.max_bytes:
                self._bytes -= _size(self._kept.popitem(last=False)[1])


def _size(line: ScaledLine) -> int:
    return line.pixels.nbytes + _OVERHEAD
