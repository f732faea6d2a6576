"""Running a model on line images: prepared as Tesseract prepares them, in batches.

The result for a line does not depend on the lines beside it. Every line gets the random numbers
that its place in the run gives it, so an evaluation has the same digits as `lstmeval`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Float32, Int32

from lstmjax.data import image as image_module
from lstmjax.data.batch import fit_buckets, pad
from lstmjax.data.borders import draw_borders
from lstmjax.data.image import Pixels
from lstmjax.data.random import MinStd
from lstmjax.infer.model import LoadedModel
from lstmjax.nn.build import build
from lstmjax.nn.layer import BorderNoise
from lstmjax.nn.numerics import EXACT, EXACT_INT8
from lstmjax.spec.tree import x_scale

INVERT_THRESHOLD = 0.5


class ScaledLine(NamedTuple):
    """A line ready to be read.

    pixels: scaled to the network's height, uint8.
    sample: its place in the run, which seeds its random numbers.
    may_invert: whether to try white on black when the reading is doubtful.
    """

    pixels: Pixels
    sample: int
    may_invert: bool = False


@dataclass(frozen=True)
class Forward:
    """A compiled model; make it with `make_forward`."""

    model: LoadedModel
    _apply: Callable[..., tuple[jax.Array, jax.Array]]

    def probs(self, lines: Sequence[ScaledLine], *, batch: int = 8) -> list[np.ndarray]:
        """Class probabilities [T, K] float32 of each line, in order."""
        if not lines:
            return []
        out = self._run(lines, [line.pixels for line in lines], batch)
        doubtful = [
            i
            for i, line in enumerate(lines)
            if line.may_invert and _certainty(out[i], self.model.null_char) < INVERT_THRESHOLD
        ]
        if doubtful:
            again = [lines[i] for i in doubtful]
            inverted = [image_module.invert(line.pixels) for line in again]
            for i, other in zip(doubtful, self._run(again, inverted, batch), strict=True):
                null_char = self.model.null_char
                if _certainty(other, null_char) > _certainty(out[i], null_char):
                    out[i] = other
        return out

    def _run(
        self, lines: Sequence[ScaledLine], pixels: Sequence[Pixels], batch: int
    ) -> list[np.ndarray]:
        shape = self.model.input_shape
        int8 = self.model.int_mode
        streams = [MinStd.for_sample(line.sample) for line in lines]
        inputs = [
            image_module.normalise(p, shape, stream, int8=int8)
            for p, stream in zip(pixels, streams, strict=True)
        ]
        sizes = [(block.shape[0], block.shape[1]) for block in inputs]
        buckets = fit_buckets(
            [w for _, w in sizes], np.ones(len(sizes), int), multiple=x_scale(self.model.root)
        )
        out: list[np.ndarray] = [np.empty((0, 0), np.float32)] * len(lines)
        for group in _groups(sizes, batch):
            height = sizes[group[0]][0]
            widest = max(sizes[i][1] for i in group)
            room = buckets.shape(height, widest, 1)
            padded = pad(
                [inputs[i] for i in group], [np.zeros(1, np.int32)] * len(group), room, batch
            )
            empty = [MinStd()] * (batch - len(group))
            noise = draw_borders(
                self.model.root,
                [sizes[i] for i in group] + [(height, 1)] * len(empty),
                (room.height, room.width),
                [streams[i] for i in group] + empty,
                int_mode=int8,
            )
            probs, steps = self._apply(
                self.model.params,
                padded.images,
                padded.widths,
                tuple(BorderNoise(*n) for n in noise),
            )
            probs, steps = np.asarray(probs), np.asarray(steps)
            for place, i in enumerate(group):
                out[i] = np.ascontiguousarray(probs[: steps[place], place])
        return out


def make_forward(model: LoadedModel) -> Forward:
    """Compile a model for reading, with Tesseract's arithmetic."""
    network = build(model.root, EXACT_INT8 if model.int_mode else EXACT)

    def apply(params, images, widths, noise):
        logits, steps = network.apply(params, images, widths, noise)
        return jax.nn.softmax(logits), steps

    return Forward(model, jax.jit(apply))


def _groups(sizes: Sequence[tuple[int, int]], batch: int) -> list[list[int]]:
    """Lines of one height and similar width together, at most `batch` of them."""
    order = sorted(range(len(sizes)), key=lambda i: sizes[i])
    groups: list[list[int]] = []
    for i in order:
        if groups and len(groups[-1]) < batch and sizes[groups[-1][0]][0] == sizes[i][0]:
            groups[-1].append(i)
        else:
            groups.append([i])
    return groups


def _certainty(probs: Float32[np.ndarray, "T K"], null_char: int) -> float:
    """Mean probability of the best class where it is not the null; 0 if it always is.

    Source: Tesseract src/lstm/lstmrecognizer.cpp, OutputStats.
    """
    best: Int32[np.ndarray, " T"] = probs.argmax(1)
    chosen = probs[np.arange(len(probs)), best][best != null_char]
    if not len(chosen):
        return 0.0
    return float((127 * chosen).astype(np.int64).sum() / (len(chosen) * 127))
