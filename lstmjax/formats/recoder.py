"""The recoder: unichar_id -> sequence of network output codes.

Source: Tesseract src/ccutil/unicharcompress.cpp.
"""

from dataclasses import dataclass

from lstmjax.formats.stream import Reader, Writer

MAX_LENGTH = 9
"""Longest code sequence of one unichar."""
MAX_CODE = 65534


@dataclass(frozen=True)
class Recoder:
    """The table as stored.

    Attributes:
      codes: per unichar_id, 1 to 9 codes; the space (id 0) is (0,).
      self_normalized: per unichar_id a byte nobody uses, 1 in every known file; () means all 1.
    """

    codes: tuple[tuple[int, ...], ...]
    self_normalized: tuple[int, ...] = ()

    @property
    def code_range(self) -> int:
        """Number of codes, 1 + the largest; equals the number of network outputs."""
        return 1 + max((code for sequence in self.codes for code in sequence), default=-1)


def unpack(data: bytes, *, swap: bool = False) -> Recoder:
    """Read a recoder that fills `data`.

    Raises:
      FormatError: truncated, left-over bytes, or codes out of range.
    """
    reader = Reader(data, swap=swap)
    recoder = read(reader)
    reader.expect_end("recoder")
    return recoder


def read(reader: Reader) -> Recoder:
    """Read a recoder; see `unpack`."""
    start = reader.offset
    number = reader.count(5, "recoder entries")
    if number == 0:
        raise reader.error("the recoder is empty", at=start)
    codes, flags = [], []
    for unichar_id in range(number):
        at = reader.offset
        flags.append(reader.i8())
        length = reader.i32()
        # A character that cleaning removes from every text, such as tatweel, has no codes.
        if not 0 <= length <= MAX_LENGTH:
            raise reader.error(
                f"unichar {unichar_id} has {length} codes, expected 0 to {MAX_LENGTH}", at=at
            )
        sequence = tuple(reader.i32() for _ in range(length))
        if any(not 0 <= code <= MAX_CODE for code in sequence):
            raise reader.error(
                f"unichar {unichar_id} has codes {sequence}, expected 0 to {MAX_CODE}", at=at
            )
        codes.append(sequence)
    if codes[0] != (0,):
        raise reader.error(f"the space has codes {codes[0]}, expected (0,)", at=start)
    return Recoder(tuple(codes), () if set(flags) == {1} else tuple(flags))


def pack(recoder: Recoder) -> bytes:
    """Write a recoder."""
    writer = Writer()
    write(writer, recoder)
    return writer.data


def write(writer: Writer, recoder: Recoder) -> None:
    """Write a recoder; see `pack`."""
    writer.u32(len(recoder.codes))
    flags = recoder.self_normalized or (1,) * len(recoder.codes)
    for flag, sequence in zip(flags, recoder.codes, strict=True):
        writer.i8(flag)
        writer.i32(len(sequence))
        for code in sequence:
            writer.i32(code)
