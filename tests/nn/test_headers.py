"""Flags and frozen layers: read, stored as plain values, changed."""

import json
from dataclasses import replace

import jax
import numpy as np
import pytest
from formats.format_samples import NetworkMaker

from lstmjax.errors import FormatError, SpecError
from lstmjax.formats import network, nodes
from lstmjax.netspec.parse import parse
from lstmjax.nn.build import build
from lstmjax.nn.convert import Writing, layer_rates_of, moments_of, params_of, record_of, tree_of
from lstmjax.nn.headers import (
    adam_leaves,
    freeze_below,
    from_plain,
    frozen_leaves,
    headers_of,
    to_plain,
    with_flags,
)

SPEC = "[1,12,0,1 Ct3,3,4 Mp3,2 Lfys8 Lbx6 Rx[Lfx4 Ct1,1,3] O1c1]"


def record(spec=SPEC, flags=192):
    root = parse(spec, 5).root
    params = drawn(root)
    zeros = jax.tree.map(np.zeros_like, params)
    return record_of(root, params, Writing(nodes.TRAINING_ON, flags), moments=(zeros, zeros))


def drawn(root):
    """Weights of a network, without the time that its own initialisation takes."""
    shapes = jax.eval_shape(build(root).init, jax.random.key(0))
    random = np.random.default_rng(0)
    return jax.tree.map(lambda s: 0.1 * random.random(s.shape, np.float32), shapes)


def top_level(tree):
    """Which of the top-level layers are marked in all of their leaves."""
    found = {key: set(jax.tree.leaves(below)) for key, below in tree.items()}
    assert all(len(values) == 1 for values in found.values())
    return {int(key) for key, values in found.items() if values == {True}}


def test_headers_are_all_a_record_has_beside_its_matrices():
    made = NetworkMaker().every_kind()
    headers = headers_of(made)
    assert not any(node.matrices or node.softmax for node in headers.walk())
    again = record_of(
        tree_of(made),
        params_of(made),
        Writing(made.training, 0),
        moments=moments_of(made),
        layer_rates=layer_rates_of(made, 0.5),
        like=headers,
    )
    assert to_plain(headers_of(again)) == to_plain(headers)
    assert [node.flags for node in again.walk()][:5] == [192] * 5


def test_plain_headers_come_back_through_json():
    headers = headers_of(NetworkMaker().every_kind())
    again = from_plain(json.loads(json.dumps(to_plain(headers))))
    assert to_plain(again) == to_plain(headers)
    assert network.list_layers(again)[-1].path == network.list_layers(headers)[-1].path


@pytest.mark.parametrize("damage", [{}, {"children": 3}], ids=["empty", "no children"])
def test_damaged_plain_headers_are_refused(damage):
    with pytest.raises(FormatError, match="headers"):
        from_plain(damage and to_plain(headers_of(record())) | damage)


def test_all_layers_of_a_new_network_learn():
    made = record()
    params = params_of(made)
    frozen = frozen_leaves(headers_of(made), params)
    assert jax.tree.structure(frozen) == jax.tree.structure(params)
    assert not any(jax.tree.leaves(frozen))


@pytest.mark.parametrize(
    ("layer", "frozen"),
    [(0, set()), (1, set()), (2, {1}), (3, {1}), (4, {1, 3}), (5, {1, 3, 4}), (6, {1, 3, 4, 5})],
)
def test_layers_below_are_frozen(layer, frozen):
    made = record()
    headers = freeze_below(headers_of(made), layer)
    assert top_level(frozen_leaves(headers, params_of(made))) == frozen
    assert to_plain(freeze_below(headers, 0)) == to_plain(headers_of(made))


@pytest.mark.parametrize("layer", [-1, 7, 100])
def test_something_must_be_left_to_train(layer):
    with pytest.raises(SpecError, match="nothing to train; the network has layers 0 to 6"):
        freeze_below(headers_of(record()), layer)


def test_flags_go_to_every_node_but_a_root_without_any():
    made = headers_of(record(flags=192))
    assert {node.flags for node in with_flags(made, 64).walk()} == {64}
    bare = replace(made, flags=0, learning_rates=None)
    changed = with_flags(bare, 128)
    assert changed.flags == 0
    assert {node.flags for child in changed.children for node in child.walk()} == {128}
    assert all(node.learning_rates is None for node in changed.walk())


def test_adam_is_a_matter_of_each_node_and_not_of_inner_softmaxes():
    made = record("[1,12,0,1 Ct3,3,4 Mp3,2 Lfys8 LS6]")
    headers = headers_of(made)
    children = list(headers.children)
    children[1] = with_flags(children[1], 64)
    adam = adam_leaves(replace(headers, children=tuple(children)), params_of(made))
    assert not any(jax.tree.leaves(adam["1"]))
    assert all(jax.tree.leaves(adam["3"]))
    assert adam["4"]["wx"] is True
    assert set(adam["4"]["softmax"].values()) == {False}
