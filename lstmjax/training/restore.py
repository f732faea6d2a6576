"""Tesseract's checkpoint and model files -> the state of a run.

Tesseract keeps, under Adam, the first moment already multiplied by the (bias-corrected) learning
rate and with the sign of the step; without Adam the velocity already multiplied by the momentum.
`Moments` holds them so; recipe fast turns them into optax's (`fast.history`).
"""

from dataclasses import dataclass, replace

import jax
import numpy as np

from lstmjax.array_types import Params
from lstmjax.formats.checkpoint import TrainerRecord
from lstmjax.formats.lstm import Recognizer
from lstmjax.nn.convert import layer_rates_of, moments_of, params_of
from lstmjax.training.progress import Mark, Progress
from lstmjax.training.state import Moments


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
    # A model without training state knows no counters: all of them begin anew.
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
