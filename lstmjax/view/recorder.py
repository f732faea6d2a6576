"""A watcher that writes the files behind the pages of a run; `view.files` lists them.

Norms of weights are computed in the training thread, and left out so often that they take at most
a third of a percent of the time. Everything else happens in another thread, which drops lines when
it falls behind. Training neither waits for it nor ends because of it.
"""

import json
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any

from PIL import Image

from lstmjax.errors import LstmjaxError, Say
from lstmjax.formats.files import write_atomically
from lstmjax.netspec.tree import weight_count
from lstmjax.training.run_parts import Run
from lstmjax.training.watch import DebugSeen, LineSeen, ReportSeen
from lstmjax.view.files import RunFiles
from lstmjax.view.norms import Norms
from lstmjax.view.samples import sample

_LAYERS_SHARE = 0.003  # of the training thread's time
_LINES = 3  # of a report, in samples.jsonl
_SECONDS_BETWEEN_SAMPLES = 2.0
_MOST_PICTURES = 3000  # line images of a run


class Recorder:
    """Writes a run's layers, sample lines and skips; see the module's text."""

    def __init__(self, run: Run):
        self._run = run
        self._files = RunFiles(Path(run.paths.model_output))
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="view")
        self._writing: Future[None] | None = None
        self._norms: Norms | None = None
        self._layers_due = 0.0
        self._sampled = 0.0
        self._drawn: set[int] = set()
        self._skips: list[dict[str, Any]] = []

    def __enter__(self) -> "Recorder":
        (self._files.view / "lines").mkdir(parents=True, exist_ok=True)
        self._write("run.json", describe(self._run))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # Waits for what is being written; skips come after it, as nobody else writes them any more.
        self._pool.shutdown()
        self._write_skips()

    def metrics(self, record: dict[str, Any]) -> None:
        """Do nothing: the run writes its metrics itself."""

    def report(self, seen: ReportSeen) -> None:
        """Write figures of layers, and now and then some lines."""
        layers = self._layers(seen)
        if self._writing is not None and self._writing.done():
            self._writing.result()  # raises errors of the thread, for `Guarded`
        # Lines are dropped while the thread is busy; figures of layers are few and always kept.
        busy = self._writing is not None and not self._writing.done()
        due = time.monotonic() - self._sampled >= _SECONDS_BETWEEN_SAMPLES
        lines = () if busy or not due else seen.lines[-_LINES:]
        if lines:
            self._sampled = time.monotonic()
        self._writing = self._pool.submit(self._record, seen.iteration, layers, lines)

    def debug(self, seen: DebugSeen, stopping: Callable[[], int]) -> None:
        """Do nothing: `DebugRecorder` draws the layers."""

    def _layers(self, seen: ReportSeen) -> dict[str, Any]:
        """Figures of the layers; {} if the last ones were computed too recently."""
        # The pause grows with what the figures cost, so that their share of time stays.
        if time.monotonic() < self._layers_due:
            return {}
        if self._norms is None:
            self._norms = Norms(self._run.identity.root, seen.state.params, self._run.config)
            return self._norms.record(seen)  # not timed: the first takes longer
        begin = time.thread_time()
        layers = self._norms.record(seen)
        self._layers_due = time.monotonic() + (time.thread_time() - begin) / _LAYERS_SHARE
        return layers

    def _record(self, iteration: int, layers: dict[str, Any], lines: tuple[LineSeen, ...]) -> None:
        if layers:
            self._append("layers.jsonl", {"iteration": iteration, "layers": layers})
        if lines:
            records = [self._sample(line) for line in lines]
            self._append("samples.jsonl", {"iteration": iteration, "lines": records})
        # They may change between reports, and are written only if they did.
        self._write_skips()

    def _sample(self, seen: LineSeen) -> dict[str, Any]:
        pixels = self._run.stream.store.scaled(seen.line.number).pixels
        record = sample(seen, pixels, self._run.reader)
        number = seen.line.number
        if number not in self._drawn and len(self._drawn) < _MOST_PICTURES:
            path = self._files.view / "lines" / f"{number}.png"
            Image.fromarray(pixels).save(path, compress_level=1)  # 1 ms; smaller files take 9
            self._drawn.add(number)
        return record

    def _append(self, name: str, record: dict[str, Any]) -> None:
        with open(self._files.view / name, "a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")

    def _write_skips(self) -> None:
        skips = self._run.output.skips()
        if skips != self._skips:
            self._skips = skips
            self._write("skips.json", skips)

    def _write(self, name: str, value: Any) -> None:
        write_atomically(self._files.view / name, json.dumps(value).encode())


def describe(run: Run) -> dict[str, Any]:
    """Facts about a run for its page."""
    config, root = run.config, run.identity.root
    return {
        "recipe": config.recipe,
        "net_spec": run.identity.net_spec,
        "weights": weight_count(root),
        "end": run.end,
        "target_error_rate": config.target_error_rate,
        "learning_rate": config.learning_rate,
        "batch": config.batch,
        "train_lines": len(run.stream.index),
        "eval_lines": 0 if run.validator is None else len(run.validator),
        "debug_interval": config.debug_interval,
    }


class Guarded:
    """Several watchers as one; a watcher that fails is dropped, and the run goes on."""

    def __init__(self, watchers: dict[str, Any], say: Say):
        """Combine watchers.

        Args:
          watchers: watchers by the flag that asked for each, for messages.
          say: prints a line of the log.
        """
        self._watchers = dict(watchers)
        self._entered: dict[str, Any] = {}
        self._say = say

    def __enter__(self) -> "Guarded":
        self._each(self._watchers, lambda watcher: watcher.__enter__())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # In the opposite order; each by itself, so that one that fails does not stop the others.
        for name, watcher in reversed(list(self._watchers.items())):
            self._each({name: watcher}, lambda watcher: watcher.__exit__(kind, error, trace))

    def metrics(self, record: dict[str, Any]) -> None:
        """See `Watcher`."""
        self._each(self._watchers, lambda watcher: watcher.metrics(record))

    def report(self, seen: ReportSeen) -> None:
        """See `Watcher`."""
        self._each(self._watchers, lambda watcher: watcher.report(seen))

    def debug(self, seen: DebugSeen, stopping: Callable[[], int]) -> None:
        """See `Watcher`."""
        self._each(self._watchers, lambda watcher: watcher.debug(seen, stopping))

    def _each(self, watchers: dict[str, Any], call: Callable[[Any], object]) -> None:
        # Over a copy, because failing watchers are removed meanwhile.
        for name, watcher in list(watchers.items()):
            try:
                call(watcher)
            except Exception as err:  # no fault in a page may end a training run
                reason = str(err) if isinstance(err, LstmjaxError | OSError) else repr(err)
                self._say(f"{name}: ended, training goes on: {reason}")
                self._watchers.pop(name, None)
