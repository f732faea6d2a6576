"""A watcher that writes to TensorBoard: metrics, figures of layers, sample lines, pictures."""

from collections.abc import Callable
from types import TracebackType
from typing import Any

import numpy as np
from PIL import Image
from tensorboardX import SummaryWriter

from lstmjax.training.run_parts import Run
from lstmjax.training.watch import DebugSeen, ReportSeen
from lstmjax.view.debug import Window
from lstmjax.view.norms import Norms
from lstmjax.view.samples import sample

_NOT_FIGURES = frozenset({"event", "time", "training_iteration"})
_REPORTS_PER_LINES = 10


class Board:
    """Writes `<model_output>.tensorboard/`."""

    def __init__(self, run: Run):
        self._run = run
        self._norms: Norms | None = None
        self._reports = 0
        self._writer: SummaryWriter | None = None

    def __enter__(self) -> "Board":
        self._writer = SummaryWriter(self._run.paths.tensorboard)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._events.close()

    @property
    def _events(self) -> SummaryWriter:
        assert self._writer is not None, "not entered"
        return self._writer

    def metrics(self, record: dict[str, Any]) -> None:
        """Write every figure as a scalar, such as `train/bcer`."""
        for name, value in record.items():
            if name not in _NOT_FIGURES and isinstance(value, int | float):
                tag = f"{record['event']}/{name}"
                self._events.add_scalar(tag, value, record["training_iteration"])

    def report(self, seen: ReportSeen) -> None:
        """Write figures of layers at every report, a line as picture and text at every tenth."""
        if self._norms is None:
            self._norms = Norms(self._run.identity.root, seen.state.params, self._run.config)
        for layer, figures in self._norms.record(seen).items():
            for name, value in figures.items():
                self._events.add_scalar(f"{name}/{layer}", value, seen.iteration)
        if self._reports % _REPORTS_PER_LINES == 0 and seen.lines:
            line = seen.lines[-1]
            pixels = self._run.stream.store.scaled(line.line.number).pixels
            found = sample(line, pixels, self._run.reader)
            text = f"    truth:   {found['truth']}\n    reading: {found['reading']}"
            self._events.add_text("line", text, seen.iteration)
            self._add("line", Image.fromarray(pixels), seen.iteration)
        self._reports += 1

    def debug(self, seen: DebugSeen, stopping: Callable[[], int]) -> None:
        """Do nothing: `window` receives the pictures."""

    def window(self, iteration: int, window: Window) -> None:
        """Write a picture of --debug_interval."""
        self._add(f"debug/{window.title}", window.picture, iteration)

    def _add(self, tag: str, picture: Image.Image, iteration: int) -> None:
        pixels = np.asarray(picture.convert("RGB"))
        self._events.add_image(tag, pixels, iteration, dataformats="HWC")
