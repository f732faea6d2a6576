"""Whole networks against the numbers of Tesseract 5.3.0, and lines in batches against lines alone.

The root mean squares are what `lstmtraining --max_iterations 1` stored in its checkpoint for the
first line of a real file: image, noise, forward pass and targets are in them.
"""

import functools
from dataclasses import dataclass

import helpers
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from infer.models import english, fresh

from lstmjax.charset.codec import Codec
from lstmjax.ctc.targets import ctc_targets, normalise_probs, simple_text_targets
from lstmjax.data.borders import draw_borders
from lstmjax.data.image import normalise
from lstmjax.data.random import MinStd
from lstmjax.data.store import ImageStore
from lstmjax.exact.forward import forward, pack
from lstmjax.formats import traineddata
from lstmjax.infer.choose import make_forward
from lstmjax.infer.forward import LineToRead
from lstmjax.netspec.parse import parse
from lstmjax.netspec.tree import Convolve, Dense, Maxpool, Series
from lstmjax.nn.build import _Builder, as_usual, build
from lstmjax.nn.combine import series
from lstmjax.nn.dense import dense
from lstmjax.nn.layer import Extent
from lstmjax.nn.window import convolve, maxpool
from lstmjax.training.compiling import available

B = "[1,32,0,1 Ct3,3,8 Mp3,3 Lfys16 Lbx24 O1c1]"
FIXED_WIDTH = "[1,32,500,1 Ct3,3,4 Mp3,3 Lfys8 O1c1]"
VARIABLE_HEIGHT = "[1,0,0,1 Ct3,3,4 Mp3,3 Lfys8 O1c1]"
FIRST_LINE_RMS = {
    "[1,20,0,1 Ct3,3,8 Mp2,2 L2xy8 Lfys16 Lfx24 O1c1]": 0.0845924393282,
    B: 0.0853966393763,
    "[1,1,0,32 Lbx32 O1c1]": 0.0890871205103,
    "[1,32,0,1 Ct3,3,8 Mp3,3 Lfys16 LE24]": 0.0854029858498,
    "[1,32,0,1 Ct3,3,8 Mp3,3 Lfys16 LS24]": 0.0854802791782,
    "[1,32,0,1 Ct3,3,8 Mp3,3 Lfys16 Lfx24 O1s1]": 0.0945501349604,
    "[1,32,0,3 Ct3,3,4 Mp3,3 Lfys8 O1c1]": 0.0854519520691,
    FIXED_WIDTH: 0.0885383937020,
    VARIABLE_HEIGHT: 0.0868800259186,
    "[1,1,0,32 (Lfx8 Lrx8) O1c1]": 0.0890132302768,
    "[1,32,0,1 S4,2 Lfys8 Lby8 O1c1]": 0.0867871135070,
    "[1,32,0,1 Ct3,3,4 L2yx4 Lfys4 O1c1]": 0.0891238447445,
    "[1,32,0,1 Ct3,3,4 Mp8,4 Lfys4 Rx[Lfx4 Cl1,1,4] Cp1,1,5 Cn1,1,6 Cs1,1,5 Cm1,1,7 O1c111]": (
        0.0832349264161
    ),
    "[1,32,0,1 Ct3,3,4 Mp3,3 Lfys8 R2Lfx4 Ry[Lrx4 Cr1,1,4] (Lfx4 [Lbx2 Ct1,1,3]) O1c1]": (
        0.0853492418370
    ),
}


@functools.cache
def first_line(spec):
    """The model at the start of training, its outputs for the first line, and the line's codes."""
    codec, index = english()
    model = fresh(spec, codec)
    pixels = ImageStore(index, model.input_shape, 0).scaled(0).pixels
    probs = make_forward(model).probs([LineToRead(pixels, sample=0)], batch=1)[0]
    return model, probs, codec.encode(index.text(0))


def labels_of(codes, null_char):
    labels = np.full(2 * len(codes) + 1, null_char, np.int32)
    labels[1::2] = codes
    return labels


@pytest.mark.parametrize("spec", FIRST_LINE_RMS)
def test_first_line_has_the_error_of_the_real_trainer(spec):
    model, probs, codes = first_line(spec)
    if model.simple_text:
        targets = simple_text_targets(codes, len(probs), probs.shape[1], model.null_char)
    else:
        probs = normalise_probs(probs)
        targets = ctc_targets(probs, labels_of(codes, model.null_char), model.null_char)
    assert targets is not None
    rms = np.sqrt(np.square(targets - probs, dtype=np.float64).mean())
    assert rms == pytest.approx(FIRST_LINE_RMS[spec], abs=2e-9)


@functools.cache
def layers_of_b():
    """What comes out of each layer of net B for the first line: [H, W, D]."""
    codec, index = english()
    model = fresh(B, codec)
    pixels = ImageStore(index, model.input_shape, 0).scaled(0).pixels
    x = normalise(pixels, model.input_shape, stream := MinStd.for_sample(0))
    borders = draw_borders(model.root, *x.shape[:2], stream)
    children = model.root.children
    parts = [(children[0], children[1].children[0]), *(children[: k + 1] for k in range(1, 6))]
    matrices = pack(model.params)
    return [forward(Series(nodes), matrices, x, borders)[0] for nodes in parts]


