"""The update of recipe tesseract: one line at a time, number for number as `lstmtraining`.

The targets are not those of textbook CTC and are computed in double precision on the host, from
the outputs of the forward pass; the backward pass takes them as constants. So an update is two
compiled functions with the host between them.
Source: Tesseract src/training/unicharset/lstmtrainer.cpp, src/lstm/weightmatrix.cpp.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from lstmjax.array_types import Params
from lstmjax.ctc.error_rates import delta_error, rms_error
from lstmjax.ctc.targets import ctc_targets, normalise_probs, simple_text_targets
from lstmjax.nn.build import Model
from lstmjax.nn.layer import BorderNoise
from lstmjax.nn.numerics import softmax
from lstmjax.train.step import Controls, StepResult, TrainState

_NO_CORRECTION_AFTER = 200_000  # updates without bias correction from here on
_EPSILON = 1e-8


class Moments(NamedTuple):
    """Tesseract's update history and the learning rate of each leaf.

    updates: the last step before division (Adam) or the velocity (momentum), as in files.
    squares: running mean of squared gradients.
    rates: learning rate of each leaf's layer, a scalar.
    """

    updates: Params
    squares: Params
    rates: Params


class Rates(NamedTuple):
    """Scalars of one update, from the settings and the iteration."""

    momentum: float
    adam_beta: float
    iteration: int  # of this update, from 1


def init_moments(params: Params, learning_rate: float) -> Moments:
    """No history yet, one rate for all."""
    zeros = jax.tree.map(np.zeros_like, params)
    rates = jax.tree.map(lambda _: np.float32(learning_rate), params)
    return Moments(zeros, jax.tree.map(np.copy, zeros), rates)


def uses_adam(params: Params, adam: bool) -> Params:
    """Which leaves Adam updates: all but those inside LS and LE, which get no network flags."""

    def mark(path: tuple, leaf: Any) -> bool:
        del leaf
        return adam and not any(getattr(key, "key", None) == "softmax" for key in path)

    return jax.tree_util.tree_map_with_path(mark, params)


def corrected_rates(rates: Params, adam: Params, at: Rates) -> Params:
    """Adam's bias-corrected rates, in the mixed precision of the original."""
    beta, mu, n = np.float32(at.adam_beta), np.float32(at.momentum), at.iteration

    def correct(stored: np.ndarray, by_adam: bool) -> np.floating:
        rate = np.float32(stored)
        if not by_adam or mu <= 0 or n >= _NO_CORRECTION_AFTER:
            return rate
        corrected = np.float32(float(rate) * np.sqrt(1.0 - float(beta) ** n))
        return np.float32(float(corrected) / (1.0 - float(mu) ** n))

    return jax.tree.map(correct, rates, adam)


def _update_leaf(w, u, v, d, rate, by_adam: bool, mu: np.float32, beta: np.float32):
    """New (weights, updates, squares) of a leaf from its gradient d, which points uphill."""
    one = np.float32(1)
    if by_adam and mu > 0:
        v = v * beta + (one - beta) * d * d
        u = u * mu + d * (rate * (one - mu))
        return w + u / (jnp.sqrt(v) + rate * np.float32(_EPSILON)), u, v
    u = u + rate * d
    if mu > 0:
        w = w + u
    return w, u * mu, v


