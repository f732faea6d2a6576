"""Running a model on line images: prepared as Tesseract prepares them, in batches.

The result for a line does not depend on the lines beside it. Every line gets the random numbers
that its place in the run gives it, so an evaluation has the same digits as `lstmeval`.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import PartitionSpec
from jaxtyping import Float32, Int32

from lstmjax.cache import cache_directory
from lstmjax.data import image as image_module
from lstmjax.data.batch import BatchShape, Buckets, fit_buckets, pad
from lstmjax.data.borders import draw_borders
from lstmjax.data.image import Pixels
from lstmjax.data.random import MinStd
from lstmjax.devices import LINES, Device, everywhere, line_mesh
from lstmjax.infer.model import LoadedModel
from lstmjax.nn.build import build
from lstmjax.nn.layer import BorderNoise
from lstmjax.nn.numerics import EXACT, EXACT_INT8
from lstmjax.spec.tree import x_scale

BATCH = 8  # more gains nothing: tanh and logistic take the time, not the products
_SHAPE_COST = 64  # compiling for one more width, once, costs as much as reading so many lines
_MOST_SHAPES = 6
# How a line is read: as it is; inverted; or, when that did not help, as it is with the borders of
# convolutions drawn anew, as if padding to a fixed width had drawn nothing.
_AS_IS, _INVERTED, _RESTARTED = range(3)
_MIN_COMPILE_SECONDS = 0.1  # steps that compile faster are not worth a file


class ScaledLine(NamedTuple):
    """A line ready to be read.

    pixels: scaled to the network's height, uint8.
    sample: its place in the run, which seeds its random numbers.
    invert_below: try white on black when the mean probability of the reading is less; 0 never.
    """

    pixels: Pixels
    sample: int
    invert_below: float = 0.0


class _Prepared(NamedTuple):
    """A line as network input, and its random numbers after padding."""

    block: image_module.Input
    stream: MinStd


Apply = Callable[..., tuple[jax.Array, jax.Array]]


@dataclass(frozen=True)
class Forward:
    """A compiled model; make it with `make_forward`."""

    model: LoadedModel
    _apply: Apply

    def probs(
        self, lines: Sequence[ScaledLine], *, batch: int = BATCH, buckets: Buckets | None = None
    ) -> list[np.ndarray]:
        """Class probabilities [T, K] float32 of each line, in order; see `outputs`."""
        out: list[np.ndarray] = [np.empty((0, 0), np.float32)] * len(lines)
        for place, probs in self.outputs(lines, batch=batch, buckets=buckets):
            out[place] = probs
        return out

    def outputs(
        self, lines: Sequence[ScaledLine], *, batch: int = BATCH, buckets: Buckets | None = None
    ) -> Iterator[tuple[int, np.ndarray]]:
        """Yield place and class probabilities [T, K] float32 of each line, as they are ready.

        Args:
          lines: what to read.
          batch: lines computed at once.
          buckets: widths to compile for; fitted to these lines if missing.
        """
        buckets = buckets or self.buckets([line.pixels.shape[1] for line in lines])
        doubtful: dict[int, np.ndarray] = {}
        for place, probs in self._run(lines, range(len(lines)), batch, buckets, _AS_IS):
            limit = lines[place].invert_below
            if limit and certainty(probs, self.model.null_char) < limit:
                doubtful[place] = probs
            else:
                yield place, probs
        again: list[int] = []
        for place, inverted in self._run(lines, list(doubtful), batch, buckets, _INVERTED):
            both = (doubtful[place], inverted)  # of two alike, the first
            chosen = max(both, key=lambda probs: certainty(probs, self.model.null_char))
            if chosen is not inverted and self.model.input_shape.width:
                again.append(place)
            else:
                yield place, chosen
        yield from self._run(lines, again, batch, buckets, _RESTARTED)

    def buckets(self, widths: Sequence[int]) -> Buckets:
        """Choose the widths to compile for, given those of (a sample of) all scaled lines."""
        fixed = self.model.input_shape.width
        found = np.array([fixed] if fixed else widths or [1], np.int64)
        choices = [
            fit_buckets(
                found, np.ones(len(found), int), most=most, multiple=x_scale(self.model.root)
            )
            for most in range(1, _MOST_SHAPES + 1)
        ]

        def cost(choice: Buckets) -> float:
            used = np.array(choice.widths)[np.searchsorted(choice.widths, found)]
            return float(used.sum() + len(choice.widths) * _SHAPE_COST * found.mean())

        return min(choices, key=cost)

    def _run(
        self,
        lines: Sequence[ScaledLine],
        places: Sequence[int],
        batch: int,
        buckets: Buckets,
        way: int,
    ) -> Iterator[tuple[int, np.ndarray]]:
        """Yield the outputs of the lines at `places`, one batch behind what is being computed."""
        inputs = {place: self._prepare(lines[place], way) for place in places}
        running: tuple[list[int], jax.Array, jax.Array] | None = None
        for group in _groups({place: inputs[place].block.shape for place in places}, batch):
            started = (group, *self._start([inputs.pop(place) for place in group], batch, buckets))
            if running is not None:
                yield from _finish(*running)
            running = started
        if running is not None:
            yield from _finish(*running)

    def _prepare(self, line: ScaledLine, way: int) -> _Prepared:
        stream = MinStd.for_sample(line.sample)
        pixels = image_module.invert(line.pixels) if way == _INVERTED else line.pixels
        model = self.model
        block = image_module.normalise(pixels, model.input_shape, stream, int8=model.int_mode)
        return _Prepared(block, MinStd.for_sample(line.sample) if way == _RESTARTED else stream)

    def _start(
        self, lines: Sequence[_Prepared], batch: int, buckets: Buckets
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
        return self._apply(self.model.params, padded.images, padded.widths, noise)

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


def make_forward(model: LoadedModel) -> Forward:
    """Compile a model for reading, with Tesseract's arithmetic.

    All devices share the lines of a batch that they divide evenly.
    """
    network = build(model.root, EXACT_INT8 if model.int_mode else EXACT)

    def apply(params, images, widths, noise):
        logits, steps = network.apply(params, images, widths, noise)
        return jax.nn.softmax(logits), steps

    devices = jax.local_devices()
    alone, shared = jax.jit(apply), _dealt_out(apply, devices)
    spread = jax.device_put(model.params, everywhere(devices))

    def choose(params, images, widths, noise):
        if images.shape[2] % len(devices):
            return alone(params, images, widths, noise)
        return shared(spread, images, widths, noise)

    return Forward(model, choose)


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


def keep_compiled() -> None:
    """Let this process keep compiled models in the user's own cache for later processes."""
    directory = cache_directory("jax")
    if directory is not None and not jax.config.values["jax_compilation_cache_dir"]:
        jax.config.update("jax_compilation_cache_dir", str(directory))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", _MIN_COMPILE_SECONDS)


def _groups(shapes: dict[int, tuple[int, ...]], batch: int) -> Iterator[list[int]]:
    """Lines of one height and similar width together, at most `batch` of them."""
    group: list[int] = []
    for place in sorted(shapes, key=lambda place: shapes[place][:2]):
        if group and (len(group) == batch or shapes[group[0]][0] != shapes[place][0]):
            yield group
            group = []
        group.append(place)
    if group:
        yield group


def certainty(probs: Float32[np.ndarray, "T K"], null_char: int) -> float:
    """Mean probability of the best class where it is not the null; 0 if it always is.

    Source: Tesseract src/lstm/lstmrecognizer.cpp, OutputStats.
    """
    best: Int32[np.ndarray, " T"] = probs.argmax(1)
    chosen = probs[np.arange(len(probs)), best][best != null_char]
    if not len(chosen):
        return 0.0
    return float((127 * chosen).astype(np.int64).sum() / (len(chosen) * 127))