@pytest.mark.parametrize(
    ("layer", "place", "shape", "values"),
    [
        (0, (0, 0), (32, 383, 9), [
            -0.8299351, 0.2027052, 0.7832226, 0.9359114, 0.9942913, 0.9942913, -0.6206204,
            0.9942913, 0.9942913,
        ]),
        (0, (0, 1), (32, 383, 9), [0.02995165, 0.9942913, 0.9942913, -0.2039832]),
        (0, (1, 0), (32, 383, 9), [-0.6668346, -0.7732519, 0.3590021, 0.9942913]),
        (1, (0, 0), (32, 383, 8), [
            0.1645967, 0.338166, 0.4186392, -0.1428434, 0.1045988, 0.2633635, -0.237444, -0.3055865,
        ]),
        (2, (0, 0), (10, 127, 8), [
            0.2275524, 0.4178859, 0.4186392, 0.05234579, 0.1045988, 0.2817826, -0.1783466,
            0.07943758,
        ]),
        (3, (0, 0), (1, 127, 16), [0.03856362, -0.02349455, -0.01691504, -0.01811238]),
        (4, (0, 0), (1, 127, 48), [0.0112436, -0.00481351, -0.002569479]),
        (5, (0, 0), (1, 127, 111), [0.009729183, 0.009521821, 0.008576931, 0.008312987]),
    ],
    ids=["borders", "top border", "left border", "conv", "maxpool", "Lfys", "Lbx", "softmax"],
)  # fmt: skip
def test_layers_of_net_b_give_known_values(layer, place, shape, values):
    got = layers_of_b()[layer]
    assert got.shape == shape
    np.testing.assert_allclose(got[place][: len(values)], values, rtol=2e-5, atol=2e-8)


def test_reversed_half_and_null_of_net_b():
    np.testing.assert_allclose(
        layers_of_b()[4][0, 0, 24:27], [-0.01044879, 0.01623098, 0.01136441], rtol=2e-5
    )
    model, probs, _ = first_line(B)
    np.testing.assert_allclose(probs[0, model.null_char], 0.009065947, rtol=2e-6)


def test_first_targets_of_net_b():
    model, probs, codes = first_line(B)
    null = model.null_char
    labels = labels_of(codes, null)
    assert len(labels) == 43
    assert labels[:14].tolist() == [110, 14, 110, 26, 110, 15, 110, 4, 110, 47, 110, 0, 110, 18]
    targets = ctc_targets(normalise_probs(probs), labels, null)
    assert targets is not None
    known = {(0, null): 0.998635, (1, null): 0.998272, (5, 14): 0.662179, (60, null): 0.995979}
    for place, value in known.items():
        assert targets[place] == pytest.approx(value, abs=2e-6)
    assert ((targets > 0.5).sum(1) == 1).all()


def test_initial_weights_are_those_of_the_real_trainer():
    params = first_line(B)[0].params
    conv, last = params["1"]["1"], params["5"]
    first = [-0.0999955088, -0.0829935148, 0.0202705208, 0.0783222541]
    np.testing.assert_allclose(conv["w"][:4, 0], first, rtol=1e-7)
    known = [
        (conv["b"][7], -0.066920273),
        (params["3"]["0"]["b"][15], 0.0836939588),
        (params["3"]["0"]["wx"][0, 2 * 16], 0.0199698079),
        (params["4"]["0"]["wx"][0, 0], -0.0220315438),
        (params["4"]["0"]["b"][23], 0.00440926151),
        (params["4"]["1"]["0"]["b"][23], -0.0225016717),
        (last["w"][0, 0], -0.0445282906),
        (last["b"][110], -0.0050203912),
    ]
    for got, expected in known:
        assert got == pytest.approx(expected, rel=1e-7)


def test_initial_weights_of_2d_and_softmax_lstms():
    codec, _ = english()
    two_d = fresh("[1,20,0,1 Ct3,3,8 Mp2,2 L2xy8 Lfys16 Lfx24 O1c1]", codec).params["3"]["0"]
    assert two_d["0"]["wx"][0, 0] == pytest.approx(0.0917092711, rel=1e-7)
    assert two_d["0"]["b"][-1] == pytest.approx(0.0894553065, rel=1e-7)
    last = fresh("[1,32,0,1 Ct3,3,8 Mp3,3 Lfys16 LE24]", codec).params["4"]
    assert last["b"][23] == pytest.approx(-0.027333824, rel=1e-7)
    assert last["softmax"]["b"][110] == pytest.approx(0.0675374195, rel=1e-7)


ROOM = 72  # columns of the batches below; a multiple of all x scales
PLACES = 3


