"""Norms of weights and gradients, layer by layer, from the state of the optimiser.

No gradient is computed for them: Adam's second moment is a running mean of squared gradients, so
its root is the typical size of a gradient, and momentum is a running mean of gradients.
"""

from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
import optax

from lstmjax.array_types import Params
from lstmjax.netspec.tree import Node, walk
from lstmjax.training.config import TrainConfig
from lstmjax.training.fast.optim import core_state
from lstmjax.training.state import Moments
from lstmjax.training.watch import ReportSeen
from lstmjax.view.activations import unique_names


@dataclass(frozen=True)
class WeightedLayer:
    """A layer with weights: its name, and the path of its weights in a params tree."""

    name: str
    keys: tuple[str, ...]

    def of(self, tree: Params) -> list[np.ndarray]:
        """The leaves of this layer in a tree with the structure of params."""
        for key in self.keys:
            tree = tree[key]
        return [np.asarray(leaf) for leaf in jax.tree.leaves(tree)]


def weighted_layers(root: Node, params: Params) -> tuple[WeightedLayer, ...]:
    """All layers with weights, in the order they run; names that occur twice get their place."""
    found = {path: leaf.name or type(leaf).__name__ for path, leaf in walk(root)}
    layers = []
    for path, name in unique_names(found).items():
        keys = tuple(path.split(":")[1:])
        tree = params
        for key in keys:
            tree = tree.get(key, {})
        if jax.tree.leaves(tree):
            layers.append(WeightedLayer(name, keys))
    return tuple(layers)


def size(leaves: list[np.ndarray]) -> float:
    """The Euclidean norm of all leaves together.

    BLAS is avoided: its threads would wait for cores that are training.
    """
    return float(np.sqrt(sum(float(np.square(leaf).sum()) for leaf in leaves)))


class Norms:
    """Compares the weights of a run from report to report."""

    def __init__(self, root: Node, params: Params, config: TrainConfig):
        self.layers = weighted_layers(root, params)
        self._config = config
        self._before: dict[str, list[np.ndarray]] = {}

    def record(self, seen: ReportSeen) -> dict[str, dict[str, float]]:
        """Per layer: norm of the weights and of a gradient, relative change, and learning rate."""
        gradients = self._gradients(seen)
        found: dict[str, dict[str, float]] = {}
        for layer in self.layers:
            weights = layer.of(seen.state.params)
            norm = size(weights)
            found[layer.name] = {
                "weights": norm,
                "gradient": gradients(layer),
                "rate": float(layer.of(seen.rates)[0]),
            }
            before = self._before.get(layer.name)
            if before is not None:
                # In place, because weights are large: `before` first holds the difference.
                for new, old in zip(weights, before, strict=True):
                    np.subtract(new, old, out=old)
                found[layer.name]["change"] = size(before) / max(norm, 1e-30)
                for new, old in zip(weights, before, strict=True):
                    np.copyto(old, new)
            else:
                # A copy: the state is valid only until the watcher returns.
                self._before[layer.name] = [np.array(leaf) for leaf in weights]
        return found

    def _gradients(self, seen: ReportSeen) -> Any:
        """A function from a layer to the typical norm of its gradient."""
        mu, beta = self._config.momentum, self._config.adam_beta
        state = seen.state.opt_state
        # Recipe tesseract keeps Tesseract's moments, recipe fast a state of optax.
        core: Any = state if isinstance(state, Moments) else core_state(state)
        match core:
            case Moments(updates=updates, squares=squares, rates=rates):

                def gradient(layer: WeightedLayer) -> float:
                    # In recipe tesseract layers without Adam have no squares: the root is 0.
                    by_adam = _root_mean(layer.of(squares), beta, seen.iteration)
                    if by_adam or mu <= 0:
                        return by_adam
                    rate = float(layer.of(rates)[0])
                    # Tesseract keeps U = mu * (U + rate * gradient): solved for a steady gradient.
                    return size(layer.of(updates)) * (1 - mu) / max(rate * mu, 1e-30)

                return gradient
            case optax.ScaleByAdamState(count=count, nu=nu):
                return lambda layer: _root_mean(layer.of(nu), beta, int(np.asarray(count)))
            case optax.TraceState(trace=trace):
                # optax keeps trace = gradient + mu * trace: a sum of which 1 - mu is the mean.
                return lambda layer: size(layer.of(trace)) * (1 - mu)
        return lambda layer: float("nan")


def _root_mean(squares: list[np.ndarray], beta: float, updates: int) -> float:
    """The root of a running mean of squares, corrected for the bias of its start at zero."""
    share = 1 - beta ** max(updates, 1)  # the weights of so many terms add up to this
    total = sum(float(leaf.sum()) for leaf in squares)
    return float(np.sqrt(max(total, 0.0) / max(share, 1e-30)))
