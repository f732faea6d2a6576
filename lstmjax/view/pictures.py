"""Arrays -> pictures: maps of activations, a line with what was read, graphs of the outputs.

Colours are those of Tesseract's windows: yellow for more, blue for less, black for nothing.
"""

import io
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, UInt8
from PIL import Image, ImageDraw

from lstmjax.view.fonts import shown

_MAX_WIDTH = 1500  # pixels of a picture
_MAX_HEIGHT = 1200
_GAP = 2  # pixels between tiles
_LINE_HEIGHT = 72  # pixels of a drawn line of text
_MARK_COLOUR = (0, 150, 60)
_MARGIN = 20  # pixels above and below a line, for the characters
_GRAPH_HEIGHT = 220
_CLEAR = 0.02  # least probability of a class that graphs show
_COLOURS = (
    "#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#17becf", "#8c564b", "#e377c2",
    "#bcbd22", "#005f73", "#ae2012", "#606c38",
)  # fmt: skip
_NULL_COLOUR = "#b0b0b0"


class Mark(NamedTuple):
    """A character: text, time step of its peak, probability there."""

    text: str
    step: int
    probability: float


def png(picture: Image.Image) -> bytes:
    """Encode a picture as a small PNG."""
    if picture.mode == "RGB":
        # Few colours occur, so that a palette is enough.
        picture = picture.quantize(256, dither=Image.Dither.NONE)
    data = io.BytesIO()
    picture.save(data, "PNG", optimize=True)
    return data.getvalue()


def heat(values: Float32[np.ndarray, "H W"], largest: float) -> UInt8[np.ndarray, "H W 3"]:
    """Colours of values: yellow for positive, blue for negative, black for zero and NaN."""
    scaled = np.nan_to_num(values / max(largest, 1e-12), posinf=1, neginf=-1).clip(-1, 1)
    # The root makes small values visible beside large ones.
    up, down = np.sqrt(scaled.clip(0)), np.sqrt((-scaled).clip(0))
    rgb = np.stack([255 * up, 225 * up + 110 * down, 255 * down], axis=-1)
    return rgb.astype(np.uint8)


