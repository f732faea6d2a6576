"""Forward and backward of whole networks against plain loops in double precision."""

import jax
import numpy as np
import pytest
from exact import oracle

from lstmjax.data.borders import draw_borders
from lstmjax.data.random import MinStd
from lstmjax.exact import tables
from lstmjax.exact.forward import forward, pack
from lstmjax.exact.network import ExactNetwork
from lstmjax.netspec.parse import parse
from lstmjax.netspec.tree import Input
from lstmjax.nn.build import build

NETWORKS = {
    "tutorial": "[1,12,0,1 Ct3,3,4 Mp3,3 Lfys5 Lfx6 Lrx7 O1c5]",
    "bidi": "[1,1,0,12 Lbx5 O1c5]",
    "quad": "[1,12,0,1 S4,2 L2xy4 Ct1,1,6 S3,1 Lbx6 O1c5]",
    "two rows": "[1,12,0,1 Ct3,3,3 Mp6,2 L2yx5 Lbx4 Lfys4 O1c5]",
    "encoded": "[1,12,0,1 Ct3,3,4 Mp3,3 Lfys4 LE6]",
    "softmax": "[1,12,0,1 Ct3,3,4 Mp3,3 Lfys4 LS6]",
    "simple text": "[1,12,0,1 Ct3,3,4 Mp3,3 Lfys4 Lfx5 O1s5]",
    "parallel": "[1,1,0,12 (Lfx4 Lrx3) R2Lfx4 O1c5]",
    "colour": "[1,12,0,3 Cl3,3,4 Mp3,3 Lfys4 O1c5]",
    "activations": "[1,12,0,1 Cr3,3,4 Mp3,2 Rx[Lfys4 Cs1,1,4] Ry[Cp1,1,5 Cn3,1,6] Cm1,1,7 O1c5]",
}

SLOW = {"two rows", "softmax", "simple text", "parallel", "colour"}


def example(spec, *, scale=1.0):
    """A network with weights, a line and the borders around it."""
    root = parse(spec, 5).root
    params = build(root).init(jax.random.key(1))
    params = jax.tree.map(lambda leaf: scale * np.array(leaf), params)
    first = root.children[0]
    assert isinstance(first, Input)
    shape = (12, 31, first.depth) if first.height > 1 else (1, 31, 12)
    x = np.random.default_rng(2).standard_normal(shape).astype(np.float32)
    borders = draw_borders(root, *shape[:2], MinStd.for_sample(3))
    return root, params, x, borders


@pytest.mark.parametrize(
    "spec",
    [
        pytest.param(spec, id=name, marks=[pytest.mark.slow] if name in SLOW else [])
        for name, spec in NETWORKS.items()
    ],
)
def test_numbers_are_those_of_the_oracle(spec):
    root, params, x, borders = example(spec, scale=6.0)  # so that errors are clipped
    ours = ExactNetwork(root)
    y, tape = ours.forward(params, x, borders)
    delta = np.random.default_rng(4).standard_normal(y[0].shape).astype(np.float32)
    expected_y, backward = oracle.run(root, params, x.astype(np.float64), iter(borders))
    _, expected = backward(delta[None].astype(np.float64))
    np.testing.assert_allclose(y, expected_y, atol=1e-4)
    found = ours.backward(params, tape, delta[None])
    assert jax.tree.structure(found) == jax.tree.structure(expected)
    for one, two in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(one, two, rtol=2e-3, atol=2e-4 * max(1, np.abs(two).max()))


@pytest.mark.parametrize(
    "spec", [NETWORKS["tutorial"], NETWORKS["quad"], NETWORKS["encoded"]], ids=["1-D", "2-D", "LE"]
)
def test_double_precision_changes_last_digits_only(spec):
    root, params, x, borders = example(spec)
    usual, _ = forward(root, pack(params), x, borders)
    precise, _ = forward(root, pack(params, double=True), x, borders)
    assert precise.dtype == np.float32
    np.testing.assert_allclose(precise, usual, atol=1e-6)


def test_no_gradient_reaches_frozen_layers():
    root, params, x, borders = example(NETWORKS["tutorial"])
    last = max(params, key=int)
    frozen = {key: jax.tree.map(lambda _, k=key: k != last, params[key]) for key in params}
    whole, part = ExactNetwork(root), ExactNetwork(root, frozen)
    y, tape = part.forward(params, x, borders)
    delta = np.ones_like(y)
    grads = part.backward(params, tape, delta)
    for key in params:
        if key != last:
            assert not any(leaf.any() for leaf in jax.tree.leaves(grads[key]))
    expected = whole.backward(params, tape, delta)[last]
    for one, two in zip(jax.tree.leaves(grads[last]), jax.tree.leaves(expected), strict=True):
        np.testing.assert_array_equal(one, two)


def squashed(kind, values):
    values = np.array(values, np.float32)
    out = np.empty_like(values)
    kind(values, out)
    return out


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [(tables.tanh_all, oracle.tanh), (tables.logistic_all, oracle.logistic)],
    ids=["tanh", "logistic"],
)
def test_tables_are_those_of_the_oracle(ours, theirs):
    values = np.linspace(-20, 20, 4001, dtype=np.float32)
    np.testing.assert_allclose(squashed(ours, values), theirs(values), atol=2e-7)
    with_huge = squashed(ours, [*values, 3e7])[:-1]  # the careful way gives the same
    np.testing.assert_array_equal(with_huge, squashed(ours, values))


def test_table_index_loses_its_high_bits_as_in_the_original():
    at_end, wrapped, beyond = squashed(tables.tanh_all, [2.0**23, 2.0**24, 1e30])
    assert at_end == 1
    assert wrapped == np.tanh(np.float64(1 / 256)).astype(np.float32) * np.float32(2.0**32)
    assert beyond > 1e28
    assert np.isnan(squashed(tables.tanh_all, [np.nan]))
    assert squashed(tables.tanh_all, [-(2.0**23)]) == -1
