"""The optimiser's state <-> Tesseract's update history.

Tesseract keeps, under Adam, the first moment already multiplied by the (bias-corrected) learning
rate and with the sign of the step; without Adam the velocity already multiplied by the momentum.
Here the moments are those of optax.
"""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from lstmjax.array_types import Params
from lstmjax.training.config import TrainConfig
from lstmjax.training.fast.optim import LayerRatesState, core_state, parts_of, rate_factors
from lstmjax.training.progress import Progress
from lstmjax.training.restore import Restored
from lstmjax.training.state import Moments, TrainState


def with_history(
    state: TrainState[optax.OptState], progress: Progress, config: TrainConfig
) -> TrainState[Moments]:
    """The state as Tesseract's files hold it."""
    state = jax.device_get(state)
    rates = jax.tree.map(
        lambda factor: float(factor) * config.learning_rate, rate_factors(state.opt_state)
    )
    return TrainState(state.params, Moments(*_moments(state, config, progress), rates))


def _moments(
    state: TrainState[optax.OptState], config: TrainConfig, progress: Progress
) -> tuple[Params, Params]:
    """Optax moments as Tesseract's updates and squares."""
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


def put_history(restored: Restored, opt_state: optax.OptState, batch: int) -> optax.OptState:
    """An optimiser state with the history and the layer rates of a file.

    Args:
      restored: state of a file.
      opt_state: state of `make_optimizer`, whose parts are filled.
      batch: lines of an update; optax counts updates for its bias correction, files count lines.
    """
    count = restored.progress.training_iteration // batch
    return tuple(_filled(part, restored, count) for part in parts_of(opt_state))


def _filled(part: Any, restored: Restored, count: int) -> Any:
    if isinstance(part, optax.ScaleByAdamState):
        # Tesseract corrects by its training iterations, one update a line.
        n = max(restored.progress.training_iteration, 1)
        correction = np.sqrt(1 - restored.adam_beta**n) / (1 - restored.momentum**n)
        mu = _unscaled(restored, restored.learning_rate * correction)
        nu = jax.tree.map(jnp.asarray, restored.moments.squares)
        return part._replace(count=jnp.asarray(count, jnp.int32), mu=mu, nu=nu)
    if isinstance(part, optax.TraceState):
        return part._replace(trace=_unscaled(restored, restored.learning_rate * restored.momentum))
    if isinstance(part, LayerRatesState):
        rate = restored.learning_rate
        factors = jax.tree.map(
            lambda r: jnp.float32(r / rate if rate else 1.0), restored.moments.rates
        )
        return part._replace(factors=factors)
    return part


def _unscaled(restored: Restored, rate: float) -> Params:
    """The stored steps as gradients, which point the other way."""
    # Negative, because Tesseract's steps are added and optax's gradients subtracted.
    scale = np.float32(-1 / rate if rate else 0)
    return jax.tree.map(lambda u: jnp.asarray(u * scale), restored.moments.updates)


def rescaled(restored: Restored, rate: float) -> Restored:
    """The same history at another learning rate: stored steps are in proportion to the rate."""
    if rate == restored.learning_rate or not restored.learning_rate:
        return restored
    factor = np.float32(rate / restored.learning_rate)
    updates = jax.tree.map(lambda u: u * factor, restored.moments.updates)
    moved = replace(restored, moments=restored.moments._replace(updates=updates))
    return moved.with_rate(rate)


def zero_frozen_moments(opt_state: optax.OptState, frozen: Params | None) -> optax.OptState:
    """Take the momentum out of frozen layers, so that they keep their weights.

    Args:
      opt_state: state of `make_optimizer`.
      frozen: True for leaves that no gradient reaches; None if there are none.
    """
    if frozen is None:
        return opt_state

    def still(moments: Params) -> Params:
        return jax.tree.map(lambda m, hold: np.zeros_like(m) if hold else m, moments, frozen)

    def settled(part: Any) -> Any:
        if isinstance(part, optax.ScaleByAdamState):
            return part._replace(mu=still(part.mu), nu=still(part.nu))
        if isinstance(part, optax.TraceState):
            return part._replace(trace=still(part.trace))
        return part

    return tuple(settled(part) for part in parts_of(opt_state))
