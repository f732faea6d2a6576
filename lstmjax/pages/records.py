"""The values that the other modules of this package pass to each other."""

import enum
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lstmjax.errors import UsageError
from lstmjax.pages.crop import Crop, Rect

VERTICAL_PSM = 5
PSM_VALUES = (1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13)
"""Page segmentation modes that make training data; 0 and 2 only look for the layout."""
BLANK_PSM = (7, 8, 9, 10, 13)
"""Modes that accept even a page without ink."""


class Kind(enum.Enum):
    """The source of the texts and places of lines."""

    BOX = "box"
    GT = "gt"
    XML = "xml"
    IMAGE = "image"  # the image is one line, without a text


@dataclass(frozen=True)
class Settings:
    """How lines are cut out and described.

    Attributes:
      psm: page segmentation mode; 5 turns vertical lines upright, the others differ only in
        whether pages of one colour are accepted (see `BLANK_PSM`).
      gt_boxes: form of the boxes of lines that come with a text only: `characters`, `wordstr`
        (text in the order of the image), or `auto`: wordstr for right-to-left text only.
      background: colour of the area outside the polygon of a line, `paper` or `white`.
      check_texts: whether to refuse a box file that contradicts the `.gt.txt` beside it.
      texts_needed: whether to leave out PAGE and ALTO lines without a text.

    Raises: UsageError: a value is none of these.
    """

    psm: int = 13
    gt_boxes: str = "auto"
    background: str = "paper"
    check_texts: bool = True
    texts_needed: bool = True

    def __post_init__(self) -> None:
        if self.psm not in PSM_VALUES:
            values = ", ".join(map(str, PSM_VALUES))
            raise UsageError(f"--psm is {self.psm}; training data is made with one of {values}")
        _one_of("--gt_boxes", self.gt_boxes, ("auto", "characters", "wordstr"))
        _one_of("--background", self.background, ("paper", "white"))


def _one_of(flag: str, value: str, values: tuple[str, ...]) -> None:
    if value not in values:
        raise UsageError(f"{flag} is {value!r}, expected {' or '.join(values)}")


@dataclass(frozen=True, eq=False)
class Line:
    """The image of a line with its text.

    Attributes:
      path: path of the image that the line was cut from.
      page: page of that image, from 0.
      number: number of the line on the page, from 0.
      text: the transcription.
      crop: image of the line.
      rect: left, bottom, right, top of the crop on the page, origin at the bottom left.
      boxes: [n, 4] int32 left, bottom, right, top of the texts, in the crop.
      box_texts: n texts that make up the transcription.
      vertical: whether the text ran from top to bottom and the crop was turned upright.
    """

    path: str
    page: int
    number: int
    text: str
    crop: Crop
    rect: Rect
    boxes: np.ndarray
    box_texts: tuple[str, ...]
    vertical: bool = False


@dataclass(frozen=True)
class Problem:
    """A line or an input that was left out.

    Attributes:
      path: path of the file.
      reason: the problem, with the way out.
      place: place in the file, or "" for the whole file.
      whole: whether no line of the file can be used.
      text: text of the line, or "".
    """

    path: str
    reason: str
    place: str = ""
    whole: bool = False
    text: str = ""

    def __str__(self) -> str:
        return ": ".join(part for part in (self.path, self.place, self.reason) if part)


OnProblem = Callable[[Problem], None]
