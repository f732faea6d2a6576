"""Running a model on the cores of this machine, several groups of lines at once."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from jaxtyping import Float32

from lstmjax.array_types import Params
from lstmjax.cores import usable_cores
from lstmjax.data.batch import Buckets
from lstmjax.data.image import Input as Block
from lstmjax.data.random import MinStd
from lstmjax.infer.forward import Forward, Prepare, Result
from lstmjax.infer.model import LoadedModel


class LineReader(Protocol):
    """A network ready to run.

    Attributes:
      lines_at_once: largest number of lines that gains from being computed together.
    """

    lines_at_once: int

    def probs(
        self, blocks: Sequence[Block], streams: Sequence[MinStd]
    ) -> list[Float32[np.ndarray, "T K"]]:
        """Class probabilities of lines; other threads may run meanwhile.

        Args:
          blocks: input of each line, [H, w, D], all of one height.
          streams: source of the random numbers around each line.
        """
        ...


@dataclass(frozen=True)
class HostForward(Forward):
    """A model whose network runs in compiled loops, a group of lines in each thread."""

    _reader: LineReader
    _make: Callable[[LoadedModel], LineReader]
    _own_process: bool = False

    @property
    def has_process(self) -> bool:
        return self._own_process

    def with_weights(self, params: Params, sample_iteration: int) -> "HostForward":
        model = replace(self.model, params=params, sample_iteration=sample_iteration)
        return replace(self, model=model, _reader=self._make(model))

    def _run_groups(
        self,
        groups: Iterable[list[int]],
        prepare: Prepare,
        read: Callable[[int, np.ndarray], Result],
        batch: int,
        buckets: Buckets,
    ) -> Iterator[tuple[int, Result]]:
        del batch, buckets  # no padding and nothing compiled: the loops take any widths

        def run(group: list[int]) -> list[tuple[int, Result]]:
            lines = prepare(group)
            all_probs = self._reader.probs(
                [line.block for line in lines], [line.stream for line in lines]
            )
            return [
                (place, read(place, probs)) for place, probs in zip(group, all_probs, strict=True)
            ]

        todo = deque(_parts(groups, self._reader.lines_at_once))
        # One core or one group: threads would only cost.
        threads = min(usable_cores(), len(todo))
        if threads < 2:
            for group in todo:
                yield from run(group)
            return
        running: deque[Future[list[tuple[int, Result]]]] = deque()
        with ThreadPoolExecutor(threads) as pool:
            while todo or running:
                # Twice as many as there are threads, so that none waits for a result to be taken.
                while todo and len(running) < 2 * threads:
                    running.append(pool.submit(run, todo.popleft()))
                yield from running.popleft().result()

    def buckets(self, widths: Sequence[int]) -> Buckets:
        """Nothing is compiled for any width."""
        del widths
        return Buckets((), ())


def _parts(groups: Iterable[list[int]], most: int) -> Iterator[list[int]]:
    """Groups of at most `most` lines."""
    for group in groups:
        for start in range(0, len(group), most):
            yield group[start : start + most]
