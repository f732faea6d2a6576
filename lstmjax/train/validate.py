"""Evaluation during training: the model as it is now, read with the trainer's own arithmetic.

The random borders of convolutions are others than in `lstmeval`, and tanh is exact, so rates differ
from it by a little; it is several times as fast, and enough to choose between models.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from lstmjax.array_types import Params
from lstmjax.ctc.error_rates import ErrorCounts
from lstmjax.data.batch import fit_buckets, pad
from lstmjax.data.image import normalise
from lstmjax.data.lines import Line, LineIndex
from lstmjax.data.skips import Skip, SkipReason, classify
from lstmjax.data.store import ImageStore
from lstmjax.devices import Device
from lstmjax.errors import DataError
from lstmjax.infer.evaluate import LineReading, geometry_of, read_line
from lstmjax.infer.model import LoadedModel
from lstmjax.nn.build import Model
from lstmjax.spec.tree import x_scale
from lstmjax.train.step import make_eval_step

_LINES_PER_DEVICE = 8
_BORDER_SEED = np.uint32(1)


@dataclass(frozen=True)
class Scores:
    """Error rates as fractions: Tesseract's two and the true two."""

    bcer: float
    bwer: float
    cer: float
    wer: float
    lines: int


class Validator:
    """The evaluation lines of a run, ready to be read again and again."""

    def __init__(
        self,
        index: LineIndex,
        model: LoadedModel,
        network: Model,
        *,
        max_bytes: int,
        report: Callable[[Line, Skip], None],
        devices: Sequence[Device] = (),
    ):
        """Judge all lines; the unusable ones are reported and left out.

        Args:
          index: the lines.
          model: whose character set and shape count.
          network: its functions.
          max_bytes: of images kept in memory.
          report: called for each unusable line.
          devices: which the params are on; they share the work.
        Raises: DataError: none is usable.
        """
        self.index, self.model, self.max_bytes = index, model, max_bytes
        self._batch = _LINES_PER_DEVICE * max(len(devices), 1)
        self._store = ImageStore(index, model.input_shape, max_bytes)
        self._forward = make_eval_step(network, devices)
        geometry = geometry_of(model)
        self._lines: list[tuple[Line, np.ndarray, tuple[int, int]]] = []
        for line in index:
            codes = classify(line, model.codec, geometry)
            if isinstance(codes, Skip):
                report(line, codes)
                continue
            try:
                pixels = self._store.scaled(line.number).pixels
            except DataError as err:
                report(line, Skip(SkipReason.UNDECODABLE, str(err)))
                continue
            self._lines.append((line, codes, pixels.shape[:2]))
        if not self._lines:
            raise DataError("none of the evaluation lines can be used; the messages above say why")
        self._lines.sort(key=lambda entry: entry[2])
        widths = [self._width(entry) for entry in self._lines]
        self._buckets = fit_buckets(
            widths, np.ones(len(widths), int), most=4, multiple=x_scale(model.root)
        )

    def __len__(self) -> int:
        return len(self._lines)

    def _width(self, entry: tuple[Line, np.ndarray, tuple[int, int]]) -> int:
        return self.model.input_shape.width or entry[2][1]

    def scores(self, params: Params) -> Scores:
        """Read all lines with the given weights."""
        readings: list[LineReading] = []
        with ThreadPoolExecutor(1) as pool:
            waiting = [pool.submit(self._read, *group) for group in self._outputs(params)]
            for future in waiting:
                readings += future.result()
        chars = sum((reading.chars for reading in readings), ErrorCounts())
        words = sum((reading.words for reading in readings), ErrorCounts())
        return Scores(
            float(np.mean([reading.bcer for reading in readings])),
            float(np.mean([reading.bwer for reading in readings])),
            chars.rate,
            words.rate,
            len(readings),
        )

    def _outputs(self, params: Params):
        """Lines with their outputs, a batch at a time."""
        start = 0
        while start < len(self._lines):
            height = self._lines[start][2][0]
            group = [
                entry for entry in self._lines[start : start + self._batch] if entry[2][0] == height
            ]
            start += len(group)
            images = [
                normalise(self._store.scaled(line.number).pixels, self.model.input_shape)
                for line, _, _ in group
            ]
            widest = max(self._width(entry) for entry in group)
            shape = self._buckets.shape(images[0].shape[0], widest, 1)
            batch = pad(images, [np.zeros(1, np.int32)] * len(group), shape, self._batch)
            yield group, self._forward(params, batch.images, batch.widths, _BORDER_SEED)

    def _read(self, group, outputs) -> list[LineReading]:
        probs, steps = (np.asarray(x) for x in outputs)
        readings = []
        for i, (line, codes, _) in enumerate(group):
            result = read_line(self.model, line, codes, probs[: steps[i], i], with_delta=False)
            if isinstance(result, LineReading):
                readings.append(result)
        return readings
