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


def uses_adam(params: Params, adam: bool | Params) -> Params:
    """Which leaves Adam updates: all but those inside LS and LE, which get no network flags.

    A tree for `adam` is the answer, for networks whose layers have different flags.
    """
    if isinstance(adam, dict):
        return adam

    def mark(path: tuple, leaf: Any) -> bool:
        del leaf
        return bool(adam) and not any(getattr(key, "key", None) == "softmax" for key in path)

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


class Outputs(NamedTuple):
    """A forward pass over one line.

    padded: [T, 1, K] float32 softmax outputs, as computed.
    probs: [t, K] those of the line itself.
    vjp: from deltas [T, 1, K] to the gradient of all weights.
    """

    padded: np.ndarray
    probs: np.ndarray
    vjp: Any


class Judged(NamedTuple):
    """What a line's outputs are compared with.

    probs: [t, K] outputs, normalised as Tesseract does before it decodes.
    targets: [t, K]; None if the codes do not fit the steps, or the outputs are not finite.
    delta: [t, K] targets minus outputs; zeros without targets.
    wrong: share of steps with a large delta; rms: of all deltas.
    finite: whether outputs and targets are.
    """

    probs: np.ndarray
    targets: np.ndarray | None
    delta: np.ndarray
    wrong: float
    rms: float
    finite: bool


def targets_of(
    probs: np.ndarray, codes: np.ndarray, null_char: int, *, simple_text: bool
) -> np.ndarray | None:
    """Tesseract's targets [t, K] of a line; None if its codes do not fit its steps.

    Args:
      probs: [t, K] normalised outputs.
      codes: of the text, without nulls.
      null_char: class of the CTC blank.
      simple_text: one step a code instead of CTC.
    """
    if simple_text:
        return simple_text_targets(codes, len(probs), probs.shape[1], null_char)
    labels = np.full(2 * len(codes) + 1, null_char, np.int32)
    labels[1::2] = codes
    return ctc_targets(probs, labels, null_char)


