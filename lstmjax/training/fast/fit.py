"""Training without files: any network, any optimiser, a loop of a few lines.

For trying things out. What comes of it stays in Python: layers and optimisers that Tesseract does
not have cannot be written to its files.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Float32

from lstmjax.array_types import Params
from lstmjax.cache.programs import keep_programs
from lstmjax.charset.codec import Codec
from lstmjax.data.augmentation import parse_augmentation
from lstmjax.data.lines import Line, LineIndex
from lstmjax.data.order import Shuffled
from lstmjax.data.samples import Source, index_of
from lstmjax.data.skips import Skip
from lstmjax.data.store import ImageStore
from lstmjax.data.stream import LineStream, Position, StreamSettings
from lstmjax.errors import TrainError
from lstmjax.formats import traineddata as traineddata_format
from lstmjax.formats.files import PathLike
from lstmjax.infer.choose import make_forward
from lstmjax.infer.device import make_device_forward
from lstmjax.infer.evaluate import geometry_of
from lstmjax.infer.forward import Forward
from lstmjax.infer.model import LoadedModel
from lstmjax.netspec import parse as spec_parse
from lstmjax.netspec import shape as spec_shape
from lstmjax.netspec.tree import x_scale
from lstmjax.nn.build import Model, Replace, build
from lstmjax.training.fast.step import Controls, make_train_step
from lstmjax.training.state import TrainState
from lstmjax.training.validate import Validator

_MAX_IMAGE_BYTES = 1 << 30
_WINDOW = 16  # batches within which lines are grouped by width
_BUCKETS = 3  # widths to compile for


@dataclass(frozen=True, eq=False)
class Network:
    """A network for a character set, as functions.

    Make it with `Network.build`.

    Attributes:
      about: tree and character set of the network, without weights.
      model: functions of the network: `init(key) -> params`, `apply(params, images, widths, noise)
        -> (logits, steps)`.
      usual: whether Tesseract has all its layers.
    """

    about: LoadedModel
    model: Model
    usual: bool = True

    @classmethod
    def build(
        cls,
        net_spec: str,
        traineddata: PathLike,
        *,
        replace: Replace | None = None,
    ) -> "Network":
        """Build the network of a net_spec, some of its layers replaced.

        Args:
          net_spec: network, in the language of `lstmtraining`.
          traineddata: traineddata with the character set.
          replace: called with every node of the tree (see `lstmjax.netspec.tree`); gives a
            `lstmjax.nn.layer.Layer` to use in its place, or None for the usual one. It must give
            as many features as the node, and logits in place of the output layer.
        Raises: SpecError: in the net_spec. FormatError, CharsetError: in the traineddata.
        """
        codec = Codec.from_traineddata(traineddata_format.load(traineddata))
        root = spec_parse.parse(net_spec, codec.num_codes).root
        spec_shape.check_output(root, codec.num_codes)
        model = build(root) if replace is None else build(root, replace=replace)
        about = LoadedModel(root, codec, codec.null_char, params={})
        return cls(about, model, usual=replace is None)

    def init(self, seed: int = 0) -> Params:
        """Draw weights."""
        return self.model.init(jax.random.key(seed))

    def _make_forward(self, model: LoadedModel) -> Forward:
        return make_device_forward(model, self.model)

    def validator(
        self, lines: Source, report: Callable[[Line, Skip], None] | None = None
    ) -> Validator:
        """Lines to measure error rates on: `validator.scores(params).cer` is a fraction.

        Args:
          lines: a list file, a document, or the paths of several.
          report: called with lines that cannot be used, and why; they are printed on stderr if
            it is missing.
        Raises: DataError: none can be used.
        """
        return Validator(
            index_of(lines),
            self.about,
            make_forward if self.usual else self._make_forward,
            max_bytes=_MAX_IMAGE_BYTES,
            report=report or _say,
        )

    def stream(
        self,
        lines: Source,
        *,
        batch: int = 8,
        seed: int = 0,
        augment: float | str = 0.0,
        report: Callable[[Line, Skip], None] | None = None,
    ) -> LineStream:
        """Lines as batches without end: `with stream.batches(Position()) as batches`.

        Args:
          lines: a list file, a document, or the paths of several.
          batch: lines of a batch.
          seed: seed of the order of lines.
          augment: strength of their degradation, as in `TrainConfig`.
          report: called with lines that cannot be used, and why; they are printed on stderr if
            it is missing.
        Raises: DataError: none can be used.
        """
        index: LineIndex = index_of(lines)
        tell = report or _say
        return LineStream(
            index,
            ImageStore(index, self.about.input_shape, _MAX_IMAGE_BYTES, in_grey=True),
            self.about.codec,
            geometry_of(self.about, in_grey=True),
            Shuffled(seed),
            StreamSettings(batch, _WINDOW, 0, seed, False, _BUCKETS, parse_augmentation(augment)),
            lambda number, skip: tell(index[number], skip),
            multiple=x_scale(self.about.root),
        )


@dataclass(frozen=True, eq=False)
class Fitted:
    """The result of `fit`.

    Attributes:
      params: the weights.
      losses: [updates] mean loss of each batch, nats per line.
    """

    params: Params
    losses: Float32[np.ndarray, " U"]


def fit(
    network: Network,
    lines: Source,
    optimizer: optax.GradientTransformation,
    *,
    updates: int,
    params: Params | None = None,
    batch: int = 8,
    seed: int = 0,
    augment: float | str = 0.0,
    on_update: Callable[[int, float], None] | None = None,
) -> Fitted:
    """Train a network in memory.

    Args:
      network: from `Network.build`.
      lines: a list file, a document, or the paths of several; unusable lines are named
        on stderr and left out.
      optimizer: optimiser with its learning rate, such as optax.adam(1e-3).
      updates: number of batches.
      params: weights to start from; drawn by `seed` if missing.
      batch: lines of a batch.
      seed: seed of the weights and of the order of lines.
      augment: strength of the degradation of lines, as in `TrainConfig`.
      on_update: called with the number of the update, from 1, and its loss.
    Returns: weights and losses.
    Raises: DataError: no line can be used. TrainError: an update was not finite.

    Example:
      >>> network = lstmjax.Network.build(net_spec, "examples/demo.traineddata")
      >>> fitted = lstmjax.fit(network, "examples/train.list", optax.adam(2e-3), updates=500)
      >>> network.validator("examples/eval.list").scores(fitted.params).cer
    """
    keep_programs()
    about = network.about
    whole = optax.with_extra_args_support(optimizer)
    step = make_train_step(
        network.model, whole, null_char=about.null_char, simple_text=about.simple_text
    )
    # The step takes its state over; the caller keeps its own weights.
    start = jax.tree.map(jnp.array, network.init(seed) if params is None else params)
    state = TrainState(start, whole.init(start))
    losses: list[float] = []
    stream = network.stream(lines, batch=batch, seed=seed, augment=augment)
    with stream.batches(Position()) as batches:
        for number in range(updates):
            loaded = next(batches)
            if not loaded.plan.numbers:  # every image of it is broken
                continue
            controls = Controls(jnp.float32(1), jnp.asarray(False), np.uint32(number))
            state, result = step(state, *loaded.batch, controls)
            if not bool(result.finite):
                raise TrainError(f"update {number + 1} is not finite; try a lower learning rate")
            losses.append(float(np.mean(np.asarray(result.loss)[: len(loaded.plan.numbers)])))
            if on_update is not None:
                on_update(number + 1, losses[-1])
    return Fitted(state.params, np.array(losses, np.float32))


def _say(line: Line, skip: Skip) -> None:
    print(skip.message(line), file=sys.stderr)
