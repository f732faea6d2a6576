"""A run <-> Tesseract's own checkpoint and model files.

Tesseract keeps, under Adam, the first moment already multiplied by the (bias-corrected) learning
rate and with the sign of the step; without Adam the velocity already multiplied by the momentum.
Here the moments are those of optax.
"""

from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from lstmjax.array_types import Params
from lstmjax.formats import checkpoint, nodes
from lstmjax.formats.checkpoint import TrainerRecord
from lstmjax.formats.lstm import RECODED, Recognizer
from lstmjax.formats.nodes import NetworkNode
from lstmjax.formats.weights import WeightMatrix
from lstmjax.netspec.tree import Series
from lstmjax.nn.convert import (
    Writing,
    layer_rates_of,
    moments_of,
    params_of,
    record_of,
)
from lstmjax.training.config import LAYER_SPECIFIC_RATES, TrainConfig
from lstmjax.training.fast.optim import LayerRatesState, core_state, rate_factors
from lstmjax.training.fast.step import TrainState
from lstmjax.training.progress import Mark, Progress
from lstmjax.training.tesseract.step import Moments


@dataclass(frozen=True)
class Identity:
    """What stays the same during a run: the network and its place among the codes.

    headers: flags and frozen layers where they are not the same all over, see `nn.headers`.
    """

    root: Series
    net_spec: str
    null_char: int
    headers: NetworkNode | None = None


def _rates(state: TrainState, config: TrainConfig) -> Params:
    if isinstance(state.opt_state, Moments):
        return _layer_rates(state.opt_state.rates, 1.0)
    return _layer_rates(rate_factors(state.opt_state), config.learning_rate)


def _moments(state: TrainState, config: TrainConfig, progress: Progress) -> tuple[Params, Params]:
    """Optax moments as Tesseract's (updates, dw_sq_sum)."""
    if isinstance(state.opt_state, Moments):
        return state.opt_state.updates, state.opt_state.squares
    core = core_state(state.opt_state)
    if core is None:  # an optimiser that Tesseract does not know: it begins with an empty history
        nothing = jax.tree.map(np.zeros_like, state.params)
        return nothing, nothing
    if isinstance(core, optax.TraceState):
        factor = -config.learning_rate * config.momentum
        updates = jax.tree.map(lambda t: np.asarray(t) * np.float32(factor), core.trace)
        return updates, jax.tree.map(np.zeros_like, updates)
    rate = _corrected_rate(config, progress.training_iteration)
    updates = jax.tree.map(lambda m: np.asarray(m) * np.float32(-rate), core.mu)
    return updates, jax.tree.map(np.asarray, core.nu)


def _corrected_rate(config: TrainConfig, count: int) -> float:
    """The learning rate with Adam's bias correction, as a reader of the file will apply it."""
    n = max(count, 1)
    return config.learning_rate * np.sqrt(1 - config.adam_beta**n) / (1 - config.momentum**n)


def _layer_rates(factors: Params, rate: float) -> Params:
    """Learning rate of each layer, nested by child index, from the factors on its leaves."""
    if not isinstance(factors, dict):
        return None
    if any(not key.isdigit() for key in factors):  # the leaves of one layer
        return float(jax.tree.leaves(factors)[0]) * rate
    return {key: _layer_rates(below, rate) for key, below in factors.items()}


def recognizer_of(
    identity: Identity,
    state: TrainState,
    progress: Progress,
    config: TrainConfig,
    *,
    training: bool,
) -> Recognizer:
    """The model as a record; with update history if `training`."""
    state = jax.device_get(state)
    rates = None
    if identity.headers is not None or config.net_mode & LAYER_SPECIFIC_RATES:
        rates = _rates(state, config)
    network = record_of(
        identity.root,
        state.params,
        Writing(nodes.TRAINING_ON if training else nodes.TRAINING_PAUSED, config.net_mode),
        moments=_moments(state, config, progress) if training else None,
        layer_rates=rates,
        like=identity.headers,
    )
    return Recognizer(
        network=network,
        spec=identity.net_spec,
        training_flags=RECODED,
        training_iteration=progress.training_iteration,
        sample_iteration=progress.sample_iteration,
        null_char=identity.null_char,
        adam_beta=float(np.float32(config.adam_beta)),
        learning_rate=float(np.float32(config.learning_rate)),
        momentum=float(np.float32(config.momentum)),
    )


def trainer_record(
    identity: Identity,
    state: TrainState,
    progress: Progress,
    config: TrainConfig,
    *,
    best_trainer: bytes | None,
) -> TrainerRecord:
    """A checkpoint: FULL with the bytes of the best trainer, NO_BEST if that is None."""
    errors = np.array([rate for rate, _ in progress.history], np.float64)
    return TrainerRecord(
        recognizer=recognizer_of(identity, state, progress, config, training=True),
        learning_iteration=progress.learning_iteration,
        prev_sample_iteration=progress.sample_iteration,
        perfect_delay=config.perfect_sample_delay,
        last_perfect_training_iteration=progress.last_perfect,
        error_buffers=progress.buffers,
        error_rates=progress.rates,
        training_stage=progress.stage,
        amount=checkpoint.NO_BEST if best_trainer is None else checkpoint.FULL,
        best_error_rate=progress.best.rate,
        best_error_rates=progress.best.rates,
        best_iteration=progress.best.iteration,
        worst_error_rate=progress.worst.rate,
        worst_error_rates=progress.worst.rates,
        worst_iteration=progress.worst.iteration,
        stall_iteration=progress.stall_iteration,
        best_trainer=best_trainer or b"",
        best_error_history=errors,
        best_error_iterations=np.array([at for _, at in progress.history], np.int32),
        improvement_steps=progress.improvement_steps,
    )