def layer_map(x: Float32[np.ndarray, "H W D"], largest: float | None = None) -> Image.Image:
    """Draw all features of a layer.

    With one row, features are stacked from top to bottom and x runs to the right; otherwise each
    feature is a picture of its own, and the pictures are tiled.

    Args:
      x: features of the layer.
      largest: value of the brightest colour; None: the largest absolute value.
    """
    H, W, D = x.shape
    # One scale for all features of a layer, so that they can be compared.
    if largest is None:
        largest = float(np.abs(np.nan_to_num(x, posinf=0, neginf=0)).max(initial=0))
    if H == 1:
        rows = heat(x[0].T, largest)
        return _enlarged(rows, max(1, min(4, _MAX_WIDTH // max(W, 1), _MAX_HEIGHT // max(D, 1))))
    across = _columns(H, W, D)
    down = -(-D // across)
    sheet = np.full((down * (H + _GAP) - _GAP, across * (W + _GAP) - _GAP, 3), 96, np.uint8)
    for i in range(D):
        top, left = (i // across) * (H + _GAP), (i % across) * (W + _GAP)
        sheet[top : top + H, left : left + W] = heat(x[:, :, i], largest)
    return _enlarged(sheet, max(1, min(3, _MAX_WIDTH // sheet.shape[1])))


def _columns(H: int, W: int, D: int) -> int:
    """How many tiles go side by side: about a square, within the largest width."""
    room = max(1, (_MAX_WIDTH + _GAP) // (W + _GAP))
    square = max(1, math.ceil(math.sqrt(D * (H + _GAP) / (W + _GAP))))
    return min(D, room, square)


def _enlarged(pixels: UInt8[np.ndarray, "H W 3"], factor: int) -> Image.Image:
    picture = Image.fromarray(pixels)
    if picture.width * factor > _MAX_WIDTH or picture.height * factor > _MAX_HEIGHT:
        shrink = min(1.0, _MAX_WIDTH / picture.width, _MAX_HEIGHT / picture.height)
        size = max(1, round(picture.width * shrink)), max(1, round(picture.height * shrink))
        return picture.resize(size, Image.Resampling.BOX)
    return picture.resize(
        (picture.width * factor, picture.height * factor), Image.Resampling.NEAREST
    )


def line_marks(pixels: UInt8[np.ndarray, "..."], steps: int, marks: Sequence[Mark]) -> Image.Image:
    """Draw a line image with a green line at the peak of every character, labelled with it.

    Args:
      pixels: [h, w] or [h, w, 3] scaled line.
      steps: time steps of the network, which cover the whole width.
      marks: characters to mark.
    """
    line = Image.fromarray(pixels).convert("RGB")
    zoom = max(1.0, min(_LINE_HEIGHT / line.height, 2 * _MAX_WIDTH / line.width))
    line = line.resize((round(line.width * zoom), round(line.height * zoom)))
    picture = Image.new("RGB", (line.width + _MARGIN, line.height + 2 * _MARGIN), "white")
    picture.paste(line, (0, _MARGIN))
    draw = ImageDraw.Draw(picture)
    for mark in marks:
        x = round((mark.step + 0.5) * line.width / max(steps, 1))
        top = round(_MARGIN + (1 - mark.probability) * line.height)
        draw.line([(x, top), (x, picture.height - 1)], _MARK_COLOUR, 1)
        text, font = shown(mark.text, 15)
        draw.text((x + 2, 1), text, fill=_MARK_COLOUR, font=font)
    return picture


def graph(
    rows: Float32[np.ndarray, "T K"], names: dict[int, str], null_char: int, width: int
) -> Image.Image:
    """Draw each class as a curve over the time steps, in its own colour; the null in grey.

    Args:
      rows: outputs or targets, 0 to 1.
      names: text of each class that may be shown.
      null_char: class of the null.
      width: width of the picture in pixels.
    """
    T = len(rows)
    width = min(max(width, 320), 2 * _MAX_WIDTH)
    # Pillow draws hard edges: draw at twice the size and reduce.
    big = Image.new("RGB", (2 * width, 2 * _GRAPH_HEIGHT), "white")
    draw = ImageDraw.Draw(big)
    for share in (0.0, 0.5, 1.0):
        y = _height_of(share)
        draw.line([(0, y), (2 * width, y)], "#dddddd", 1)
    classes = [null_char, *clear_classes(rows, null_char)]
    colours = {k: _COLOURS[i % len(_COLOURS)] for i, k in enumerate(classes)}
    x = (np.arange(T) + 0.5) * 2 * width / max(T, 1)
    for k in classes:
        y = [_height_of(value) for value in np.nan_to_num(rows[:, k]).clip(0, 1).tolist()]
        colour = _NULL_COLOUR if k == null_char else colours[k]
        draw.line(list(zip(x.tolist(), y, strict=True)), colour, 3)
    picture = big.resize((width, _GRAPH_HEIGHT), Image.Resampling.BOX)
    draw = ImageDraw.Draw(picture)
    for k in classes[1:]:
        peak = int(np.nan_to_num(rows[:, k]).argmax())
        text, font = shown(names.get(k, str(k)), 13)
        y = min(_height_of(float(np.clip(rows[peak, k], 0, 1))) / 2, _GRAPH_HEIGHT - 18)
        draw.text((x[peak] / 2 + 3, max(0, y - 15)), text, fill=colours[k], font=font)
    return picture


def _height_of(value: float) -> float:
    """The y coordinate of a value in a graph of twice the size."""
    return 2 * (_GRAPH_HEIGHT - 6 - value * (_GRAPH_HEIGHT - 26))


def clear_classes(rows: Float32[np.ndarray, "T K"], null_char: int) -> list[int]:
    """The classes that reach a small probability at any step, without the null."""
    found = np.flatnonzero(np.nan_to_num(rows).max(0, initial=0) >= _CLEAR).tolist()
    return [k for k in found if k != null_char]
