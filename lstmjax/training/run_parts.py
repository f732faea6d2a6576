"""What every kind of training loop shares: the fixed parts of a run, and how it is interrupted."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from lstmjax.data.stream import LineStream
from lstmjax.devices import Device
from lstmjax.run_paths import RunPaths
from lstmjax.training.config import TrainConfig
from lstmjax.training.fast.step import TrainStep
from lstmjax.training.fast.validate import Validator
from lstmjax.training.fast.writer import CheckpointWriter
from lstmjax.training.output import Output
from lstmjax.training.progress import Progress
from lstmjax.training.save import Identity
from lstmjax.training.score import Scorer
from lstmjax.training.watch import Watcher

MAX_BAD_UPDATES = 20  # in a row, before a run goes back to its best
STOP_ASKED = -1
"""What stands for the number of a signal when the run's own program wants it to stop."""


class InterruptedRun(Exception):  # noqa: N818
    """A signal, or whoever watches the run, ended it after a checkpoint was written."""

    def __init__(self, progress: Progress, signal_number: int):
        self.progress = progress
        self.signal_number = signal_number
        super().__init__(f"stopped at iteration {progress.training_iteration}")


@dataclass(frozen=True, eq=False)
class Run:
    """What stays the same while a run goes on.

    Attributes:
      config: all settings.
      identity: network, net_spec and null.
      end: training iteration to stop at, None for never.
      paths: the files it writes.
      stream: the lines.
      step: the compiled update.
      scorer: decodes and counts errors.
      validator: the evaluation lines, None without.
      writer: of checkpoints.
      output: log, display, metrics.
      devices: what the update and the validation compute on.
      fingerprint: what a resumed run must share, stored in native checkpoints.
      watcher: who is shown the run, None for nobody.
    """

    config: TrainConfig
    identity: Identity
    end: int | None
    paths: RunPaths
    stream: LineStream
    step: TrainStep
    scorer: Scorer
    validator: Validator | None
    writer: CheckpointWriter
    output: Output
    devices: tuple[Device, ...]
    fingerprint: dict[str, Any]
    watcher: Watcher | None = None


@contextmanager
def remembered_signals(output: Output) -> Iterator[Callable[[], int]]:
    """Remember SIGINT and SIGTERM instead of dying; a second one does what it always did.

    The number is STOP_ASKED if whoever gets the records of `output` asked for the end, else 0.
    """
    received: list[int] = []
    former: dict[int, Any] = {}

    def remember(number: int, frame: object) -> None:
        del frame
        received.append(number)
        signal.signal(number, former[number])

    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            former[number] = signal.signal(number, remember)
        except ValueError:  # not in the main thread: the caller keeps its own handling
            break
    try:
        yield lambda: received[0] if received else STOP_ASKED * output.stop_asked
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
