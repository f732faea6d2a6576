"""Lower learning rates after a divergence or a stall.

With one rate for all layers it falls by the root of one half. With a rate for each layer, the
layers are found whose next steps would more often turn back if their rate stayed: a line is
learned from twice, and the second step compared with the first, weight by weight.
Source: Tesseract src/training/unicharset/lstmtrainer.cpp, ReduceLayerLearningRates;
src/lstm/weightmatrix.cpp, CountAlternators.
"""

from dataclasses import dataclass, replace

import jax
import numpy as np

from lstmjax.array_types import Params
from lstmjax.netspec.tree import Node, walk, weight_count
from lstmjax.nn.convert import Writing, record_of
from lstmjax.training.state import Moments
from lstmjax.training.tesseract.lines import Page, Refusal
from lstmjax.training.tesseract.step import uses_adam
from lstmjax.training.tesseract.trainer import LineTrainer, Trainer

DECAY = 0.5**0.5
_SAMPLES = 100
_IMPROVED = np.float32(15 / 16)  # of the share of steps that turn back
_DOWN, _SAME = 0, 1


@dataclass(frozen=True)
class Layer:
    """A layer that is no container: its place among all such, its node, and its path."""

    number: int
    node: Node
    path: tuple[str, ...]

    def of(self, tree: Params) -> Params:
        """The part of a params-shaped tree that belongs to this layer."""
        for key in self.path:
            tree = tree[key]
        return tree

    def put(self, tree: Params, part: Params) -> Params:
        """The tree with another part for this layer."""
        return _put(tree, self.path, part)


def _put(tree: Params, path: tuple[str, ...], part: Params) -> Params:
    if not path:
        return part
    return {**tree, path[0]: _put(tree[path[0]], path[1:], part)}


def layers_of(root: Node) -> list[Layer]:
    """All layers that are no containers, in network order."""
    found = enumerate(walk(root))
    return [Layer(i, node, tuple(path.split(":")[1:])) for i, (path, node) in found]


def scaled(rate: np.floating | float, factor: np.floating | float) -> np.float32:
    """A float32 rate times a factor, multiplied in double precision as the original does."""
    return np.float32(float(rate) * float(factor))


def reduce_rates(
    learner: LineTrainer, root: Node, trainer: Trainer, *, layer_rates: bool
) -> tuple[Trainer, str]:
    """Lower the learning rates of a trainer.

    Args:
      learner: forward pass and gradients; prints what is found about each layer.
      root: the network.
      trainer: trainer before; only its rates change.
      layer_rates: whether every layer has a rate of its own.
    Returns: the trainer, and what the report says.
    """
    # One rate for all: no search, the original just multiplies it.
    if not layer_rates:
        trainer = trainer.with_rates(
            jax.tree.map(lambda rate: scaled(rate, DECAY), trainer.moments.rates)
        )
        rate = float(jax.tree.leaves(trainer.moments.rates)[0])
        return trainer, f"\nReduced learning rate to :{rate:f}\n"
    layers = [layer for layer in layers_of(root) if weight_count(layer.node)]
    sums = _count_alternations(learner, trainer, layers)
    lowered = [layer for layer in layers if _tell(learner, trainer, layer, sums[layer.number])]
    lowered = lowered or layers  # so that another try is not the same again
    rates = trainer.moments.rates
    factor = np.float32(DECAY)
    for layer in lowered:
        part = jax.tree.map(lambda rate: scaled(rate, factor), layer.of(rates))
        rates = layer.put(rates, part)
    return trainer.with_rates(rates), f"\nReduced learning rate on layers: {len(lowered)}\n"


def _tell(learner: LineTrainer, trainer: Trainer, layer: Layer, sums: np.ndarray) -> bool:
    """Print what was found about a layer; whether its rate should fall."""
    rate = np.float32(jax.tree.leaves(layer.of(trainer.moments.rates))[0])
    # sums[way] = (bad, ok); a layer without any step gives 0 / 0, which reduces nothing.
    with np.errstate(invalid="ignore", divide="ignore"):
        bad = sums[:, 0] / (sums[:, 0] + sums[:, 1])
    reduced = bool(bad[_DOWN] < bad[_SAME] * _IMPROVED)
    learner.say(
        f"Layer {layer.number}={layer.node.name}: "
        f"lr {rate * np.float32(DECAY):g}->{100 * float(bad[_DOWN]):g}%, "
        f"lr {rate:g}->{100 * float(bad[_SAME]):g}%" + (" REDUCED" if reduced else " SAME")
    )
    return reduced


