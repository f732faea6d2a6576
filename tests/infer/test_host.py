"""Networks in compiled loops: the numbers of `nn`, whatever the network and the widths."""

from dataclasses import replace

import jax
import numpy as np
import pytest
from infer.models import int8

from lstmjax.data.random import MinStd
from lstmjax.infer.choose import make_forward
from lstmjax.infer.device import DeviceForward, make_device_forward
from lstmjax.infer.forward import LineToRead
from lstmjax.infer.host.int8_ops import SUPPORTED as BYTES_SUPPORTED
from lstmjax.infer.host.network import HostForward, make_host_forward, make_network
from lstmjax.infer.model import LoadedModel
from lstmjax.netspec.parse import parse
from lstmjax.training.initial import tesseract_weights

NUM_CODES = 19
SPECS = {
    "usual": "[1,12,0,1 Ct3,3,16 Mp3,3 Lfys16 Lfx16 Lrx16 Lfx32 O1c1]",
    "odd sizes": "[1,13,0,1 Ct3,5,5 Mp2,4 Lfys7 Lrx9 O1c1]",
    "no pool": "[1,8,0,1 Cl3,3,4 Lfys5 Lfx4 O1c1]",
    "colour": "[1,8,0,3 Ct3,3,4 Mp2,2 Lfys5 Lfx4 O1c1]",
    "columns": "[1,1,0,12 Lfx8 Lrx8 O1c1]",
    "both ways": "[1,8,0,1 Ct3,3,4 Mp2,2 Lfys5 Lbx6 Lrx5 O1c1]",
    "from below": "[1,8,0,1 Ct3,3,4 Mp2,2 Lry6 Lrys5 Lfx4 O1c1]",
    "rows": "[1,8,0,1 Ct3,3,4 Mp2,2 Lfx6 Lrx4 Lfys5 O1c1]",
    "dense layers": "[1,8,0,1 Ct3,3,4 Mp2,2 Lfys5 Cs1,1,9 Cr1,1,7 Ct1,1,5 Cl1,1,6 O1c1]",
    "fixed width": "[1,8,40,1 Ct3,3,4 Mp2,2 Lfys5 Lfx4 O1c1]",
    "variable height": "[1,0,0,1 Ct3,3,4 Mp2,2 Lfys5 Lfx4 O1c1]",
}
BYTE_SPECS = {
    **SPECS,
    "real size": "[1,36,0,1 Ct3,3,16 Mp3,3 Lfys48 Lfx96 Lrx96 Lfx128 O1c1]",
    "one step": "[1,8,0,1 Ct3,3,4 Mp2,2 Lfys5 Lfxs6 O1c1]",
    "one step back": "[1,8,0,1 Ct3,3,4 Mp2,2 Lfys5 Lrxs6 O1c1]",
    "high window": "[1,13,0,1 Cr7,3,20 Mp2,1 Lfys5 Lfx6 O1c1]",
    "wide window": "[1,13,0,1 Cs3,7,33 Mp1,2 Lfys5 Lfx6 O1c1]",
}
UNUSUAL = {
    "two dimensions": "[1,8,0,1 Ct3,3,4 Mp2,2 L2xy5 Lfys5 O1c1]",
    "reconfig": "[1,8,0,1 S2,2 Lfys5 O1c1]",
    "softmax inside": "[1,8,0,1 Ct3,3,4 Mp2,2 Lfys5 LS6]",
    "two convolutions": "[1,12,0,1 Cr3,3,4 Ct5,1,6 Mp2,3 Lfys5 Lfx20 O1c1]",
    "late convolution": "[1,8,0,1 Lfx5 Ct3,3,4 Mp2,2 Lfys5 O1c1]",
}


def model_of(spec):
    """A model with random weights; nothing here asks for its characters."""
    root = parse(spec, NUM_CODES).root
    random = np.random.default_rng(7)
    params = jax.tree.map(
        lambda w: random.normal(0, 0.4, w.shape).astype(np.float32), tesseract_weights(root, 0.1)
    )
    return LoadedModel(root, params, None, False, 2)  # type: ignore[arg-type]


