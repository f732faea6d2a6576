"""How a run is interrupted: by a signal, or by the program that runs it."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from lstmjax.training.output import Output
from lstmjax.training.progress import Progress

STOP_ASKED = -1
"""Stands for the number of a signal when the run's own program asked for the end."""


class InterruptedRun(Exception):  # noqa: N818
    """A signal, or a watcher of the run, ended it after a checkpoint was written."""

    def __init__(self, progress: Progress, signal_number: int):
        self.progress = progress
        self.signal_number = signal_number
        super().__init__(f"stopped at iteration {progress.training_iteration}")


@contextmanager
def remembered_signals(output: Output) -> Iterator[Callable[[], int]]:
    """Remember SIGINT and SIGTERM instead of dying; a second one does what it always did.

    Yields a function that returns the number of the signal that came, STOP_ASKED if the receiver of
    the records of `output` asked for the end, else 0.
    """
    received: list[int] = []
    former: dict[int, Any] = {}

    def remember(number: int, frame: object) -> None:
        del frame
        received.append(number)
        # The former handler is back, so a second signal ends a run that hangs while saving.
        signal.signal(number, former[number])

    def pending() -> int:
        if received:
            return received[0]
        return STOP_ASKED if output.stop_asked else 0

    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            former[number] = signal.signal(number, remember)
        except ValueError:  # not in the main thread: the caller keeps its own handling
            break
    try:
        yield pending
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
