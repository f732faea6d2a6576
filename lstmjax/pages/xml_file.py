"""XML descriptions of pages: read safely, as one structure for PAGE and ALTO."""

import math
import os
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from lstmjax.errors import DataError

Point = tuple[float, float]
"""x and y from the upper left corner, not rounded; in units of the file until they are scaled."""

_MAX_BYTES = 1 << 27
_HEAD_BYTES = 1 << 12
_NUMBERS = re.compile(r"[^\s,]+")


@dataclass(frozen=True)
class XmlLine:
    """A line of text on a page.

    Attributes:
      name: id of the line, for messages.
      text: text in reading order, NFC, with single spaces; may be empty.
      outline: corners of a polygon.
      problem: reason why the line cannot be used; empty if it can.
    """

    name: str
    text: str
    outline: tuple[Point, ...]
    problem: str = ""


@dataclass(frozen=True)
class XmlPage:
    """A page.

    Attributes:
      width: width in units of the file, 0 if unknown.
      height: height in units of the file, 0 if unknown.
      lines: lines in the order of the file.
    """

    width: float
    height: float
    lines: tuple[XmlLine, ...]


@dataclass(frozen=True)
class XmlDocument:
    """The content of an XML file.

    Attributes:
      image: name of the image file, with or without folders; empty if unknown.
      units_per_inch: units of coordinates in an inch; 0 if they are pixels.
      pages: one or more pages.
    """

    image: str
    units_per_inch: float
    pages: tuple[XmlPage, ...]


def parse(path: str) -> Element:
    """Parse a file; entities that it defines itself are refused.

    Raises: DataError: the file cannot be read, is too large, no XML, or not safe.
    """
    from xml.etree.ElementTree import ParseError

    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import fromstring

    try:
        size = os.path.getsize(path)
        if size > _MAX_BYTES:
            raise DataError(f"{path}: {size} bytes, expected at most {_MAX_BYTES}")
        with open(path, "rb") as file:
            return fromstring(file.read())
    except OSError as err:
        raise DataError(f"{path}: cannot be read: {err.strerror or err}") from None
    except (ParseError, LookupError, ValueError, RecursionError) as err:
        if isinstance(err, DefusedXmlException):
            raise DataError(f"{path}: refused: the XML defines entities of its own") from None
        raise DataError(f"{path}: not well-formed XML: {err}") from None


def is_layout_file(path: str) -> bool:
    """Whether a file looks like PAGE or ALTO from its beginning."""
    try:
        with open(path, "rb") as file:
            # Zero bytes dropped: a file in UTF-16 is recognised, too.
            head = file.read(_HEAD_BYTES).replace(b"\0", b"")
    except OSError:
        return True  # the error is reported when it is read
    return re.search(rb"<(\w+:)?(PcGts|alto|ALTO)[\s>]", head) is not None


def tag(element: Element) -> str:
    """The name of an element without its namespace."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def children(element: Element, name: str) -> Iterator[Element]:
    """Yield the direct children of a name, in any namespace."""
    return (child for child in element if tag(child) == name)


def child(element: Element, name: str) -> Element | None:
    """The first of `children`."""
    return next(children(element, name), None)


def below(element: Element, name: str) -> Iterator[Element]:
    """Yield all elements of a name below another, in the order of the file."""
    return (found for found in element.iter() if tag(found) == name)


def number(text: str | None) -> float:
    """Read a number; 0 if it is missing or not a finite number."""
    try:
        value = float(text or 0)
    except ValueError:
        return 0.0
    return value if math.isfinite(value) else 0.0


def points(text: str | None) -> tuple[Point, ...]:
    """Read `x,y x,y ...` or `x y x y ...`.

    Raises: ValueError: not numbers, or not in pairs.
    """
    values = [float(item) for item in _NUMBERS.findall(text or "")]
    if len(values) % 2 or not all(map(math.isfinite, values)):
        raise ValueError("coordinates are not pairs of numbers")
    return tuple(zip(values[::2], values[1::2], strict=True))


def clean(text: str) -> str:
    """Return a text in NFC with single spaces."""
    return unicodedata.normalize("NFC", " ".join(text.split()))