class ExactStep:
    """The parts of an update, and all of it: call it like the step of recipe fast, on one line.

    `state.opt_state` is a `Moments`. A state given to `update` or to a call is used up. An update
    after which a weight would be infinite or undefined leaves the state as it was.
    """

    def __init__(
        self,
        model: Model,
        *,
        null_char: int,
        simple_text: bool,
        adam: bool | Params,
        momentum: float,
        adam_beta: float,
        frozen: Params | None = None,
    ):
        """Compile for a model built with `numerics.TESSERACT`.

        Args:
          model: the network.
          null_char: class of the CTC blank.
          simple_text: train on one step a code.
          adam: update by Adam, else by momentum; a tree where leaves differ.
          momentum: decay of the first moment.
          adam_beta: decay of the second moment.
          frozen: True for leaves that no gradient reaches (below an appended head).
        """
        self.null_char, self.simple_text = null_char, simple_text
        self.adam = adam
        self.momentum, self.adam_beta = np.float32(momentum), np.float32(adam_beta)
        self.frozen = frozen

        def forward(params, images, widths, noise):
            def outputs(params):
                logits, steps = model.apply(params, images, widths, noise)
                return logits, steps

            logits, vjp, steps = jax.vjp(outputs, params, has_aux=True)
            return softmax(logits), vjp, steps

        self._forward: Callable[..., Any] = jax.jit(forward)
        self._gradient: Callable[..., Any] = jax.jit(self._pull)
        self._update: Callable[..., Any] = jax.jit(self._backward, donate_argnums=(0, 1, 2))

    def forward(self, params: Params, images, widths, borders) -> Outputs:
        """Run the network on one line."""
        noise = tuple(BorderNoise(*each) for each in borders or ())
        probs, vjp, steps = self._forward(params, images, widths, noise)
        padded = np.asarray(probs)
        return Outputs(padded, padded[: int(np.asarray(steps)[0]), 0], vjp)

    def judge(self, outputs: Outputs, codes: np.ndarray) -> Judged:
        """Make the targets of a line with these codes, and compare."""
        probs = outputs.probs
        finite = bool(np.isfinite(probs).all())
        targets = None
        if finite:
            probs = probs if self.simple_text else normalise_probs(probs)
            targets = targets_of(probs, codes, self.null_char, simple_text=self.simple_text)
            finite = targets is None or bool(np.isfinite(targets).all())
        if targets is None or not finite:
            return Judged(probs, None, np.zeros_like(probs), 0.0, 0.0, finite)
        delta = targets - probs
        return Judged(probs, targets, delta, delta_error(delta), rms_error(delta), True)

    def gradient(self, outputs: Outputs, judged: Judged) -> Params:
        """The sums that Tesseract keeps for one line; they point uphill."""
        return self._gradient(outputs.vjp, self._room(outputs, judged))

    def update(
        self, state: TrainState, outputs: Outputs, judged: Judged, iteration: int
    ) -> tuple[TrainState, Any]:
        """Train on one line.

        Args:
          state: used up.
          outputs: of the line.
          judged: with targets.
          iteration: training iteration, from 0.
        Returns: the new state, and whether it was taken (an array not waited for).
        """
        moments: Moments = state.opt_state  # type: ignore[assignment]
        at = Rates(float(self.momentum), float(self.adam_beta), iteration + 1)
        rates = corrected_rates(moments.rates, uses_adam(state.params, self.adam), at)
        params, updates, squares, taken = self._update(
            state.params,
            moments.updates,
            moments.squares,
            outputs.vjp,
            self._room(outputs, judged),
            rates,
        )
        return TrainState(params, Moments(updates, squares, moments.rates)), taken  # type: ignore[arg-type]

    def __call__(
        self, state: TrainState, images, widths, labels, num_labels, weights, controls: Controls
    ) -> tuple[TrainState, StepResult]:
        """Train on a batch of one line; see the class."""
        del weights
        outputs = self.forward(state.params, images, widths, controls.borders)
        judged = self.judge(outputs, np.asarray(labels)[0, : int(num_labels[0])])
        result = _result(judged, outputs.padded.shape)
        held = judged.wrong == 0 and bool(controls.hold_perfect)
        if judged.targets is not None and not held:
            state, _ = self.update(state, outputs, judged, int(controls.iteration))
        return state, result

    @staticmethod
    def _room(outputs: Outputs, judged: Judged) -> np.ndarray:
        """The deltas in the shape of the padded outputs."""
        room = np.zeros(outputs.padded.shape, np.float32)
        room[: len(judged.delta), 0] = judged.delta
        return room

    def _pull(self, vjp, delta):
        (gradient,) = vjp(delta)
        if self.frozen is None:
            return gradient
        return jax.tree.map(lambda g, f: jnp.zeros_like(g) if f else g, gradient, self.frozen)

    def _backward(self, params, updates, squares, vjp, delta, rates):
        leaf = partial(_update_leaf, mu=self.momentum, beta=self.adam_beta)
        adam = uses_adam(params, self.adam)
        old = (params, updates, squares)
        done = jax.tree.map(leaf, *old, self._pull(vjp, delta), rates, adam)
        new = tuple(
            jax.tree.map(lambda three, i=i: three[i], done, is_leaf=lambda x: isinstance(x, tuple))
            for i in range(3)
        )
        checks = [jnp.isfinite(leaf).all() for leaf in jax.tree.leaves(new)]
        finite = jnp.all(jnp.stack(checks))
        return *jax.tree.map(partial(jnp.where, finite), new, old), finite


def _result(judged: Judged, shape: tuple[int, ...]) -> StepResult:
    probs = np.zeros(shape, np.float32)
    probs[: len(judged.probs), 0] = judged.probs
    return StepResult(
        loss=np.array([judged.rms]),  # type: ignore[arg-type]
        rms=np.array([judged.rms]),  # type: ignore[arg-type]
        delta=np.array([judged.wrong]),  # type: ignore[arg-type]
        probs=probs,  # type: ignore[arg-type]
        steps=np.array([len(judged.probs)], np.int32),  # type: ignore[arg-type]
        finite=np.array(judged.targets is not None),  # type: ignore[arg-type]
    )
