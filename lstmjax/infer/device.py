"""Running a model on batches of lines with JAX, on whatever devices there are.

The result for a line does not depend on the lines beside it.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import PartitionSpec

from lstmjax.array_types import Params
from lstmjax.data.batch import BatchShape, Buckets, pad
from lstmjax.data.borders import draw_borders
from lstmjax.data.random import MinStd
from lstmjax.devices import LINES, Device, line_mesh, replicated, usable_cores
from lstmjax.infer.forward import Forward, Prepare, Prepared, Result
from lstmjax.infer.model import LoadedModel
from lstmjax.nn.build import Model, build
from lstmjax.nn.layer import BorderNoise
from lstmjax.nn.numerics import EXACT, EXACT_INT8

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
        height = blocks[0].shape[0]
        room = buckets.shape(height, max(block.shape[1] for block in blocks), 1)
        # Places without a line hold one column, which costs nothing more.
        blocks += [np.zeros((height, 1, blocks[0].shape[2]), np.float32)] * (batch - len(blocks))
        streams = [line.stream for line in lines] + [MinStd()] * (batch - len(lines))
        padded = pad(blocks, [np.zeros(0, np.int32)] * batch, room, batch)
        noise = self._noise(blocks, room, streams)
        return self._apply(self._weights, padded.images, padded.widths, noise)

    def _noise(
        self, blocks: Sequence[np.ndarray], room: BatchShape, streams: Sequence[MinStd]
    ) -> tuple[BorderNoise, ...]:
        drawn = draw_borders(
            self.model.root,
            [(block.shape[0], block.shape[1]) for block in blocks],
            (room.height, room.width),
            streams,
            int_mode=self.model.int_mode,
        )
        return tuple(BorderNoise(*map(jnp.asarray, each)) for each in drawn)


def _finish(
    group: list[int], probs: jax.Array, steps: jax.Array
) -> Iterator[tuple[int, np.ndarray]]:
    """Wait for a batch and cut out its lines."""
    all_probs, all_steps = np.asarray(probs), np.asarray(steps)
    for i, place in enumerate(group):
        yield place, np.ascontiguousarray(all_probs[: all_steps[i], i])


class _Weights(NamedTuple):
    """Weights on one device, and on all of them."""

    alone: Params
    spread: Params


def _placed(params: Params) -> _Weights:
    return _Weights(params, jax.device_put(params, replicated(jax.local_devices())))


def make_device_forward(model: LoadedModel, network: Model | None = None) -> DeviceForward:
    """Compile a model for reading.

    All devices share the lines of a batch that they divide evenly.

    Args:
      model: what to run.
      network: its functions, where layers are not the usual ones; by default those of Tesseract's
        arithmetic.
    """
    if network is None:
        network = build(model.root, EXACT_INT8 if model.int_mode else EXACT)

    def apply(params, images, widths, noise):
        logits, steps = network.apply(params, images, widths, noise)
        return jax.nn.softmax(logits), steps

    devices = jax.local_devices()
    alone, shared = jax.jit(apply), _dealt_out(apply, devices)

    def choose(weights: _Weights, images, widths, noise):
        if images.shape[2] % len(devices):
            return alone(weights.alone, images, widths, noise)
        return shared(weights.spread, images, widths, noise)

    return DeviceForward(model, choose, _placed(model.params))


def _dealt_out(apply: Apply, devices: Sequence[Device]) -> Apply:
    """The same on several devices, each with some of the lines."""
    if len(devices) < 2:
        return jax.jit(apply)
    same, lines = PartitionSpec(), PartitionSpec(LINES)
    return jax.jit(
        jax.shard_map(
            apply,
            mesh=line_mesh(devices),
            in_specs=(same, PartitionSpec(None, None, LINES), lines, lines),
            out_specs=(PartitionSpec(None, LINES), lines),
            check_vma=False,
        )
    )
