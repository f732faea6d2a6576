"""What watchers of a run are shown: pages in a browser, TensorBoard, pictures of layers.

Without a watcher none of these values is made. A watcher gets values, never the means to change
a run.
"""

from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, NamedTuple, Protocol

import numpy as np
from jaxtyping import Float32, Int32

from lstmjax.array_types import Params
from lstmjax.data.borders import Borders
from lstmjax.data.lines import Line
from lstmjax.training.debug_text import Reading
from lstmjax.training.state import TrainState


class LineSeen(NamedTuple):
    """A line as it was read, before the update.

    iteration: training iteration, before the line counts; outputs: [T, K] probabilities.
    """

    iteration: int
    line: Line
    codes: Int32[np.ndarray, " L"]
    outputs: Float32[np.ndarray, "T K"]


@dataclass(frozen=True, eq=False)
class ReportSeen:
    """A run at a report.

    Attributes:
      iteration: training iteration.
      state: weights and optimiser; valid only until the watcher returns.
      rates: learning rate of each leaf of the weights.
      lines: some of those just read.
    """

    iteration: int
    state: TrainState[Any]
    rates: Params
    lines: tuple[LineSeen, ...]


@dataclass(frozen=True, eq=False)
class DebugSeen:
    """A line of --debug_interval, with everything needed to run the network on it again.

    Attributes:
      reading: outputs, targets and texts.
      params: the weights that read it; valid only until the watcher returns.
      image: [H, W, 1, D] network input.
      width: true width of the input.
      borders: numbers that convolutions see outside the picture; None for zeros.
    """

    reading: Reading
    params: Params
    image: Float32[np.ndarray, "H W 1 D"]
    width: int
    borders: tuple[Borders, ...] | None


class Watcher(Protocol):
    """An observer of a run; none of its functions raises or takes long."""

    def __enter__(self) -> "Watcher":
        """The run begins."""
        ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """The run has ended."""
        ...

    def metrics(self, record: dict[str, Any]) -> None:
        """See a record of metrics.jsonl."""
        ...

    def report(self, seen: ReportSeen) -> None:
        """See the run at a report."""
        ...

    def debug(self, seen: DebugSeen, stopping: Callable[[], int]) -> None:
        """See an n-th line of --debug_interval n; may wait for the user until `stopping`."""
        ...
