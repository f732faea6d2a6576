"""Box files: a label and a rectangle a line; a tab as label ends a line of text.

Coordinates have their origin at the bottom left of the page. A bad line never spoils the file:
it is left out and reported with its number.
Source: Tesseract src/ccstruct/boxread.cpp, src/ccmain/linerec.cpp.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from lstmjax.errors import naming
from lstmjax.formats.files import PathLike, read_bytes, write_atomically
from lstmjax.formats.stream import to_bytes, to_text

WORD_STR = "WordStr"
"""Label of a box whose text follows the first `#`."""
MAX_LABEL = 1023
"""Longest label in bytes."""

_BOM = b"\xef\xbb\xbf"
_LINE = re.compile(rb"([^\0][^ \t]*)(.*)", re.DOTALL)
_NUMBERS = re.compile(rb"\s*" + rb"\s+".join([rb"([+-]?\d{1,9})"] * 4) + rb"(?:\s+(\d{1,9}))?")


@dataclass(frozen=True)
class Box:
    """A labelled rectangle in pixels.

    Attributes:
      text: the label: one or several characters, a whole line (WordStr), or a tab.
      left: x of the left edge; every coordinate is within -32768 to 32767.
      bottom: y of the lower edge; y grows upwards.
      right: x of the right edge, not less than `left`.
      top: y of the upper edge, not less than `bottom`.
      page: index of the page in the image file.
    """

    text: str
    left: int
    bottom: int
    right: int
    top: int
    page: int = 0


@dataclass(frozen=True)
class BoxProblem:
    """A line that was left out.

    Attributes:
      line: line number in the file, from 1.
      text: content of the line.
      reason: why the line is no box.
    """

    line: int
    text: str
    reason: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.reason}: {self.text!r}"


@dataclass(frozen=True)
class BoxFile:
    """The boxes of a file in order, and the lines that hold none."""

    boxes: tuple[Box, ...]
    problems: tuple[BoxProblem, ...] = ()


@dataclass(frozen=True)
class TextLine:
    """Boxes that make up a line of text.

    Attributes:
      boxes: the boxes in file order, without the tab that ends the line.
    """

    boxes: tuple[Box, ...]

    @property
    def text(self) -> str:
        """The transcription: all labels together."""
        return "".join(box.text for box in self.boxes)

    @property
    def bounds(self) -> tuple[int, int, int, int]:
        """Left, bottom, right, top of the rectangle around all boxes."""
        return (
            min(box.left for box in self.boxes),
            min(box.bottom for box in self.boxes),
            max(box.right for box in self.boxes),
            max(box.top for box in self.boxes),
        )


def unpack(data: bytes) -> BoxFile:
    """Read a box file; lines that are no boxes are reported, empty ones are dropped."""
    boxes, problems = [], []
    for number, raw in enumerate(data.split(b"\n"), 1):
        line = raw.rstrip(b"\r").removeprefix(_BOM)
        if not line:
            continue
        box = _parse(line)
        if isinstance(box, Box):
            boxes.append(box)
        else:
            problems.append(BoxProblem(number, to_text(line), box))
    return BoxFile(tuple(boxes), tuple(problems))


def _parse(line: bytes) -> Box | str:
    """Read a line into a box, or return the reason why it is no box."""
    # The label is its first byte and all up to the next blank: so a tab or a space can be one.
    match = _LINE.fullmatch(line)
    if match is None:
        return "begins with a zero byte"
    label, rest = match.groups()
    numbers = _NUMBERS.match(rest)
    if numbers is None:
        return "expected a label and four whole numbers (left bottom right top)"
    left, bottom, right, top, page = (int(number or 0) for number in numbers.groups())
    if right < left or top < bottom:
        return "right is less than left, or top less than bottom"
    # Tesseract keeps coordinates in 16 bits: larger ones would wrap around and lose the line.
    if min(left, bottom) < -32768 or max(right, top) > 32767:
        return "coordinates outside -32768 to 32767"
    if label == WORD_STR.encode() and b"#" in rest:
        label = rest.partition(b"#")[2]
    if not label or len(label) > MAX_LABEL:
        return f"label of {len(label)} bytes, expected 1 to {MAX_LABEL}"
    try:
        text = label.decode("utf-8")
    except UnicodeDecodeError as err:
        return f"label is not UTF-8: byte {label[err.start]:#04x} at column {err.start + 1}"
    return Box(text, left, bottom, right, top, page)


def pack(boxes: Iterable[Box]) -> bytes:
    """Write boxes, as WordStr lines where the label holds spaces within text."""
    return to_bytes("".join(map(_show, boxes)))


def _show(box: Box) -> str:
    place = f"{box.left} {box.bottom} {box.right} {box.top} {box.page}"
    # A plain line ends its label at the first blank, so texts with blanks inside need WordStr.
    if len(box.text) > 1 and (" " in box.text[1:] or "\t" in box.text[1:]):
        return f"{WORD_STR} {place} #{box.text}\n"
    return f"{box.text} {place}\n"


def text_lines(boxes: Iterable[Box], page: int | None = 0) -> tuple[TextLine, ...]:
    """Group boxes into lines of text, which tabs end; without a tab, all are one line.

    Args:
      boxes: the boxes in file order.
      page: index of the only page whose boxes are kept; None keeps all.
    """
    lines: list[TextLine] = []
    line: list[Box] = []
    for box in boxes:
        if page is not None and box.page != page:
            continue
        if box.text != "\t":
            line.append(box)
        elif line:
            lines.append(TextLine(tuple(line)))
            line = []
    return (*lines, TextLine(tuple(line))) if line else tuple(lines)


def load(path: PathLike) -> BoxFile:
    """Read a box file; errors name it."""
    with naming(file=str(path)):
        return unpack(read_bytes(path))


def save(boxes: Iterable[Box], path: PathLike) -> None:
    """Write a box file."""
    write_atomically(path, pack(boxes))
