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
from lstmjax.ctc.targets import line_targets, normalise_probs
from lstmjax.data.borders import Borders
from lstmjax.exact.network import ExactNetwork
from lstmjax.netspec.tree import Series
from lstmjax.nn.headers import mark_output
from lstmjax.simd.compile import float_kernel
from lstmjax.training.state import Moments, TrainState

_NO_CORRECTION_AFTER = 200_000  # updates without bias correction from here on
_EPSILON = np.float32(1e-8)
_EXPONENT = 0x7F800000  # of a float32 that is infinite or undefined


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
        # float32 before and after each of the two steps, as the original narrows each assignment.
        corrected = np.float32(float(rate) * np.sqrt(1.0 - float(beta) ** n))
        return np.float32(float(corrected) / (1.0 - float(mu) ** n))

    return jax.tree.map(correct, rates, adam)


@float_kernel
def _adam(w, u, v, d, rate, mu, beta, new_w, new_u, new_v):
    """Write what follows on (weights, updates, squares) from gradient d.

    Three loops, because the compiler makes vectors of simple ones only.
    """
    # As in the original, 1 - beta in float32, which is not 0.001, and epsilon times the rate.
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
    """Write what follows on weights and velocity by momentum, without squares."""
    for i in range(len(w)):
        new_u[i] = u[i] + rate * d[i]
    for i in range(len(w)):
        # As in the original, nothing is ever learnt with a momentum of 0.
        new_w[i] = w[i] + new_u[i] if mu > 0 else w[i]
    for i in range(len(w)):
        # Stored with the momentum of the next update already in it, as in the original.
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
      gradient: gradient of the same shape; it points uphill.
      rate: learning rate of the leaf, with the bias correction.
      by_adam: whether Adam updates; else momentum, which leaves the squares.
      at: momentum, beta and iteration of the update.
      new: weights, updates and squares to write.
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
    params: the weights it was made with; tape: residuals for the backward pass.
    """

    probs: np.ndarray
    params: Params
    tape: Any


class Judged(NamedTuple):
    """What a line's outputs are compared with.

    probs: [t, K] outputs, normalised as Tesseract does before it decodes.
    targets: [t, K]; None if the codes do not fit the steps, or the outputs are not finite.
    delta: [t, K] targets minus outputs; zeros without targets.
    wrong: share of steps with a large delta; rms: root mean square of all deltas.
    finite: whether outputs and targets are.
    """

    probs: np.ndarray
    targets: np.ndarray | None
    delta: np.ndarray
    wrong: float
    rms: float
    finite: bool


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

    A state given to `update` is used up. An update after which a weight would be infinite or
    undefined leaves the state as it was.
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
        outputs_remapped: bool = False,
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
          outputs_remapped: whether the outputs were just exchanged for those of another character
            set. In the original, the copy of the output weights that passes gradients down is then
            zero until the first update has renewed it, so that one changes the output layer only;
            the others still roll on with the momentum they have. Source: Tesseract
            src/lstm/weightmatrix.cpp, RemapOutputs, InitBackward.
        """
        self.null_char, self.simple_text = null_char, simple_text
        self.adam = adam
        self.momentum, self.adam_beta = np.float32(momentum), np.float32(adam_beta)
        self.frozen = frozen
        self._output_only = outputs_remapped
        self._pass = ExactNetwork(root, frozen)
        self._spare: list[list[np.ndarray]] | None = None  # room for the next update

    def forward(self, params: Params, images, widths, borders: Sequence[Borders]) -> Outputs:
        """Run the network on one line, images [H, W, 1, D] as wide as it is."""
        if images.shape[1] != int(widths[0]):
            raise ValueError(
                f"expected a line of {int(widths[0])} columns, found {images.shape[1]}"
            )
        params = jax.tree.map(_writable, params)
        # The only line of the batch: [H, W, D].
        y, tape = self._pass.forward(params, np.asarray(images)[:, :, 0], tuple(borders))
        return Outputs(y[0], params, tape)

    def judge(self, outputs: Outputs, codes: np.ndarray) -> Judged:
        """Make the targets of a line with these codes, and compare."""
        probs = outputs.probs
        finite = bool(np.isfinite(probs).all())
        targets = None
        if finite:
            # Decoder, targets and deltas all see these, not the raw outputs.
            probs = probs if self.simple_text else normalise_probs(probs)
            targets = line_targets(probs, codes, self.null_char, simple_text=self.simple_text)
            finite = targets is None or bool(np.isfinite(targets).all())
        if targets is None or not finite:
            return Judged(probs, None, np.zeros_like(probs), 0.0, 0.0, finite)
        delta = targets - probs
        return Judged(probs, targets, delta, delta_error(delta), float(_rms(delta)), True)

    def gradient(self, outputs: Outputs, judged: Judged) -> Params:
        """The sums that Tesseract keeps for one line; they point uphill."""
        return self._pass.backward(outputs.params, outputs.tape, judged.delta[None])

    def update(
        self, state: TrainState[Moments], outputs: Outputs, judged: Judged, iteration: int
    ) -> tuple[TrainState[Moments], bool]:
        """Train on one line.

        Args:
          state: used up.
          outputs: forward pass over the line.
          judged: outputs compared with targets.
          iteration: training iteration, from 0.
        Returns: the new state, and whether it was taken.
        """
        gradient = self.gradient(outputs, judged)
        if self._output_only:
            self._output_only = False
            gradient = jax.tree.map(
                lambda sums, is_output: sums if is_output else np.zeros_like(sums),
                gradient,
                mark_output(state.params),
            )
        return self.apply(state, gradient, iteration)

    def apply(
        self, state: TrainState[Moments], gradient: Params, iteration: int
    ) -> tuple[TrainState[Moments], bool]:
        """Change the weights by a gradient; see `update`."""
        moments = state.opt_state
        adam = uses_adam(state.params, self.adam)
        at = Rates(float(self.momentum), float(self.adam_beta), iteration + 1)
        flat, structure = jax.tree.flatten(state.params)
        old = [flat, *map(structure.flatten_up_to, (moments.updates, moments.squares))]
        old = [list(map(_writable, leaves)) for leaves in old]
        # Old and new arrays change places at each update, which therefore allocates nothing.
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
        # Not taken: the spare arrays hold waste, the state is as it was.
        if not all(finite):
            return state, False
        self._spare = old
        params, updates, squares = map(structure.unflatten, new)
        return TrainState(params, Moments(updates, squares, moments.rates)), True


def _writable(leaf: Any) -> np.ndarray:
    """A leaf as an array of the host that loops can work on."""
    if type(leaf) is np.ndarray and leaf.flags.carray and leaf.dtype == np.float32:
        return leaf
    return np.require(leaf, np.float32, ["C", "W"])