@dataclass(frozen=True, eq=False)
class Restored:
    """What a Tesseract checkpoint gives to go on from.

    Attributes:
      params: the weights, float32.
      moments: update history and layer rates, as stored.
      learning_rate, momentum, adam_beta, net_mode: as stored.
      progress: counters and history; the position in the data is the start of the next line.
    """

    params: Params
    moments: Moments
    learning_rate: float
    momentum: float
    adam_beta: float
    net_mode: int
    progress: Progress

    def with_rate(self, rate: float) -> "Restored":
        """The same with one learning rate for all layers."""
        rates = jax.tree.map(lambda _: np.float32(rate), self.moments.rates)
        return replace(self, learning_rate=rate, moments=self.moments._replace(rates=rates))

    def put_into(self, opt_state: optax.OptState, count: int) -> optax.OptState:
        """An optimiser state of the same kind, with this history and these rates.

        Args:
          opt_state: of recipe fast (optax) or tesseract (`Moments`).
          count: updates so far, for bias correction.
        """
        if isinstance(opt_state, Moments):
            return self.moments
        return tuple(self._put(part, count) for part in opt_state)  # type: ignore[union-attr]

    def _put(self, part: Any, count: int) -> Any:
        if isinstance(part, optax.ScaleByAdamState):
            n = max(self.progress.training_iteration, 1)
            correction = np.sqrt(1 - self.adam_beta**n) / (1 - self.momentum**n)
            mu = self._unscaled(self.learning_rate * correction)
            nu = jax.tree.map(jnp.asarray, self.moments.squares)
            return part._replace(count=jnp.asarray(count, jnp.int32), mu=mu, nu=nu)
        if isinstance(part, optax.TraceState):
            return part._replace(trace=self._unscaled(self.learning_rate * self.momentum))
        if isinstance(part, LayerRatesState):
            rate = self.learning_rate
            factors = jax.tree.map(
                lambda r: jnp.float32(r / rate if rate else 1.0), self.moments.rates
            )
            return part._replace(factors=factors)
        return part

    def _unscaled(self, rate: float) -> Params:
        """The stored steps as gradients, which point the other way."""
        scale = np.float32(-1 / rate if rate else 0)
        return jax.tree.map(lambda u: jnp.asarray(u * scale), self.moments.updates)


def restore(record: TrainerRecord | Recognizer) -> Restored:
    """Read the state of a run from a checkpoint, or only the network from a plain model."""
    recognizer = record.recognizer if isinstance(record, TrainerRecord) else record
    network = recognizer.network
    params = params_of(network)
    rates = _spread(layer_rates_of(network, recognizer.learning_rate), params)
    return Restored(
        params,
        Moments(*moments_of(network), rates),
        recognizer.learning_rate,
        recognizer.momentum,
        recognizer.adam_beta,
        network.flags,
        _progress_of(record),
    )


def _spread(rates: Params, params: Params) -> Params:
    """The rate of each layer on each of its leaves."""
    if isinstance(rates, dict):
        return {key: _spread(rates[key], below) for key, below in params.items()}
    return jax.tree.map(lambda _: np.float32(rates), params)


def _progress_of(record: TrainerRecord | Recognizer) -> Progress:
    if isinstance(record, Recognizer):
        return Progress()
    recognizer = record.recognizer
    errors = np.asarray(record.best_error_history).tolist()
    iterations = np.asarray(record.best_error_iterations).tolist()
    return Progress(
        training_iteration=recognizer.training_iteration,
        learning_iteration=record.learning_iteration,
        sample_iteration=recognizer.sample_iteration,
        last_perfect=record.last_perfect_training_iteration,
        buffers=np.asarray(record.error_buffers).copy(),
        best=Mark(record.best_error_rate, record.best_error_rates, record.best_iteration),
        worst=Mark(record.worst_error_rate, record.worst_error_rates, record.worst_iteration),
        history=tuple(zip(errors, iterations, strict=True)),
        improvement_steps=record.improvement_steps,
        stage=record.training_stage,
        stall_iteration=record.stall_iteration,
    )


def without_training(recognizer: Recognizer) -> Recognizer:
    """The model without update history, as it is used for reading."""
    return replace(recognizer, network=_paused(recognizer.network))


def _paused(node: NetworkNode) -> NetworkNode:
    return replace(
        node,
        training=nodes.TRAINING_PAUSED,
        children=tuple(_paused(child) for child in node.children),
        gates=tuple(_bare(gate) for gate in node.gates),
        weights=None if node.weights is None else _bare(node.weights),
        softmax=None if node.softmax is None else _paused(node.softmax),
    )


def _bare(matrix: WeightMatrix) -> WeightMatrix:
    return replace(matrix, updates=None, dw_sq_sum=None, empty=matrix.empty[:1])
