"""The state of a run -> Tesseract's checkpoint and model files."""

from dataclasses import replace

import jax
import numpy as np

from lstmjax.array_types import Params
from lstmjax.formats import checkpoint, nodes
from lstmjax.formats.checkpoint import TrainerRecord
from lstmjax.formats.lstm import RECODED, Recognizer
from lstmjax.formats.nodes import NetworkNode
from lstmjax.formats.weights import WeightMatrix
from lstmjax.nn.convert import Writing, record_of
from lstmjax.training.config import LAYER_SPECIFIC_RATES, TrainConfig
from lstmjax.training.identity import Identity
from lstmjax.training.progress import Progress
from lstmjax.training.state import Moments, TrainState


def _layer_rates(rates: Params) -> Params:
    """The learning rate of each layer, nested by child index, from the rates on its leaves."""
    if not isinstance(rates, dict):
        return None
    if any(not key.isdigit() for key in rates):  # the leaves of one layer
        return float(jax.tree.leaves(rates)[0])
    return {key: _layer_rates(below) for key, below in rates.items()}


def recognizer_of(
    identity: Identity,
    state: TrainState[Moments],
    progress: Progress,
    config: TrainConfig,
    *,
    training: bool,
    learning_rate: float | None = None,
) -> Recognizer:
    """The model as a record.

    Args:
      identity: network of the run.
      state: weights, update history and layer rates.
      progress: counters of the run.
      config: settings of the run.
      training: whether the update history is written.
      learning_rate: rate that all layers share, where it is no longer that of the settings.
    """
    state = jax.device_get(state)
    moments = state.opt_state
    rates = None
    if identity.headers is not None or config.net_mode & LAYER_SPECIFIC_RATES:
        rates = _layer_rates(moments.rates)
    network = record_of(
        identity.root,
        state.params,
        Writing(nodes.TRAINING_ON if training else nodes.TRAINING_PAUSED, config.net_mode),
        moments=(moments.updates, moments.squares) if training else None,
        layer_rates=rates,
        like=identity.headers,
    )
    rate = config.learning_rate if learning_rate is None else learning_rate
    return Recognizer(
        network=network,
        spec=identity.net_spec,
        training_flags=RECODED,
        training_iteration=progress.training_iteration,
        sample_iteration=progress.sample_iteration,
        null_char=identity.null_char,
        # The original's settings are floats, so a file holds no more than that.
        adam_beta=float(np.float32(config.adam_beta)),
        learning_rate=float(np.float32(rate)),
        momentum=float(np.float32(config.momentum)),
    )


def trainer_record(
    identity: Identity,
    state: TrainState[Moments],
    progress: Progress,
    config: TrainConfig,
    *,
    best_trainer: bytes | None,
    learning_rate: float | None = None,
) -> TrainerRecord:
    """A checkpoint: FULL with the bytes of the best trainer, NO_BEST if that is None.

    The other arguments are those of `recognizer_of`.
    """
    errors = np.array([rate for rate, _ in progress.history], np.float64)
    return TrainerRecord(
        recognizer=recognizer_of(
            identity, state, progress, config, training=True, learning_rate=learning_rate
        ),
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
