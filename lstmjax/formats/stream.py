"""Read and write the scalars, strings and arrays all binary formats are made of.

Everything is little-endian without padding; a reader opened with `swap` reads big-endian.
Nothing is allocated from a count before the count was checked against the bytes that remain.
"""

import struct
from mmap import mmap

import numpy as np

from lstmjax.errors import FormatError

Buffer = bytes | bytearray | memoryview | mmap

_CODES = {"u8": "B", "i8": "b", "i16": "h", "i32": "i", "u32": "I", "i64": "q"}
_CODES |= {"f32": "f", "f64": "d"}
_LITTLE = {kind: struct.Struct("<" + code) for kind, code in _CODES.items()}
_BIG = {kind: struct.Struct(">" + code) for kind, code in _CODES.items()}


def to_text(raw: bytes) -> str:
    """Decode UTF-8, keeping bytes that are not valid so that `to_bytes` gives them back."""
    return raw.decode("utf-8", "surrogateescape")


def to_bytes(text: str) -> bytes:
    """Encode text from `to_text` back into the very same bytes.

    Raises:
      FormatError: the text holds a lone surrogate that stands for no byte.
    """
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as err:
        code = ord(text[err.start])
        raise FormatError(f"text {text!r} cannot be written: U+{code:04X} is no character") from err


class Reader:
    """A cursor over bytes that knows its offset and refuses to pass the end.

    Args:
      data: bytes to read; only slices of them are copied, so a memory map stays on disk.
      swap: True when multi-byte values are big-endian.
      offset: first byte to read.
    """

    def __init__(self, data: Buffer, *, swap: bool = False, offset: int = 0):
        self._data = data
        self._end = len(data)
        self._structs = _BIG if swap else _LITTLE
        self.swap = swap
        self.offset = offset

    @property
    def remaining(self) -> int:
        """How many bytes are left."""
        return self._end - self.offset

    def error(self, problem: str, *, at: int | None = None) -> FormatError:
        """Make (not raise) an error that names the byte `at`, by default the current one."""
        return FormatError(problem, offset=self.offset if at is None else at)

    def need(self, size: int, what: str = "the next field") -> None:
        """Check that `size` bytes remain.

        Raises:
          FormatError: fewer do: the file is truncated or a count is wrong.
        """
        if not 0 <= size <= self.remaining:
            raise self.error(
                f"truncated or wrong length: {what} takes {size} bytes, {self.remaining} remain"
            )

    def take(self, size: int, what: str = "the next field") -> bytes:
        """Read `size` raw bytes."""
        self.need(size, what)
        start = self.offset
        self.offset += size
        return bytes(self._data[start : self.offset])

    def skip(self, size: int, what: str = "the next field") -> None:
        """Move past `size` bytes without reading them."""
        self.need(size, what)
        self.offset += size

    def _scalar(self, kind: str) -> int | float:
        form = self._structs[kind]
        self.need(form.size, f"a value of type {kind}")
        value = form.unpack_from(self._data, self.offset)[0]
        self.offset += form.size
        return value

    def u8(self) -> int:
        """Read an unsigned byte."""
        return int(self._scalar("u8"))

    def i8(self) -> int:
        """Read a signed byte."""
        return int(self._scalar("i8"))

    def i16(self) -> int:
        """Read a signed 16-bit integer."""
        return int(self._scalar("i16"))

    def i32(self) -> int:
        """Read a signed 32-bit integer."""
        return int(self._scalar("i32"))

    def u32(self) -> int:
        """Read an unsigned 32-bit integer."""
        return int(self._scalar("u32"))

    def i64(self) -> int:
        """Read a signed 64-bit integer."""
        return int(self._scalar("i64"))

    def f32(self) -> float:
        """Read a 32-bit float; the Python float holds it exactly."""
        return float(self._scalar("f32"))

    def f64(self) -> float:
        """Read a 64-bit float."""
        return float(self._scalar("f64"))

    def blob(self, what: str = "a byte string") -> bytes:
        """Read a u32 byte count and that many bytes."""
        start = self.offset
        size = self.u32()
        if size > self.remaining:
            raise self.error(
                f"truncated or wrong length: {what} takes {size} bytes, {self.remaining} remain",
                at=start,
            )
        return self.take(size)

    def str_(self, what: str = "a string") -> str:
        """Read a `blob` as UTF-8; invalid bytes are kept as surrogate escapes."""
        return to_text(self.blob(what))

    def skip_blobs(self, number: int, what: str = "a byte string") -> None:
        """Move past `number` blobs; one tight loop, as documents hold millions of them."""
        data, end, position = self._data, self._end, self.offset
        unpack_size = self._structs["u32"].unpack_from
        for _ in range(number):
            start, position = position, position + 4
            if position <= end:
                position += unpack_size(data, start)[0]
            if position > end:
                self.offset = start
                self.blob(what)  # raises, with the right words
        self.offset = position

    def count(self, item_size: int, what: str) -> int:
        """Read a u32 count of items of at least `item_size` bytes each.

        Raises:
          FormatError: the bytes that remain cannot hold this many items.
        """
        start = self.offset
        number = self.u32()
        if number * item_size > self.remaining:
            raise self.error(
                f"{number} {what} need at least {number * item_size} bytes, "
                f"{self.remaining} remain",
                at=start,
            )
        return number

    def array(self, dtype: str, count: int) -> np.ndarray:
        """Read `count` values into a new array in native byte order.

        Args:
          dtype: NumPy name without byte order, such as "f8".
          count: number of values.
        Returns: [count] dtype.
        """
        wire = np.dtype(dtype).newbyteorder(">" if self.swap else "<")
        raw = self.take(count * wire.itemsize, f"an array of {count} values of type {dtype}")
        return np.frombuffer(raw, wire).astype(np.dtype(dtype))

    def expect_end(self, what: str) -> None:
        """Check that everything was read.

        Raises:
          FormatError: bytes follow the end of `what`.
        """
        if self.remaining:
            raise self.error(f"{self.remaining} unexpected bytes after the end of the {what}")


