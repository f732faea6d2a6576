"""Indexes of large data kept between runs: who starts again does not read every document again.

A kept index is only an optimisation. It lies in the user's own cache directory, one file for each
list of documents, and says of each document in what state (size, times, inode) it was read. A
document in another state is read again; a file that is damaged, or does not fit together in any
way, counts as none at all. A page is checked again when it is read.
"""

import hashlib
import os
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from lstmjax.cache import cache_directory, entries, problems
from lstmjax.data import pairs
from lstmjax.data.columns import Columns
from lstmjax.errors import LstmjaxError
from lstmjax.formats.files import write_atomically
from lstmjax.formats.lstmf import MIN_PAGE_SIZE
from lstmjax.formats.stream import to_bytes

States = NDArray[np.int64]

_MAGIC = b"lstmjax index 01"
_MOST_FILES = 8
# Two writes within the resolution of a file's time look alike; a file that was changed so shortly
# before it was read is read again next time.
_SETTLED_NS = 2_000_000_000
_STATE = 8  # numbers in the state of a document: four for its file, four for the text beside it
_KINDS = {
    "states": ("<i8", _STATE),
    "places": ("<i8", 2),
    "ends": ("<i8", 2),
    "sizes": ("<i4", 2),
    "page_numbers": ("<i4", 1),
    "counts": ("<i4", 1),
    "two_valued": ("?", 1),
    "has_boxes": ("?", 1),
    "swapped": ("?", 1),
}
"""Arrays of a file in order, with the values of a row; wider types first, so all are aligned."""
_BY_DOCUMENT = frozenset({"states", "counts", "swapped"})
_HEADER = 40  # bytes of: checksum, documents, lines, bytes of paths, bytes of texts


@dataclass(frozen=True, eq=False)
class Kept:
    """What is known of a list of documents.

    Attributes:
      states: [documents, 8] int64 in which they were read; zeros: to be read again.
      counts: [documents] int32 how many lines each has.
      swapped: [documents] bool, an lstmf with the other byte order.
      columns: the lines of all documents.
    """

    states: States
    counts: NDArray[np.int32]
    swapped: NDArray[np.bool_]
    columns: Columns

    def unchanged(self, states: States) -> NDArray[np.bool_]:
        """[documents] which of them can be taken as they are, given their states now."""
        return (self.states == states).all(1) & self.states.any(1) & (self.counts > 0)


def states_of(paths: Sequence[str]) -> States:
    """[n, 8] the states of documents, and of the texts beside images; zeros if missing."""
    states = np.zeros((len(paths), _STATE), np.int64)
    for i, path in enumerate(paths):
        try:
            states[i, :4] = _state(path)
            if pairs.is_image_name(path):
                states[i, 4:] = _state(pairs.text_path(path))
        except (OSError, ValueError, OverflowError):  # a NUL in a path; numbers beyond 64 bits
            states[i] = 0
    return states


def _state(path: str) -> tuple[int, int, int, int]:
    status = os.stat(path)
    inode = status.st_ino & (1 << 63) - 1
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, inode


def settled(states: States, read_at: int) -> States:
    """Forget the states of documents that were changed just before they were read.

    Args:
      states: from before the documents were read.
      read_at: when that began, in nanoseconds since 1970.
    """
    latest = states[:, [1, 2, 5, 6]].max(1, initial=0)
    return np.where((latest < read_at - _SETTLED_NS)[:, None], states, 0)


def load(paths: Sequence[str]) -> Kept | None:
    """The index kept of a list of documents; None if there is none, or not a whole one."""
    folder = cache_directory("index")
    if folder is None:
        return None
    names = _names(paths)
    path = folder / _file_name(names)
    try:
        with open(path, "rb") as file:
            kept = _read(file, os.fstat(file.fileno()).st_size, names, len(paths))
    except FileNotFoundError:
        return None
    except OSError:  # also a directory in its place
        kept = None
    if kept is None:
        entries.discard(path)
    return kept


def save(paths: Sequence[str], kept: Kept) -> None:
    """Keep an index; where that is not possible, it is said."""
    folder = cache_directory("index")
    if folder is None:
        return
    names = _names(paths)
    try:
        write_atomically(folder / _file_name(names), _pack(kept, names))
    except LstmjaxError as err:
        problems.unusable(folder, err.__cause__ or err)
        return
    try:
        _drop_oldest(folder)
    except OSError:  # another process was faster
        return


