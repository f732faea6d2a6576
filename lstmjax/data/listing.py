"""List files: the texts that name training and evaluation documents, one path a line."""

import os
from pathlib import Path

from lstmjax.errors import DataError
from lstmjax.formats.lstmf import MIN_PAGE_SIZE, PNG_SIGNATURE

# Enough for a list of a million documents with paths of 64 characters.
_MAX_BYTES = 1 << 26


def read_list(path: str | os.PathLike[str]) -> list[str]:
    """Read the paths in a list file.

    A byte order mark, carriage returns and empty lines are ignored. A relative path is one from
    the working directory, as for Tesseract; if nothing is there, one from the list's directory.

    Raises: DataError: the list is missing, names nothing, or is a file of another kind.
    """
    name = os.fspath(path)
    try:
        size = os.path.getsize(path)
        if os.path.isdir(path):
            raise DataError(f"{name}: this is a folder, not a list of files")
        with open(path, "rb") as file:
            data = file.read(_MAX_BYTES + 1)
    except OSError as err:
        raise DataError(f"{name}: the list of files cannot be read: {err.strerror or err}") from err
    _refuse_other_files(name, data, size)
    text = os.fsdecode(data.removeprefix(b"\xef\xbb\xbf"))
    lines = [line.rstrip("\r") for line in text.split("\n")]
    paths = [_beside(name, line) for line in lines if line.strip()]
    if not paths:
        raise DataError(f"{name}: the list names no files; write one path on each line")
    return paths


def _refuse_other_files(name: str, data: bytes, size: int) -> None:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise DataError(f"{name}: the list is in UTF-16; save it as UTF-8")
    if data.startswith(PNG_SIGNATURE):
        kind = "an image"
    elif _looks_like_lstmf(name, data):
        kind = "an lstmf file"
    elif b"\0" in data:
        kind = "a binary file"
    elif len(data) > _MAX_BYTES:
        raise DataError(f"{name}: {size} bytes are too many for a list of files")
    else:
        return
    raise DataError(f"{name}: this is {kind}, not a list of files; write its name into a text file")


def _looks_like_lstmf(name: str, data: bytes) -> bool:
    """Tell an lstmf file by its first page, or an empty or damaged one by its name."""
    if b"\0" not in data[:MIN_PAGE_SIZE]:
        return False
    # Byte 4 of an lstmf is 1, the mark of a page that is there.
    return name.lower().endswith(".lstmf") or data[4:5] == b"\1"


def _beside(list_name: str, line: str) -> str:
    if os.path.isabs(line) or os.path.exists(line):
        return line
    sibling = Path(list_name).parent / line
    return os.fspath(sibling) if sibling.exists() else line
