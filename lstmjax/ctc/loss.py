"""The training losses, with their exact gradients and what the log reports of them.

`ctc_loss` runs the forward and the backward recursion of CTC as one scan: the backward one is
the forward one on the reversed problem. The gradient of the logits is probability minus
posterior, computed there and then; nothing is differentiated through the recursion. On a CPU
a compiled loop gives the same in a third of the time.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float, Int

from lstmjax.array_types import Logits
from lstmjax.constants import LOG_IMPOSSIBLE, WRONG_BY_HALF
from lstmjax.kernels.jax_calls import ctc, usable


class LossStats(NamedTuple):
    """Per-line figures of the log.

    rms: [B] root mean square of target - output over steps and classes.
    delta: [B] classes off by at least one half, per time step.
    """

    rms: Float[Array, " B"]
    delta: Float[Array, " B"]


class _Problem(NamedTuple):
    emit: Float[Array, "T B S"]  # log probability of each state's label
    may_skip: Bool[Array, "B S"]  # the state can be entered from two before it
    end: Int[Array, "B 1"]  # index of the last state


def _states(log_probs: Logits, labels: Int[Array, "B L"], null_char: int) -> jax.Array:
    """[T, B, 2L+1] log probabilities of null, label, null, label, ..., null."""
    T, B, _ = log_probs.shape
    L = labels.shape[1]
    of_labels = jnp.take_along_axis(log_probs, jnp.broadcast_to(labels[None], (T, B, L)), axis=2)
    of_null = log_probs[:, :, null_char, None]
    pairs = jnp.stack([jnp.broadcast_to(of_null, (T, B, L)), of_labels], axis=-1)
    return jnp.concatenate([pairs.reshape(T, B, 2 * L), of_null], axis=-1)


def _skips(labels: Int[Array, "B L"]) -> Bool[Array, "B S"]:
    """A label may follow the label before it directly unless they are equal."""
    B, L = labels.shape
    allowed = jnp.zeros((B, 2 * L + 1), bool)
    return allowed.at[:, 3::2].set(labels[:, 1:] != labels[:, :-1])


def _recursion(problem: _Problem) -> Float[Array, "T B S"]:
    """Log probability of all beginnings that end in each state at each step, emission included."""
    S = problem.emit.shape[-1]
    state = jnp.arange(S)[None, :]
    # States beyond the end of a line belong to longer lines of the batch.
    emit = jnp.where(state <= problem.end, problem.emit, LOG_IMPOSSIBLE)
    skip = jnp.where(problem.may_skip, 0.0, LOG_IMPOSSIBLE)

    def step(alpha, emit_t):
        one = jnp.pad(alpha[:, :-1], ((0, 0), (1, 0)), constant_values=LOG_IMPOSSIBLE)
        two = jnp.pad(alpha[:, :-2], ((0, 0), (2, 0)), constant_values=LOG_IMPOSSIBLE) + skip
        # `top` is never -inf: LOG_IMPOSSIBLE is a number, so that differences are no NaN.
        top = jnp.maximum(jnp.maximum(alpha, one), two)
        total = jnp.exp(alpha - top) + jnp.exp(one - top) + jnp.exp(two - top)
        # Without a bound impossible states would go to -inf over many steps.
        alpha = jnp.maximum(top + jnp.log(total) + emit_t, LOG_IMPOSSIBLE)
        return alpha, alpha

    # Before the first step everything sits in state 0, which can stay or move on to state 1.
    start = jnp.where(state == 0, 0.0, LOG_IMPOSSIBLE) * jnp.ones((emit.shape[1], 1))
    return lax.scan(step, start, emit)[1]


def _posterior(
    log_probs: Logits,
    num_steps: Int[Array, " B"],
    labels: Int[Array, "B L"],
    num_labels: Int[Array, " B"],
    null_char: int,
) -> tuple[Float[Array, " B"], Logits]:
    """Loss per line, and the probability of each class at each step given the labels."""
    T, B, K = log_probs.shape
    L = labels.shape[1]
    S = 2 * L + 1
    emit = _states(log_probs, labels, null_char)
    end = 2 * num_labels[:, None]

    # Each line is reversed over its own steps and states; the padding stays behind it.
    reversed_t = jnp.clip(num_steps[None, :] - 1 - jnp.arange(T)[:, None], 0, T - 1)[:, :, None]
    reversed_s = jnp.broadcast_to(jnp.clip(end - jnp.arange(S)[None], 0, S - 1)[None], (T, B, S))

    def reverse(x: jax.Array) -> jax.Array:
        return jnp.take_along_axis(jnp.take_along_axis(x, reversed_t, axis=0), reversed_s, axis=2)

    reversed_labels = jnp.take_along_axis(
        labels, jnp.clip(num_labels[:, None] - 1 - jnp.arange(L)[None], 0, L - 1), axis=1
    )
    # Both directions in one scan, as two halves of a batch.
    both = _recursion(
        _Problem(
            jnp.concatenate([emit, reverse(emit)], axis=1),
            jnp.concatenate([_skips(labels), _skips(reversed_labels)], axis=0),
            jnp.concatenate([end, end], axis=0),
        )
    )
    inside = (jnp.arange(T)[:, None] < num_steps[None])[:, :, None]
    possible = inside & (jnp.arange(S)[None, :] <= end)[None]
    # Both recursions contain the emission of their step, so one of them is taken off.
    joint = jnp.where(possible, both[:, :B] + reverse(both[:, B:]) - emit, LOG_IMPOSSIBLE)
    top = joint.max(-1, keepdims=True)
    weight = jnp.exp(joint - top)
    total = weight.sum(-1, keepdims=True)
    occupancy = weight / total
    # The sum is the same at each step; every line has the first one.
    loss = -(top + jnp.log(total))[0, :, 0]

    classes = jnp.arange(K)
    one_hot = (labels[:, :, None] == classes[None, None]).astype(log_probs.dtype)
    is_null = (classes == null_char).astype(log_probs.dtype)[None, None]
    of_null = occupancy[:, :, 0::2].sum(-1, keepdims=True) * is_null
    return loss, jnp.einsum("tbl,blk->tbk", occupancy[:, :, 1::2], one_hot) + of_null


def _stats(delta: Logits, num_steps: Int[Array, " B"]) -> LossStats:
    steps = jnp.maximum(num_steps, 1).astype(delta.dtype)
    K = delta.shape[-1]
    wrong = (jnp.abs(delta) >= WRONG_BY_HALF).sum((0, 2)).astype(delta.dtype)
    return LossStats(jnp.sqrt((delta * delta).sum((0, 2)) / (steps * K)), wrong / steps)


@partial(jax.custom_vjp, nondiff_argnums=(4,))
def ctc_loss(
    logits: Logits,
    num_steps: Int[Array, " B"],
    labels: Int[Array, "B L"],
    num_labels: Int[Array, " B"],
    null_char: int,
) -> tuple[Float[Array, " B"], LossStats]:
    """Minus the log probability of each line's labels under CTC.

    A line whose labels cannot fit into its steps gets a loss of about 1e30 and is for the caller
    to leave out beforehand.

    Args:
      logits: [T, B, K] float32, before softmax; steps beyond `num_steps` are ignored.
      num_steps: [B] int32, 1 <= num_steps <= T.
      labels: [B, L] int32 without nulls; entries beyond `num_labels` are ignored.
      num_labels: [B] int32, 0 <= num_labels <= L.
      null_char: the class of the CTC blank.
    Returns: [B] losses, and the stats of the log; only the losses carry a gradient.
    Source: Graves et al., 2006, Connectionist Temporal Classification, equations 5-16.
    """
    return _ctc_forward(logits, num_steps, labels, num_labels, null_char)[0]


def _ctc_forward(logits, num_steps, labels, num_labels, null_char):
    if usable():
        loss, rms, wrong, delta = ctc(logits, num_steps, labels, num_labels, null_char)
        return (loss, LossStats(rms, wrong)), delta
    return _by_scan(logits, num_steps, labels, num_labels, null_char)


def _by_scan(logits, num_steps, labels, num_labels, null_char):
    log_probs = jax.nn.log_softmax(logits)
    loss, target = _posterior(log_probs, num_steps, labels, num_labels, null_char)
    inside = (jnp.arange(logits.shape[0])[:, None] < num_steps[None])[:, :, None]
    delta = jnp.where(inside, target - jnp.exp(log_probs), 0.0)
    return (loss, _stats(delta, num_steps)), delta


def _ctc_backward(null_char, delta, gradients):
    del null_char
    # `delta` is target minus output: its negative is the gradient of the logits.
    return -delta * gradients[0][None, :, None], None, None, None


ctc_loss.defvjp(_ctc_forward, _ctc_backward)


def simple_loss(
    logits: Logits,
    num_steps: Int[Array, " B"],
    labels: Int[Array, "B L"],
    num_labels: Int[Array, " B"],
    null_char: int,
) -> tuple[Float[Array, " B"], LossStats]:
    """Cross entropy for networks without CTC (O1s): step t should say label t, then null.

    Arguments and results as `ctc_loss`.
    """
    T = logits.shape[0]
    L = labels.shape[1]
    steps = jnp.arange(T)[:, None]
    # Steps beyond the labels look at the last one here, and take the null instead.
    at = jnp.clip(steps, 0, L - 1)
    wanted = jnp.where(steps < num_labels[None], labels.T[at[:, 0]], null_char)
    inside = (steps < num_steps[None]).astype(logits.dtype)
    log_probs = jax.nn.log_softmax(logits)
    chosen = jnp.take_along_axis(log_probs, wanted[:, :, None], axis=2)[:, :, 0]
    one_hot = (wanted[:, :, None] == jnp.arange(logits.shape[2])[None, None]).astype(logits.dtype)
    # For the log only.
    delta = lax.stop_gradient((one_hot - jnp.exp(log_probs)) * inside[:, :, None])
    return -(chosen * inside).sum(0), _stats(delta, num_steps)
