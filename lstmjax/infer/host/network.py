"""Networks of the usual kinds, over a few lines at a time on the processor, in compiled loops.

What `nn` computes with Tesseract's arithmetic is computed here faster, with nothing to compile for
each width: convolutions with their pools, LSTMs along one axis, layers side by side, a softmax.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float32

from lstmjax.array_types import Params
from lstmjax.cores import usable_cores
from lstmjax.data.batch import Buckets
from lstmjax.data.image import Input as Block
from lstmjax.data.random import MinStd
from lstmjax.infer.forward import Forward, Prepare, Result
from lstmjax.infer.host.int8_ops import SUPPORTED as BYTES_SUPPORTED
from lstmjax.infer.host.layers import Lines, Maker, Step
from lstmjax.infer.host.numbers import Bytes, Floats, Probs, UnusualError
from lstmjax.infer.model import LoadedModel


@dataclass(frozen=True, eq=False)
class HostNetwork:
    """A network ready to run; make it with `make_network`."""

    _steps: tuple[Step, ...]
    _softmax: Probs

    def probs(
        self, blocks: Sequence[Block], streams: Sequence[MinStd]
    ) -> list[Float32[np.ndarray, "T K"]]:
        """Class probabilities of lines; other threads may run meanwhile.

        Args:
          blocks: [H, w, D] each, of one height.
          streams: where the random numbers of each line's borders come from.
        """
        height, _, depth = blocks[0].shape
        widths = np.array([block.shape[1] for block in blocks], np.int64)
        lines = Lines(
            np.empty((height, 0, len(blocks), depth), np.float32),
            widths,
            tuple(blocks),
            np.array([stream.state for stream in streams], np.int64),
        )
        for step in self._steps:
            lines = step(lines)
        if lines.x.shape[0] != 1:
            raise ValueError(f"the output has {lines.x.shape[0]} rows, expected one")
        probs = self._softmax(lines.x[0], lines.widths)
        return np.split(probs, np.cumsum(lines.widths)[:-1])


@dataclass(frozen=True)
class HostForward(Forward):
    """A model whose network runs in compiled loops, several groups of lines at once."""

    _network: HostNetwork
    _own_process: bool = False

    @property
    def has_process(self) -> bool:
        return self._own_process

    def with_weights(self, params: Params, sample_iteration: int) -> "HostForward":
        model = replace(self.model, params=params, sample_iteration=sample_iteration)
        network = make_network(model)
        assert network is not None, "it could be computed with other weights"
        return HostForward(model, network, self._own_process)

    def _run_groups(
        self,
        groups: Iterable[list[int]],
        prepare: Prepare,
        read: Callable[[int, np.ndarray], Result],
        batch: int,
        buckets: Buckets,
    ) -> Iterator[tuple[int, Result]]:
        del batch, buckets

        def run(group: list[int]) -> list[tuple[int, Result]]:
            lines = prepare(group)
            all_probs = self._network.probs(
                [line.block for line in lines], [line.stream for line in lines]
            )
            return [
                (place, read(place, probs)) for place, probs in zip(group, all_probs, strict=True)
            ]

        todo = deque(groups)
        threads = min(usable_cores(), len(todo))
        if threads < 2:
            for group in todo:
                yield from run(group)
            return
        running: deque[Future[list[tuple[int, Result]]]] = deque()
        with ThreadPoolExecutor(threads) as pool:
            while todo or running:
                while todo and len(running) < 2 * threads:
                    running.append(pool.submit(run, todo.popleft()))
                yield from running.popleft().result()

    def buckets(self, widths: Sequence[int]) -> Buckets:
        """Nothing is compiled for any width."""
        del widths
        return Buckets((), ())


def make_host_forward(model: LoadedModel, *, own_process: bool = False) -> HostForward | None:
    """Prepare a model; None if its network is not one for these loops.

    See `make_forward` for the arguments.
    """
    network = make_network(model)
    return None if network is None else HostForward(model, network, own_process)


def make_network(model: LoadedModel) -> HostNetwork | None:
    """Prepare a network; see `make_host_forward`."""
    numbers = Bytes() if model.int_mode and BYTES_SUPPORTED else Floats(model.int_mode)
    try:
        return HostNetwork(*Maker(numbers).network(model.root, model.params))
    except UnusualError:
        return None
