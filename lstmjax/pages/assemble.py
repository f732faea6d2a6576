"""Lines to lstmf documents, in the order and with the bytes of the original."""

import os
import tempfile
from array import array
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from itertools import groupby
from typing import BinaryIO

import numpy as np

from lstmjax.errors import LstmjaxError
from lstmjax.formats import lstmf
from lstmjax.formats.files import PathLike
from lstmjax.formats.lstmf import Page
from lstmjax.pages.order import shuffle
from lstmjax.pages.records import Line

_COUNT_BYTES = 4


def to_page(line: Line) -> Page:
    """The entry of a line."""
    boxes = line.boxes.astype(np.int16)
    png = line.crop.png()
    return Page("", line.page, png, "", line.text, boxes, line.box_texts, line.vertical)


def document(lines: Iterable[Line], name: str) -> tuple[Page, ...]:
    """Make the entries of a document from the lines of one image.

    The entries are shuffled after each page. For every page, the original reads the document back,
    which gives the entries of earlier pages its name and their place as page number.

    Args:
      lines: the lines in the order of the pages.
      name: path of the document as the user gave it, directory and ending included.
    Source: Tesseract src/ccmain/linerec.cpp, TrainLineRecognizer; src/ccstruct/imagedata.cpp.
    """
    entries: list[Page] = []
    for _, of_page in groupby(lines, key=lambda line: line.page):
        entries = extend(entries, of_page, name)
    return tuple(entries)


def extend(entries: Sequence[Page], lines: Iterable[Line], name: str) -> list[Page]:
    """Add the lines of one more page to a document; see `document`."""
    # An entry that was read back once has a name already, and keeps its first place.
    read_back = [
        entry if entry.name else replace(entry, name=name, page_number=i)
        for i, entry in enumerate(entries)
    ]
    return shuffle([*read_back, *map(to_page, lines)], name)


def record(line: Line) -> bytes:
    """The bytes of an entry in a document."""
    # Without the count that `pack` puts in front.
    return lstmf.pack((to_page(line),))[_COUNT_BYTES:]


def save(entries: Sequence[Page], path: PathLike) -> None:
    """Write a document to a temporary file and rename it.

    Unlike a checkpoint it can be made again, so there is no wait for the disk.

    Raises: LstmjaxError: the file cannot be written; an old file is unharmed.
    """
    target = os.path.realpath(path)
    try:
        with _temporary(os.path.dirname(target)) as (out, temporary):
            out.write(lstmf.pack(tuple(entries)))
            out.flush()
            os.replace(temporary, target)
    except OSError as err:
        raise _unwritable(path, err) from err


def write_stream(records: Iterable[bytes], path: PathLike) -> int:
    """Write a document of any size, one entry in memory at a time.

    Entries go to a temporary file as they come, and from there, in the order in which the original
    shuffles a document of this name, to another one that is renamed at the end.

    Args:
      records: entries made by `record`.
      path: path of the document, which as given seeds the shuffle.
    Returns: the number of entries; nothing is written for 0.
    Raises: LstmjaxError: the file cannot be written; an old file is unharmed.
    """
    name = os.fspath(path)
    folder = os.path.dirname(os.path.realpath(path))
    # The shuffle needs the number of entries, which is known only at the end.
    starts = array("q", [0])
    try:
        with _temporary(folder) as (spool, _), _temporary(folder) as (out, temporary):
            for entry in records:
                spool.write(entry)
                starts.append(starts[-1] + len(entry))
            count = len(starts) - 1
            if count:
                out.write(count.to_bytes(_COUNT_BYTES, "little"))
                _copy_shuffled(spool, out, starts, name)
                out.flush()
                os.fsync(out.fileno())
                os.replace(temporary, os.path.realpath(path))
            return count
    except OSError as err:
        raise _unwritable(path, err) from err


def _unwritable(path: PathLike, err: OSError) -> LstmjaxError:
    return LstmjaxError(f"{os.fspath(path)}: cannot be written: {err.strerror or err}")


def _copy_shuffled(spool: BinaryIO, out: BinaryIO, starts: array, name: str) -> None:
    for number in shuffle(range(len(starts) - 1), name):
        spool.seek(starts[number])
        out.write(spool.read(starts[number + 1] - starts[number]))


@contextmanager
def _temporary(folder: str) -> Iterator[tuple[BinaryIO, str]]:
    """A temporary file that is removed afterwards unless it was renamed."""
    handle, name = tempfile.mkstemp(prefix=".lstmf.", suffix=".tmp", dir=folder)
    try:
        with os.fdopen(handle, "w+b") as file:
            # mkstemp lets nobody else read; the file gets the permissions of any other new one.
            mask = os.umask(0)
            os.umask(mask)
            os.fchmod(file.fileno(), 0o666 & ~mask)
            yield file, name
    finally:
        with suppress(FileNotFoundError):
            os.unlink(name)