@dataclass(frozen=True)
class Running:
    """A compiled network for batches of one shape."""

    root: Series
    params: dict
    apply: object

    @property
    def image_shape(self):
        first = self.root.children[0]
        depth = first.depth
        return (first.height or 16, first.width, depth)

    def run(self, images, fill):
        """Outputs of each image, in a batch with `fill` beyond the images."""
        height, fixed, depth = self.image_shape
        batch = np.full((height, fixed or ROOM, PLACES, depth), fill, np.float32)
        widths = [image.shape[1] for image in images] + [1] * (PLACES - len(images))
        for place, image in enumerate(images):
            batch[:, : image.shape[1], place] = image
        probs, steps = self.apply(  # type: ignore[operator]
            self.params, batch, np.array(widths, np.int32)
        )
        return [np.asarray(probs[: steps[i], i]) for i in range(len(images))]


@functools.cache
def running(spec):
    """Compile a network; its fixed width, if any, is made small."""
    codec = Codec.from_traineddata(
        traineddata.load(helpers.testdata("tesseract-test", "eng.starter.traineddata"))
    )
    model = fresh(spec.replace(",500,", f",{ROOM},"), codec, weight_range=0.4)
    network = build(model.root)

    def apply(params, images, widths):
        logits, steps = network.apply(params, images, widths, None)
        return jax.nn.softmax(logits), steps

    quickly = available({"xla_backend_optimization_level": 0})  # compiled for a few lines only
    compiled = jax.jit(apply, compiler_options=quickly)
    return Running(model.root, model.params, compiled)


@pytest.mark.parametrize("spec", FIRST_LINE_RMS)
@settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_other_lines_and_padding_change_nothing(spec, data):
    model = running(spec)
    height, fixed, depth = model.image_shape
    widths = data.draw(
        st.lists(st.integers(16, ROOM), min_size=PLACES, max_size=PLACES)
        if not fixed
        else st.just([ROOM] * PLACES),
        label="widths",
    )
    random = np.random.default_rng(data.draw(st.integers(0, 99), label="seed"))
    images = [random.normal(size=(height, w, depth)).astype(np.float32) for w in widths]
    together = model.run(images, fill=11.0)
    for image, probs in zip(images, together, strict=True):
        alone = model.run([image], fill=0.0)[0]
        assert probs.shape == alone.shape
        np.testing.assert_allclose(probs, alone, atol=1e-6)


def test_lines_of_a_run_are_read_as_if_alone():
    codec, index = english()
    model = fresh(VARIABLE_HEIGHT, codec)
    store = ImageStore(index, model.input_shape, 1 << 24)
    lines = [LineToRead(store.scaled(i).pixels, sample=i) for i in range(3)]
    reader = make_forward(model)
    together = reader.probs(lines, batch=4)
    for line, probs in zip(lines[:2], together, strict=False):
        np.testing.assert_allclose(reader.probs([line], batch=1)[0], probs, atol=1e-6)


@pytest.mark.parametrize(
    ("conv", "pool", "activation"),
    [
        (Convolve(1, 1, 1), Maxpool(5, 3, 3), "tanh"),
        (Convolve(3, 1, 2), Maxpool(5, 2, 4), "relu"),
        (Convolve(2, 0, 1), Maxpool(5, 1, 2), "lin_tanh"),
        (Convolve(1, 2, 0), Maxpool(5, 4, 1), "logistic"),
    ],
    ids=["3x3 pool 3x3", "colour 3x5 pool 2x4", "1x3 pool 1x2", "5x1 pool 4x1"],
)
def test_fused_convolution_and_pool_equals_its_layers(conv, pool, activation):
    inner = Dense(conv.num_out, 5, activation)
    fused = _Builder(False, as_usual, None).build(Series((Series((conv, inner)), pool)))
    apart = series([convolve(conv, noise_slot=0), dense(inner), maxpool(pool)])
    params = apart.init(jax.random.key(0))
    random = np.random.default_rng(1)
    x = jnp.asarray(random.normal(size=(13, 17, 3, conv.num_in)).astype(np.float32))
    extent = Extent(None, jnp.asarray([17, 11, 5], jnp.int32))
    pull = random.normal(size=(13 // pool.y_scale, 17 // pool.x_scale, 3, 5)).astype(np.float32)

    def objective(layer, wrap):
        def value(params, x):
            y, out = layer.apply(wrap(params), x, extent, None)
            assert out.x is not None
            inside = jnp.arange(y.shape[1])[:, None] < out.x[None, :]
            return jnp.where(inside[None, :, :, None], y * pull, 0).sum(), y

        return jax.jit(jax.value_and_grad(value, argnums=(0, 1), has_aux=True))

    (_, y), gradients = objective(fused, lambda p: {"0": p})(params, x)
    (_, expected), expected_gradients = objective(apart, lambda p: p)(params, x)
    np.testing.assert_allclose(y[:, 0], expected[:, 0], atol=2e-6)
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, atol=2e-5), gradients, expected_gradients
    )


def test_a_network_without_softmax_cannot_be_built():
    from lstmjax.errors import SpecError

    root = parse("[1,8,0,1 Lfys4 O1l1]", 5).root
    with pytest.raises(SpecError, match="must end in a softmax"):
        build(root)
