"""One update and one evaluation of a batch: pure functions.

The gradient is compiled once per batch shape, the optimiser update once.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, Int

from lstmjax.array_types import Params
from lstmjax.ctc.loss import ctc_loss, simple_loss
from lstmjax.devices import LINES, Device, share
from lstmjax.nn.build import Model
from lstmjax.training.fast.collectives import in_buckets
from lstmjax.training.state import TrainState


class StepResult(NamedTuple):
    """Per-line figures of an update, before it.

    loss, rms, delta: [B] figures of each line; probs: [T, B, K] outputs; steps: [B] time steps of
    each line; finite: whether all gradients were.
    """

    loss: Float[Array, " B"]
    rms: Float[Array, " B"]
    delta: Float[Array, " B"]
    probs: Float[Array, "T B K"]
    steps: Int[Array, " B"]
    finite: Array


class Controls(NamedTuple):
    """Scalars the host decides for each update.

    learning_rate; hold_perfect: whether lines without any error are left out of the gradient;
    border_seed: seed of the random borders of convolutions; None for borders of 0.
    """

    learning_rate: Float[Array, ""]
    hold_perfect: Array
    border_seed: Array | np.uint32 | None


TrainStep = Callable[..., tuple[TrainState, StepResult]]


def make_train_step(
    model: Model,
    optimizer: optax.GradientTransformationExtraArgs,
    *,
    null_char: int,
    simple_text: bool = False,
    devices: Sequence[Device] = (),
    options: Mapping[str, Any] | None = None,
    update_options: Mapping[str, Any] | None = None,
) -> TrainStep:
    """Make `step(state, images, widths, labels, num_labels, weights, controls)`.

    The gradient is the mean over the lines with weight. An update whose gradient is not finite
    leaves the state as it was and says so in the result. The state is donated.

    Args:
      model: the network.
      optimizer: chain made by `optim.make_optimizer`.
      null_char: class of the CTC blank.
      simple_text: whether the output is not trained by CTC.
      devices: devices over which the lines of each batch are sharded; the state is replicated. One
        or none: no sharding.
      options: options of XLA's compiler for the gradients, see `compiling.options_for`.
      update_options: options of XLA's compiler for the optimiser update.
    """
    loss_of: Any = simple_loss if simple_text else ctc_loss
    shared = len(devices) > 1

    def objective(params, images, widths, labels, num_labels, weights, controls):
        logits, steps = model.apply(params, images, widths, _border_seed(controls, shared))
        loss, stats = loss_of(logits, steps, labels, num_labels, null_char)
        # Perfect in the original's sense: at no time step is any class off by a half.
        held = controls.hold_perfect & (stats.delta == 0)
        weights = jnp.where(held, 0.0, weights)
        # Chosen, not only multiplied: 0 times an infinite loss would be NaN.
        total = jnp.where(weights > 0, loss * weights, 0.0).sum()
        return total, (weights.sum(), loss, stats, logits, steps)

    gradient: Any = jax.grad(objective, has_aux=True)

    def gradients(params, images, widths, labels, num_labels, weights, controls: Controls):
        grads, (count, loss, stats, logits, steps) = gradient(
            params, images, widths, labels, num_labels, weights, controls
        )
        # Sums, not means: devices may hold different numbers of lines.
        if shared:
            grads, count = _summed((grads, count))
        # A batch whose lines are all held has count 0.
        grads = jax.tree.map(lambda g: g / jnp.maximum(count, 1.0), grads)
        return grads, (loss, stats.rms, stats.delta, jax.nn.softmax(logits), steps)

    def apply_update(state: TrainState, grads: Params, learning_rate: jax.Array):
        updates, opt_state = optimizer.update(
            grads, state.opt_state, state.params, learning_rate=learning_rate
        )
        params = optax.apply_updates(state.params, updates)
        # One norm finds any number that is not finite, in any leaf.
        finite = jnp.isfinite(optax.tree.norm(grads))
        # Chosen on the device, so that the host need not wait for the answer.
        new = TrainState(params, opt_state)
        return jax.tree.map(partial(jnp.where, finite), new, state), finite

    # images are [H, W, B, D], outputs [T, B, K]; everything else of a line has its axis first
    gradients = share(gradients, devices, (None, 2, 0, 0, 0, 0, None), (None, (0, 0, 0, 1, 0)))
    apply_update = share(apply_update, devices, None, None)
    # Compiled apart, so that a new shape of batch does not compile the optimiser again.
    jitted_gradients: Any = jax.jit(gradients, compiler_options=dict(options or {}))
    # Only the update may take the state over: the gradients still need its weights.
    jitted_update: Any = jax.jit(
        apply_update, compiler_options=dict(update_options or {}), donate_argnums=0
    )

    def step(state: TrainState, images, widths, labels, num_labels, weights, controls: Controls):
        grads, seen = jitted_gradients(
            state.params, images, widths, labels, num_labels, weights, controls
        )
        state, finite = jitted_update(state, grads, controls.learning_rate)
        loss, rms, delta, probs, steps = seen
        return state, StepResult(loss, rms, delta, probs, steps, finite)

    return step


def _summed(tree: Any) -> Any:
    """Add up a tree of arrays over all devices."""
    leaves, form = jax.tree.flatten(tree)
    sums = in_buckets(leaves, lambda numbers: jax.lax.psum(numbers, LINES))
    return form.unflatten(row.reshape(leaf.shape) for row, leaf in zip(sums, leaves, strict=True))


def _border_seed(controls: Controls, shared: bool) -> Any:
    """Other random borders on each device."""
    if controls.border_seed is None or not shared:
        return controls.border_seed
    return controls.border_seed ^ (jax.lax.axis_index(LINES).astype(jnp.uint32) << 16)
