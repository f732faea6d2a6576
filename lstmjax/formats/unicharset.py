"""The unicharset as text: a count, then one row a unichar; the row index is the unichar_id.

Properties are read as hexadecimal, always. They are written as hexadecimal, which every reader
understands; Tesseract 5 itself writes decimal, and `decimal=True` copies that for comparison.
Source: Tesseract src/ccutil/unicharset.cpp.
"""

import math
import re
from dataclasses import dataclass

from lstmjax.errors import FormatError, naming
from lstmjax.formats.files import PathLike, read_bytes, write_atomically
from lstmjax.formats.stream import to_bytes, to_text

ALPHA, LOWER, UPPER, DIGIT, PUNCTUATION = 1, 2, 4, 8, 16
"""Bits of `UnicharRow.properties`."""

BROKEN = "|Broken|0|1"
"""Row 2 of every set that has the special codes."""

MAX_UNICHAR = 30
"""Longest unichar in UTF-8 bytes."""
MAX_LINE = 255
"""Longest line with its newline; Tesseract silently splits longer ones."""

_FRAGMENT = re.compile(r"\|(?P<unichar>.+?)\|\d+[|n](?P<total>\d+)", re.DOTALL)
Bounds = tuple[int, int, int, int]
Metrics = tuple[float, float, float, float, float, float]
_OPEN_BOUNDS: Bounds = (0, 255, 0, 255)
_NO_METRICS: Metrics = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
_BLANK = " \t\r\v\f"  # other white space of Unicode may be part of a unichar
_BLANKS = re.compile(f"[{_BLANK}]+")


@dataclass(frozen=True)
class UnicharRow:
    """One row.

    Attributes:
      unichar: the text; the file's `NULL` is a space here.
      properties: sum of the property bits ALPHA to PUNCTUATION.
      bounds: lowest and highest bottom, lowest and highest top, in 0..255.
      metrics: width, bearing, advance, each as mean and standard deviation.
      script: script name, "NULL" for none, "Common" for neutral.
      other_case: unichar_id of the case partner, the own id if none.
      direction: number of the Unicode bidirectional class.
      mirror: unichar_id of the mirrored character, the own id if none.
      normed: normalised text.
      comment: text after `#`; None without one, then a default one is written.
    """

    unichar: str
    properties: int
    bounds: Bounds = _OPEN_BOUNDS
    metrics: Metrics = _NO_METRICS
    script: str = "NULL"
    other_case: int = 0
    direction: int = 0
    mirror: int = 0
    normed: str = ""
    comment: str | None = None


@dataclass(frozen=True)
class UnicharsetTable:
    """All rows, by unichar_id."""

    rows: tuple[UnicharRow, ...]

    @property
    def has_special_codes(self) -> bool:
        """Whether rows 1 and 2 are the joined and the broken character."""
        return len(self.rows) > 2 and self.rows[2].unichar == BROKEN


def unpack(data: bytes) -> UnicharsetTable:
    """Read a unicharset text, in today's or any older form; lines beyond the count are ignored.

    Raises:
      FormatError: a line cannot be used; names the line, where line 1 is the count.
    """
    lines = data.split(b"\n")
    if lines[-1] == b"":
        lines.pop()
    number = _count(lines)
    rows: list[UnicharRow] = []
    seen: dict[str, int] = {}
    for unichar_id, line in enumerate(lines[1 : number + 1]):
        # Longer lines are cut silently by Tesseract, which spoils all rows after them.
        if len(line) >= MAX_LINE:
            raise _bad(unichar_id, f"{len(line)} bytes long, the limit is {MAX_LINE - 1}")
        row = _parse_row(to_text(line), unichar_id, number)
        if row.unichar in seen:
            raise _bad(unichar_id, f"{row.unichar!r} is already unichar {seen[row.unichar]}")
        seen[row.unichar] = unichar_id
        rows.append(row)
    table = UnicharsetTable(tuple(rows))
    if table.has_special_codes and rows[0].unichar != " ":
        raise _bad(0, f"{rows[0].unichar!r} where NULL (the space) belongs")
    return table


def _count(lines: list[bytes]) -> int:
    first = lines[0].strip() if lines else b""
    if not re.fullmatch(rb"\d{1,9}", first):
        raise FormatError(f"not a unicharset: line 1 is {to_text(first[:20])!r}, expected a count")
    number = int(first)
    if number > len(lines) - 1:
        raise FormatError(f"line 1 promises {number} unichars, {len(lines) - 1} rows follow")
    return number


def _bad(unichar_id: int, problem: str) -> FormatError:
    return FormatError(f"line {unichar_id + 2} (unichar {unichar_id}): {problem}")


