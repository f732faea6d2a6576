"""Images packed into few blocks of memory, so that a bound on their memory holds."""

import struct

import numpy as np

from lstmjax.data.scale import Pixels

_CHUNK = 1 << 22
_HEAD = struct.Struct("<3i2f")  # height, width, depth (0: grey), levels of ink and paper
# At most this many bytes for an entry of a dict with key and value, even while the dict grows.
_ENTRY = 256

Levels = tuple[np.float32, np.float32]


class PixelMemory:
    """Images by number, packed into few large blocks; an image that is in stays in.

    An image costs its pixels and less than 300 bytes. As arrays of their own, images would cost
    twice as much in a long run, because memory gets fragmented.
    """

    def __init__(self, max_bytes: int):
        """Use at most `max_bytes`, bookkeeping included."""
        self.max_bytes = max_bytes
        self._chunks: list[Pixels] = []
        self._room = 0  # in the last chunk
        self._places: dict[int, int] = {}  # chunk * _CHUNK + offset; larger chunks have one image
        self.used_bytes = 0

    def __contains__(self, number: int) -> bool:
        """Whether the image of this number is in."""
        return number in self._places

    def get(self, number: int) -> tuple[Pixels, Levels | None] | None:
        """Return pixels, which are read-only, and levels as they were put; None if not there."""
        place = self._places.get(number)
        if place is None:
            return None
        chunk, start = self._chunks[place // _CHUNK], place % _CHUNK
        height, width, depth, ink, paper = _HEAD.unpack_from(chunk.data, start)
        start += _HEAD.size
        pixels = chunk[start : start + height * width * max(depth, 1)]
        pixels.flags.writeable = False
        if depth:
            return pixels.reshape(height, width, depth), None
        return pixels.reshape(height, width), (np.float32(ink), np.float32(paper))

    def put(self, number: int, pixels: Pixels, levels: Levels | None) -> None:
        """Keep an image if there is room.

        Args:
          number: number of the line.
          pixels: [h, w] uint8 with levels, or [h, w, d] uint8 without.
          levels: grey levels of ink and paper.
        """
        size = _HEAD.size + pixels.nbytes
        if number in self._places or not self._make_room(size):
            return
        chunk = self._chunks[-1]
        start = len(chunk) - self._room
        depth = pixels.shape[2] if pixels.ndim == 3 else 0
        _HEAD.pack_into(chunk.data, start, *pixels.shape[:2], depth, *(levels or (0.0, 0.0)))
        chunk[start + _HEAD.size : start + size] = pixels.reshape(-1)
        self._places[number] = (len(self._chunks) - 1) * _CHUNK + start
        self._room -= size

    def _make_room(self, size: int) -> bool:
        """Account for an image of `size` bytes; False if there is no room for it.

        The rest of a chunk that is too small for the image is lost, and counted as used.
        """
        lost = 0 if size <= self._room else self._room
        if self.used_bytes + lost + size + _ENTRY > self.max_bytes:
            return False
        self.used_bytes += lost
        if size > self._room:
            # The last chunk may be shorter, so that the bound holds to the byte.
            self._room = min(max(size, _CHUNK), self.max_bytes - self.used_bytes)
            self._chunks.append(np.empty(self._room, np.uint8))
        self.used_bytes += size + _ENTRY
        return True


def packed_size(num_values: int, num_images: int) -> int:
    """An upper estimate of the bytes that images take.

    Args:
      num_values: number of values in all images together.
      num_images: number of images.
    """
    return num_values + num_values // 64 + num_images * (_HEAD.size + _ENTRY)
