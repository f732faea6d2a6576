"""Many inputs to lstmf files, on several cores; the files do not depend on their number."""

import itertools
import os
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from lstmjax.errors import DataError, FormatError, LstmjaxError
from lstmjax.pages import assemble
from lstmjax.pages.lines import lines_of
from lstmjax.pages.records import Problem, Settings
from lstmjax.pages.sources import Input

if TYPE_CHECKING:
    from concurrent.futures import Executor, Future

FEW = 64
"""Fewer inputs than this are converted in this process, as starting workers takes longer."""
_AHEAD = 4  # tasks waiting for each worker
_CHUNK = 16  # inputs a task

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class Outcome:
    """The result for an input.

    Attributes:
      path: path of the input.
      output: path of the file written for it; empty if there is none of its own.
      lines: number of lines that the input gave.
      problems: lines, pages and inputs that were left out; one with `whole` if there are no lines.
    """

    path: str
    output: str
    lines: int
    problems: tuple[Problem, ...]

    @property
    def failed(self) -> bool:
        """Whether the input gave no line."""
        return self.lines == 0


@dataclass
class Summary:
    """Counts over all inputs.

    Attributes:
      inputs: number of inputs.
      failed: number of inputs that gave no line.
      lines: number of lines written.
      problems: number of lines, pages and inputs that were left out.
    """

    inputs: int = 0
    failed: int = 0
    lines: int = 0
    problems: int = 0

    def add(self, outcome: Outcome) -> None:
        """Count one more input."""
        self.inputs += 1
        self.failed += outcome.failed
        self.lines += outcome.lines
        self.problems += len(outcome.problems)


@dataclass(frozen=True)
class _Task:
    """Inputs for one worker; with `gather` their lines are returned, not written."""

    inputs: tuple[Input, ...]
    settings: Settings
    gather: bool


def convert(
    inputs: Sequence[Input],
    output: str | None = None,
    *,
    settings: Settings | None = None,
    workers: int = 1,
    on_done: Callable[[Outcome], None] | None = None,
) -> Summary:
    """Convert inputs, each to a file of its own or all to one.

    Args:
      inputs: inputs from `sources.find`; each is written to its `base` with `.lstmf`.
      output: path of one file for all lines, shuffled by its name; None for a file each.
      settings: how lines are cut out.
      workers: number of processes, started if there is enough to do. A script that asks for
        several must be importable (`if __name__ == "__main__":`), because workers import it.
      on_done: called with the outcome of each input, in order.
    Returns: the counts. An input that fails is counted and does not stop the others.
    Raises: LstmjaxError: `output` cannot be written, or a worker was killed.
    """
    summary = Summary()
    tasks = [
        _Task(tuple(chunk), settings or Settings(), output is not None) for chunk in _chunks(inputs)
    ]
    if len(inputs) < FEW:
        workers = 1
    with _results(_run, tasks, workers) as results:
        # A generator, so that results are taken only as fast as they are written.
        def records() -> Iterator[bytes]:
            for outcome, entries in itertools.chain.from_iterable(results):
                yield from entries
                summary.add(outcome)
                if on_done is not None:
                    on_done(outcome)

        if output is None:
            deque(records(), maxlen=0)
        else:
            assemble.write_stream(records(), output)
    return summary


def convert_one(source: Input, settings: Settings) -> Outcome:
    """Convert one input to its own file; the outcome reports a failure."""
    output = source.base + ".lstmf"
    problems: list[Problem] = []
    try:
        pages = assemble.document(lines_of(source, settings, on_problem=problems.append), output)
        if pages:
            os.makedirs(os.path.dirname(output) or ".", exist_ok=True)
            assemble.save(pages, output)
            return Outcome(source.path, output, len(pages), tuple(problems))
        problems.append(_nothing(source))
    except (DataError, FormatError, LstmjaxError, OSError, MemoryError) as err:
        problems.append(_failure(source, err))
    return Outcome(source.path, "", 0, tuple(problems))


def _gather_one(source: Input, settings: Settings) -> tuple[Outcome, list[bytes]]:
    """The entries of one input, in the order of its lines; none if it fails anywhere."""
    problems: list[Problem] = []
    try:
        lines = lines_of(source, settings, on_problem=problems.append)
        entries = [assemble.record(line) for line in lines]
        if not entries:
            problems.append(_nothing(source))
    except (DataError, FormatError, LstmjaxError, OSError, MemoryError) as err:
        entries = []
        problems.append(_failure(source, err))
    return Outcome(source.path, "", len(entries), tuple(problems)), entries


def _nothing(source: Input) -> Problem:
    return Problem(source.path, "no line of it can be used", whole=True)


def _failure(source: Input, err: Exception) -> Problem:
    reason = str(err).removeprefix(f"{source.path}: ") or type(err).__name__
    return Problem(source.path, reason, whole=True)


def _run(task: _Task) -> list[tuple[Outcome, list[bytes]]]:
    if task.gather:
        return [_gather_one(one, task.settings) for one in task.inputs]
    return [(convert_one(one, task.settings), []) for one in task.inputs]


def _chunks(inputs: Sequence[Input]) -> Iterator[Sequence[Input]]:
    return (inputs[start : start + _CHUNK] for start in range(0, len(inputs), _CHUNK))


@contextmanager
def _results(function: Callable[[T], R], tasks: Iterable[T], workers: int) -> Iterator[Iterator[R]]:
    """The results of tasks in their order, with a bounded number of tasks waiting."""
    if workers <= 1:
        yield map(function, tasks)
        return
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool
    from multiprocessing import get_context

    context = get_context("spawn")  # a fork of a process with JAX's threads may hang
    pool = ProcessPoolExecutor(workers, context, initializer=_ignore_interrupts)
    try:
        yield _in_order(pool, function, iter(tasks), workers * _AHEAD)
    except BrokenProcessPool as err:
        raise LstmjaxError(
            "a worker ended unexpectedly, perhaps for want of memory; try fewer --workers"
        ) from err
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _in_order(
    pool: "Executor", function: Callable[[T], R], tasks: Iterator[T], ahead: int
) -> Iterator[R]:
    running: deque[Future[R]] = deque(
        pool.submit(function, task) for task in itertools.islice(tasks, ahead)
    )
    while running:
        # Waited for in order of submission: the output does not depend on which worker is faster.
        result = running.popleft().result()
        for task in itertools.islice(tasks, 1):
            running.append(pool.submit(function, task))
        yield result


def _ignore_interrupts() -> None:
    """Leave Ctrl-C to the process that started this one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