def _parse_row(line: str, unichar_id: int, number: int) -> UnicharRow:
    """Read a row, whichever columns it has.

    The forms, from the newest: properties, then [10 bounds and metrics] script other_case
    direction mirror [normed]; 4 bounds, script, other_case, [direction, mirror]; script,
    [other_case].
    """
    body, tab, comment = line.partition("\t#")
    # Not split(): other white space of Unicode may be a unichar or its normed text.
    fields = _BLANKS.split(body.strip(_BLANK))
    if len(fields) < 3:
        raise _bad(unichar_id, f"{len(fields)} columns in {body!r}, expected 3 or more")
    name, properties, *fields = fields
    if not re.fullmatch(r"(0[xX])?[0-9a-fA-F]{1,8}", properties):
        raise _bad(unichar_id, f"properties {properties!r} are not hexadecimal")
    size = len(to_bytes(name))
    if size > MAX_UNICHAR:
        raise _bad(unichar_id, f"{name!r} has {size} bytes, the limit is {MAX_UNICHAR}")
    bounds, metrics, fields = _take_numbers(fields, unichar_id)
    if not fields:
        raise _bad(unichar_id, "the script is missing")
    script, *fields = fields
    ids = [int(field) for field in fields[:3] if re.fullmatch(r"-?\d{1,9}", field)]
    # Only the newest form has metrics, and it always has all three ids.
    complete = metrics is None or len(ids) == 3
    if not complete or (fields and not ids and fields[0] != "NULL"):
        raise _bad(unichar_id, f"the columns after script {script!r} are not three numbers")
    other_case, direction, mirror = (*ids, *(unichar_id, 0, unichar_id)[len(ids) :])
    if min(other_case, mirror) < 0:
        raise _bad(unichar_id, f"negative unichar id in other_case {other_case}, mirror {mirror}")
    unichar = " " if name == "NULL" else name
    # As in Tesseract, partners beyond the last row count as none.
    return UnicharRow(
        unichar,
        int(properties, 16) & 31,
        bounds,
        metrics or _NO_METRICS,
        script,
        other_case if other_case < number else unichar_id,
        direction,
        mirror if mirror < number else unichar_id,
        fields[3] if len(fields) > 3 else unichar,
        comment.removeprefix(" ") if tab else None,
    )


def _take_numbers(fields: list[str], unichar_id: int) -> tuple[Bounds, Metrics | None, list[str]]:
    """Take the comma-separated column off the fields if they begin with it."""
    numbers = fields[0].split(",")
    if len(numbers) not in (4, 10):
        return _OPEN_BOUNDS, None, fields
    try:
        low_bottom, high_bottom, low_top, high_top = map(int, numbers[:4])
        bounds = (low_bottom, high_bottom, low_top, high_top)
        if len(numbers) == 4:
            return bounds, None, fields[1:]
        width, width_sd, bearing, bearing_sd, advance, advance_sd = map(float, numbers[4:])
        if not all(map(math.isfinite, (width, width_sd, bearing, bearing_sd, advance, advance_sd))):
            raise ValueError("infinite or not a number")
    except ValueError as err:
        raise _bad(unichar_id, f"bounds {fields[0]!r} are not numbers") from err
    return bounds, (width, width_sd, bearing, bearing_sd, advance, advance_sd), fields[1:]


def default_comment(unichar: str, properties: int) -> str:
    """Make the comment that Tesseract writes: text, code points, letters for properties."""
    fragment = _FRAGMENT.fullmatch(unichar)
    if fragment:
        return fragment["unichar"] if int(fragment["total"]) == 1 else unichar
    marks = ""
    if properties & ALPHA:
        marks += "a" if properties & LOWER else "A" if properties & UPPER else "x"
    marks += "0" if properties & DIGIT else ""
    marks += "p" if properties & PUNCTUATION else ""
    codes = "".join(f"{ord(c):x} " for c in unichar)
    return f"{unichar} [{codes}]{marks}"


def pack(table: UnicharsetTable, decimal: bool = False) -> bytes:
    """Write a unicharset in today's form.

    Args:
      table: the rows to write.
      decimal: whether to write properties in decimal, as Tesseract 5 does and then misreads.
    """
    lines = [str(len(table.rows))]
    lines += [_show_row(row, "d" if decimal else "x") for row in table.rows]
    return to_bytes("\n".join(lines) + "\n")


def _show_row(row: UnicharRow, radix: str) -> str:
    if row.unichar == " ":
        comment = "" if row.comment is None else f"\t# {row.comment}"
        # The space row is hexadecimal in both radices, as Tesseract writes it.
        return f"NULL {row.properties:x} {row.script} {row.other_case}{comment}"
    numbers = ",".join([*map(str, row.bounds), *(f"{value:g}" for value in row.metrics)])
    comment = row.comment
    if comment is None:
        comment = default_comment(row.unichar, row.properties)
    return (
        f"{row.unichar} {row.properties:{radix}} {numbers} {row.script} {row.other_case} "
        f"{row.direction} {row.mirror} {row.normed}\t# {comment}"
    )


def load(path: PathLike) -> UnicharsetTable:
    """Read a unicharset file; errors name it."""
    with naming(file=str(path)):
        return unpack(read_bytes(path))


def save(table: UnicharsetTable, path: PathLike, decimal: bool = False) -> None:
    """Write a unicharset file."""
    write_atomically(path, pack(table, decimal))
