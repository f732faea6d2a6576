"""The lines that a PAGE or ALTO file describes, cut out of their image.

Nothing is straightened: a line is the rectangle around its polygon, in which the area outside the
polygon gets the colour of the paper.
"""

import os
import re
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from lstmjax.errors import DataError
from lstmjax.pages import alto_xml, page_xml, xml_file
from lstmjax.pages.crop import Crop, Rect, cut
from lstmjax.pages.ground_truth import whole_line
from lstmjax.pages.page_image import PageImage, read_pages
from lstmjax.pages.records import Line, OnProblem, Problem, Settings
from lstmjax.pages.xml_file import Point, XmlDocument, XmlLine, XmlPage

_FAR = 1e6  # pixels
_IMAGE_SUFFIXES = (".png", ".tif", ".tiff", ".jpg", ".jpeg")


def lines_of(path: str, image: str, settings: Settings, tell: OnProblem) -> Iterator[Line]:
    """Yield the lines of an XML file; see `lines.lines_of`.

    Args:
      path: path of the XML file.
      image: path of the image; empty to look for the one that the file names.
      settings: how lines are cut out.
      tell: called with each line that is left out.
    Raises: DataError: the file is neither PAGE nor ALTO, has no lines, or its image is missing.
    """
    document = read_xml(path)
    image = image or find_image(path, document.image)
    count = 0
    for number, page in enumerate(read_pages(image)):
        if number < len(document.pages):
            scale = _scale(path, document, number, page)
            yield from _page_lines(path, image, number, page, scale, settings, tell, document)
        count = number + 1
    if count < len(document.pages):
        raise DataError(f"{path}: describes {len(document.pages)} pages, but {image} has {count}")


def read_xml(path: str) -> XmlDocument:
    """Read a PAGE or ALTO file.

    Raises: DataError: the file is neither, or has no lines.
    """
    root = xml_file.parse(path)
    match xml_file.tag(root):
        case "PcGts":
            document = page_xml.read(root, path)
        case "alto" | "ALTO":
            document = alto_xml.read(root, path)
        case other:
            raise DataError(f"{path}: the XML begins with {other!r}, expected PcGts or alto")
    if not any(page.lines for page in document.pages):
        raise DataError(f"{path}: no TextLine elements; segment the page into lines first")
    return document


def find_image(path: str, name: str) -> str:
    """Find the image of an XML file by the name in the file, or by the name of the file.

    The image may be beside the file or one folder up, as in the workspaces of several tools.

    Raises: DataError: there is no image.
    """
    folder, stem = os.path.split(os.path.splitext(path)[0])
    relative = "" if os.path.isabs(name) else name
    names = [relative, re.split(r"[\\/]", name)[-1], *(stem + end for end in _IMAGE_SUFFIXES)]
    for place in (folder, os.path.dirname(os.path.abspath(folder))):
        for one in filter(None, names):
            if os.path.isfile(os.path.join(place, one)):
                return os.path.join(place, one)
    raise DataError(f"{path}: its image {name or stem!r} is neither beside it nor one folder up")


def _scale(path: str, document: XmlDocument, number: int, page: PageImage) -> tuple[float, float]:
    """Pixels in a unit of the file, across and down."""
    # Units of length need the resolution of the image; pixels need an image of the very size.
    if document.units_per_inch:
        if not all(page.resolution):
            raise DataError(
                f"{path}: coordinates are in units of length, but the image does not say its "
                "resolution; save it with one"
            )
        x, y = page.resolution
        return x / document.units_per_inch, y / document.units_per_inch
    described = document.pages[number]
    expected = (described.width or page.width, described.height or page.height)
    if expected != (page.width, page.height):
        raise DataError(
            f"{path}: made for an image of {expected[0]:g} x {expected[1]:g} pixels, found "
            f"{page.width} x {page.height}; use the image it was made for"
        )
    return 1.0, 1.0


def _page_lines(
    path: str,
    image: str,
    number: int,
    page: PageImage,
    scale: tuple[float, float],
    settings: Settings,
    tell: OnProblem,
    document: XmlDocument,
) -> Iterator[Line]:
    described: XmlPage = document.pages[number]
    for i, line in enumerate(described.lines):
        outline = [(x * scale[0], y * scale[1]) for x, y in line.outline]
        rect, problem = _judge(line, outline, page)
        if settings.texts_needed and not line.text:
            rect, problem = None, "the line has no text"
        if rect is None:
            tell(Problem(path, problem, line.name))
            continue
        crop = cut_polygon(page, outline, rect, settings.background)
        yield whole_line(image, number, i, line.text, crop, rect, settings)


def _judge(line: XmlLine, outline: list[Point], page: PageImage) -> tuple[Rect | None, str]:
    """The rectangle of a line on the page, or None and the reason."""
    if line.problem:
        return None, line.problem
    # Written so that NaN fails, too.
    if not all(abs(value) < _FAR for point in outline for value in point):
        return None, "its outline has coordinates that no image has"
    if len(outline) < 3:
        return None, f"the outline has {len(outline)} points, expected at least 3"
    x, y = ([round(point[axis]) for point in outline] for axis in (0, 1))
    # Half-open: the last column and row that the outline touches belong to the line.
    left, right = max(min(x), 0), min(max(x) + 1, page.width)
    top, bottom = max(min(y), 0), min(max(y) + 1, page.height)
    if right - left < 2 or bottom - top < 2:
        extent = f"x {min(x)} to {max(x)}, y {min(y)} to {max(y)}"
        return None, f"its outline ({extent}) is outside the image or has no area"
    # From rows that grow downwards to an origin at the bottom left.
    return (left, page.height - bottom, right, page.height - top), ""


def cut_polygon(page: PageImage, outline: list[Point], rect: Rect, background: str) -> Crop:
    """Cut out a rectangle and fill the area outside a polygon.

    Args:
      page: image of the page.
      outline: corners of the polygon in pixels from the upper left of the page.
      rect: left, bottom, right, top, origin at the bottom left, with some part of the polygon.
      background: `white`, or `paper`: the median colour inside the polygon.
    """
    crop = cut(page, rect)
    inside = _mask(outline, rect[0], page.height - rect[3], crop.pixels.shape[:2])
    if inside.all():
        return crop
    pixels = crop.colours().copy()
    if background == "paper" and inside.any():
        # The median is the paper as long as most of the polygon is no ink.
        fill = np.median(pixels[inside], axis=0).astype(np.uint8)
    else:
        fill = np.uint8(255)
    pixels[~inside] = fill
    return Crop(pixels, crop.resolution)


def _mask(outline: list[Point], left: int, top: int, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """[h, w] whether each pixel of a rectangle is inside a polygon, edge included."""
    from PIL import Image, ImageDraw

    mask = Image.new("1", (shape[1], shape[0]))
    corners = [(round(x) - left, round(y) - top) for x, y in outline]
    ImageDraw.Draw(mask).polygon(corners, fill=1, outline=1)
    return np.array(mask, np.bool_)
