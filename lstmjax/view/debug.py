"""The pictures of --debug_interval: a line with its reading, outputs, targets, and all layers.

They are named after Tesseract's windows: LSTMForward, LSTMTraining, CTC Outputs, CTC Targets,
`Output` with classes from top to bottom, and two for each layer, `X` with activations and `X-back`
with gradients.
Source: Tesseract src/training/unicharset/lstmtrainer.cpp, DebugLSTMTraining, DisplayTargets.
"""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32
from PIL import Image

from lstmjax.charset.codec import UNDECODABLE, Codec
from lstmjax.data.image import Pixels
from lstmjax.infer.decode import LineDecoder
from lstmjax.training.debug_text import spelled
from lstmjax.training.watch import DebugSeen
from lstmjax.view.activations import LayerTracer
from lstmjax.view.pictures import Mark, clear_classes, graph, layer_map, line_marks

_MOST_CLASSES = 200  # rows of the Output picture
_MOST_FOLDERS, _NEWEST_FOLDERS = 400, 100  # before pictures are thinned out; never removed


class Window(NamedTuple):
    """A picture with its title; kind: line, graph, output or layer."""

    title: str
    kind: str
    picture: Image.Image


class Spelling(NamedTuple):
    """A character of a reading: text, first time step, and the step after its last."""

    text: str
    start: int
    end: int


def spellings(outputs: Float32[np.ndarray, "T K"], reader: LineDecoder) -> list[Spelling]:
    """The characters of a reading, as the tesseract program prints them, with their time steps."""
    codes, starts = reader.read(outputs)
    # The last character ends where the line ends.
    labels, bounds = codes.tolist(), [*starts.tolist(), len(outputs)]
    found, start = [], 0
    while start < len(labels):
        text, end = spelled(labels, start, reader.codec, normed=False)
        found.append(Spelling(text, bounds[start], bounds[end]))
        start = end
    return found


def marks(outputs: Float32[np.ndarray, "T K"], reader: LineDecoder) -> list[Mark]:
    """The characters of a reading, each at the step where it is most probable."""
    not_null = np.delete(np.arange(outputs.shape[1]), reader.codec.null_char)
    found = []
    for text, start, end in spellings(outputs, reader):
        probability = outputs[start : max(end, start + 1)][:, not_null].max(1)
        peak = int(probability.argmax())
        found.append(Mark(text, start + peak, float(probability[peak])))
    return found


class DebugPictures:
    """Draws the windows of a line."""

    def __init__(self, tracer: LayerTracer, reader: LineDecoder):
        self._tracer = tracer
        self._reader = reader

    def windows(self, seen: DebugSeen, pixels: Pixels) -> Iterator[Window]:
        """Draw all windows of a line, the most informative ones first.

        Args:
          seen: line with its outputs and targets, and the weights.
          pixels: scaled image of the line.
        """
        reading, reader = seen.reading, self._reader
        outputs, targets = reading.outputs, reading.targets
        # Graphs are twice as wide as the scaled line.
        codec, steps, width = reader.codec, len(reading.outputs), pixels.shape[1] * 2
        names = class_names(codec)
        said, wanted = marks(outputs, reader), marks(targets, reader)
        yield Window("LSTMForward", "line", line_marks(pixels, steps, said))
        yield Window("LSTMTraining", "line", line_marks(pixels, steps, wanted))
        yield Window("CTC Outputs", "graph", graph(outputs, names, codec.null_char, width))
        yield Window("CTC Targets", "graph", graph(targets, names, codec.null_char, width))
        delta = (targets - outputs).astype(np.float32)
        # The same rows in both pictures, so that they can be compared.
        rows = _shown_classes(outputs, targets, codec.null_char)
        yield Window("Output", "output", layer_map(outputs[None][:, :, rows], 1.0))
        yield Window("Output-back", "output", layer_map(delta[None][:, :, rows], 1.0))
        layers = self._tracer(seen.params, seen.image, seen.width, delta)
        # The last layer is the output, which has been shown as probabilities.
        for layer in layers[:-1]:
            yield Window(layer.name, "layer", layer_map(layer.forward))
            yield Window(f"{layer.name}-back", "layer", layer_map(layer.backward))


def class_names(codec: Codec) -> dict[int, str]:
    """Class -> the text it stands for, or its number if it is only a part of a character."""
    found = {}
    for code in range(codec.num_codes):
        text = spelled([code], 0, codec)[0]
        found[code] = text if text not in ("", UNDECODABLE) else str(code)
    return found


def _shown_classes(
    outputs: Float32[np.ndarray, "T K"], targets: Float32[np.ndarray, "T K"], null_char: int
) -> list[int]:
    """All classes; of very many only those that are likely somewhere in outputs or targets."""
    K = outputs.shape[1]
    if K <= _MOST_CLASSES:
        return list(range(K))
    likely = np.maximum(outputs.max(0), targets.max(0))
    wanted = {*clear_classes(outputs, null_char), *clear_classes(targets, null_char)}
    best = sorted(wanted, key=lambda k: -likely[k])[: _MOST_CLASSES - 1]  # one row is for the null
    return sorted([*best, null_char])


def file_name(place: int, title: str) -> str:
    """The file name of a picture, safe in file systems and URLs."""
    return f"{place:02}-{re.sub(r'[^A-Za-z0-9-]+', '_', title)}.png"


def thin_out(folder: Path) -> None:
    """Remove every second folder between the first and the newest ones if there are too many."""
    numbers = sorted(int(each.name) for each in folder.iterdir() if each.name.isdecimal())
    if len(numbers) > _MOST_FOLDERS:
        # The first one shows how the run began, the newest ones how it goes.
        for number in numbers[1:-_NEWEST_FOLDERS:2]:
            shutil.rmtree(folder / str(number), ignore_errors=True)
