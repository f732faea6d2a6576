"""The optimiser: an optax chain whose learning rate is an argument of each update.

    clip -> Adam (orthogonalised), momentum or the user's own -> per-layer rates -> learning rate

Per-layer rates are part of the state, so that they are saved, restored and reduced like
everything else that training changes.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from lstmjax.array_types import Params
from lstmjax.errors import UsageError
from lstmjax.training.config import TrainConfig
from lstmjax.training.fast.muon import scale_by_orthogonal_adam


class LayerRatesState(NamedTuple):
    """A factor on the learning rate for each leaf of the params."""

    factors: Params


def scale_by_layer_rates(factors: Params | None = None) -> optax.GradientTransformation:
    """Multiply each leaf's update by its own factor (1 everywhere unless given)."""

    def init(params: Params) -> LayerRatesState:
        ones = jax.tree.map(lambda _: jnp.ones((), jnp.float32), params)
        return LayerRatesState(ones if factors is None else factors)

    def update(updates, state, params=None):
        del params
        return jax.tree.map(lambda u, f: u * f, updates, state.factors), state

    return optax.GradientTransformation(init, update)


def scale_by_given_rate() -> optax.GradientTransformationExtraArgs:
    """Multiply by minus the `learning_rate` given to `update`."""

    def init(params: Params) -> optax.EmptyState:
        del params
        return optax.EmptyState()

    def update(updates, state, params=None, *, learning_rate, **extra):
        del params, extra
        return jax.tree.map(lambda u: -learning_rate * u, updates), state

    return optax.GradientTransformationExtraArgs(init, update)  # pyright: ignore[reportArgumentType]


def make_optimizer(
    config: TrainConfig, rate_factors: Params | None = None, num_devices: int = 1
) -> optax.GradientTransformationExtraArgs:
    """The chain that a configuration asks for; see the module's text.

    Args:
      config: settings.
      rate_factors: on the learning rate, for each leaf; 1 if missing.
      num_devices: how many devices update together inside `jax.shard_map`.
    """
    betas: Any = {"b1": config.momentum, "b2": config.adam_beta, "eps": config.adam_epsilon}
    if config.optimizer is not None:
        core = config.optimizer
    elif config.orthogonalised:
        bfloat16 = config.precision != "float32"
        core = scale_by_orthogonal_adam(**betas, num_devices=num_devices, bfloat16=bfloat16)
    elif config.adam:
        core = optax.scale_by_adam(**betas)
    else:
        core = optax.trace(decay=config.momentum)
    steps = [core, scale_by_layer_rates(rate_factors), scale_by_given_rate()]
    # Clipping must see the gradient itself, before moments and orthogonal steps change its length.
    if config.clip_norm is not None:
        steps.insert(0, optax.clip_by_global_norm(config.clip_norm))
    return optax.with_extra_args_support(optax.chain(*steps))


def check_direction(optimizer: optax.GradientTransformation, params: Params) -> None:
    """Refuse an optimiser that already goes downhill: the learning rate comes after it.

    Raises: UsageError: its first step for a gradient of ones points the other way.
    """
    ones = jax.tree.map(jnp.ones_like, params)
    updates, _ = optimizer.update(ones, optimizer.init(params), params)
    if sum(float(jnp.sum(update)) for update in jax.tree.leaves(updates)) <= 0:
        raise UsageError(
            "the optimizer multiplies by its own negative learning rate; the rate of the settings "
            "comes after it, so give the part without it: optax.scale_by_lion() for optax.lion"
        )


def parts_of(opt_state: optax.OptState) -> tuple[Any, ...]:
    """The states of the transformations that `make_optimizer` chains."""
    if not isinstance(opt_state, tuple):
        raise TypeError(f"a state of make_optimizer is a tuple, found {type(opt_state).__name__}")
    return opt_state


def core_state(opt_state: optax.OptState) -> optax.ScaleByAdamState | optax.TraceState | None:
    """The moments inside the state of `make_optimizer`; None if the optimiser is the user's own."""
    for part in parts_of(opt_state):
        if isinstance(part, optax.ScaleByAdamState | optax.TraceState):
            return part
    return None


def rate_factors(opt_state: optax.OptState) -> Params:
    """The per-layer factors inside the state of `make_optimizer`."""
    for part in parts_of(opt_state):
        if isinstance(part, LayerRatesState):
            return part.factors
    raise TypeError("not a state of make_optimizer")
