"""The names of the files of a training run, which are known here only.

This module imports nothing heavy, so that every command can use it.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

_CHECKPOINT_END = "_checkpoint"
METRICS_END = ".metrics.jsonl"
_NUMBERED = re.compile(r"_(\d+\.\d+)_(\d+)_(\d+)\.checkpoint", re.ASCII)


class NumberedBest(NamedTuple):
    """A checkpoint with figures in its name, as `lstmtraining` names best states.

    path: path of the file; bcer: training BCER in percent; learning_iteration,
    training_iteration: counters at that time.
    """

    path: str
    bcer: float
    learning_iteration: int
    training_iteration: int


@dataclass(frozen=True)
class RunPaths:
    """The files of a run.

    Attributes:
      model_output: base name of all of them, as given by `--model_output`.
    """

    model_output: str

    @property
    def checkpoint(self) -> str:
        """The last state, in Tesseract's format."""
        return f"{self.model_output}{_CHECKPOINT_END}"

    @property
    def best(self) -> str:
        """The best state, in Tesseract's format."""
        return f"{self.model_output}_best.checkpoint"

    def numbered_best(self, bcer: float, learning_iteration: int, training_iteration: int) -> str:
        """A best state under the name that Tesseract gives it.

        Args:
          bcer: training BCER in percent.
          learning_iteration: lines read with an error so far.
          training_iteration: lines trained on so far.
        """
        return f"{self.model_output}_{bcer:f}_{learning_iteration}_{training_iteration}.checkpoint"

    @property
    def native_directory(self) -> str:
        """Directory of the native checkpoints."""
        return f"{self.model_output}.ckpt"

    @property
    def metrics(self) -> str:
        """Figures of reports and evaluations, a JSON object a line."""
        return f"{self.model_output}{METRICS_END}"

    @property
    def view(self) -> str:
        """Directory of the pictures and figures that the pages of a watched run show."""
        return f"{self.model_output}.view"

    @property
    def tensorboard(self) -> str:
        """Directory of the files that TensorBoard reads."""
        return f"{self.model_output}.tensorboard"

    @property
    def lock(self) -> str:
        """File that keeps a second run with these names out."""
        return f"{self.model_output}.lock"

    def numbered_bests(self) -> Iterator[NumberedBest]:
        """Yield the existing checkpoints with figures in their names, in no particular order."""
        folder, name = os.path.split(self.model_output)
        try:
            entries = os.listdir(folder or os.curdir)
        except OSError:
            return
        for entry in entries:
            found = _NUMBERED.fullmatch(entry, len(name)) if entry.startswith(name) else None
            if found:
                path = os.path.join(folder, entry)
                yield NumberedBest(path, float(found[1]), int(found[2]), int(found[3]))


def run_of_checkpoint(path: str) -> RunPaths | None:
    """The run whose last state a file holds, by the file's name; None for any other name."""
    base = path.removesuffix(_CHECKPOINT_END)
    return RunPaths(base) if base != path and os.path.basename(base) else None


def run_of_metrics(path: str) -> RunPaths:
    """The run that a file of figures belongs to, by the file's name.

    A path without the usual ending is taken for the base name itself.
    """
    return RunPaths(path.removesuffix(METRICS_END))
