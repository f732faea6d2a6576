"""Networks with layers of the user's own in them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lstmjax.netspec.parse import parse
from lstmjax.netspec.tree import (
    Convolve,
    Dense,
    Lstm,
    Maxpool,
    Node,
    Parallel,
    Series,
    children,
    walk,
)
from lstmjax.nn.build import build
from lstmjax.nn.dense import dense
from lstmjax.nn.layer import Layer
from lstmjax.nn.lstm import lstm
from lstmjax.nn.window import maxpool

SPEC = "[1,12,0,1 Ct3,3,4 Mp3,3 Lfys8 Lbx6 O1c9]"


def outputs(replace=None):
    root = parse(SPEC, 9).root
    model = build(root) if replace is None else build(root, replace=replace)
    params = model.init(jax.random.key(1))
    images = jax.random.normal(jax.random.key(2), (12, 30, 2, 1), jnp.float32)
    return params, model.apply(params, images, jnp.asarray([30, 17], jnp.int32), None)


def same(node: Node) -> Layer | None:
    """The usual layer of a node, given as if it were the user's own."""
    match node:
        case Lstm():
            return lstm(node)
        case Maxpool():
            return maxpool(node)
        case Dense(activation="tanh"):
            return dense(node)
    return None


@pytest.mark.parametrize("kind", [Lstm, Maxpool, Dense], ids=lambda kind: kind.__name__)
def test_the_usual_layer_as_own_changes_nothing(kind):
    params, (logits, steps) = outputs()
    own_params, (own, own_steps) = outputs(lambda n: same(n) if isinstance(n, kind) else None)
    assert jax.tree.structure(own_params) == jax.tree.structure(params)
    np.testing.assert_array_equal(own_steps, steps)
    for line, count in enumerate(steps.tolist()):
        np.testing.assert_allclose(own[:count, line], logits[:count, line], atol=1e-5)


def zeros(node: Node, rows: int = 1) -> Layer:
    """A layer that says nothing, with a parameter of its own."""

    def apply(params, x, extent, noise):
        del noise
        return jnp.broadcast_to(params["level"], (*x.shape[:3], node.num_out)), extent

    return Layer(lambda key: {"level": jnp.full(node.num_out, rows, jnp.float32)}, apply)


@pytest.mark.parametrize(
    "wanted",
    [
        lambda node: isinstance(node, Dense) and node.activation == "tanh",
        lambda node: isinstance(node, Series) and isinstance(node.children[0], Convolve),
        lambda node: isinstance(node, Lstm) and node.name.startswith("Lbx"),
    ],
    ids=["inside a convolution", "whole convolution", "both ways"],
)
def test_own_layer_is_used(wanted):
    params, _ = outputs(lambda node: zeros(node) if wanted(node) else None)
    assert any("level" in str(path) for path, _ in jax.tree_util.tree_leaves_with_path(params))


def test_usual_network_does_not_change():
    one, two = outputs()[1], outputs(lambda node: None)[1]
    np.testing.assert_array_equal(one[0], two[0])


def outputs_wrapped(wrap, spec=SPEC, replace=same):
    root = parse(spec, 9).root
    model = build(root, replace=replace, wrap=wrap)
    params = model.init(jax.random.key(1))
    images = jax.random.normal(jax.random.key(2), (12, 30, 2, 1), jnp.float32)
    return params, model.apply(params, images, jnp.asarray([30, 17], jnp.int32), None)


@pytest.mark.parametrize("own", [False, True], ids=["usual layers", "own layers"])
def test_every_node_is_wrapped(own):
    paths = {}

    def record(path, node, layer):
        paths[path] = node
        return layer

    replace = same if own else lambda node: None
    params, (logits, steps) = outputs_wrapped(record, replace=replace)
    expected_params, (expected, _) = outputs()
    assert jax.tree.structure(params) == jax.tree.structure(expected_params)
    for line, count in enumerate(steps.tolist()):
        np.testing.assert_allclose(logits[:count, line], expected[:count, line], atol=1e-5)
    root = parse(SPEC, 9).root
    assert paths[""] == root
    assert {path: node for path, node in paths.items() if not children(node)} == dict(walk(root))


def test_a_wrapped_layer_takes_the_place_of_the_layer():
    def silent_above(path, node, layer):
        return zeros(node) if path == ":4" else layer

    params, _ = outputs_wrapped(silent_above)
    assert set(params["4"]) == {"level"}


def test_layers_inside_a_replaced_node_do_not_run_and_are_not_wrapped():
    paths = []

    def record(path, node, layer):
        paths.append(path)
        return layer

    def whole(node):
        return zeros(node) if isinstance(node, Parallel) else None

    outputs_wrapped(record, replace=whole)
    assert ":4" in paths
    assert not [path for path in paths if path.startswith(":4:")]