def lines_for(model, widths=(31, 44, 17, 44, 90, 12, 25, 60, 13, 38)):
    shape = model.input_shape
    rows = shape.target_height or 8
    random = np.random.default_rng(0)
    sizes = [(rows, width, 3) if shape.colour else (rows, width) for width in widths]
    return [
        LineToRead(random.integers(0, 256, size, dtype=np.uint8), sample)
        for sample, size in enumerate(sizes)
    ]


def both(model):
    host = make_host_forward(model)
    assert host is not None
    lines = lines_for(model)
    return host.probs(lines), make_device_forward(model).probs(lines)


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_floats_are_those_of_nn(spec):
    for ours, expected in zip(*both(model_of(spec)), strict=True):
        assert ours.flags.c_contiguous
        np.testing.assert_allclose(ours, expected, atol=2e-5)


@pytest.mark.parametrize("spec", [SPECS["usual"], SPECS["odd sizes"]], ids=["usual", "odd sizes"])
def test_int8_numbers_are_those_of_nn(spec):
    ours, expected = (np.concatenate(probs) for probs in both(int8(model_of(spec))))
    # XLA rounds some products and sums at once, which rarely moves a number by 1/127.
    off = abs(ours - expected).max(1) > 1e-5
    assert off.mean() < 0.1
    assert abs(ours - expected).max() < 0.05


@pytest.mark.skipif(not BYTES_SUPPORTED, reason="this processor does not multiply bytes")
@pytest.mark.parametrize("spec", BYTE_SPECS.values(), ids=BYTE_SPECS)
def test_bytes_give_the_bits_of_floats(spec, monkeypatch):
    model = int8(model_of(spec))
    lines = lines_for(model, (31, 90, 12, 7, 25, 60, 13, 38, 44, 5, 8))
    bytewise = make_host_forward(model)
    monkeypatch.setattr("lstmjax.infer.host.network.BYTES_SUPPORTED", False)
    floating = make_host_forward(model)
    assert bytewise is not None
    assert floating is not None
    for ours, expected in zip(bytewise.probs(lines), floating.probs(lines), strict=True):
        assert ours.flags.c_contiguous
        assert len(np.unique(expected)) > 2
        np.testing.assert_array_equal(ours, expected)


@pytest.mark.parametrize("spec", UNUSUAL.values(), ids=UNUSUAL)
def test_other_networks_are_left_alone(spec):
    assert make_network(model_of(spec)) is None


def test_sums_of_int8_numbers_that_floats_would_round_are_left_alone():
    wide = model_of("[1,1,0,1000 Lfx50 O1c1]")
    assert make_network(wide) is not None
    assert make_network(int8(wide)) is None


def test_a_processor_without_vectors_is_left_alone(monkeypatch):
    assert isinstance(make_forward(model_of(SPECS["usual"])), HostForward)
    monkeypatch.setattr("lstmjax.infer.choose.works", lambda: False)
    assert isinstance(make_forward(model_of(SPECS["usual"])), DeviceForward)


def test_neighbours_do_not_change_a_line():
    network = make_network(model_of(SPECS["usual"]))
    assert network is not None
    random = np.random.default_rng(1)
    blocks = [random.normal(0, 1, (12, w, 1)).astype(np.float32) for w in (30, 9, 57)]
    streams = [MinStd(5), MinStd(6), MinStd(7)]
    together = network.probs(blocks, streams)
    for block, stream, probs in zip(blocks, streams, together, strict=True):
        np.testing.assert_allclose(network.probs([block], [stream])[0], probs, atol=1e-6)


@pytest.mark.parametrize("value", [1e30, np.inf, np.nan], ids=str)
def test_no_number_leaves_the_tables(value):
    model = model_of(SPECS["usual"])
    huge = jax.tree.map(lambda w: np.full_like(w, value), model.params)
    network = make_network(replace(model, params=huge))
    assert network is not None
    probs = network.probs([np.full((12, 30, 1), value, np.float32)], [MinStd(1)])[0]
    assert probs.shape == (10, NUM_CODES)
