"""Each layer against a plain loop: values, gradients, and lines padded into a batch."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from nn import references

from lstmjax.netspec.tree import Convolve, Dense, Lstm, Maxpool, Reconfig, SoftmaxLstm
from lstmjax.nn.build import build
from lstmjax.nn.combine import flip
from lstmjax.nn.dense import dense
from lstmjax.nn.layer import Extent
from lstmjax.nn.lstm import lstm
from lstmjax.nn.lstm2d import lstm2d
from lstmjax.nn.softmax_lstm import softmax_lstm
from lstmjax.nn.window import convolve, maxpool, reconfig

H, WIDTHS, DEPTH = 3, (7, 4, 6), 2
rng = np.random.default_rng(0)
LINES = [rng.normal(size=(H, w, DEPTH)).astype(np.float32) for w in WIDTHS]

CASES = {
    "lstm": (
        lstm(Lstm(DEPTH, 5)),
        references.lstm_rows,
    ),
    "lstm reversed": (
        lstm(Lstm(DEPTH, 5), reverse=True),
        lambda p, x: references.lstm_rows(p, x, reverse=True),
    ),
    "lstm summary": (
        lstm(Lstm(DEPTH, 5, summary=True)),
        lambda p, x: references.lstm_rows(p, x, summary=True),
    ),
    "lstm reversed summary": (
        lstm(Lstm(DEPTH, 5, summary=True), reverse=True),
        lambda p, x: references.lstm_rows(p, x, reverse=True, summary=True),
    ),
    "lstm 2d": (lstm2d(Lstm(DEPTH, 5, two_d=True)), references.lstm_2d),
    "lstm 2d reversed": (
        lstm2d(Lstm(DEPTH, 5, two_d=True), reverse_x=True),
        lambda p, x: references.lstm_2d(p, x[:, ::-1])[:, ::-1],
    ),
    "convolve": (
        convolve(Convolve(DEPTH, 1, 2), noise_slot=0),
        lambda p, x: references.neighbours(x, 1, 2),
    ),
    "maxpool": (maxpool(Maxpool(DEPTH, 3, 2)), lambda p, x: references.cells(x, 3, 2).max(2)),
    "reconfig": (
        reconfig(Reconfig(DEPTH, 2, 3)),
        lambda p, x: references.cells(x, 2, 3).reshape(H // 3, x.shape[1] // 2, -1),
    ),
    "tanh": (
        dense(Dense(DEPTH, 4, "tanh")),
        lambda p, x: jnp.tanh(x @ p["w"] + p["b"][None, None]),
    ),
    "softmax": (
        dense(Dense(DEPTH, 4, "softmax")),
        lambda p, x: jax.nn.softmax(x @ p["w"] + p["b"][None, None]),
    ),
}


def padded(lines, extra=3, fill=9.0):
    """A batch with rubbish beyond each line's width."""
    width = max(line.shape[1] for line in lines) + extra
    x = np.full((H, width, len(lines), DEPTH), fill, np.float32)
    for i, line in enumerate(lines):
        x[:, : line.shape[1], i] = line
    return jnp.asarray(x), jnp.asarray([line.shape[1] for line in lines], jnp.int32)


@pytest.mark.parametrize("name", CASES)
def test_padded_batch_gives_what_a_plain_loop_gives(name):
    layer, reference = CASES[name]
    params = layer.init(jax.random.key(1))
    x, widths = padded(LINES)
    y, extent = jax.jit(layer.apply)(params, x, Extent(None, widths), None)
    for i, line in enumerate(LINES):
        expected = reference(params, line)
        if extent.x is not None:
            assert int(extent.x[i]) == expected.shape[1]
        np.testing.assert_allclose(y[:, : expected.shape[1], i], expected, atol=2e-6)


@pytest.mark.parametrize("name", CASES)
def test_gradients_are_those_of_the_plain_loop(name):
    layer, reference = CASES[name]
    params = layer.init(jax.random.key(2))
    x, widths = padded(LINES, fill=0.5)
    outs = [np.asarray(reference(params, line)) for line in LINES]
    # Small, since errors above a bound are cut on their way back.
    pulls = [0.05 * rng.normal(size=out.shape).astype(np.float32) for out in outs]

    def ours(params, x):
        y, _ = layer.apply(params, x, Extent(None, widths), None)
        return sum((y[:, : p.shape[1], i] * p).sum() for i, p in enumerate(pulls))

    def plain(params, lines):
        return sum((reference(params, a) * p).sum() for a, p in zip(lines, pulls, strict=True))

    got_params, got_x = jax.jit(jax.grad(ours, argnums=(0, 1)))(params, x)
    params_gradient, x_gradients = jax.grad(plain, argnums=(0, 1))(
        params, [jnp.asarray(a) for a in LINES]
    )
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, atol=2e-5), got_params, params_gradient
    )
    for i, expected in enumerate(x_gradients):
        w = expected.shape[1]
        np.testing.assert_allclose(got_x[:, :w, i], expected, atol=2e-5)
        np.testing.assert_array_equal(got_x[:, w:, i], 0)


