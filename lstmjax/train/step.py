"""One update and one evaluation of a batch: pure functions, compiled once per batch shape."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, Int

from lstmjax.array_types import Params
from lstmjax.ctc.loss import ctc_loss, simple_loss
from lstmjax.nn.build import Model


class TrainState(NamedTuple):
    """What an update changes, on the device."""

    params: Params
    opt_state: optax.OptState


class StepResult(NamedTuple):
    """Per-line figures of an update, before it.

    loss, rms, delta: [B]; probs: [T, B, K]; steps: [B]; finite: whether all gradients were.
    """

    loss: Float[Array, " B"]
    rms: Float[Array, " B"]
    delta: Float[Array, " B"]
    probs: Float[Array, "T B K"]
    steps: Int[Array, " B"]
    finite: Array


class Controls(NamedTuple):
    """Scalars the host decides for each update.

    learning_rate; hold_perfect: leave lines without any error out of the gradient; border_seed: of
    the random borders of convolutions, or None for borders of 0. The last two are for recipe
    tesseract: the very borders that Tesseract draws, and the training iteration.
    """

    learning_rate: Float[Array, ""]
    hold_perfect: Array
    border_seed: Array | np.uint32 | None
    borders: tuple[Any, ...] | None = None
    iteration: int = 0


TrainStep = Callable[..., tuple[TrainState, StepResult]]


def make_train_step(
    model: Model,
    optimizer: optax.GradientTransformationExtraArgs,
    *,
    null_char: int,
    simple_text: bool = False,
) -> TrainStep:
    """Make `step(state, images, widths, labels, num_labels, weights, controls)`.

    The gradient is the mean over the lines with weight. An update whose gradient is not finite
    leaves the state as it was and says so in the result. The state is donated.
    """
    loss_of: Any = simple_loss if simple_text else ctc_loss

    def objective(params, images, widths, labels, num_labels, weights, controls):
        logits, steps = model.apply(params, images, widths, controls.border_seed)
        loss, stats = loss_of(logits, steps, labels, num_labels, null_char)
        held = controls.hold_perfect & (stats.delta == 0)
        weights = jnp.where(held, 0.0, weights)
        total = jnp.where(weights > 0, loss * weights, 0.0).sum()
        mean = total / jnp.maximum(weights.sum(), 1.0)
        return mean, (loss, stats, logits, steps)

    gradient: Any = jax.grad(objective, has_aux=True)

    def step(state: TrainState, images, widths, labels, num_labels, weights, controls: Controls):
        grads, (loss, stats, logits, steps) = gradient(
            state.params, images, widths, labels, num_labels, weights, controls
        )
        updates, opt_state = optimizer.update(
            grads, state.opt_state, state.params, learning_rate=controls.learning_rate
        )
        params = optax.apply_updates(state.params, updates)
        finite = jnp.isfinite(optax.tree.norm(grads))
        new = TrainState(params, opt_state)
        new = jax.tree.map(partial(jnp.where, finite), new, state)
        probs = jax.nn.softmax(logits)
        return new, StepResult(loss, stats.rms, stats.delta, probs, steps, finite)

    return jax.jit(step, donate_argnums=0)


def make_eval_step(model: Model) -> Callable[..., tuple[Array, Array]]:
    """Make `forward(params, images, widths, noise) -> (probs [T, B, K], steps [B])`."""

    def forward(params, images, widths, noise):
        logits, steps = model.apply(params, images, widths, noise)
        return jax.nn.softmax(logits), steps

    return jax.jit(forward)
