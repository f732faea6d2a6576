"""A cache of line indexes, so that a run on large data does not scan every document again.

The cache is only an optimisation. It lies in the user's own cache directory, one file for each
list of documents, and records the state (size, times, inode) in which each document was read. A
document in another state is read again; a file that is damaged or inconsistent in any way counts
as missing. A page is checked again when it is read.
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
# Two writes within the resolution of a file's time cannot be told apart; a file that was changed
# so shortly before it was read is read again next time.
_SETTLED_NS = 2_000_000_000
_STATE = 8  # numbers in the state of a document: four of the file, four of the text beside it
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
_HEADER = 40  # bytes: checksum, documents, lines, bytes of paths, bytes of texts


@dataclass(frozen=True, eq=False)
class CachedIndex:
    """The index of a list of documents, as an earlier run left it.

    Attributes:
      states: [documents, 8] int64 state in which each was read; zeros if it is to be read again.
      counts: [documents] int32 number of lines of each.
      swapped: [documents] bool, whether it is an lstmf with the other byte order.
      columns: the lines of all documents.
    """

    states: States
    counts: NDArray[np.int32]
    swapped: NDArray[np.bool_]
    columns: Columns

    def unchanged(self, states: States) -> NDArray[np.bool_]:
        """[documents] whether the cached lines of each are still valid, given its state now."""
        return (self.states == states).all(1) & self.states.any(1) & (self.counts > 0)


def states_of(paths: Sequence[str]) -> States:
    """[n, 8] states of documents, and of the texts beside images; zeros if missing."""
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
    # 63 bits: some file systems give inodes that do not fit into an int64.
    inode = status.st_ino & (1 << 63) - 1
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, inode


def settled(states: States, read_at: int) -> States:
    """Forget the states of documents that were changed just before they were read.

    Args:
      states: states of the documents before they were read.
      read_at: time at which reading began, in nanoseconds since 1970.
    """
    # Columns 1, 2, 5, 6: times of content and of attributes, of the file and of the text beside it.
    latest = states[:, [1, 2, 5, 6]].max(1, initial=0)
    return np.where((latest < read_at - _SETTLED_NS)[:, None], states, 0)


def load(paths: Sequence[str]) -> CachedIndex | None:
    """Read the cached index of a list of documents; None if there is none, or it is damaged."""
    folder = cache_directory("index")
    if folder is None:
        return None
    names = _names(paths)
    path = folder / _file_name(names)
    try:
        with open(path, "rb") as file:
            cached = _read(file, os.fstat(file.fileno()).st_size, names, len(paths))
    except FileNotFoundError:
        return None
    except OSError:  # also a directory in its place
        cached = None
    if cached is None:
        entries.discard(path)
    return cached


def save(paths: Sequence[str], cached: CachedIndex) -> None:
    """Cache an index; if that is not possible, say so once."""
    folder = cache_directory("index")
    if folder is None:
        return
    names = _names(paths)
    try:
        write_atomically(folder / _file_name(names), _pack(cached, names))
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


def _pack(cached: CachedIndex, names: bytes) -> bytes:
    columns = cached.columns
    numbers = np.array([len(cached.counts), len(columns), len(names), len(columns.texts)], "<i8")
    parts: list[bytes | memoryview] = [numbers.tobytes()]
    for name, (dtype, _) in _KINDS.items():
        values = getattr(cached if name in _BY_DOCUMENT else columns, name)
        parts.append(np.ascontiguousarray(values, dtype).reshape(-1).view(np.uint8).data)
    parts += [names, columns.texts]
    return b"".join([_MAGIC, _checksum(parts).to_bytes(8, "little"), *parts])


def _checksum(parts: Iterable[bytes | memoryview]) -> int:
    """A checksum against damage, not malice: a user who can write here can do anything anyway."""
    crc = 0
    for part in parts:
        crc = zlib.crc32(part, crc)
    return crc


def _read(file: IO[bytes], size: int, names: bytes, documents: int) -> CachedIndex | None:
    """Read a file of `size` bytes; None if anything differs from what `_pack` writes."""
    magic, header = file.read(len(_MAGIC)), file.read(_HEADER)
    if magic != _MAGIC or len(header) < _HEADER:
        return None
    crc, number, lines, name_bytes, text_bytes = np.frombuffer(header, "<i8").tolist()
    if (number, name_bytes) != (documents, len(names)) or lines < 0 or text_bytes < 0:
        return None
    # Sizes first: nothing is allocated by a number that the file does not bear out.
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
    # The header has been checked against the size of the file, so every array is complete.
    arrays, at = {}, 0
    for (name, (dtype, width)), length in zip(_KINDS.items(), sizes, strict=True):
        values = np.frombuffer(numbers, dtype, counts[name], at)
        values = values.astype(values.dtype.newbyteorder("="), copy=False)
        arrays[name] = values.reshape(-1, width) if width > 1 else values
        at += length
    arrays["ends"] = arrays["ends"].reshape(-1)
    by_document = {name: arrays.pop(name) for name in _BY_DOCUMENT}
    cached = CachedIndex(columns=Columns(**arrays, texts=texts), **by_document)
    return cached if _fits_together(cached) else None


def _fits_together(cached: CachedIndex) -> bool:
    """Whether the numbers of an index are consistent, so that they can be used unchecked."""
    columns, counts = cached.columns, cached.counts
    # A byte of 2 would be no valid bool, which NumPy and compiled loops take for granted.
    flags = (cached.swapped, columns.two_valued, columns.has_boxes)
    if not all(bool((values.view(np.uint8) <= 1).all()) for values in flags):
        return False
    if bool((counts < 0).any()) or int(counts.sum(dtype=np.int64)) != len(columns):
        return False
    steps = np.diff(columns.ends, prepend=0, append=len(columns.texts))
    if bool((steps < 0).any()) or (len(steps) > 1 and steps[-1] != 0):
        return False
    if bool((columns.sizes < 0).any()):
        return False
    in_file = np.repeat(cached.states[:, 0], counts)
    known = np.repeat(cached.states.any(1), counts)
    offsets, lengths = columns.places.T
    # A page inside its file, or an image file, which has no place.
    is_page = (offsets >= 4) & (lengths >= MIN_PAGE_SIZE) & (lengths <= in_file - offsets)
    is_image = (offsets == 0) & (lengths == 0)
    return bool((is_page | is_image | ~known).all())
