"""From an image with a box file, a text or an XML description to its lines."""

import os
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from lstmjax.data.pairs import text_path
from lstmjax.errors import DataError, FormatError
from lstmjax.formats import box
from lstmjax.formats.box import TextLine
from lstmjax.pages import ground_truth, xml_lines
from lstmjax.pages.crop import Rect, cut, on_page, padded
from lstmjax.pages.page_image import PageImage, read_pages
from lstmjax.pages.records import (
    BLANK_PSM,
    VERTICAL_PSM,
    Kind,
    Line,
    OnProblem,
    Problem,
    Settings,
)
from lstmjax.pages.sources import Input, box_path, identify

_MAX_TEXT_BYTES = 1 << 20
_INT16 = np.iinfo(np.int16)


def lines_of(
    source: str | Input, settings: Settings | None = None, *, on_problem: OnProblem | None = None
) -> Iterator[Line]:
    """Yield the lines of an image, in the order of its box file, text or XML; a page at a time.

    Args:
      source: an image with a `.box`, `.gt.txt` or PAGE or ALTO `.xml` file beside it, or such an
        XML file, which names its image; or an `Input`, which names image and text.
      settings: how lines are cut out.
      on_problem: called with each line or page that is left out.
    Raises: DataError, FormatError: the source cannot be read.
    """
    settings = settings or Settings()
    given = source if isinstance(source, Input) else identify(source)
    tell = on_problem or _ignore
    match given.kind:
        case Kind.BOX:
            yield from _box_lines(given, settings, tell)
        case Kind.GT:
            yield _gt_line(given, settings)
        case Kind.XML:
            yield from xml_lines.lines_of(given.text, given.image, settings, tell)
        case Kind.IMAGE:
            yield from _bare_lines(given)


def _ignore(problem: Problem) -> None:
    del problem


def _box_lines(given: Input, settings: Settings, tell: OnProblem) -> Iterator[Line]:
    boxes = _load_boxes(given, tell)
    if settings.check_texts:
        _check_text(given.image, boxes)
    for number, page in enumerate(read_pages(given.image)):
        lines = box.text_lines(boxes.boxes, number)
        where = f"page {number + 1}"
        if not lines:
            tell(Problem(given.image, f"{given.text} has no lines for it", where))
        elif settings.psm not in BLANK_PSM and is_blank(page):
            tell(Problem(given.image, f"no ink on the page; --psm {settings.psm} drops it", where))
        else:
            yield from lines_on_page(given.image, page, number, lines, settings, tell)


def _load_boxes(given: Input, tell: OnProblem) -> box.BoxFile:
    boxes = box.load(given.text)
    for problem in boxes.problems:
        tell(Problem(given.text, f"{problem.reason}: {problem.text!r}", f"line {problem.line}"))
    if not boxes.boxes:
        state = "is empty" if not boxes.problems else "has no usable boxes"
        raise FormatError(state, file=given.text)
    if not any(one.text != "\t" for one in boxes.boxes):
        raise FormatError("has no texts, only ends of lines", file=given.text)
    return boxes


def _check_text(image: str, boxes: box.BoxFile) -> None:
    """Compare with the `.gt.txt` file, if there is one: a box file may be older than it."""
    path = text_path(image)
    if not os.path.exists(path):
        return
    try:
        with open(path, "rb") as file:
            text = file.read(_MAX_TEXT_BYTES).decode("utf-8-sig", "replace").strip()
    except OSError as err:
        raise DataError(f"{path}: cannot be read: {err.strerror or err}") from None
    found = "".join(one.text for one in boxes.boxes if one.text != "\t")
    if not ground_truth.same_text(text, found):
        raise DataError(
            f"{image}: {box_path(image)} says {_short(found)} and {path} {_short(text)}; delete "
            "the one that is wrong or choose with --source=box or --source=gt"
        )


def _short(text: str, most: int = 60) -> str:
    return repr(text if len(text) <= most else text[: most - 3] + "...")


def is_blank(page: PageImage) -> bool:
    """Whether all pixels of a page are the same."""
    pixels = page.pixels.reshape(-1, *page.pixels.shape[2:])
    return bool((pixels == pixels[0]).all())


def lines_on_page(
    path: str,
    page: PageImage,
    number: int,
    lines: tuple[TextLine, ...],
    settings: Settings,
    tell: OnProblem,
) -> Iterator[Line]:
    """Cut the lines of a box file out of a page.

    Args:
      path: path of the image, for messages.
      page: image of the page.
      number: number of the page in the image, from 0.
      lines: lines of the page, from `formats.box.text_lines`.
      settings: how lines are cut out.
      tell: called with each line that is left out.
    Source: Tesseract src/ccmain/linerec.cpp, TrainFromBoxes, GetLineData.
    """
    for i, line in enumerate(lines):
        if not on_page(line.bounds, page.width, page.height):
            left, bottom, right, top = line.bounds
            tell(Problem(
                path,
                f"the boxes of {_short(line.text)} ({left} {bottom} {right} {top}) are empty or "
                f"more than half outside the page of {page.width} x {page.height} pixels",
                f"page {number + 1}, line {i + 1}",
                text=line.text,
            ))  # fmt: skip
            continue
        rect = padded(line.bounds, page.width, page.height)
        places = [(one.left, one.bottom, one.right, one.top) for one in line.boxes]
        texts = tuple(one.text for one in line.boxes)
        cropped = Line(
            path, number, i, line.text, cut(page, rect), rect, _relative(places, rect), texts
        )
        yield turned_upright(cropped) if settings.psm == VERTICAL_PSM else cropped


def _relative(places: list[Rect], rect: Rect) -> np.ndarray:
    """[n, 4] int32 boxes with their origin in the lower left corner of a rectangle."""
    left, bottom = rect[:2]
    boxes = np.array(places, np.int32) - np.array([left, bottom, left, bottom], np.int32)
    # 16 bits in the document; boxes are not clipped to the crop, so they may lie far outside.
    return np.clip(boxes, _INT16.min, _INT16.max)


def turned_upright(line: Line) -> Line:
    """Turn a line that was cut from vertical text upright, with its boxes."""
    height = line.crop.pixels.shape[0]
    # A quarter turn counter-clockwise: what was at the right is at the top now.
    left, bottom, right, top = line.boxes.T
    boxes = np.stack([height - top, left, height - bottom, right], axis=1)
    return replace(line, crop=line.crop.turned(), boxes=boxes, vertical=True)


def _gt_line(given: Input, settings: Settings) -> Line:
    text = ground_truth.read_text(given.text)
    page = next(read_pages(given.image))
    if page.of > 1:
        raise DataError(f"{given.image}: {page.of} pages, but {given.text} is one line of text")
    if settings.psm not in BLANK_PSM and is_blank(page):
        raise DataError(f"{given.image}: no ink in the image; --psm {settings.psm} drops it")
    rect = (0, 0, page.width, page.height)
    return ground_truth.whole_line(given.image, 0, 0, text, cut(page, rect), rect, settings)


def _bare_lines(given: Input) -> Iterator[Line]:
    """Yield each page as a line without a text."""
    for number, page in enumerate(read_pages(given.image)):
        rect = (0, 0, page.width, page.height)
        boxes = np.zeros((0, 4), np.int32)
        yield Line(given.image, number, 0, "", cut(page, rect), rect, boxes, ())
