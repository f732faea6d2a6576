"""The file of the best state, kept in step with the checkpoints of a run."""

import os
import shlex

from lstmjax.errors import LstmjaxError
from lstmjax.formats.files import write_atomically
from lstmjax.infer.states import best_state, name_of
from lstmjax.run_paths import RunPaths
from lstmjax.training.request import Request


class BestFile:
    """Makes `<model_output>_best.checkpoint` what the best trainer of the run's checkpoints is.

    It is settled before a checkpoint is written. Whenever a run is killed, the file therefore holds
    the best trainer that its checkpoints name, or a newer one that a run which goes on finds again.
    """

    def __init__(self, paths: RunPaths):
        self._path = paths.best
        self._held: bytes | None = None  # what the file holds; None before it was looked at

    def sync(self, best_trainer: bytes) -> str:
        """Write a best trainer if the file holds another one.

        A file that is there although the run has no best trainer is of an earlier run with the same
        name, and is removed.

        Args:
          best_trainer: Tesseract's dump of it; empty before the first.
        Returns: what to say to the user, such as why it cannot be written; "" for nothing.
        """
        try:
            if self._held is None:
                self._held = _content(self._path)
            if best_trainer == self._held:
                return ""
            if best_trainer:
                write_atomically(self._path, best_trainer)
            else:
                os.unlink(self._path)
        except OSError as err:
            return f"{self._path}: cannot be written: {err.strerror or err}"
        except LstmjaxError as err:
            return str(err)
        # Only after it was written: a failed write is tried again with the next checkpoint.
        self._held = best_trainer
        return "" if best_trainer else f"{self._path}: removed; it was of an earlier run"


def _content(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return b""


def next_command(request: Request) -> str:
    """What to say at the end of a run: its best state, and the command that makes a model of it.

    Raises: LstmjaxError: the run has no checkpoint.
    """
    paths = request.paths
    model = f"{paths.model_output}.traineddata"
    if os.path.realpath(model) == os.path.realpath(request.traineddata):
        model = f"{paths.model_output}_best.traineddata"  # the character set of the run stays
    command = [
        "lstmjax", "lstmtraining", "--stop_training", "--continue_from", name_of(paths),
        "--traineddata", request.traineddata, "--model_output", model,
    ]  # fmt: skip
    return f"{best_state(paths).note}\nTo make a model of it:\n  {shlex.join(command)}"
