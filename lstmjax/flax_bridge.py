"""Flax modules as layers of a network, and networks as Flax modules.

    lstmjax.Network.build(net_spec, traineddata, replace=...)   with from_linen(module, num_in)
    lstmjax.to_linen(network).apply({"params": params}, images, widths)

For Flax NNX wrap the latter: `flax.nnx.bridge.ToNNX(module, rngs=...).lazy_init(images, widths)`.
"""

from typing import Any

import jax
import jax.numpy as jnp
from flax import linen
from jaxtyping import Array, Float, Int

from lstmjax.array_types import Activations, Key, Logits, Params
from lstmjax.errors import TrainError
from lstmjax.infer.recognise import LineRecognizer
from lstmjax.nn.build import Model, build
from lstmjax.nn.layer import Extent, Layer, Noise
from lstmjax.training.fast.fit import Network


def from_linen(module: linen.Module, num_in: int) -> Layer:
    """Make a layer of a Flax linen module, for `replace` of `Network.build`.

    The module is called with activations [H, W, B, D] float32 and returns [H, W, B, D']. It must
    keep rows and columns as they are. A module that mixes positions also sees the padding beyond
    the width of a line, whose values are unspecified; write such a layer yourself, with
    `nn.layer.zero_outside`.

    Args:
      module: a module with parameters only.
      num_in: D, features that the module gets: `node.num_in` of the node it replaces.
    Raises: TrainError: the module has state beside its parameters.
    """
    _check_collections(module, num_in)

    def init(key: Key) -> Params:
        return module.init(key, _smallest(num_in)).get("params", {})

    def apply(
        params: Params, x: Activations, extent: Extent, noise: Noise
    ) -> tuple[Activations, Extent]:
        del noise
        y: Any = module.apply({"params": params}, x)
        return y, extent

    return Layer(init, apply)


def _smallest(num_in: int) -> Activations:
    return jnp.zeros((1, 1, 1, num_in), jnp.float32)


def _check_collections(module: linen.Module, num_in: int) -> None:
    variables = jax.eval_shape(lambda: module.init(jax.random.key(0), _smallest(num_in)))
    others = sorted(set(variables) - {"params"})
    if others:
        raise TrainError(
            f"{type(module).__name__} has variables in {', '.join(others)}, but a layer has "
            "parameters only; use a module without them (LayerNorm in the place of BatchNorm, for "
            "example), or make such values parameters"
        )


class LinenNetwork(linen.Module):
    """A whole network; its parameters are the params pytree of the network.

    Attributes:
      model: functions of the network.
    """

    model: Model

    @linen.compact
    def __call__(
        self,
        images: Float[Array, "H W B D"],
        widths: Int[Array, " B"],
        noise: Noise = None,
    ) -> tuple[Logits, Int[Array, " B"]]:
        """Compute logits [T, B, K] and the number of time steps of each line, [B]."""
        names = jax.eval_shape(self.model.init, jax.random.key(0))
        params = {name: self.param(name, self._part, name) for name in names}
        return self.model.apply(params, images, widths, noise)

    def _part(self, key: Key, name: str) -> Params:
        return self.model.init(key)[name]


def to_linen(network: Network | LineRecognizer) -> LinenNetwork:
    """Make a Flax linen module of a network, to be part of a larger one.

    Its parameters are the network's own: what `lstmjax.fit` returns or a file holds can be given as
    `{"params": params}`, and the other way round.

    Args:
      network: a network from `Network.build`, for which `init` draws weights, or a model from
        `lstmjax.load`, for which `init` returns the weights of the file.
    Returns: a module to call with images [H, W, B, D] and widths [B]; it returns logits [T, B, K]
      and the number of time steps of each line.
    Raises: TrainError: an int8 model.
    """
    if isinstance(network, Network):
        return LinenNetwork(network.model)
    loaded = network.model
    if loaded.int_mode:
        raise TrainError("an int8 model cannot be trained; use the float model it was made from")
    weights = jax.tree.map(jnp.asarray, loaded.params)
    return LinenNetwork(Model(lambda key: weights, build(loaded.root).apply))
