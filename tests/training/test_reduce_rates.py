"""Lower learning rates: all of them, or those of layers whose steps turn back."""

import numpy as np
import pytest

from lstmjax.netspec.parse import parse
from lstmjax.training.tesseract.reduce_rates import DECAY, _add_products, layers_of, scaled

NETWORK = parse("[1,12,0,1 Ct3,3,4 Mp3,2 Lfys6 Lbx5 O1c7]", 7)


def test_layers_are_numbered_without_containers():
    layers = layers_of(NETWORK.root)
    assert [layer.node.name for layer in layers] == [
        "Input", "Convolve", "ConvNL", "Maxpool", "Lfys6", "Lbx5LTR", "Lbx5", "Output",
    ]  # fmt: skip
    assert [layer.path for layer in layers][4:7] == [("3", "0"), ("4", "0"), ("4", "1", "0")]


def test_layer_is_put_back_where_it_was():
    layer = layers_of(NETWORK.root)[6]
    tree = {"3": {"0": 1}, "4": {"0": 2, "1": {"0": 3}}}
    assert layer.of(tree) == 3
    assert layer.put(tree, 5) == {"3": {"0": 1}, "4": {"0": 2, "1": {"0": 5}}}


def test_rate_is_multiplied_in_double_precision():
    rate = np.float32(0.001)
    assert scaled(rate, DECAY) == np.float32(float(rate) * 0.5**0.5)
    assert f"{scaled(rate, np.float32(DECAY)):g}" == "0.000707107"


def test_products_are_summed_by_sign():
    sums = np.zeros(2, np.float32)
    before = [np.array([[1.0, -2.0], [3.0, 0.0]], np.float32)]
    after = [np.array([[2.0, 1.0], [1.0, 5.0]], np.float32)]
    _add_products(sums, before, after)
    assert sums.tolist() == [2.0, 5.0]


def test_products_without_meaning_spoil_the_sum_of_steps_that_go_on():
    sums = np.zeros(2, np.float32)
    _add_products(sums, [np.ones((1, 1), np.float32)], [np.full((1, 1), np.nan, np.float32)])
    assert sums[0] == 0
    assert np.isnan(sums[1])
    assert pytest.approx(sums[0]) == 0
