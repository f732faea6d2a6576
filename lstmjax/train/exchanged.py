"""The first update after the outputs of a network were exchanged, as the original does it.

There the copy of the output weights that passes gradients down is made before the weights are
filled in, so it is zero until the first update has renewed it: that update changes the output
layer only. The others still roll on with the momentum they have.
Source: Tesseract src/lstm/weightmatrix.cpp, RemapOutputs, InitBackward.
"""

from functools import partial
from typing import Any

import jax
import numpy as np

from lstmjax.array_types import Params
from lstmjax.nn.headers import mark_output
from lstmjax.train.exact import (
    ExactStep,
    Judged,
    Moments,
    Outputs,
    Rates,
    _update_leaf,
    corrected_rates,
    uses_adam,
)
from lstmjax.train.step import TrainState


class ExchangedStep(ExactStep):
    """An `ExactStep` whose first update reaches the output layer only."""

    _begun = False

    def update(
        self, state: TrainState, outputs: Outputs, judged: Judged, iteration: int
    ) -> tuple[TrainState, Any]:
        """Train on one line; see `ExactStep.update`."""
        if self._begun:
            return super().update(state, outputs, judged, iteration)
        self._begun = True
        below = self._without_gradient(jax.device_get(state), iteration)
        new, taken = super().update(state, outputs, judged, iteration)
        moments: Moments = new.opt_state  # type: ignore[assignment]
        output = mark_output(new.params)

        def merged(whole: Params, calm: Params) -> Params:
            return jax.tree.map(lambda w, c, keep: w if keep else c, whole, calm, output)

        params, updates, squares = map(
            merged, (new.params, moments.updates, moments.squares), below
        )
        history = Moments(updates, squares, moments.rates)
        return TrainState(params, history), taken  # type: ignore[arg-type]

    def _without_gradient(self, state: TrainState, iteration: int) -> tuple[Params, ...]:
        """Weights, updates and squares after an update in which the gradient is zero."""
        moments: Moments = state.opt_state  # type: ignore[assignment]
        at = Rates(float(self.momentum), float(self.adam_beta), iteration + 1)
        adam = uses_adam(state.params, self.adam)
        rates = corrected_rates(moments.rates, adam, at)
        leaf = partial(_update_leaf, mu=self.momentum, beta=self.adam_beta)
        zeros = jax.tree.map(np.zeros_like, state.params)
        done = jax.tree.map(
            leaf, state.params, moments.updates, moments.squares, zeros, rates, adam
        )
        return tuple(
            jax.tree.map(lambda three, i=i: three[i], done, is_leaf=lambda x: isinstance(x, tuple))
            for i in range(3)
        )
