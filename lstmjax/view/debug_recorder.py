"""A watcher that writes the pictures of --debug_interval, and pauses after each at interval 1."""

import json
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

from lstmjax.data.skips import printable
from lstmjax.formats.files import write_atomically
from lstmjax.training.run_parts import Run
from lstmjax.training.watch import DebugSeen, ReportSeen
from lstmjax.view.activations import LayerTracer
from lstmjax.view.debug import DebugPictures, Window, file_name, thin_out
from lstmjax.view.files import RunFiles
from lstmjax.view.pictures import png

Pause = Callable[[int, Callable[[], int]], None]
"""Blocks until the user has seen the pictures of an iteration, or the run is stopping."""


class Album(Protocol):
    """Another receiver of the pictures."""

    def window(self, iteration: int, window: Window) -> None:
        """Receive a picture."""
        ...


class DebugRecorder:
    """Writes `debug/<iteration>/`: pictures and a `line.json` about the line."""

    def __init__(self, run: Run, pause: Pause | None, albums: tuple[Album, ...] = ()):
        self._run = run
        self._pictures = DebugPictures(LayerTracer(run.identity.root), run.reader)
        self._folder = RunFiles(Path(run.paths.model_output)).view / "debug"
        self._pause = pause
        self._albums = albums
        self._explained = False

    def __enter__(self) -> "DebugRecorder":
        self._folder.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        pass

    def metrics(self, record: dict[str, Any]) -> None:
        """Do nothing."""

    def report(self, seen: ReportSeen) -> None:
        """Do nothing."""

    def debug(self, seen: DebugSeen, stopping: Callable[[], int]) -> None:
        """Draw everything about a line; pause if every line is shown."""
        iteration = seen.reading.iteration
        pixels = self._run.stream.store.scaled(seen.reading.line.number).pixels
        folder = self._folder / str(iteration)
        folder.mkdir(exist_ok=True)
        listed = []
        for place, window in enumerate(self._pictures.windows(seen, pixels)):
            name = file_name(place, window.title)
            (folder / name).write_bytes(png(window.picture))
            listed.append({"file": name, "title": window.title, "kind": window.kind})
            for album in self._albums:
                album.window(iteration, window)
        # Last: pages show a folder from the moment it has this file.
        write_atomically(folder / "line.json", json.dumps(_about(seen, listed)).encode())
        thin_out(self._folder)
        if self._run.config.debug_interval == 1:
            self._wait(iteration, stopping)

    def _wait(self, iteration: int, stopping: Callable[[], int]) -> None:
        if self._pause is not None:
            self._pause(iteration, stopping)
        elif not self._explained:
            self._run.output.line(
                f"The pictures of every line are in {self._folder}; to go from line to line by a "
                "click, add --view and press Next on its page"
            )
        self._explained = True


def _about(seen: DebugSeen, pictures: list[dict[str, str]]) -> dict[str, Any]:
    reading = seen.reading
    return {
        "iteration": reading.iteration,
        "name": printable(reading.line.name),
        "page": reading.line.page,
        "truth": reading.truth,
        "reading": reading.text,
        "delta": reading.delta,
        "pictures": pictures,
    }