class ExactStep:
    """`step(state, images, widths, labels, num_labels, weights, controls)` for one line.

    `state.opt_state` is a `Moments`. The result's probabilities are normalised as Tesseract does
    before it decodes.
    """

    def __init__(
        self,
        model: Model,
        *,
        null_char: int,
        simple_text: bool,
        adam: bool,
        momentum: float,
        adam_beta: float,
        frozen: Params | None = None,
    ):
        """Compile for a model built with `numerics.TESSERACT`.

        Args:
          model: the network.
          null_char: class of the CTC blank.
          simple_text: train on one step a code.
          adam: update by Adam, else by momentum.
          momentum: decay of the first moment.
          adam_beta: decay of the second moment.
          frozen: True for leaves that no gradient reaches (below an appended head).
        """
        self._null_char, self._simple_text = null_char, simple_text
        self._adam = adam
        self._mu, self._beta = np.float32(momentum), np.float32(adam_beta)
        self._frozen = frozen

        def forward(params, images, widths, noise):
            def outputs(params):
                logits, steps = model.apply(params, images, widths, noise)
                return logits, steps

            logits, vjp, steps = jax.vjp(outputs, params, has_aux=True)
            return softmax(logits), vjp, steps

        self._forward: Callable[..., Any] = jax.jit(forward)
        self._update: Callable[..., Any] = jax.jit(self._backward, donate_argnums=(0, 1, 2))

    def _backward(self, params, updates, squares, vjp, delta, rates):
        (gradient,) = vjp(delta)
        leaf = partial(_update_leaf, mu=self._mu, beta=self._beta)
        adam = uses_adam(params, self._adam)
        if self._frozen is not None:
            gradient = jax.tree.map(
                lambda g, f: jnp.zeros_like(g) if f else g, gradient, self._frozen
            )
        done = jax.tree.map(leaf, params, updates, squares, gradient, rates, adam)
        return tuple(
            jax.tree.map(lambda three, i=i: three[i], done, is_leaf=lambda x: isinstance(x, tuple))
            for i in range(3)
        )

    def __call__(
        self, state: TrainState, images, widths, labels, num_labels, weights, controls: Controls
    ) -> tuple[TrainState, StepResult]:
        """Train on one line; see the class."""
        del weights
        moments: Moments = state.opt_state  # type: ignore[assignment]
        noise = tuple(BorderNoise(*each) for each in controls.borders or ())
        probs, vjp, steps = self._forward(state.params, images, widths, noise)
        padded = np.asarray(probs)
        outputs = padded[: int(np.asarray(steps)[0]), 0]
        if not self._simple_text:
            outputs = normalise_probs(outputs)
        codes = np.asarray(labels)[0, : int(num_labels[0])]
        targets = self._targets(outputs, codes)
        finite = targets is not None and bool(np.isfinite(targets).all())
        delta = targets - outputs if finite else np.zeros_like(outputs)
        wrong = delta_error(delta)
        result = _result(delta, wrong, outputs, padded.shape, finite)
        if not finite or (wrong == 0 and bool(controls.hold_perfect)):
            return state, result
        at = Rates(float(self._mu), float(self._beta), int(controls.iteration) + 1)
        rates = corrected_rates(moments.rates, uses_adam(state.params, self._adam), at)
        room = np.zeros(padded.shape, np.float32)
        room[: len(delta), 0] = delta
        params, updates, squares = self._update(
            state.params, moments.updates, moments.squares, vjp, room, rates
        )
        return TrainState(params, Moments(updates, squares, moments.rates)), result

    def _targets(self, outputs: np.ndarray, codes: np.ndarray) -> np.ndarray | None:
        if not np.isfinite(outputs).all():
            return None
        if self._simple_text:
            return simple_text_targets(codes, len(outputs), outputs.shape[1], self._null_char)
        labels = np.full(2 * len(codes) + 1, self._null_char, np.int32)
        labels[1::2] = codes
        return ctc_targets(outputs, labels, self._null_char)


def _result(delta, wrong: float, outputs, shape, finite: bool) -> StepResult:
    probs = np.zeros(shape, np.float32)
    probs[: len(outputs), 0] = outputs
    rms = rms_error(delta)
    return StepResult(
        loss=np.array([rms]),  # type: ignore[arg-type]
        rms=np.array([rms]),  # type: ignore[arg-type]
        delta=np.array([wrong]),  # type: ignore[arg-type]
        probs=probs,  # type: ignore[arg-type]
        steps=np.array([len(outputs)], np.int32),  # type: ignore[arg-type]
        finite=np.array(finite),  # type: ignore[arg-type]
    )
