"""The first update after the outputs of a network were exchanged, as the original does it.

There the copy of the output weights that passes gradients down is made before the weights are
filled in, so it is zero until the first update has renewed it: that update changes the output
layer only. The others still roll on with the momentum they have.
Source: Tesseract src/lstm/weightmatrix.cpp, RemapOutputs, InitBackward.
"""

from typing import Any

import jax
import numpy as np

from lstmjax.nn.headers import mark_output
from lstmjax.training.fast.step import TrainState
from lstmjax.training.tesseract.step import ExactStep, Judged, Outputs


class ExchangedStep(ExactStep):
    """An `ExactStep` whose first update reaches the output layer only."""

    _begun = False

    def update(
        self, state: TrainState, outputs: Outputs, judged: Judged, iteration: int
    ) -> tuple[TrainState, Any]:
        """Train on one line; see `ExactStep.update`."""
        gradient = self.gradient(outputs, judged)
        if not self._begun:
            self._begun = True
            gradient = jax.tree.map(
                lambda sums, is_output: sums if is_output else np.zeros_like(sums),
                gradient,
                mark_output(state.params),
            )
        return self.apply(state, gradient, iteration)
