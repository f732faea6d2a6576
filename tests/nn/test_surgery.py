"""Stored networks cut, extended, re-mapped, turned from int8 into float."""

from dataclasses import replace

import numpy as np
import pytest
from formats.format_samples import NetworkMaker
from hypothesis import given
from hypothesis import strategies as st

from lstmjax.errors import FormatError, SpecError
from lstmjax.formats import network, nodes
from lstmjax.netspec.parse import parse_append
from lstmjax.netspec.tree import Series, children
from lstmjax.nn.convert import tree_of
from lstmjax.nn.quantize import to_int
from lstmjax.nn.surgery import append_layers, remap_outputs, to_float, with_rate


def plain(classes=5, seed=0, **kwargs):
    """Input, convolution, LSTM, output."""
    make = NetworkMaker(seed=seed, **kwargs)
    return make.plumbing(
        "Series",
        make.input(6, 1),
        make.plumbing("Series", make.convolve(1, 1, 1), make.dense(9, 4, "Tanh")),
        make.plumbing("XYTranspose", make.lstm(4, 3, "SummLSTM")),
        make.dense(3, classes),
    )


def head(num_in, classes=7):
    make = NetworkMaker(seed=9)
    return make.plumbing("Series", make.lstm(num_in, 2), make.dense(2, classes))


def test_appended_network_keeps_the_lower_layers_as_they_were():
    old = plain()
    made = append_layers(old, 2, head(3))
    assert (made.name, made.flags, made.num_weights, made.learning_rates) == (
        "MasterSeries", 0, 0, None,
    )  # fmt: skip
    assert made.children[:3] == old.children[:3]
    assert (made.num_in, made.num_out, len(made.children)) == (6, 7, 5)
    assert network.pack(network.unpack(network.pack(made))) == network.pack(made)


@pytest.mark.parametrize("keep", [0, 1, 2, 3])
def test_appended_record_has_the_tree_of_an_appended_spec(keep):
    old = plain()
    base = tree_of(old)
    assert isinstance(base, Series)
    expected = parse_append("[Ct1,1,3 Lfys4 O1c1]", 7, base, keep)
    make = NetworkMaker()
    width = expected.built.children[0].num_in
    new = make.plumbing(
        "Series",
        replace(
            make.plumbing("Series", make.convolve(width, 0, 0), make.dense(width, 3, "Tanh")),
            name="ConvSeries",
        ),
    )
    made = append_layers(old, keep, new)
    kept = children(tree_of(made))[: keep + 1]
    assert kept == expected.root.children[: keep + 1]
    if keep == 3:
        assert made.children[3].type == "Tanh"


@pytest.mark.parametrize("keep", [-1, 4, 99])
def test_cut_outside_the_network_is_refused(keep):
    with pytest.raises(SpecError, match="numbered 0 to 3"):
        append_layers(plain(), keep, head(3))


def test_layers_that_do_not_fit_are_refused():
    with pytest.raises(SpecError, match="take 5 features, but layer 1 gives 4"):
        append_layers(plain(), 1, head(5))


@given(st.lists(st.integers(-1, 4), min_size=1, max_size=12))
def test_rows_follow_the_map_and_unknown_ones_are_the_mean(code_map):
    old = plain()
    made = remap_outputs(old, 5, code_map)
    before, after = (node.children[3].matrices[0] for node in (old, made))
    rows = before.weights.astype(np.float32)
    for row, code in zip(after.weights, code_map, strict=True):
        expected = rows[code] if code >= 0 else rows.mean(axis=0)
        np.testing.assert_allclose(row, expected, rtol=1e-6, atol=1e-6)
    assert not np.any(after.updates)
    assert not np.any(after.dw_sq_sum)
    assert [network.pack(each) for each in made.children[:3]] == [
        network.pack(each) for each in old.children[:3]
    ]
    assert made.num_weights == sum(child.num_weights for child in made.children)
    network.unpack(network.pack(made))


def test_nested_outputs_are_mapped_too():
    make = NetworkMaker()
    inner = make.plumbing("Series", make.lstm(1, 3), make.dense(3, 5))
    made = remap_outputs(make.plumbing("Series", make.input(1, 1), inner), 5, [0, 1, -1])
    assert (made.num_out, made.children[1].num_out) == (3, 3)


@pytest.mark.parametrize(
    ("kind", "message"),
    [("LSTMSoftmax", "feeds its outputs back"), ("LSTMBinarySoftmax", "feeds its outputs back")],
)
def test_outputs_that_are_fed_back_cannot_be_exchanged(kind, message):
    make = NetworkMaker()
    old = make.plumbing("Series", make.input(1, 1), make.lstm(1, 3, kind, classes=5))
    with pytest.raises(SpecError, match=message):
        remap_outputs(old, 5, [0, 1, 2])


@pytest.mark.parametrize("where", ["side by side", "hidden", "logistic"])
def test_outputs_elsewhere_than_at_the_end_cannot_be_exchanged(where):
    make = NetworkMaker()
    layers = {
        "side by side": [make.plumbing("Parallel", make.dense(1, 5), make.dense(1, 5))],
        "hidden": [make.dense(1, 5), make.lstm(5, 2), make.dense(2, 5)],
        "logistic": [make.dense(1, 5, "Logistic")],
    }[where]
    with pytest.raises(SpecError, match="cannot be exchanged for 3 codes"):
        remap_outputs(make.plumbing("Series", make.input(1, 1), *layers), 5, [0, 1, 2])


def test_int8_weights_become_what_they_stand_for():
    old = plain(training=0)
    made = to_float(to_int(old))
    for one, two in zip(made.walk(), old.walk(), strict=True):
        for got, exact in zip(one.matrices, two.matrices, strict=True):
            assert got.mode == exact.mode
            step = np.abs(exact.weights).max(axis=1, keepdims=True) / 127
            assert (np.abs(got.weights - exact.weights) <= 0.501 * step).all()
    again = to_int(made)
    for one, two in zip(again.walk(), to_int(old).walk(), strict=True):
        for got, exact in zip(one.matrices, two.matrices, strict=True):
            np.testing.assert_array_equal(got.weights, exact.weights)


def test_float_weights_cannot_become_float():
    with pytest.raises(FormatError, match="float already"):
        to_float(plain())


def test_new_rate_reaches_every_layer_with_one():
    made = with_rate(plain(), 0.25)
    rates = [rate for node in made.walk() for rate in node.learning_rates or ()]
    assert rates.count(0.25) == 5
    layers = network.list_layers(made)
    assert {layer.learning_rate for layer in layers} == {0.25}


def test_new_rate_stops_at_a_root_without_rates():
    bare = replace(plain(), flags=nodes.ADAM, learning_rates=None)
    assert with_rate(bare, 0.25) == bare
