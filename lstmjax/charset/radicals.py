"""The radical-stroke table: each Han character as a few small numbers that describe its shape.

Source: tesseract src/ccutil/unicharcompress.cpp, DecodeRadicalTable; the table itself is
radical-stroke.txt of langdata_lstm.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType

from lstmjax.errors import CharsetError
from lstmjax.formats.recoder import MAX_CODE, MAX_LENGTH
from lstmjax.formats.stream import to_text

Radicals = Mapping[int, tuple[int, ...]]
"""Code point -> the numbers of its shape."""

_NUMBER = re.compile(r"\d{1,7}")
_MAX_NUMBERS = MAX_LENGTH - 1  # one more code tells apart characters of the same shape


def parse_radicals(data: bytes) -> Radicals:
    """Read a radical-stroke table.

    Each line is a code point in decimal and 1 to 8 numbers, separated by spaces. Empty lines and
    lines that begin with `#` are ignored; of two lines for one code point the last counts.

    Raises: CharsetError: a line has another form; names it.
    """
    table: dict[int, tuple[int, ...]] = {}
    for number, line in enumerate(data.split(b"\n"), 1):
        if not line or line.startswith(b"#"):
            continue
        fields = [field for field in to_text(line).split(" ") if field]
        if not all(_NUMBER.fullmatch(field) for field in fields):
            raise _bad(number, line, "everything in a line must be a number")
        code_point, *numbers = map(int, fields)
        if not 1 <= len(numbers) <= _MAX_NUMBERS:
            raise _bad(number, line, f"expected 1 to {_MAX_NUMBERS} numbers after the code point")
        if max(numbers) > MAX_CODE:
            raise _bad(number, line, f"numbers must be at most {MAX_CODE}")
        table[code_point] = tuple(numbers)
    return MappingProxyType(table)


def _bad(number: int, line: bytes, expected: str) -> CharsetError:
    return CharsetError(
        f"Invalid format in radical table at line {number}: {to_text(line[:60])!r}: {expected}; "
        "use radical-stroke.txt of langdata_lstm"
    )