class Writer:
    """Collects little-endian values; `data` holds all of them."""

    def __init__(self) -> None:
        self._parts = bytearray()

    @property
    def data(self) -> bytes:
        """Everything written so far."""
        return bytes(self._parts)

    def _scalar(self, kind: str, value: float) -> None:
        try:
            self._parts += _LITTLE[kind].pack(value)
        except (struct.error, OverflowError) as err:
            raise FormatError(f"{value!r} does not fit in a field of type {kind}") from err

    def raw(self, data: bytes) -> None:
        """Write bytes as they are."""
        self._parts += data

    def u8(self, value: int) -> None:
        """Write an unsigned byte."""
        self._scalar("u8", value)

    def i8(self, value: int) -> None:
        """Write a signed byte."""
        self._scalar("i8", value)

    def i16(self, value: int) -> None:
        """Write a signed 16-bit integer."""
        self._scalar("i16", value)

    def i32(self, value: int) -> None:
        """Write a signed 32-bit integer."""
        self._scalar("i32", value)

    def u32(self, value: int) -> None:
        """Write an unsigned 32-bit integer."""
        self._scalar("u32", value)

    def i64(self, value: int) -> None:
        """Write a signed 64-bit integer."""
        self._scalar("i64", value)

    def f32(self, value: float) -> None:
        """Write a 32-bit float, rounding."""
        self._scalar("f32", value)

    def f64(self, value: float) -> None:
        """Write a 64-bit float."""
        self._scalar("f64", value)

    def blob(self, data: bytes) -> None:
        """Write a u32 byte count and the bytes."""
        self.u32(len(data))
        self._parts += data

    def str_(self, text: str) -> None:
        """Write text as a `blob` of UTF-8."""
        self.blob(to_bytes(text))

    def array(self, dtype: str, values: np.ndarray) -> None:
        """Write the values of an array in C order, without their count."""
        self._parts += np.ascontiguousarray(values, np.dtype(dtype).newbyteorder("<")).tobytes()
