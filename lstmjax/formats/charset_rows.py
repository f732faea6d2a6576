"""The unichar and the codes of each row of a character set: the file `<model_output>.charset`.

    lstmjax charset 1: 76 rows, sha256 5d3a...
    [" ", [0]]
    ["Joined", [1]]

One line a row, in the order of the unicharset: its unichar and its codes, as JSON. A row of the
null has no unichar: [null, [75]]. The checksum is of everything after the first line.
"""

import hashlib
import json
import re
from typing import Any

from lstmjax.errors import FormatError, naming
from lstmjax.formats.files import PathLike, read_bytes, write_atomically
from lstmjax.formats.recoder import MAX_CODE, MAX_LENGTH
from lstmjax.formats.stream import to_bytes, to_text

Row = tuple[str | None, tuple[int, ...]]
"""A unichar, None for the null alone, and its codes."""
Rows = tuple[Row, ...]

_HEAD = re.compile(rb"lstmjax charset 1: (\d{1,9}) rows, sha256 ([0-9a-f]{64})")
_HINT = "move it away to go on without what it says"


def pack(rows: Rows) -> bytes:
    """Write the rows."""
    lines = [json.dumps([unichar, codes], ensure_ascii=False) for unichar, codes in rows]
    body = to_bytes("".join(f"{line}\n" for line in lines))
    digest = hashlib.sha256(body).hexdigest()
    return f"lstmjax charset 1: {len(rows)} rows, sha256 {digest}\n".encode() + body


def unpack(data: bytes) -> Rows:
    """Read the rows.

    Raises: FormatError: not such a file, or damaged.
    """
    head, _, body = data.partition(b"\n")
    found = _HEAD.fullmatch(head)
    if found is None:
        raise FormatError(f"not the rows of a character set: line 1 is {head[:40]!r}; {_HINT}")
    if hashlib.sha256(body).hexdigest() != found[2].decode():
        raise FormatError(f"damaged: the checksum in line 1 is of another text; {_HINT}")
    try:
        rows = from_plain([json.loads(line) for line in to_text(body).split("\n")[:-1]])
    except (ValueError, RecursionError) as err:
        raise FormatError(f"not JSON in every line: {err}; {_HINT}") from err
    if len(rows) != int(found[1]):
        raise FormatError(f"line 1 promises {int(found[1])} rows, {len(rows)} follow; {_HINT}")
    return rows


def to_plain(rows: Rows) -> list[Any]:
    """The rows as a JSON value."""
    return [[unichar, list(codes)] for unichar, codes in rows]


def from_plain(value: Any) -> Rows:
    """The rows from a JSON value of `to_plain`.

    Raises: FormatError: the value is not of that form.
    """
    if not isinstance(value, list):
        raise FormatError("the rows of a character set are no list")
    return tuple(_row(number, row) for number, row in enumerate(value))


def _row(number: int, value: Any) -> Row:
    match value:
        case [str() | None as unichar, list() as codes] if len(codes) <= MAX_LENGTH:
            if all(type(code) is int and 0 <= code <= MAX_CODE for code in codes):
                return unichar, tuple(codes)
    raise FormatError(f"row {number} is not a unichar with its codes")


def load(path: PathLike) -> Rows:
    """Read a file of rows; errors name it."""
    with naming(file=str(path)):
        return unpack(read_bytes(path))


def save(rows: Rows, path: PathLike) -> None:
    """Write a file of rows, unless it holds them already."""
    data = pack(rows)
    try:
        if read_bytes(path) == data:
            return
    except FormatError:
        pass
    write_atomically(path, data)
