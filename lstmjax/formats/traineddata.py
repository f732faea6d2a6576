"""The traineddata container: a table of offsets and up to 24 components.

Source: Tesseract src/ccutil/tessdatamanager.cpp.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from lstmjax.errors import FormatError, naming
from lstmjax.formats.files import PathLike, read_bytes, write_atomically
from lstmjax.formats.stream import Reader, Writer, to_text

COMPONENTS = (
    "config", "unicharset", "unicharambigs", "inttemp", "pffmtable", "normproto",
    "punc-dawg", "word-dawg", "number-dawg", "freq-dawg",
    "fixed-length-dawgs", "cube-unicharset", "cube-word-dawg",  # dead since 4.0
    "shapetable", "bigram-dawg", "unambig-dawg", "params-model",
    "lstm", "lstm-punc-dawg", "lstm-word-dawg", "lstm-number-dawg", "lstm-unicharset",
    "lstm-recoder", "version",
)  # fmt: skip
"""File suffixes of the components; the position is the index in the container."""

TESSERACT_VERSION = "5.3.0"
"""The Tesseract release whose files and texts this package reproduces."""

MAX_ENTRIES = 1000
"""More entries than this in native order means that the file is in the other byte order."""


@dataclass(frozen=True)
class TrainedData:
    """The components of a traineddata file.

    Attributes:
      components: suffix -> bytes; empty ones are the same as absent ones and are not kept.
      num_entries: length of the offset table when written; longer if the components need it.
      swapped: the file was big-endian, so its binary components are too. Writing is always
        little-endian, which is why such a container cannot be packed as it is.
    """

    components: Mapping[str, bytes]
    num_entries: int = len(COMPONENTS)
    swapped: bool = False

    @property
    def version(self) -> str:
        """The version text, as Tesseract reports it when the component is missing, too."""
        return to_text(self.components.get("version") or b"Pre-4.0.0")

    @property
    def embeds_charsets(self) -> bool:
        """Whether the `lstm` component carries its unicharset and recoder itself."""
        return not (self.components.get("lstm-unicharset") and self.components.get("lstm-recoder"))

    def with_component(self, suffix: str, data: bytes) -> "TrainedData":
        """Make a copy with one component replaced; empty data removes it."""
        components = {**self.components, suffix: data}
        return replace(self, components={key: body for key, body in components.items() if body})


def unpack(data: bytes) -> TrainedData:
    """Read a container.

    Entries beyond the known 24 are dropped, as Tesseract does.

    Raises:
      FormatError: the table does not describe the file exactly.
    """
    reader = Reader(data)
    number = reader.u32()
    if number > MAX_ENTRIES:
        reader = Reader(data, swap=True)
        number = reader.u32()
    if not 1 <= number <= MAX_ENTRIES:
        raise reader.error(
            f"not a traineddata file: {number} entries, expected 1 to {MAX_ENTRIES}", at=0
        )
    reader.need(8 * number, f"a table of {number} offsets")
    offsets = [reader.i64() for _ in range(number)]
    present = [i for i, offset in enumerate(offsets) if offset != -1]
    ends = [*(offsets[i] for i in present), len(data)][1:]
    components = {}
    # Tesseract reads them one after the other, and takes only their sizes from the table.
    for i, end in zip(present, ends, strict=True):
        _check_place(offsets[i], end, i, reader.offset)
        body = reader.take(end - offsets[i])
        if i < len(COMPONENTS):
            components[COMPONENTS[i]] = body
    reader.expect_end("offset table")
    return TrainedData(components, min(number, len(COMPONENTS)), reader.swap)


def _check_place(start: int, end: int, index: int, expected: int) -> None:
    name = COMPONENTS[index] if index < len(COMPONENTS) else f"entry {index}"
    if start != expected:
        raise FormatError(
            f"component {name} starts at {start}, expected {expected} (damaged offset table)",
            offset=4 + 8 * index,
        )
    if end <= start:
        raise FormatError(
            f"component {name} ends at {end}, before its start at {start} (damaged offset table)",
            offset=4 + 8 * index,
        )


def pack(trained: TrainedData) -> bytes:
    """Write a container; component order and offsets follow from the table.

    Raises:
      FormatError: an unknown suffix, or a container read from a big-endian file.
    """
    unknown = sorted(set(trained.components) - set(COMPONENTS))
    if unknown:
        raise FormatError(f"unknown component {unknown[0]!r}; known are {', '.join(COMPONENTS)}")
    if trained.swapped:
        raise FormatError(
            "a big-endian traineddata can be read but not written: "
            "its binary components would have to be converted"
        )
    bodies = [trained.components.get(suffix, b"") for suffix in COMPONENTS]
    needed = max((i + 1 for i, body in enumerate(bodies) if body), default=1)
    number = max(trained.num_entries, needed)
    writer = Writer()
    writer.u32(number)
    offset = 4 + 8 * number
    for i in range(number):
        body = bodies[i] if i < len(bodies) else b""
        # -1 for an empty one, too: the container cannot tell empty from absent.
        writer.i64(offset if body else -1)
        offset += len(body)
    for body in bodies:
        writer.raw(body)
    return writer.data


def load(path: PathLike) -> TrainedData:
    """Read a traineddata file; errors name it."""
    with naming(file=str(path)):
        return unpack(read_bytes(path))


def save(trained: TrainedData, path: PathLike) -> None:
    """Write a traineddata file, replacing an old one only when complete."""
    with naming(file=str(path)):
        data = pack(trained)
    write_atomically(path, data)
