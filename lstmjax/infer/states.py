"""Which state of a run a name stands for, and what is known about that state.

A file stands for itself. Where there is no file of that name, it is the base name of a run (its
`--model_output`) and stands for the best state of the run: the one in `RunPaths.best`, unless the
last checkpoint knows a newer one, because the real `lstmtraining` went on from there or because
that file could not be written. A run without a best state yet stands for its last one. Whatever
takes a checkpoint finds it here, so that all of them mean the same state by the same name.
"""

import json
import math
import os
from dataclasses import dataclass

from lstmjax.errors import FormatError, LstmjaxError, naming
from lstmjax.formats import checkpoint
from lstmjax.formats.checkpoint import CHAR, NO_BEST, TrainerRecord
from lstmjax.formats.files import PathLike, read_bytes
from lstmjax.formats.lstm import Recognizer
from lstmjax.run_paths import RunPaths, run_of_checkpoint

_LONGEST_RECORD = 1 << 20  # bytes of a line of the metrics; longer ones are not ours


@dataclass(frozen=True, eq=False)
class SavedState:
    """A model as it is stored.

    Attributes:
      source: path of the file that holds it.
      data: bytes of a traineddata, a checkpoint or a `.lstm` file, not checked yet.
      note: sentence that names the state of its run; "" if a file was named.
    """

    source: str
    data: bytes
    note: str = ""


@dataclass(frozen=True, eq=False)
class _State:
    source: str
    data: bytes
    record: TrainerRecord | Recognizer

    @property
    def iteration(self) -> int:
        """Lines it was trained on."""
        record = self.record
        return (record.recognizer if isinstance(record, TrainerRecord) else record
                ).training_iteration  # fmt: skip


def find_state(name: PathLike) -> SavedState:
    """Read what a name stands for.

    Args:
      name: path of a file; or, where there is none, the base name of a run.
    Raises: FormatError: there is no such file and no such run, or the checkpoints are damaged.
    """
    path = os.fspath(name)
    paths = RunPaths(path)
    of_a_run = os.path.exists(paths.best) or os.path.exists(paths.checkpoint)
    if of_a_run and not _is_file(path):
        return best_state(paths)
    return SavedState(path, read_bytes(path))


def best_state(paths: RunPaths) -> SavedState:
    """Read the best state of a run, or its last one while there is no best.

    Raises: LstmjaxError: there is neither; or they are damaged.
    """
    best, last = _best_and_last(paths)
    if best is not None:
        note = f"{paths.model_output}: best state, {_described(best, paths)} ({best.source})"
        return SavedState(best.source, best.data, note)
    if last is None:
        raise LstmjaxError(f"{paths.checkpoint}: there is no checkpoint; train first")
    note = (
        f"{paths.model_output}: no best state yet; the last state, {_described(last, paths)} "
        f"({last.source})"
    )
    return SavedState(last.source, last.data, note)


def better_than(path: str) -> str:
    """A note for a user who takes the last state of a run that has a better one; "" otherwise.

    Args:
      path: path of a checkpoint.
    """
    paths = run_of_checkpoint(path)
    if paths is None:
        return ""
    try:
        best, last = _best_and_last(paths)
    except LstmjaxError:  # reported by whatever reads the checkpoint itself
        return ""
    if best is None or last is None or best.iteration == last.iteration:
        return ""
    return (
        f"{path} is the last state, iteration {last.iteration}; --continue_from {name_of(paths)} "
        f"takes the best one, {_described(best, paths)}"
    )


def name_of(paths: RunPaths) -> str:
    """What `find_state` knows the best state of a run by, even if a file has its base name."""
    if not _is_file(paths.model_output):
        return paths.model_output
    return paths.best if os.path.exists(paths.best) else paths.checkpoint


def _is_file(path: str) -> bool:
    return os.path.exists(path) and not os.path.isdir(path)


def _best_and_last(paths: RunPaths) -> tuple[_State | None, _State | None]:
    """The best state that the files of a run hold, and the last one.

    Raises: FormatError: what would have to be taken is damaged.
    """
    best = _read(paths.best)
    try:
        last = _read(paths.checkpoint)
    except FormatError:
        # Without a best state the damage is all there is to report.
        if best is None:
            raise
        return best, None  # complete in itself
    kept = last.record.best_trainer if last and isinstance(last.record, TrainerRecord) else b""
    # The same bytes as in the best file: nothing newer.
    if last is None or not kept or (best is not None and best.data == kept):
        return best, last
    with naming(file=paths.checkpoint, component="best trainer"):
        # A best trainer holds none of its own.
        inside = _State(paths.checkpoint, kept, checkpoint.unpack(kept, at_most=NO_BEST))
    return (inside if best is None or inside.iteration > best.iteration else best), last


def _read(path: str) -> _State | None:
    if not os.path.exists(path):
        return None
    with naming(file=path):
        data = read_bytes(path)
        return _State(path, data, checkpoint.unpack(data))


def _described(state: _State, paths: RunPaths) -> str:
    """`iteration 4000: evaluation CER 9.2 %, training BCER 3.5 %`, as far as it is known."""
    figures = []
    cer = _evaluation_cer(paths.metrics, state.iteration)
    if cer is not None:
        figures.append(f"evaluation CER {cer:g} %")
    if isinstance(state.record, TrainerRecord):
        figures.append(f"training BCER {state.record.error_rates[CHAR]:g} %")
    return f"iteration {state.iteration}" + (f": {', '.join(figures)}" if figures else "")


def _evaluation_cer(path: str, iteration: int) -> float | None:
    """The CER in percent of the last evaluation at an iteration, from the figures of a run."""
    found = None
    try:
        with open(path, "rb") as file:
            # A bound, so that a file without line ends does not fill the memory.
            while line := file.readline(_LONGEST_RECORD):
                record = _record(line)
                if record.get("event") == "eval" and record.get("training_iteration") == iteration:
                    found = record.get("cer")
    except OSError:
        return None
    return _finite(found)


def _finite(value: object) -> float | None:
    """A number of a JSON file; None for anything else."""
    try:
        number = float(value) if isinstance(value, int | float) else math.nan
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _record(line: bytes) -> dict:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return record if isinstance(record, dict) else {}