def _names(paths: Sequence[str]) -> bytes:
    return b"\0".join(to_bytes(path) for path in paths)


def _file_name(names: bytes) -> str:
    folder = os.fsencode(os.getcwd())  # relative paths mean other files elsewhere
    digest = hashlib.sha256(b"\0".join((folder, names))).hexdigest()
    return f"{digest[:32]}.lines"


def _drop_oldest(folder: Path) -> None:
    files = sorted(folder.glob("*.lines"), key=lambda file: file.stat().st_mtime_ns)
    for file in files[:-_MOST_FILES]:
        file.unlink(missing_ok=True)


def _pack(kept: Kept, names: bytes) -> bytes:
    columns = kept.columns
    numbers = np.array([len(kept.counts), len(columns), len(names), len(columns.texts)], "<i8")
    parts: list[bytes | memoryview] = [numbers.tobytes()]
    for name, (dtype, _) in _KINDS.items():
        values = getattr(kept if name in _BY_DOCUMENT else columns, name)
        parts.append(np.ascontiguousarray(values, dtype).reshape(-1).view(np.uint8).data)
    parts += [names, columns.texts]
    return b"".join([_MAGIC, _checksum(parts).to_bytes(8, "little"), *parts])


def _checksum(parts: Iterable[bytes | memoryview]) -> int:
    """Tells damage, not malice: whoever can write here can do anything else as well."""
    crc = 0
    for part in parts:
        crc = zlib.crc32(part, crc)
    return crc


def _read(file: IO[bytes], size: int, names: bytes, documents: int) -> Kept | None:
    """Read a file of `size` bytes; None if anything is not as `_pack` leaves it."""
    magic, header = file.read(len(_MAGIC)), file.read(_HEADER)
    if magic != _MAGIC or len(header) < _HEADER:
        return None
    crc, number, lines, name_bytes, text_bytes = np.frombuffer(header, "<i8").tolist()
    if (number, name_bytes) != (documents, len(names)) or lines < 0 or text_bytes < 0:
        return None
    counts = {
        name: (number if name in _BY_DOCUMENT else lines) * width
        for name, (_, width) in _KINDS.items()
    }
    sizes = [counts[name] * np.dtype(dtype).itemsize for name, (dtype, _) in _KINDS.items()]
    if size != len(_MAGIC) + _HEADER + sum(sizes) + name_bytes + text_bytes:
        return None
    numbers, stored_names, texts = file.read(sum(sizes)), file.read(name_bytes), file.read()
    if crc != _checksum([header[8:], numbers, stored_names, texts]) or stored_names != names:
        return None
    arrays, at = {}, 0
    for (name, (dtype, width)), length in zip(_KINDS.items(), sizes, strict=True):
        values = np.frombuffer(numbers, dtype, counts[name], at)
        values = values.astype(values.dtype.newbyteorder("="), copy=False)
        arrays[name] = values.reshape(-1, width) if width > 1 else values
        at += length
    arrays["ends"] = arrays["ends"].reshape(-1)
    by_document = {name: arrays.pop(name) for name in _BY_DOCUMENT}
    kept = Kept(columns=Columns(**arrays, texts=texts), **by_document)
    return kept if _fits_together(kept) else None


def _fits_together(kept: Kept) -> bool:
    """Whether the numbers of an index can be used without looking at each again."""
    columns, counts = kept.columns, kept.counts
    flags = (kept.swapped, columns.two_valued, columns.has_boxes)
    if not all(bool((values.view(np.uint8) <= 1).all()) for values in flags):
        return False
    if bool((counts < 0).any()) or int(counts.sum(dtype=np.int64)) != len(columns):
        return False
    steps = np.diff(columns.ends, prepend=0, append=len(columns.texts))
    if bool((steps < 0).any()) or (len(steps) > 1 and steps[-1] != 0):
        return False
    if bool((columns.sizes < 0).any()):
        return False
    in_file = np.repeat(kept.states[:, 0], counts)
    known = np.repeat(kept.states.any(1), counts)
    offsets, lengths = columns.places.T
    is_page = (offsets >= 4) & (lengths >= MIN_PAGE_SIZE) & (lengths <= in_file - offsets)
    is_image = (offsets == 0) & (lengths == 0)
    return bool((is_page | is_image | ~known).all())
