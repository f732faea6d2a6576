"""ALTO XML: the lines of pages with their polygons or rectangles and texts.

Source: ALTO schema, versions 2 to 4.
"""

from xml.etree.ElementTree import Element

from lstmjax.errors import DataError
from lstmjax.pages import xml_file
from lstmjax.pages.xml_file import Point, XmlDocument, XmlLine, XmlPage, below, child, tag

_UNITS_PER_INCH = {"pixel": 0.0, "": 0.0, "mm10": 254.0, "inch1200": 1200.0}


def read(root: Element, path: str) -> XmlDocument:
    """Read an `alto` element.

    Raises: DataError: the file has no page, or an unknown unit.
    """
    pages = tuple(map(_page, below(root, "Page")))
    if not pages:
        raise DataError(f"{path}: an ALTO file without a Page element")
    unit = _content(root, "MeasurementUnit")
    if unit not in _UNITS_PER_INCH:
        raise DataError(f"{path}: unit {unit!r}, expected pixel, mm10 or inch1200")
    return XmlDocument(_content(root, "fileName"), _UNITS_PER_INCH[unit], pages)


def _content(root: Element, name: str) -> str:
    found = next(below(root, name), None)
    return "" if found is None or found.text is None else found.text.strip()


def _page(page: Element) -> XmlPage:
    width, height = (xml_file.number(page.get(side)) for side in ("WIDTH", "HEIGHT"))
    lines = tuple(_line(one, i) for i, one in enumerate(below(page, "TextLine"), 1))
    return XmlPage(width, height, lines)


def _line(line: Element, number: int) -> XmlLine:
    name = line.get("ID") or f"line {number}"
    text = xml_file.clean(_text(line))
    try:
        return XmlLine(name, text, _outline(line))
    except ValueError as err:
        return XmlLine(name, text, (), str(err))


def _outline(line: Element) -> tuple[Point, ...]:
    """Corners of the polygon, or of the rectangle if there is no polygon."""
    shape = child(line, "Shape")
    polygon = None if shape is None else child(shape, "Polygon")
    if polygon is not None:
        return xml_file.points(polygon.get("POINTS"))
    sides = [line.get(name) for name in ("HPOS", "VPOS", "WIDTH", "HEIGHT")]
    if None in sides:
        raise ValueError("neither a polygon nor HPOS, VPOS, WIDTH and HEIGHT")
    left, top, width, height = (float(side or "") for side in sides)
    # Corners are the outermost pixels, so a width of 1 has left and right at one place.
    right, bottom = left + width - 1, top + height - 1
    return ((left, top), (right, top), (right, bottom), (left, bottom))


def _text(line: Element) -> str:
    """The words with the spaces between them; a file without SP elements gets single spaces."""
    parts: list[str] = []
    spaced = child(line, "SP") is not None
    for item in line:
        match tag(item):
            case "String":
                parts += [" "] if parts and not spaced else []
                parts.append(item.get("CONTENT", ""))
            case "SP":
                parts.append(" ")
            case "HYP":
                parts.append(item.get("CONTENT", "-"))
    return "".join(parts)
