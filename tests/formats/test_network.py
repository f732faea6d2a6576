from dataclasses import replace

import numpy as np
import pytest
from formats.format_samples import NetworkMaker, networks
from hypothesis import given, settings

from lstmjax.errors import FormatError
from lstmjax.formats import network
from lstmjax.formats.nodes import MAX_DEPTH, NetworkNode
from lstmjax.formats.weights import ADAM, DOUBLE, INT8

MAKER = NetworkMaker()


@pytest.mark.parametrize(
    ("mode", "training", "flags"),
    [(DOUBLE | ADAM, 1, 192), (DOUBLE, 1, 64), (DOUBLE, 2, 0), (DOUBLE | INT8 | ADAM, 0, 192)],
    ids=["adam", "momentum", "recognition", "int8"],
)
def test_every_kind_of_layer_round_trips(mode, training, flags):
    data = network.pack(NetworkMaker(mode, training, flags).every_kind())
    node = network.unpack(data)
    assert network.pack(node) == data
    assert len({layer.type for layer in node.walk()}) == 21
    assert node.num_out == 5


@settings(max_examples=50, deadline=None)
@given(networks())
def test_drawn_networks_round_trip(node):
    data = network.pack(node)
    assert network.pack(network.unpack(data)) == data


def test_type_stored_by_index_is_kept():
    data = network.pack(replace(MAKER.dense(2, 3), tagged=False))
    assert data[0] == 22
    assert network.pack(network.unpack(data)) == data


def test_layer_names_keep_bytes_that_are_not_utf8():
    data = network.pack(replace(MAKER.maxpool(1, 1, 1), name="a\udcff"))
    assert b"a\xff" in data
    assert network.pack(network.unpack(data)) == data


def test_layers_are_listed_with_their_rates():
    root = MAKER.plumbing(
        "Series", MAKER.input(2, 1), MAKER.plumbing("RTLReversed", MAKER.lstm(1, 2))
    )
    listed = [(path, node.type, rate) for path, node, rate in network.list_layers(root)]
    first, second = (float(np.float32(0.001)),) * 2
    assert listed == [(":0", "Input", first), (":1:0", "LSTM", second)]


def broken(node: NetworkNode, **changes) -> bytes:
    return network.pack(replace(node, **changes))


DENSE, LSTM, POOL = MAKER.dense(2, 3), MAKER.lstm(2, 3), MAKER.maxpool(2, 1, 1)
BINARY = MAKER.lstm(2, 3, "LSTMBinarySoftmax", classes=5)
SERIES = MAKER.plumbing("Series", POOL, DENSE)

DAMAGED = {
    "training": (broken(POOL, training=3), "training state 3"),
    "backprop": (broken(POOL, needs_backprop=2), "needs_backprop 2"),
    "negative": (broken(POOL, num_in=-1), "negative num_in -1"),
    "weight-count": (broken(DENSE, num_weights=8), "says it has 8 weights but holds 9"),
    "no-such-type": (network.pack(POOL).replace(b"Maxpool", b"Minpool"), "layer type 'Minpool'"),
    "type-number": (b"\x63" + bytes(99), "unknown layer type number 99"),
    "tensorflow": (broken(POOL, type="TensorFlow"), "TensorFlow cannot be used"),
    "invalid": (broken(POOL, type="Invalid"), "Invalid cannot be used"),
    "pool-outputs": (broken(POOL, num_out=3), "3 outputs, expected 2"),
    "zero-scale": (broken(POOL, scale=(0, 1)), r"scale \(0, 1\)"),
    "reconfig": (broken(MAKER.reconfig(2, 2, 2), num_out=2), "2 outputs, expected 8"),
    "window": (broken(MAKER.convolve(1, 1, 1), half=(-1, 1)), "negative half window"),
    "huge-window": (broken(MAKER.convolve(1, 1, 1), half=(2**30, 2**30)), "9 outputs, expected"),
    "input": (broken(MAKER.input(4, 1), shape=(1, 4, 0, 1, 9)), "loss 0 to 3"),
    "input-depth": (broken(MAKER.input(4, 1), shape=(1, 4, 0, 3, 1)), "1 outputs, expected 3"),
    "no-children": (broken(SERIES, children=()), "no layers inside"),
    "chain": (broken(SERIES, children=(DENSE, DENSE)), "gives 3 outputs but 'Softmax' takes 2"),
    "ends": (broken(SERIES, num_in=1), "1 inputs and 3 outputs, but its layers have 2 and 3"),
    "reversed": (
        broken(MAKER.plumbing("RTLReversed", POOL), children=(POOL, POOL)),
        "2 layers inside, expected 1",
    ),
    "parallel": (
        broken(MAKER.plumbing("Parallel", POOL, POOL), children=(POOL, MAKER.maxpool(1, 1, 1))),
        "parallel layers take 2 and 1 inputs",
    ),
    "rates": (broken(SERIES, learning_rates=(0.1,) * 3), "3 learning rates for 2 layers"),
    "rate-nan": (broken(SERIES, learning_rates=(float("nan"),)), "a learning rate is infinite"),
    "dense-dims": (broken(DENSE, num_in=3), "weights of 3 x 3 values, expected 3 x 4"),
    "lstm-width": (broken(LSTM, na=6), "fits neither a 1-D nor a 2-D LSTM"),
    "lstm-states": (broken(LSTM, num_out=4), "4 outputs but 3 states"),
    "gate-dims": (
        broken(LSTM, gates=(*LSTM.gates[:3], MAKER.matrix(3, 5))),
        "gate GO of 3 x 5 values, expected 3 x 6",
    ),
    "inner-type": (broken(BINARY, softmax=MAKER.dense(3, 5, "Tanh")), "is a Tanh, expected Softm"),
    "inner-size": (broken(BINARY, softmax=MAKER.dense(2, 5)), "2 to 5, expected 3 to 5"),
    "truncated": (network.pack(SERIES)[:-1], "need at least 8 bytes, 7 remain"),
    "trailing": (network.pack(SERIES) + b"x", "1 unexpected bytes after the end of the network"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_damaged_networks_are_refused(name):
    data, problem = DAMAGED[name]
    with pytest.raises(FormatError, match=problem):
        network.unpack(data)


def test_deep_nesting_is_refused():
    node = MAKER.dense(1, 1)
    for _ in range(MAX_DEPTH - 1):
        node = MAKER.plumbing("XYTranspose", node)
    assert network.unpack(network.pack(node)).num_out == 1
    with pytest.raises(FormatError, match="nested deeper than 32"):
        network.unpack(network.pack(MAKER.plumbing("XYTranspose", node)))
