"""One training run in a process of its own, so that a crash costs one trial only.

The child reads its settings from the first line of its input and writes records as lines of JSON.
When its input ends, because the worker closed it or was killed, it ends at once.
"""

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from lstmjax.errors import LstmjaxError

REFUSED = 3  # exit status of a run that the program itself refused or gave up
_LOG_TAIL = 2000


class TrainingFailedError(Exception):
    """A run that ended without a result.

    Attributes:
      final: whether trying again would end the same way.
    """

    def __init__(self, problem: str, *, final: bool):
        self.final = final
        super().__init__(problem)


class TrainingRun:
    """A run in a child process; use it as a context manager, iterate over `records`."""

    def __init__(self, program: str, settings: dict[str, Any]):
        """Start it.

        Args:
          program: the script that calls `child` when its argument is `_train`.
          settings: keyword arguments of `lstmjax.train`.
        """
        Path(settings["model_output"]).parent.mkdir(parents=True, exist_ok=True)
        self._log = f"{settings['model_output']}.log"
        with open(self._log, "ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, program, "_train"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
            )  # fmt: skip
        self._records: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):  # it died at once; its status says why
            self._process.stdin.write(json.dumps(settings).encode() + b"\n")
            self._process.stdin.flush()

    def __enter__(self) -> "TrainingRun":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        self._reader.join()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            with suppress(BrokenPipeError):
                pipe.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            try:
                self._records.put(json.loads(line))
            except ValueError:
                continue
        self._records.put(None)

    def records(self, every: float) -> Iterator[dict[str, Any] | None]:
        """Records as they come; None whenever `every` seconds pass without one.

        Raises: TrainingFailedError: the run ended badly.
        """
        while True:
            try:
                record = self._records.get(timeout=every)
            except queue.Empty:
                yield None
                continue
            if record is None:
                break
            yield record
        status = self._process.wait()
        if status:
            raise TrainingFailedError(self._problem(status), final=status == REFUSED)

    def _problem(self, status: int) -> str:
        with open(self._log, "rb") as log:
            log.seek(max(0, os.path.getsize(self._log) - _LOG_TAIL))
            lines = log.read().decode("utf-8", "replace").strip().splitlines()
        last = lines[-1] if lines else ""
        if status < 0:
            return f"killed by {signal.Signals(-status).name}"
        return last or f"exit status {status}"


def earlier_records(model_output: str) -> list[dict[str, Any]]:
    """The records of an interrupted run; a last line cut short is left out."""
    try:
        text = Path(f"{model_output}.metrics.jsonl").read_text(encoding="utf-8")
    except OSError:
        return []
    records = []
    for line in text.splitlines():
        try:
            records.append(json.loads(line))
        except ValueError:
            continue
    return [record for record in records if isinstance(record, dict)]


def child() -> int:
    """Run as the child: train with the settings on the first line of stdin."""
    from lstmjax.training.api import train

    given = json.loads(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with_input, daemon=True).start()
    settings: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in given.items()
    }

    def tell(record: dict[str, Any]) -> None:
        sys.stdout.write(json.dumps(record) + "\n")
        sys.stdout.flush()

    try:
        train(on_report=tell, **settings)
    except (LstmjaxError, TypeError, ValueError) as err:
        print(f"{type(err).__name__}: {err}", file=sys.stderr)
        return REFUSED
    return 0


def _end_with_input() -> None:
    while os.read(0, 1):  # not sys.stdin: Python could not close that while it is being read
        pass
    os._exit(1)
