"""The watchers that the flags of a training run ask for."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from lstmjax.training.run_parts import Run
from lstmjax.training.watch import Watcher
from lstmjax.view.debug_recorder import DebugRecorder
from lstmjax.view.files import RunFiles
from lstmjax.view.live import LiveServer
from lstmjax.view.recorder import Guarded, Recorder
from lstmjax.view.server import warning
from lstmjax.view.settings import ServerSettings


@dataclass(frozen=True)
class Watching:
    """The watchers a run gets.

    Attributes:
      server: address of the pages in a browser; None: no pages.
      tensorboard: whether to write for TensorBoard.
      pictures: whether --debug_interval asks for pictures.
    """

    server: ServerSettings | None = None
    tensorboard: bool = False
    pictures: bool = False

    def __bool__(self) -> bool:
        return self.server is not None or self.tensorboard or self.pictures

    @contextmanager
    def of(self, run: Run) -> Iterator[Watcher]:
        """Start the watchers of a run, as one watcher.

        Raises: UsageError: the server cannot listen at its address.
        """
        with ExitStack() as stack:
            live = None
            if self.server is not None:
                live = stack.enter_context(
                    LiveServer(self.server, run.paths.model_output, run.output.line)
                )
                for text in filter(None, (warning(self.server), f"Live view: {live.url}")):
                    run.output.line(text)
            _remove_earlier_run(run)
            yield stack.enter_context(Guarded(self._watchers(run, live), run.output.line))

    def _watchers(self, run: Run, live: LiveServer | None) -> dict[str, Watcher]:
        watchers: dict[str, Watcher] = {}
        board = None
        if live is not None:
            watchers["--view"] = Recorder(run)
        if self.tensorboard:
            # Only here, because it imports tensorboardX.
            from lstmjax.view.board import Board

            watchers["--tensorboard"] = board = Board(run)
        if self.pictures:
            pause = live.pause if live is not None else None
            albums = (board,) if board is not None else ()
            watchers["--debug_interval"] = DebugRecorder(run, pause, albums)
        return watchers


def _remove_earlier_run(run: Run) -> None:
    """Remove the files of an earlier run with this name that is not continued."""
    files = RunFiles(Path(run.paths.model_output))
    # A run that goes on has metrics, and its pages go on, too.
    if files.metrics.exists() and files.metrics.stat().st_size:
        return
    for name in ("layers.jsonl", "samples.jsonl", "skips.json"):
        (files.view / name).unlink(missing_ok=True)
    for folder in ("debug", "lines"):
        shutil.rmtree(files.view / folder, ignore_errors=True)