@pytest.mark.parametrize("binary", [False, True], ids=["LS", "LE"])
def test_softmax_lstm_sees_its_last_answer(binary):
    node = SoftmaxLstm(DEPTH, 4, 6, binary)
    layer = softmax_lstm(node)
    params = layer.init(jax.random.key(3))
    x, widths = padded([line[:1] for line in LINES], fill=0.0) if H == 1 else padded(LINES)
    y, _ = layer.apply(params, x, Extent(None, widths), None)
    sigmoid = jax.nn.sigmoid
    for i, line in enumerate(LINES):
        h = c = np.zeros(4, np.float32)
        fed = np.zeros(node.num_feedback, np.float32)
        for t in range(line.shape[1]):
            z = line[1, t] @ params["wx"] + fed @ params["wf"] + h @ params["wh"] + params["b"]
            ci, gi, gf, go = np.split(np.asarray(z), 4)
            c = sigmoid(gf) * c + sigmoid(gi) * np.tanh(ci)
            h = sigmoid(go) * np.tanh(c)
            p = np.asarray(jax.nn.softmax(h @ params["softmax"]["w"] + params["softmax"]["b"]))
            np.testing.assert_allclose(y[1, t, i], p, atol=1e-6)
            best = int(p.argmax())
            fed = np.array([best >> b & 1 for b in range(3)], np.float32) if binary else p


def test_gradient_of_a_tie_goes_to_the_first_pixel_column_by_column():
    layer = maxpool(Maxpool(1, 2, 2))
    x = jnp.zeros((2, 2, 1, 1)).at[0, 1, 0, 0].set(1.0).at[1, 0, 0, 0].set(1.0)
    gradient = jax.grad(lambda x: layer.apply({}, x, Extent(None, None), None)[0].sum())(x)
    np.testing.assert_array_equal(gradient[:, :, 0, 0], [[0, 0], [1, 0]])


def test_flip_keeps_padding_where_it_is():
    x = jnp.arange(5.0)[None, :, None, None] * jnp.ones((1, 1, 2, 1))
    y = flip(x, jnp.asarray([3, 5], jnp.int32), 1)
    np.testing.assert_array_equal(y[0, :3, 0, 0], [2, 1, 0])
    np.testing.assert_array_equal(y[0, :, 1, 0], [4, 3, 2, 1, 0])


def test_outputs_of_more_than_one_row_are_refused():
    from lstmjax.errors import SpecError
    from lstmjax.netspec.tree import Input, Series

    model = build(Series((Input(1, 4, 0, 1), Dense(1, 3, "softmax"))))
    params = model.init(jax.random.key(0))
    with pytest.raises(SpecError, match="4 rows"):
        model.apply(params, jnp.zeros((4, 5, 1, 1)), jnp.asarray([5], jnp.int32), None)


@pytest.mark.parametrize(("two_d", "times"), [(False, 6), (True, 3)], ids=["1-D", "2-D"])
def test_gradients_of_a_long_line_do_not_explode(two_d, times):
    node = Lstm(4, 32, two_d=two_d)
    layer = (lstm2d if two_d else lstm)(node)
    params = layer.init(jax.random.key(0))
    params = {name: times * leaf if name in ("wh", "wv") else leaf for name, leaf in params.items()}
    params["b"] = params["b"].at[64:96].add(1)  # the gate that keeps the state
    random = np.random.default_rng(0)
    x = jnp.asarray(random.normal(size=(1 + two_d, 900, 1, 4), scale=0.1).astype(np.float32))

    def objective(params):
        y, _ = layer.apply(params, x, Extent(None, None), None)
        return (y * y).sum()

    gradients = jax.jit(jax.grad(objective))(params)
    assert max(float(jnp.abs(leaf).max()) for leaf in jax.tree.leaves(gradients)) < 1e6
