"""The files behind the pages of a run, in `<model_output>.view/`, and how they are read.

    run.json                facts about the run: network, lines, settings
    layers.jsonl            at each report: sizes of weights and gradients, rates, by layer
    samples.jsonl           at reports: some lines with truth, reading and positions
    skips.json              skipped lines by reason
    lines/<number>.png      pictures of those lines
    debug/<iteration>/      pictures of --debug_interval, and line.json about the line

A writer appends whole lines; a reader stops at the last line end, so that a line that is being
written is read the next time.
"""

import json
import math
import os
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from lstmjax.errors import DataError, LstmjaxError
from lstmjax.formats import checkpoint
from lstmjax.formats.checkpoint import CHAR, TrainerRecord
from lstmjax.run_paths import METRICS_END, RunPaths, run_of_metrics

_CHUNK = 1 << 20  # bytes of a file in one answer
_LARGEST_JSON = 1 << 20
PICTURE = re.compile(r"lines/\d{1,12}\.png|debug/\d{1,12}/\d\d-[A-Za-z0-9_-]{1,80}\.png")


@dataclass(frozen=True)
class RunFiles:
    """The files of a run.

    Attributes:
      base: --model_output of the run.
    """

    base: Path

    @property
    def _paths(self) -> RunPaths:
        return RunPaths(str(self.base))

    @property
    def metrics(self) -> Path:
        """Figures of reports and evaluations."""
        return Path(self._paths.metrics)

    @property
    def view(self) -> Path:
        """Folder of everything else that pages show."""
        return Path(self._paths.view)

    def picture(self, name: str) -> Path | None:
        """The file of a picture of this run; None for any other name."""
        if not PICTURE.fullmatch(name):
            return None
        # The pattern keeps out `..`; a link in the folder could still lead elsewhere.
        path = self.view / name
        inside = path.resolve().is_relative_to(self.view.resolve())
        return path if inside and path.is_file() else None

    def saved(self) -> list[dict[str, Any]]:
        """All saved best states: training iteration, training BCER in percent, file name."""
        return [
            {"iteration": one.training_iteration, "bcer": one.bcer, "file": Path(one.path).name}
            for one in sorted(self._paths.numbered_bests(), key=lambda one: one.training_iteration)
        ]

    def best(self) -> dict[str, Any] | None:
        """The best state so far, as in `saved`; None while there is none."""
        path = self._paths.best
        try:
            status = os.stat(path)
        except OSError:
            return None
        # Pages ask every few seconds; a checkpoint is read only if it has changed.
        figures = _figures_of(path, status.st_mtime_ns, status.st_size)
        return None if figures is None else {**figures, "file": Path(path).name}

    def debug_iterations(self) -> list[int]:
        """Iterations with pictures."""
        try:
            folders = list((self.view / "debug").iterdir())
        except OSError:
            return []
        # Without this file the pictures of an iteration are not complete.
        return sorted(
            int(each.name)
            for each in folders
            if each.name.isdecimal() and (each / "line.json").exists()
        )


@lru_cache(maxsize=64)
def _figures_of(path: str, changed: int, size: int) -> dict[str, Any] | None:
    """Iteration and training BCER of a checkpoint; `changed` and `size` are keys of the cache."""
    del changed, size
    try:
        record = checkpoint.load(path)
    except LstmjaxError:
        return None
    if not isinstance(record, TrainerRecord):
        return None
    return {
        "iteration": record.recognizer.training_iteration,
        "bcer": record.error_rates[CHAR],
    }


def find_runs(name: str) -> list[RunFiles]:
    """The runs that a --model_output or a folder stands for.

    Raises: DataError: there is none; says what was looked for.
    """
    given = Path(run_of_metrics(name).model_output)
    run = RunFiles(given)
    if given.name and run.metrics.is_file():
        return [run]
    if given.is_dir():
        found = sorted(given.glob(f"*{METRICS_END}"))
        if found:
            return [RunFiles(Path(run_of_metrics(str(path)).model_output)) for path in found]
        raise DataError(f"{name}: no run in this folder: it has no file *{METRICS_END}")
    raise DataError(
        f"{name}: no run with this --model_output: {run.metrics} does not exist; name the "
        "--model_output of a run, or the folder it is in"
    )


def read_records(path: Path, offset: int) -> tuple[list[dict[str, Any]], int, bool]:
    """The complete records of a file from a byte offset on, at most a chunk of them.

    Lines that are not JSON objects are left out.

    Returns: records, offset of the next ones, and whether there are more already. An offset
      beyond the end means that the file is a new one: reading starts again, and the returned
      offset is smaller than the one given.
    """
    try:
        with open(path, "rb") as file:
            size = file.seek(0, 2)
            # A run that begins anew makes a shorter file.
            if offset > size:
                return [], 0, size > 0
            file.seek(offset)
            data = file.read(_CHUNK)
    except OSError:
        return [], 0, False
    # What follows the last line end is still being written.
    end = data.rfind(b"\n") + 1
    if not end and len(data) == _CHUNK:  # no record is that long: skip it
        return [], offset + _CHUNK, True
    records = [record for line in data[:end].splitlines() if (record := _object(line)) is not None]
    return records, offset + end, end > 0 and offset + end < size


def read_object(path: Path) -> Any:
    """A small JSON file; None if it is missing, damaged or too large."""
    try:
        with open(path, "rb") as file:
            data = file.read(_LARGEST_JSON + 1)
    except OSError:
        return None
    if len(data) > _LARGEST_JSON:
        return None
    try:
        return finite(json.loads(data))
    except (ValueError, RecursionError):
        return None


def _object(line: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return finite(value) if isinstance(value, dict) else None


def finite(value: Any) -> Any:
    """Replace infinities and NaN, which JSON lacks, with None."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: finite(each) for key, each in value.items()}
    if isinstance(value, list):
        return [finite(each) for each in value]
    return value
