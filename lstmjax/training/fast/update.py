"""The network of a run as functions, and its update, as the settings want them."""

from collections.abc import Sequence

import jax

from lstmjax.array_types import Params
from lstmjax.devices import Device
from lstmjax.kernels import jax_calls
from lstmjax.netspec.shape import output_loss
from lstmjax.netspec.tree import Series
from lstmjax.nn.build import Model, build
from lstmjax.training.compiling import options_for
from lstmjax.training.config import TrainConfig
from lstmjax.training.fast.optim import make_optimizer
from lstmjax.training.fast.step import TrainStep, make_train_step


def make_model(root: Series, config: TrainConfig, frozen: Params | None = None) -> Model:
    """Build a network for training.

    Args:
      root: the network.
      config: settings; with precision auto, factors are bfloat16 where the machine multiplies them.
      frozen: True for leaves that no gradient reaches; None if there are none.
    """
    model = build(root, bfloat16=uses_bfloat16(config))
    return model if frozen is None else _holding(model, frozen)


def make_update(
    root: Series,
    config: TrainConfig,
    null_char: int,
    devices: Sequence[Device] = (),
    frozen: Params | None = None,
) -> TrainStep:
    """The compiled update of a run; see `step.make_train_step`.

    Args:
      root: the network.
      config: settings of the run.
      null_char: class of the CTC blank.
      devices: devices that share each batch.
      frozen: True for leaves that no gradient reaches; None if there are none.
    """
    return make_train_step(
        make_model(root, config, frozen),
        make_optimizer(config, num_devices=max(len(devices), 1)),
        null_char=null_char,
        simple_text=output_loss(root) != "ctc",
        devices=devices,
        options=options_for(devices),
        update_options=options_for(devices, elementwise=not config.orthogonalised),
    )


def uses_bfloat16(config: TrainConfig) -> bool:
    """Whether factors of products are bfloat16 on this machine."""
    return config.precision != "float32" and jax_calls.has_pairs()


def _holding(model: Model, frozen: Params) -> Model:
    """The same network without a gradient for some leaves, and without the work it would cost."""

    def apply(params, images, widths, noise):
        held = jax.tree.map(
            lambda leaf, hold: jax.lax.stop_gradient(leaf) if hold else leaf, params, frozen
        )
        return model.apply(held, images, widths, noise)

    return model._replace(apply=apply)
