"""The network run layer by layer is the network."""

import jax
import numpy as np
import pytest

from lstmjax.netspec.parse import parse
from lstmjax.nn.build import build
from lstmjax.nn.numerics import FAST, TESSERACT
from lstmjax.view.activations import LayerTracer, layer_names

K, WIDTH, PADDED = 12, 50, 60
SPECS = {
    "usual": "[1,12,0,1 Ct3,3,4 Mp3,2 Lfys6 Lbx5 Lrx4 O1c1]",
    "2-D": "[1,12,0,1 Ct3,3,4 S2,2 L2xy3 Ct1,1,4 Lbys3 [Lfx4 Lrx5] O1c1]",
    "1-D": "[1,1,0,12 Lfx6 Lbx4 LS8]",
}


def network(spec, numerics):
    root = parse(SPECS[spec], K).root
    model = build(root, numerics)
    image = np.random.default_rng(0).normal(
        size=(1, PADDED, 1, 12) if spec == "1-D" else (12, PADDED, 1, 1)
    )
    return root, model, model.init(jax.random.key(1)), image.astype(np.float32)


@pytest.mark.parametrize(
    ("spec", "numerics"),
    [
        pytest.param("usual", FAST, id="usual"),
        pytest.param("2-D", FAST, id="2-D", marks=pytest.mark.slow),
        pytest.param("1-D", TESSERACT, id="1-D as Tesseract"),
    ],
)
def test_result_and_gradient_are_those_of_the_network(spec, numerics):
    root, model, params, image = network(spec, numerics)
    widths = np.array([WIDTH], np.int32)
    noise = None if numerics is FAST else ()

    T = 25 if spec != "1-D" else WIDTH
    delta = np.random.default_rng(2).normal(size=(T, K)).astype(np.float32)

    @jax.jit
    def expected(image):
        def objective(image):
            logits, steps = model.apply(params, image, widths, noise)
            return (logits[:T, 0] * delta).sum(), (logits, steps)

        gradient, (logits, steps) = jax.grad(objective, has_aux=True)(image)
        return gradient, logits, steps

    gradient, logits, steps = expected(image)
    assert int(steps[0]) == T
    seen = LayerTracer(root, numerics)(params, image, WIDTH, noise, delta)
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
