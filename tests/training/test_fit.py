"""Training in memory, with layers and optimisers of one's own."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from PIL import Image
from training.small import EXAMPLES

import lstmjax
from lstmjax.errors import DataError, SpecError, TrainError
from lstmjax.netspec.tree import Lstm
from lstmjax.nn.layer import Layer

SPEC = "[1,12,0,1 Ct3,3,4 Mp3,2 Lfys8 Lfx12 O1c1]"
STARTER = EXAMPLES / "demo.traineddata"
LINES = [EXAMPLES / "samples" / f"sample-{number}.png" for number in (1, 2)]


def running_mean(node):
    """A layer that Tesseract does not have, in place of the LSTM over x."""
    if not (isinstance(node, Lstm) and node.name == "Lfx12"):
        return None

    def init(key):
        return {"mix": 0.3 * jax.random.normal(key, (node.num_in, node.num_out), jnp.float32)}

    def apply(params, x, extent, noise):
        del noise
        steps = jnp.arange(1, x.shape[1] + 1, dtype=jnp.float32).reshape(1, -1, 1, 1)
        return jnp.tanh((jnp.cumsum(x, axis=1) / steps) @ params["mix"]), extent

    return Layer(init, apply)


@pytest.fixture(scope="module")
def usual():
    return lstmjax.Network.build(SPEC, STARTER)


def test_losses_fall(usual):
    seen = []
    fitted = lstmjax.fit(
        usual, LINES, optax.adam(1e-2), updates=40, on_update=lambda *each: seen.append(each)
    )
    assert [number for number, _ in seen] == list(range(1, 41))
    assert fitted.losses.dtype == np.float32
    assert fitted.losses[-5:].mean() < 0.5 * fitted.losses[:5].mean()
    assert 0 < usual.validator(LINES).scores(fitted.params).cer <= 1


def test_same_seed_same_weights(usual):
    one, two, other = (
        lstmjax.fit(usual, LINES, optax.sgd(1e-2), updates=2, seed=seed).params
        for seed in (1, 1, 2)
    )
    jax.tree.map(np.testing.assert_array_equal, one, two)
    assert not np.array_equal(one["4"]["wx"], other["4"]["wx"])


def test_lines_may_be_augmented(usual):
    plain, one, two = (
        lstmjax.fit(usual, LINES, optax.sgd(1e-2), updates=2, augment=strength).losses
        for strength in (0, 1, 1)
    )
    np.testing.assert_array_equal(one, two)
    assert (one != plain).all()


def test_given_weights_are_not_changed(usual):
    params = usual.init()
    before = jax.tree.map(np.array, params)
    lstmjax.fit(usual, LINES, optax.sgd(1e-1), updates=1, params=params)
    jax.tree.map(np.testing.assert_array_equal, params, before)


def test_own_layer_learns():
    network = lstmjax.Network.build(SPEC, STARTER, replace=running_mean)
    assert set(network.init()["4"]) == {"mix"}
    fitted = lstmjax.fit(network, LINES, optax.adam(1e-2), updates=12)
    assert not np.array_equal(fitted.params["4"]["mix"], network.init()["4"]["mix"])
    assert fitted.losses[-3:].mean() < fitted.losses[:3].mean()


def test_update_that_is_not_finite(usual):
    broken = jax.tree.map(lambda leaf: leaf * np.float32(np.nan), usual.init())
    with pytest.raises(TrainError, match="update 1 is not finite"):
        lstmjax.fit(usual, LINES, optax.sgd(1e-2), updates=3, params=broken)


def test_unusable_lines_are_named(usual, tmp_path, capsys):
    image, text = Image.new("L", (60, 20), 255), tmp_path / "bad.gt.txt"
    image.save(tmp_path / "bad.png")
    text.write_text("漢")
    lstmjax.fit(usual, [tmp_path / "bad.png", *LINES], optax.sgd(1e-2), updates=1)
    assert "U+6F22" in capsys.readouterr().err
    with pytest.raises(DataError, match="none of the"):
        usual.validator([tmp_path / "bad.png"])


def test_bad_net_spec():
    with pytest.raises(SpecError):
        lstmjax.Network.build("[1,12,0,1 Lfx8]", STARTER)
