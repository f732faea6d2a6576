"""PAGE XML: the lines of a page with their polygons and texts.

Source: PRImA PAGE content schema, versions 2010-03-19 to 2019-07-15.
"""

from xml.etree.ElementTree import Element

from lstmjax.errors import DataError
from lstmjax.pages import xml_file
from lstmjax.pages.xml_file import Point, XmlDocument, XmlLine, XmlPage, below, child, children


def read(root: Element, path: str) -> XmlDocument:
    """Read a `PcGts` element.

    Raises: DataError: the file has no page.
    """
    page = next(below(root, "Page"), None)
    if page is None:
        raise DataError(f"{path}: a PAGE file without a Page element")
    lines = tuple(_line(one, i) for i, one in enumerate(below(page, "TextLine"), 1))
    width, height = (xml_file.number(page.get(side)) for side in ("imageWidth", "imageHeight"))
    return XmlDocument(page.get("imageFilename", ""), 0, (XmlPage(width, height, lines),))


def _line(line: Element, number: int) -> XmlLine:
    name = line.get("id") or f"line {number}"
    text = xml_file.clean(_text(line))
    try:
        return XmlLine(name, text, _outline(line))
    except ValueError as err:
        return XmlLine(name, text, (), str(err))


def _outline(line: Element) -> tuple[Point, ...]:
    coords = child(line, "Coords")
    if coords is None:
        raise ValueError("no Coords element: where the line is, is not said")
    if coords.get("points") is not None:
        return xml_file.points(coords.get("points"))
    return tuple(  # the form of versions before 2013
        (float(point.get("x", "")), float(point.get("y", "")))
        for point in children(coords, "Point")
    )


def _text(line: Element) -> str:
    """The text of the line itself, or that of its words if it has none."""
    own = _equivalent(line)
    if own:
        return own
    return " ".join(_equivalent(word) for word in children(line, "Word"))


def _equivalent(element: Element) -> str:
    """The first text given for an element, in the order of `index` if there are several."""
    texts = sorted(
        children(element, "TextEquiv"), key=lambda one: xml_file.number(one.get("index"))
    )
    for one in texts:
        unicode = child(one, "Unicode")
        if unicode is not None and unicode.text:
            return unicode.text
    return ""
