"""Boxes for lines that come with a text only, as tesstrain's scripts make them.

Every box is the whole image. Source: tesstrain generate_line_box.py, generate_wordstr_box.py;
unlike there, a letter keeps all of its marks and none is doubled.
"""

import unicodedata
from collections import Counter
from pathlib import Path

import numpy as np

from lstmjax.errors import DataError
from lstmjax.pages.crop import Crop, Rect
from lstmjax.pages.records import VERTICAL_PSM, Line, Settings

_MAX_BYTES = 1 << 16
_RIGHT_TO_LEFT = frozenset(("R", "AL"))
_BRACKETS = str.maketrans(")]}>»›", "([{<«‹")


def read_text(path: str) -> str:
    """Read a `.gt.txt` file: one line, in NFC, without blanks around it.

    Raises: DataError: the file cannot be read, is empty, not UTF-8, or has several lines.
    """
    try:
        with Path(path).open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
    except OSError as err:
        problem = err.strerror or err
        raise DataError(f"its text {path} cannot be read: {problem}") from None
    if len(data) > _MAX_BYTES:
        raise DataError(f"its text {path} has more than {_MAX_BYTES} bytes; is it one line?")
    try:
        text = data.decode("utf-8-sig").strip()
    except UnicodeDecodeError as err:
        raise DataError(
            f"its text {path} is not UTF-8: byte {data[err.start]:#04x} at byte {err.start}; "
            "convert it to UTF-8"
        ) from None
    lines = text.split("\n")
    if len(lines) > 1:
        raise DataError(f"its text {path} has {len(lines)} lines, expected one")
    if not text:
        raise DataError(f"its text {path} is empty; write what the image says into it")
    # A tab would end the line in a box file, and a zero byte the file.
    if "\t" in text or "\0" in text:
        raise DataError(f"its text {path} holds a tab or zero byte; use spaces")
    return unicodedata.normalize("NFC", text)


def box_texts(text: str, style: str) -> tuple[str, ...]:
    """Divide a text into the labels of boxes.

    Args:
      text: one line in reading order, not empty.
      style: `characters` for a label of each letter with its marks; `wordstr` for one label, in
        the order of the image; `auto` for wordstr if the text reads from right to left.
    """
    if style == "auto":
        style = "wordstr" if reads_right_to_left(text) else "characters"
    if style == "wordstr":
        return (visual_order(text),)
    labels: list[str] = []
    for char in text:
        if labels and unicodedata.combining(char):
            labels[-1] += char
        else:
            labels.append(char)
    return tuple(labels)


def whole_line(
    path: str, page: int, number: int, text: str, crop: Crop, rect: Rect, settings: Settings
) -> Line:
    """Describe a line whose boxes are all the whole crop; see `Line` for the arguments."""
    texts = box_texts(text, settings.gt_boxes)
    vertical = settings.psm == VERTICAL_PSM
    crop = crop.turned() if vertical else crop
    height, width = crop.pixels.shape[:2]
    boxes = np.tile(np.array([0, 0, width, height], np.int32), (len(texts), 1))
    return Line(path, page, number, "".join(texts), crop, rect, boxes, texts, vertical)


def reads_right_to_left(text: str) -> bool:
    """Whether any character belongs to a script that is written from right to left."""
    return any(unicodedata.bidirectional(char) in _RIGHT_TO_LEFT for char in text)


def visual_order(text: str) -> str:
    """Put a line of text into the order its characters have in the image, from the left."""
    if text.isascii():
        return text
    from bidi.algorithm import get_display

    shown = get_display(text)
    return shown if isinstance(shown, str) else shown.decode("utf-8")


def same_text(text: str, other: str) -> bool:
    """Whether two texts have the same letters, in any order.

    Order, marks and the direction of brackets may differ: a box file may be in visual order, and
    tesstrain's script doubles marks.
    """
    return _letters(text) == _letters(other)


def _letters(text: str) -> Counter[str]:
    folded = unicodedata.normalize("NFD", text).translate(_BRACKETS)
    return Counter(
        char for char in folded if not unicodedata.combining(char) and not char.isspace()
    )
