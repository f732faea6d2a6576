"""The update of recipe tesseract: one line at a time, bit for bit as `lstmtraining`.

A line goes forward (`passes`), is judged (targets that are not those of textbook CTC, in double
precision), goes backward, and changes the weights; all on the host, since the original's order of
operations leaves nothing to do at once but sixteen sums (`lanes`).
Source: Tesseract src/training/unicharset/lstmtrainer.cpp, src/lstm/weightmatrix.cpp.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

from lstmjax.array_types import Params
from lstmjax.ctc.error_rates import delta_error
from lstmjax.ctc.targets import ctc_targets, normalise_probs, simple_text_targets
from lstmjax.data.borders import Borders
from lstmjax.exact.network import ExactNetwork
from lstmjax.netspec.tree import Series
from lstmjax.simd.compile import float_kernel
from lstmjax.training.fast.step import TrainState

_NO_CORRECTION_AFTER = 200_000  # updates without bias correction from here on
_EPSILON = np.float32(1e-8)
_EXPONENT = 0x7F800000  # of a float32 that is infinite or undefined


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


@float_kernel
def _adam(w, u, v, d, rate, mu, beta, new_w, new_u, new_v):
    """Write what follows on (weights, updates, squares) from gradient d.

    Three loops, because the compiler makes vectors of simple ones only.
    """
    share, step, epsilon = np.float32(1) - beta, rate * (np.float32(1) - mu), rate * _EPSILON
    for i in range(len(w)):
        new_v[i] = v[i] * beta + share * d[i] * d[i]
    for i in range(len(w)):
        new_u[i] = u[i] * mu + d[i] * step
    for i in range(len(w)):
        # The original takes the root in double precision, and with it all that follows.
        new_w[i] = w[i] + new_u[i] / (np.sqrt(np.float64(new_v[i])) + epsilon)


@float_kernel
def _momentum(w, u, d, rate, mu, new_w, new_u):
    """Likewise without squares."""
    for i in range(len(w)):
        new_u[i] = u[i] + rate * d[i]
    for i in range(len(w)):
        new_w[i] = w[i] + new_u[i] if mu > 0 else w[i]
    for i in range(len(w)):
        new_u[i] *= mu


@float_kernel
def _finite(bits):
    """Whether no float32 with these bits is infinite or undefined."""
    bad = 0
    for i in range(len(bits)):
        bad |= (bits[i] & _EXPONENT) == _EXPONENT
    return not bad


def update_leaf(
    old: Sequence[np.ndarray],
    gradient: np.ndarray,
    rate: np.float32,
    by_adam: bool,
    at: "Rates",
    new: Sequence[np.ndarray],
) -> bool:
    """Update a leaf of the weights.

    Args:
      old: weights, updates and squares, contiguous.
      gradient: of the same shape, uphill.
      rate: of the leaf, corrected.
      by_adam: else by momentum, which keeps the squares.
      at: scalars of the update.
      new: three arrays that are written.
    Returns: whether all of it is finite.
    """
    w, u, v, d, new_w, new_u, new_v = (
        leaf.reshape(-1) for leaf in (*old, np.ascontiguousarray(gradient), *new)
    )
    mu, beta = np.float32(at.momentum), np.float32(at.adam_beta)
    if by_adam and mu > 0:
        _adam(w, u, v, d, rate, mu, beta, new_w, new_u, new_v)
    else:
        new_v[:] = v
        _momentum(w, u, d, rate, mu, new_w, new_u)
    return all(_finite(leaf.view(np.int32)) for leaf in (new_w, new_u, new_v))


class Outputs(NamedTuple):
    """A forward pass over one line.

    probs: [t, K] float32 softmax outputs.
    params: the weights it was made with; tape: what the backward pass needs.
    """

    probs: np.ndarray
    params: Params
    tape: Any


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


@float_kernel
def _rms(delta):
    """The root of the mean square, added up as the original does."""
    total = 0.0
    for t in range(delta.shape[0]):
        for k in range(delta.shape[1]):
            error = np.float64(delta[t, k])
            total += error * error
    return np.sqrt(total / (delta.shape[0] * delta.shape[1]))


class ExactStep:
    """The parts of an update.

    `state.opt_state` is a `Moments`. A state given to `update` is used up. An update after which a
    weight would be infinite or undefined leaves the state as it was.
    """

    def __init__(
        self,
        root: Series,
        *,
        null_char: int,
        simple_text: bool,
        adam: bool | Params,
        momentum: float,
        adam_beta: float,
        frozen: Params | None = None,
    ):
        """Make the update of a network.

        Args:
          root: the network.
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
        self._pass = ExactNetwork(root, frozen)
        self._spare: list[list[np.ndarray]] | None = None  # room for the next update

    def forward(self, params: Params, images, widths, borders: Sequence[Borders]) -> Outputs:
        """Run the network on one line, images [H, W, 1, D] as wide as it is."""
        if images.shape[1] != int(widths[0]):
            raise ValueError(
                f"expected a line of {int(widths[0])} columns, found {images.shape[1]}"
            )
        params = jax.tree.map(_writable, params)
        y, tape = self._pass.forward(params, np.asarray(images)[:, :, 0], tuple(borders))
        return Outputs(y[0], params, tape)

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
        return Judged(probs, targets, delta, delta_error(delta), float(_rms(delta)), True)

    def gradient(self, outputs: Outputs, judged: Judged) -> Params:
        """The sums that Tesseract keeps for one line; they point uphill."""
        return self._pass.backward(outputs.params, outputs.tape, judged.delta[None])

    def update(
        self, state: TrainState, outputs: Outputs, judged: Judged, iteration: int
    ) -> tuple[TrainState, bool]:
        """Train on one line.

        Args:
          state: used up.
          outputs: of the line.
          judged: with targets.
          iteration: training iteration, from 0.
        Returns: the new state, and whether it was taken.
        """
        return self.apply(state, self.gradient(outputs, judged), iteration)

    def apply(self, state: TrainState, gradient: Params, iteration: int) -> tuple[TrainState, bool]:
        """Change the weights by a gradient; see `update`."""
        moments: Moments = state.opt_state  # type: ignore[assignment]
        adam = uses_adam(state.params, self.adam)
        at = Rates(float(self.momentum), float(self.adam_beta), iteration + 1)
        flat, structure = jax.tree.flatten(state.params)
        old = [flat, *map(structure.flatten_up_to, (moments.updates, moments.squares))]
        old = [list(map(_writable, leaves)) for leaves in old]
        if self._spare is None:
            self._spare = [list(map(np.empty_like, leaves)) for leaves in old]
        new, others = self._spare, (gradient, corrected_rates(moments.rates, adam, at), adam)
        finite = [
            update_leaf(before, d, rate, by_adam, at, after)
            for before, d, rate, by_adam, after in zip(
                zip(*old, strict=True),
                *map(structure.flatten_up_to, others),
                zip(*new, strict=True),
                strict=True,
            )
        ]
        if not all(finite):
            return state, False
        self._spare = old
        params, updates, squares = map(structure.unflatten, new)
        return TrainState(params, Moments(updates, squares, moments.rates)), True  # type: ignore[arg-type]


def _writable(leaf: Any) -> np.ndarray:
    """A leaf as an array of the host that loops can work on."""
    if type(leaf) is np.ndarray and leaf.flags.carray and leaf.dtype == np.float32:
        return leaf
    return np.require(leaf, np.float32, ["C", "W"])