def _count_alternations(
    learner: LineTrainer, trainer: Trainer, layers: list[Layer]
) -> dict[int, np.ndarray]:
    """How much steps turn back and go on: for each layer [2 ways, (bad, ok)] float32 sums."""
    trainer = replace(trainer, state=jax.device_get(trainer.state))
    mu = learner.step.momentum
    # Momentum makes lasting steps 1 / (1 - mu) times as long; the trial takes such a step at once.
    same = np.float32(1) / (np.float32(1) - mu)
    ways = {_DOWN: np.float32(same * np.float32(DECAY)), _SAME: same}
    sums = {layer.number: np.zeros((2, 2), np.float32) for layer in layers}
    for serial in range(
        trainer.progress.sample_iteration, trainer.progress.sample_iteration + _SAMPLES
    ):
        trial = _Trial.of(learner, trainer, serial)
        if trial is None:
            continue
        for layer in layers:
            for way, factor in ways.items():
                before, after = trial.steps(layer, factor)
                _add_products(sums[layer.number][way], before, after)
    return sums


def _add_products(sums: np.ndarray, before: list[np.ndarray], after: list[np.ndarray]) -> None:
    """Add the products of steps to (bad, ok), one after the other in float32."""
    for one, two in zip(before, after, strict=True):
        products = (two * one).reshape(-1)
        for place, chosen in ((0, -products[products < 0]), (1, products[~(products < 0)])):
            chosen = np.concatenate([sums[place : place + 1], chosen])
            sums[place] = np.add.accumulate(chosen, dtype=np.float32)[-1]


@dataclass(frozen=True, eq=False)
class _Trial:
    """A line learned from once, without a change of weights; and how to learn from it again.

    Attributes:
      learner: forward pass, targets and gradients.
      trainer: before the line.
      page: the line as it is met the second time, with other random numbers.
      gradient: gradient of the first time; zeros if the line was not learned from.
      hold_perfect: whether it is left out the second time if it is perfect then.
    """

    learner: LineTrainer
    trainer: Trainer
    page: Page
    gradient: Params
    hold_perfect: bool

    @classmethod
    def of(cls, learner: LineTrainer, trainer: Trainer, serial: int) -> "_Trial | None":
        """Learn from the line at a place of the run; None if it is unusable."""
        page = learner.source.load(serial)
        if isinstance(page, Refusal):
            for _ in range(2):  # once for each way
                learner.tell(page.texts)
            return None
        params = trainer.state.params
        progress = trainer.progress
        outputs = learner.forward(params, page)
        judged = learner.step.judge(outputs, page.codes)
        if judged.targets is None:
            return None
        held = learner.held(judged, progress)
        gradient = jax.tree.map(np.zeros_like, params)
        if not held:
            gradient = jax.device_get(learner.step.gradient(outputs, judged))
        last_perfect = progress.last_perfect if judged.wrong else progress.training_iteration
        hold = progress.training_iteration + 1 <= (
            last_perfect + learner.config.perfect_sample_delay
        )
        return cls(learner, trainer, learner.source.again(page, serial + 1), gradient, hold)

    def steps(self, layer: Layer, factor: np.float32) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """The first and the second step of a layer, as matrices in file order.

        Args:
          layer: the only one whose weights change in between.
          factor: on its learning rate.
        """
        moments: Moments = self.trainer.moments
        rates = jax.tree.map(lambda rate: scaled(rate, factor), layer.of(moments.rates))
        first = jax.tree.map(np.multiply, rates, layer.of(self.gradient))
        params = self.trainer.state.params
        moved = layer.put(params, self._moved(layer, first))
        outputs = self.learner.forward(moved, self.page)
        judged = self.learner.step.judge(outputs, self.page.codes)
        if judged.targets is None or (judged.wrong == 0 and self.hold_perfect):
            second = jax.tree.map(np.zeros_like, first)
        else:
            gradient = jax.device_get(self.learner.step.gradient(outputs, judged))
            second = jax.tree.map(np.multiply, rates, layer.of(gradient))
        return _matrices(layer.node, first), _matrices(layer.node, second)

    def _moved(self, layer: Layer, step: Params) -> Params:
        """The layer's weights after a step that was held back is taken."""
        # An update at rate 0: the kept step times mu, the squares times beta, as in the original.
        mu, beta = self.learner.step.momentum, self.learner.step.adam_beta
        everywhere = uses_adam(self.trainer.state.params, self.learner.step.adam)

        def move(weight, u, square, by_adam: bool):
            if not by_adam or mu <= 0:
                return weight + u if mu > 0 else weight
            with np.errstate(invalid="ignore", divide="ignore"):
                # In double precision from the root on, as in every update.
                change = (u * mu).astype(np.float64) / np.sqrt((square * beta).astype(np.float64))
                return (weight + change).astype(np.float32)

        return jax.tree.map(
            move,
            layer.of(self.trainer.state.params),
            step,
            layer.of(self.trainer.moments.squares),
            layer.of(everywhere),
        )


def _matrices(node: Node, part: Params) -> list[np.ndarray]:
    """The matrices of a layer as a file holds them, float32."""
    record = record_of(node, part, Writing(training=2, flags=0))
    return [m.weights.astype(np.float32) for each in record.walk() for m in each.matrices]
