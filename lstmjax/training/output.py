"""The outputs of a run: log lines, a live display on terminals, and metrics.jsonl."""

import json
import sys
import time
from collections import Counter
from collections.abc import Callable
from types import TracebackType
from typing import IO, Any, Protocol

from lstmjax.charset.check import Checker, TextLine
from lstmjax.charset.codec import Codec
from lstmjax.data.lines import Line
from lstmjax.data.skips import Skip, SkipReason, named
from lstmjax.errors import TrainError

_SKIPS_SHOWN = 20
_REDRAWN_PER_SECOND = 4

OnRecord = Callable[[dict[str, Any]], bool | None]
"""Called with every record of metrics.jsonl; True asks the run to stop."""


def _reason_name(reason: SkipReason) -> str:
    return reason.name.lower().replace("_", " ")


class Display(Protocol):
    """What shows a run while it goes on."""

    def line(self, text: str) -> None:
        """Show a line of the log."""
        ...

    def status(self, values: dict[str, Any]) -> None:
        """Show the latest figures."""
        ...

    def compiling(self, width: int) -> None:
        """Say that an update for lines up to this width is being compiled."""
        ...

    def close(self) -> None:
        """Leave the terminal as it was."""
        ...


class PlainDisplay:
    """Log lines on stderr as Tesseract prints them, nothing else."""

    def line(self, text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    def status(self, values: dict[str, Any]) -> None:
        del values

    def compiling(self, width: int) -> None:
        del width

    def close(self) -> None:
        pass


class QuietDisplay(PlainDisplay):
    """Nothing at all."""

    def line(self, text: str) -> None:
        del text


class LiveDisplay:
    """Log lines above a progress line that is redrawn; for terminals."""

    def __init__(self, end: int | None):
        # Imported here, because only terminals need it.
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn

        self._end = end
        self._progress = Progress(
            TextColumn("[bold]{task.completed:>7.0f}[/] lines"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[text]}", markup=False),
            console=Console(stderr=True),
            transient=True,
            refresh_per_second=_REDRAWN_PER_SECOND,
        )
        self._task = self._progress.add_task("training", total=end, text="starting ...")
        self._progress.start()

    def line(self, text: str) -> None:
        if text.strip():
            # The texts of lines may hold "[...]", which rich would take for its own markup.
            self._progress.console.print(text.rstrip("\n"), markup=False, highlight=False)

    def status(self, values: dict[str, Any]) -> None:
        done = values["training_iteration"]
        self._progress.update(self._task, completed=done, text=status_text(values, self._end))

    def compiling(self, width: int) -> None:
        self._progress.update(self._task, text=f"compiling for lines of {width} pixels ...")

    def close(self) -> None:
        self._progress.stop()


def status_text(values: dict[str, Any], end: int | None) -> str:
    """The latest figures in a line: speed, time left, rate, loss, error rates, skipped lines.

    Args:
      values: fields of metrics.jsonl, and eval_cer, the latest evaluation CER in percent or None.
      end: last iteration of the run, None if it has none.
    """
    speed = values["lines_per_second"]
    parts = [f"{speed:.0f} lines/s"]
    left = 0 if end is None else end - values["training_iteration"]
    if left > 0 and speed > 0:
        parts.append(f"{duration(left / speed)} left")
    parts += [
        f"rate {values['learning_rate']:.2g}",
        f"loss {values['loss']:.2f}",
        f"BCER {values['bcer']:.2f}%",
    ]
    if values.get("eval_cer") is not None:
        parts.append(f"eval CER {values['eval_cer']:.2f}%")
    if values["skipped"]:
        parts.append(f"{values['skipped']} skipped")
    return "  ".join(parts)


def duration(seconds: float) -> str:
    """Hours and minutes, or minutes and seconds: `3 h 05 min`, `4 min 30 s`, `12 s`."""
    whole = round(seconds)
    if whole >= 3600:
        return f"{whole // 3600} h {whole % 3600 // 60:02} min"
    return f"{whole // 60} min {whole % 60:02} s" if whole >= 60 else f"{whole} s"


class Output:
    """All outputs of one run; use it as a context manager."""

    def __init__(
        self,
        metrics_path: str,
        display: Display,
        codec: Codec,
        *,
        append: bool,
        on_record: OnRecord | None = None,
    ):
        self.stop_asked = False  # by on_record
        self._on_record = on_record
        self._display = display
        self._unencodable = Checker(codec)
        self._start = time.monotonic()
        self._counts: Counter[SkipReason] = Counter()
        self._held: list[str] | None = []  # messages of `skip` before `begin`
        self._listeners: list[Callable[[dict[str, Any]], None]] = []
        try:
            self._metrics: IO[str] = open(metrics_path, "a" if append else "w", encoding="utf-8")  # noqa: SIM115
        except OSError as err:
            raise TrainError(f"{metrics_path}: cannot be written: {err.strerror}") from err

    def __enter__(self) -> "Output":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.begin()  # a run that never began: the messages say why
        self._display.close()
        self._metrics.close()

    @property
    def skipped(self) -> int:
        """Distinct lines skipped so far."""
        return self._counts.total()

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._start

    def line(self, text: str) -> None:
        """A line of the log."""
        self._display.line(text)

    def begin(self, *, name_skipped: bool = True) -> None:
        """Say that training begins, and name the lines found unusable before.

        Args:
          name_skipped: whether they are named; not needed if the loop names them at each visit.
        """
        held, self._held = self._held or [], None
        for text in held if name_skipped else ():
            self.line(text)

    def skip(self, line: Line, skip: Skip) -> None:
        """Name a skipped line once training has begun; after the first few only count."""
        self._counts[skip.reason] += 1
        if skip.reason is SkipReason.UNENCODABLE:
            self._unencodable.add(TextLine(line.path, line.page + 1, line.text))
        if self.skipped <= _SKIPS_SHOWN:
            self._name(skip.message(line))
            if self.skipped == _SKIPS_SHOWN:
                self._name("More skipped lines are counted and listed by reason at the end.")

    def _name(self, text: str) -> None:
        if self._held is None:
            self.line(text)
        else:
            self._held.append(text)

    def skips(self) -> list[dict[str, Any]]:
        """The skipped lines by reason, most frequent first: count, name and text of the reason."""
        return [
            {"count": count, "reason": _reason_name(reason), "text": reason.value}
            for reason, count in self._counts.most_common()
        ]

    def skip_table(self) -> None:
        """Count the skipped lines by reason, and the characters that were in the way."""
        if not self._counts:
            return
        self.line(f"Skipped {self.skipped} lines:")
        for reason, count in self._counts.most_common():
            self.line(f"  {count:6}  {_reason_name(reason)}: {reason.value}")
        missing = self._unencodable.report().missing
        if missing:
            self.line("Characters that the traineddata lacks (check_text lists the lines):")
        for one in missing[:_SKIPS_SHOWN]:
            instead = f"; could be {one.replacement!r}" if one.replacement else ""
            self.line(f"  {one.count:6}  {named(one.character)}, lines: {one.lines}{instead}")

    def status(self, **values: Any) -> None:
        """The latest figures, for display only."""
        self._display.status({"skipped": self.skipped, **values})

    def compiling(self, width: int) -> None:
        """An update for a new shape is being compiled."""
        self._display.compiling(width)

    def metrics(self, event: str, **values: Any) -> None:
        """A record of metrics.jsonl."""
        record = {"event": event, "time": round(self.elapsed, 3), **values}
        self._metrics.write(json.dumps(record) + "\n")
        # Flushed at once: others follow the file while the run goes on.
        self._metrics.flush()
        for listener in self._listeners:
            listener(record)
        if self._on_record is not None and self._on_record(record) is True:
            self.stop_asked = True

    def listen(self, listener: Callable[[dict[str, Any]], None]) -> None:
        """Hand every later record of metrics.jsonl to a function, too."""
        self._listeners.append(listener)
