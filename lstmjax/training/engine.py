"""What the recipes do differently: the arithmetic of the network and the update."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
import optax

from lstmjax.array_types import Params
from lstmjax.devices import Device
from lstmjax.errors import UsageError
from lstmjax.formats.nodes import NetworkNode
from lstmjax.kernels import jax_calls
from lstmjax.netspec.shape import output_loss
from lstmjax.netspec.tree import Series
from lstmjax.nn.build import Model, build
from lstmjax.nn.headers import adam_leaves, frozen_leaves
from lstmjax.training.config import TrainConfig
from lstmjax.training.fast.compiling import options_for
from lstmjax.training.fast.optim import check_direction, make_optimizer
from lstmjax.training.fast.step import TrainStep, make_train_step
from lstmjax.training.tesseract.exchanged import ExchangedStep
from lstmjax.training.tesseract.step import ExactStep, init_moments


@dataclass(frozen=True)
class Engine:
    """A network and its update, for one recipe.

    Attributes:
      root: the network.
      config: settings.
      model: its functions; no gradient reaches the frozen layers.
      frozen: True for leaves that no gradient reaches; None if there are none.
      adam: whether Adam updates; by leaf if layers differ (recipe tesseract only).
      exchanged: whether the outputs are new and not trained yet.
    """

    root: Series
    config: TrainConfig
    model: Model
    frozen: Params | None = None
    adam: bool | Params = True
    exchanged: bool = False

    @property
    def exact(self) -> bool:
        """Whether this computes as Tesseract does, number for number."""
        return self.config.recipe == "tesseract"

    def init(self, params: Params) -> optax.OptState:
        """The state of the optimiser before the first update.

        Raises: UsageError: the user's own optimiser goes uphill, see `optim.check_direction`.
        """
        if self.exact:
            return init_moments(params, self.config.learning_rate)  # type: ignore[return-value]
        if self.config.optimizer is not None:
            check_direction(self.config.optimizer, params)
        return make_optimizer(self.config).init(params)

    def settle(self, opt_state: optax.OptState) -> optax.OptState:
        """Take the momentum out of frozen layers, so that they keep their weights.

        In recipe tesseract they roll on as in the original.
        """
        if self.exact or self.frozen is None:
            return opt_state
        return tuple(self._settled(part) for part in opt_state)  # type: ignore[union-attr]

    def _settled(self, part: Any) -> Any:
        def still(moments: Params) -> Params:
            return jax.tree.map(
                lambda m, frozen: np.zeros_like(m) if frozen else m, moments, self.frozen
            )

        if isinstance(part, optax.ScaleByAdamState):
            return part._replace(mu=still(part.mu), nu=still(part.nu))
        if isinstance(part, optax.TraceState):
            return part._replace(trace=still(part.trace))
        return part

    def make_step(self, null_char: int, devices: Sequence[Device] = ()) -> TrainStep:
        """The update; see `step.make_train_step` for its arguments.

        Recipe tesseract trains a line at a time, on one device.
        """
        config = self.config
        simple_text = output_loss(self.root) != "ctc"
        if self.exact:
            kind = ExchangedStep if self.exchanged else ExactStep
            return kind(  # type: ignore[return-value]  # its own loop takes it apart
                self.root,
                null_char=null_char,
                simple_text=simple_text,
                adam=self.adam,
                momentum=config.momentum,
                adam_beta=config.adam_beta,
                frozen=self.frozen,
            )
        return make_train_step(
            self.model,
            make_optimizer(config, num_devices=max(len(devices), 1)),
            null_char=null_char,
            simple_text=simple_text,
            devices=devices,
            options=options_for(devices),
            change_options=options_for(devices, elementwise=not config.orthogonalised),
        )


def uses_bfloat16(config: TrainConfig) -> bool:
    """Whether products round their factors to bfloat16, on this machine.

    Raises: UsageError: it asks for bfloat16, which the machine has not.
    """
    if config.recipe == "tesseract" or config.precision == "float32":
        return False
    if jax_calls.has_pairs():
        return True
    if config.precision == "bfloat16":
        raise UsageError(
            "--precision=bfloat16: this machine computes on something else than a CPU with "
            "avx512_bf16; leave it out, or take --precision=float32"
        )
    return False


def make_engine(root: Series, config: TrainConfig, headers: NetworkNode | None = None) -> Engine:
    """Build a network for the recipe of a configuration.

    Args:
      root: the network.
      config: settings.
      headers: its flags and frozen layers, where they are not the usual ones.
    """
    model = build(root, bfloat16=uses_bfloat16(config))
    if headers is None:
        return Engine(root, config, model, adam=config.adam)
    params = jax.eval_shape(model.init, jax.random.key(0))
    frozen = frozen_leaves(headers, params)
    adam = adam_leaves(headers, params)
    if not any(jax.tree.leaves(frozen)):
        return Engine(root, config, model, adam=adam)
    return Engine(root, config, _holding(model, frozen), frozen, adam)


def _holding(model: Model, frozen: Params) -> Model:
    """The same network without a gradient for some leaves, and without the work it would cost."""

    def apply(params, images, widths, noise):
        held = jax.tree.map(
            lambda leaf, hold: jax.lax.stop_gradient(leaf) if hold else leaf, params, frozen
        )
        return model.apply(held, images, widths, noise)

    return model._replace(apply=apply)
