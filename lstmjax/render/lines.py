"""One text line -> one line image, grey or binary, for training data without pages.

image = render_line("Hello", face, degradation=Degradation(), state=NoiseState()).image
"""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lstmjax.errors import DataError
from lstmjax.formats.box import Box
from lstmjax.render.boxes import move, to_box_file, turn
from lstmjax.render.clusters import CharBox, cluster_boxes
from lstmjax.render.degrade import LARGEST_ANGLE, NoiseState, degrade, distort
from lstmjax.render.face import UNITS, Face
from lstmjax.render.layout import Layout
from lstmjax.render.page_text import Coverage
from lstmjax.render.paint import paint
from lstmjax.render.settings import MAX_SIDE, Degradation
from lstmjax.render.style import LayoutStyle

_ENDS = "\n\r\u2028\u2029"


@dataclass(frozen=True, eq=False)
class LineImage:
    """A rendered line.

    Attributes:
      image: [H, W] uint8, 0 black.
      text: transcription of the image.
      boxes: boxes as in a box file, origin at the bottom left of the image.
      left_out: words that the font cannot show.
      angle: radians clockwise that the line was turned by.
    """

    image: NDArray[np.uint8]
    text: str
    boxes: list[Box]
    left_out: tuple[str, ...] = ()
    angle: float = 0.0


def render_line(
    text: str, face: Face, *, padding: int = 4, degradation: Degradation | None = None,
    state: NoiseState | None = None, letter_spacing: int = 0, ligatures: bool = False,
    binary: bool = False,
) -> LineImage:  # fmt: skip
    """Render one line, cut out around its ink.

    Args:
      text: one line.
      face: the font at its size.
      padding: white pixels around the ink.
      degradation: degradations of the image; none by default.
      state: state of the random numbers, which is advanced; a new one by default.
      letter_spacing: pixels between characters.
      ligatures: whether to use optional ligatures.
      binary: whether to make every pixel 0 or 255.

    Raises:
      DataError: the text has several lines, none of it can be shown, or it is too long.
    """
    if any(end in text for end in _ENDS):
        raise DataError(f"expected one line of text, found a line end in {text[:40]!r}")
    coverage = Coverage(face)
    stripped = coverage.strip(text)
    kept = coverage.add_ligatures(stripped.text) if ligatures else stripped.text
    # As wide as a page can be: one line must not be wrapped.
    style = LayoutStyle(face, MAX_SIDE, letter_spacing=letter_spacing, ligatures=ligatures)
    lines = list(Layout(style).lines(kept))
    if len(lines) > 1:
        raise DataError(f"a line of more than {MAX_SIDE} pixels: {text[:40]!r}...")
    width = sum(run.glyphs.width for run in lines[0].runs) // UNITS
    # Enough for overhanging ink, and for the ends of the line when it is turned.
    room = padding + math.ceil(max(face.pixels, LARGEST_ANGLE * (width + 4 * face.pixels)))
    line = replace(lines[0], x=room * UNITS, baseline=lines[0].baseline + room * UNITS)
    shape = (line.height // UNITS + 2 * room, width + 2 * room)
    boxes = cluster_boxes(kept, [line], 0)
    if all(box.rect is None for box in boxes):
        raise DataError(f"nothing to be seen of {text[:40]!r} in {face.path}")
    image, boxes, angle = _spoil(paint(shape, [line], (0, 0)), boxes, degradation, state)
    image, boxes = _cut_out(image, boxes, padding)
    if binary:
        image = np.where(image < 128, 0, 255).astype(np.uint8)
    finished = to_box_file(boxes, image.shape[0])
    return LineImage(image, " ".join(kept.split()), finished, stripped.words, angle)


def _spoil(
    image: NDArray[np.uint8], boxes: list[CharBox], options: Degradation | None,
    state: NoiseState | None,
) -> tuple[NDArray[np.uint8], list[CharBox], float]:  # fmt: skip
    if options is None:
        return image, boxes, 0.0
    state, angle = state or NoiseState(), 0.0
    if options.degrade:
        image, angle = degrade(image, state, exposure=options.exposure, rotate=options.rotate)
        boxes = turn(boxes, angle, (image.shape[1] // 2, image.shape[0] // 2))
    if options.distort:
        image = distort(
            image, state, invert=options.invert, white_noise=options.white_noise,
            smooth_noise=options.smooth_noise, blurred=options.blur,
        )  # fmt: skip
    return image, boxes, angle


def _cut_out(
    image: NDArray[np.uint8], boxes: list[CharBox], padding: int
) -> tuple[NDArray[np.uint8], list[CharBox]]:
    """Cut around the boxes and move them along."""
    rects = [box.rect for box in boxes if box.rect is not None]
    left = max(0, min(r[0] for r in rects) - padding)
    top = max(0, min(r[1] for r in rects) - padding)
    right = max(r[0] + r[2] for r in rects) + padding
    bottom = max(r[1] + r[3] for r in rects) + padding
    cut = np.ascontiguousarray(image[top:bottom, left:right])
    return cut, move(boxes, -left, -top)
