"""The network run layer by layer is the network."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lstmjax.netspec.parse import parse
from lstmjax.netspec.tree import Convolve, Lstm, Series
from lstmjax.nn.build import build
from lstmjax.nn.layer import Layer
from lstmjax.view.activations import LayerTracer, layer_names

K, WIDTH, PADDED = 12, 50, 60
SPECS = {
    "usual": "[1,12,0,1 Ct3,3,4 Mp3,2 Lfys6 Lbx5 Lrx4 O1c1]",
    "2-D": "[1,12,0,1 Ct3,3,4 S2,2 L2xy3 Ct1,1,4 Lbys3 [Lfx4 Lrx5] O1c1]",
    "1-D": "[1,1,0,12 Lfx6 Lbx4 LS8]",
}


def network(spec):
    root = parse(SPECS[spec], K).root
    model = build(root)
    image = np.random.default_rng(0).normal(
        size=(1, PADDED, 1, 12) if spec == "1-D" else (12, PADDED, 1, 1)
    )
    return root, model, model.init(jax.random.key(1)), image.astype(np.float32)


@pytest.mark.parametrize("spec", ["usual", pytest.param("2-D", marks=pytest.mark.slow), "1-D"])
def test_result_and_gradient_are_those_of_the_network(spec):
    root, model, params, image = network(spec)
    widths = np.array([WIDTH], np.int32)

    T = 25 if spec != "1-D" else WIDTH
    delta = np.random.default_rng(2).normal(size=(T, K)).astype(np.float32)

    @jax.jit
    def expected(image):
        def objective(image):
            logits, steps = model.apply(params, image, widths, None)
            return (logits[:T, 0] * delta).sum(), (logits, steps)

        gradient, (logits, steps) = jax.grad(objective, has_aux=True)(image)
        return gradient, logits, steps

    gradient, logits, steps = expected(image)
    assert int(steps[0]) == T
    seen = LayerTracer(root)(params, image, WIDTH, delta)
    assert [layer.name for layer in seen] == list(layer_names(root).values())
    np.testing.assert_allclose(seen[-1].forward[0], np.asarray(logits)[:T, 0], atol=1e-5)
    np.testing.assert_array_equal(seen[-1].backward[0], delta)
    at_input = np.asarray(gradient)[:, :WIDTH, 0]
    np.testing.assert_allclose(seen[0].backward, at_input, atol=1e-4)
    np.testing.assert_array_equal(seen[0].forward, image[:, :WIDTH, 0])


def test_layers_have_the_names_of_model_files():
    names = list(layer_names(parse(SPECS["usual"], K).root).values())
    assert names == [
        "Input", "Convolve", "ConvNL", "Maxpool", "Lfys6", "Lbx5LTR", "Lbx5", "Lrx4", "Output",
    ]  # fmt: skip


def test_names_that_occur_twice_get_their_place():
    root = parse("[1,12,0,1 Lfys6 Lfx5 Lfx5 O1c1]", K).root
    assert list(layer_names(root).values())[2:4] == ["Lfx5 :2", "Lfx5 :3"]


def halving(node):
    """A convolution and an LSTM that Tesseract does not have."""
    whole_convolution = isinstance(node, Series) and isinstance(node.children[0], Convolve)
    if not (whole_convolution or (isinstance(node, Lstm) and node.name == "Lbx5LTR")):
        return None

    def apply(params, x, extent, noise):
        del noise
        return jnp.tile(params["half"] * x[..., :1], node.num_out), extent

    return Layer(lambda key: {"half": jnp.float32(0.5)}, apply)


def test_layers_of_the_users_own_are_shown():
    root, *_, image = network("usual")
    params = build(root, replace=halving).init(jax.random.key(1))
    delta = np.ones((25, K), np.float32)
    seen = {layer.name: layer for layer in LayerTracer(root, halving)(params, image, WIDTH, delta)}
    assert list(seen) == list(layer_names(root, halving).values())
    assert list(seen)[:2] == ["Input", "ConvSeries"]
    convolution, below = seen["ConvSeries"].forward, seen["Input"].forward
    np.testing.assert_array_equal(convolution, np.tile(0.5 * below, 4))
    own, below = seen["Lbx5LTR"], seen["Lfys6"]
    np.testing.assert_array_equal(own.forward, np.tile(0.5 * below.forward[..., :1], 5))
    assert own.backward.any()
