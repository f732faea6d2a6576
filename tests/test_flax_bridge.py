"""Flax modules in our networks, and our networks in Flax modules."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import linen, nnx

import lstmjax
from lstmjax.errors import TrainError
from lstmjax.netspec.tree import Lstm

EXAMPLES = Path(__file__).parents[1] / "examples"
STARTER = EXAMPLES / "demo.traineddata"
LINES = [EXAMPLES / "samples" / f"sample-{number}.png" for number in (1, 2)]
SPEC = "[1,12,0,1 Ct3,3,4 Mp3,2 Lfys8 Lfx12 O1c1]"


class Gated(linen.Module):
    """A layer of two products."""

    features: int

    @linen.compact
    def __call__(self, x):
        gate = linen.sigmoid(linen.Dense(self.features, name="gate")(x))
        return gate * linen.Dense(self.features, name="value")(x)


class Normed(linen.Module):
    """A layer with running means beside its parameters."""

    @linen.compact
    def __call__(self, x):
        return linen.BatchNorm(use_running_average=False)(x)


def gated_lstm(node):
    if isinstance(node, Lstm) and node.name == "Lfx12":
        return lstmjax.from_linen(Gated(node.num_out), node.num_in)
    return None


@pytest.fixture(autouse=True, scope="module")
def optax_may_promote():
    """Let optax's Adam mix integers and floats."""
    with jax.numpy_dtype_promotion("standard"):
        yield


@pytest.fixture(scope="module")
def network():
    return lstmjax.Network.build(SPEC, STARTER)


@pytest.fixture
def lines():
    rng = np.random.default_rng(0)
    images = rng.normal(size=(12, 40, 2, 1)).astype(np.float32)
    return images, np.array([40, 33], np.int32)


def same(one, two):
    jax.tree.map(np.testing.assert_array_equal, one, two)


# -- from linen --------------------------------------------------------------------------------


def test_a_linen_module_learns_as_a_layer():
    network = lstmjax.Network.build(SPEC, STARTER, replace=gated_lstm)
    start = network.init()
    assert set(start["4"]) == {"gate", "value"}
    fitted = lstmjax.fit(network, LINES, optax.adam(1e-2), updates=12)
    assert fitted.losses[-3:].mean() < fitted.losses[:3].mean()
    assert (fitted.params["4"]["gate"]["kernel"] != start["4"]["gate"]["kernel"]).any()


def test_a_module_without_parameters():
    layer = lstmjax.from_linen(linen.Sequential([linen.relu]), 3)
    assert layer.init(jax.random.key(0)) == {}


def test_a_module_with_other_state_is_refused():
    with pytest.raises(TrainError, match=r"Normed has variables in batch_stats.*LayerNorm in"):
        lstmjax.from_linen(Normed(), 3)


# -- to linen ----------------------------------------------------------------------------------


def test_a_network_as_a_module_computes_the_same(network, lines):
    module = lstmjax.to_linen(network)
    variables = module.init(jax.random.key(1), *lines)
    assert set(variables) == {"params"}
    expected = network.init()
    assert jax.tree.map(jnp.shape, variables["params"]) == jax.tree.map(jnp.shape, expected)
    same(module.apply({"params": expected}, *lines), network.model.apply(expected, *lines, None))


@pytest.fixture(scope="module")
def model_file(network, tmp_path_factory):
    """A small model, and its weights."""
    folder = tmp_path_factory.mktemp("model")
    result = lstmjax.train(
        traineddata=STARTER,
        train_listfile=LINES[0],
        net_spec=SPEC,
        model_output=folder / "run",
        max_iterations=2,
        show="nothing",
    )
    result.write_model(folder / "float.traineddata", best=False)
    result.write_model(folder / "int8.traineddata", best=False, int8=True)
    return folder


def test_a_model_file_as_a_module_has_the_weights_of_the_file(network, lines, model_file):
    loaded = lstmjax.load(model_file / "float.traineddata")
    module = lstmjax.to_linen(loaded)
    variables = module.init(jax.random.key(0), *lines)
    same(variables["params"], loaded.model.params)
    logits, steps = module.apply(variables, *lines)
    same((logits, steps), network.model.apply(loaded.model.params, *lines, None))


def test_an_int8_model_is_refused(model_file):
    with pytest.raises(TrainError, match="use the float model"):
        lstmjax.to_linen(lstmjax.load(model_file / "int8.traineddata"))


class Scorer(linen.Module):
    """A model of somebody else's with our network in it."""

    reader: linen.Module

    @linen.compact
    def __call__(self, images, widths):
        logits, _ = self.reader(images, widths)
        return linen.Dense(1, name="score")(logits)[..., 0].mean(0)


def test_a_network_is_trained_inside_a_flax_model(network, lines):
    model = Scorer(lstmjax.to_linen(network))
    variables = model.init(jax.random.key(0), *lines)
    assert set(variables["params"]) == {"reader", "score"}
    gradient = jax.jit(jax.grad(lambda v: model.apply(v, *lines).sum()))(variables)
    assert jax.tree.structure(gradient["params"]["reader"]) == jax.tree.structure(network.init())
    assert all(leaf.any() for leaf in jax.tree.leaves(gradient["params"]["reader"]["4"]))


def test_a_network_as_an_nnx_module(network, lines):
    module = nnx.bridge.ToNNX(lstmjax.to_linen(network), rngs=nnx.Rngs(0)).lazy_init(*lines)
    logits, steps = module(*lines)
    params = nnx.to_pure_dict(nnx.state(module, nnx.Param))
    same((logits, steps), network.model.apply(params, *lines, None))
    optimizer = nnx.Optimizer(module, optax.sgd(0.1), wrt=nnx.Param)
    gradient = nnx.grad(lambda module: module(*lines)[0].sum())(module)
    optimizer.update(module, gradient)
    assert (module(*lines)[0] != logits).any()
