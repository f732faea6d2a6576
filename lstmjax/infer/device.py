"""Running a network with layers of the user's own on batches of lines, with JAX.

Tesseract has no such layers, so the arithmetic is that of training, and convolutions see zeros
outside the picture. The result for a line does not depend on the lines beside it.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import NamedTuple

import jax
import numpy as np

from lstmjax.array_types import Params
from lstmjax.cores import usable_cores
from lstmjax.data.batch import Buckets, pad
from lstmjax.devices import replicated, share
from lstmjax.infer.forward import Forward, Prepare, Prepared, Result
from lstmjax.infer.model import LoadedModel
from lstmjax.nn.build import Model

Apply = Callable[..., tuple[jax.Array, jax.Array]]
_MOST_THREADS = 4


@dataclass(frozen=True)
class DeviceForward(Forward):
    """A model compiled by XLA; make it with `make_device_forward`."""

    _apply: Apply
    _weights: "_Weights"

    def with_weights(self, params: Params, sample_iteration: int) -> "DeviceForward":
        model = replace(self.model, params=params, sample_iteration=sample_iteration)
        return replace(self, model=model, _weights=_placed(params))

    def _run_groups(
        self,
        groups: Iterable[list[int]],
        prepare: Prepare,
        read: Callable[[int, np.ndarray], Result],
        batch: int,
        buckets: Buckets,
    ) -> Iterator[tuple[int, Result]]:
        reading: deque[tuple[int, Future[Result]]] = deque()
        with ThreadPoolExecutor(min(_MOST_THREADS, usable_cores())) as pool:
            for place, probs in self._computed(groups, prepare, batch, buckets):
                reading.append((place, pool.submit(read, place, probs)))
                # Outputs are large: no more of them wait than two batches have.
                while len(reading) > 2 * batch:
                    first, future = reading.popleft()
                    yield first, future.result()
            for place, future in reading:
                yield place, future.result()

    def _computed(
        self, groups: Iterable[list[int]], prepare: Prepare, batch: int, buckets: Buckets
    ) -> Iterator[tuple[int, np.ndarray]]:
        """Class probabilities, one batch behind what is being computed."""
        running: tuple[list[int], jax.Array, jax.Array] | None = None
        for group in groups:
            # JAX returns at once: this batch is computed while the one before it is read.
            started = (group, *self._start(prepare(group), batch, buckets))
            if running is not None:
                yield from _finish(*running)
            running = started
        if running is not None:
            yield from _finish(*running)

    def _start(
        self, lines: Sequence[Prepared], batch: int, buckets: Buckets
    ) -> tuple[jax.Array, jax.Array]:
        """Begin to compute one batch; the results arrive later."""
        blocks = [line.block for line in lines]
        # Groups have one height, see `forward`.
        height = blocks[0].shape[0]
        room = buckets.shape(height, max(block.shape[1] for block in blocks), 1)
        # Places without a line hold one column, which costs nothing more.
        blocks += [np.zeros((height, 1, blocks[0].shape[2]), np.float32)] * (batch - len(blocks))
        padded = pad(blocks, [np.zeros(0, np.int32)] * batch, room, batch)
        return self._apply(self._weights, padded.images, padded.widths)


def _finish(
    group: list[int], probs: jax.Array, steps: jax.Array
) -> Iterator[tuple[int, np.ndarray]]:
    """Wait for a batch and cut out its lines."""
    all_probs, all_steps = np.asarray(probs), np.asarray(steps)
    for i, place in enumerate(group):
        yield place, np.ascontiguousarray(all_probs[: all_steps[i], i])


class _Weights(NamedTuple):
    """Weights on one device, and replicated on all of them."""

    alone: Params
    replicated: Params


def _placed(params: Params) -> _Weights:
    return _Weights(params, jax.device_put(params, replicated(jax.local_devices())))


def make_device_forward(model: LoadedModel, network: Model) -> DeviceForward:
    """Compile a model for reading.

    All devices share the lines of a batch that they divide evenly.

    Args:
      model: model to run.
      network: functions of its network.
    """

    def apply(params, images, widths):
        logits, steps = network.apply(params, images, widths, None)
        return jax.nn.softmax(logits), steps

    devices = jax.local_devices()
    alone, shared = jax.jit(apply), jax.jit(share(apply, devices, (None, 2, 0), (1, 0)))

    def choose(weights: _Weights, images, widths):
        if images.shape[2] % len(devices):
            return alone(weights.alone, images, widths)
        return shared(weights.replicated, images, widths)

    return DeviceForward(model, choose, _placed(model.params))
