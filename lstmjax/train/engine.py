"""What the recipes do differently: the arithmetic of the network and the update."""

from dataclasses import dataclass

import optax

from lstmjax.array_types import Params
from lstmjax.nn.build import Model, build
from lstmjax.nn.numerics import FAST, TESSERACT
from lstmjax.spec.shape import output_loss
from lstmjax.spec.tree import Series
from lstmjax.train.config import TrainConfig
from lstmjax.train.exact import ExactStep, init_moments
from lstmjax.train.optim import make_optimizer
from lstmjax.train.step import TrainStep, make_train_step


@dataclass(frozen=True)
class Engine:
    """A network and its update, for one recipe."""

    root: Series
    config: TrainConfig
    model: Model

    @property
    def exact(self) -> bool:
        """Whether this computes as Tesseract does, number for number."""
        return self.config.recipe == "tesseract"

    def init(self, params: Params) -> optax.OptState:
        """The state of the optimiser before the first update."""
        if self.exact:
            return init_moments(params, self.config.learning_rate)  # type: ignore[return-value]
        return make_optimizer(self.config).init(params)

    def make_step(self, null_char: int) -> TrainStep:
        """The update; see `step.make_train_step` for its arguments."""
        config = self.config
        simple_text = output_loss(self.root) != "ctc"
        if self.exact:
            return ExactStep(
                self.model,
                null_char=null_char,
                simple_text=simple_text,
                adam=config.adam,
                momentum=config.momentum,
                adam_beta=config.adam_beta,
            )
        return make_train_step(
            self.model, make_optimizer(config), null_char=null_char, simple_text=simple_text
        )


def make_engine(root: Series, config: TrainConfig) -> Engine:
    """Build a network for the recipe of a configuration."""
    exact = config.recipe == "tesseract"
    return Engine(root, config, build(root, TESSERACT if exact else FAST))
