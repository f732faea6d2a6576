"""Networks in compiled loops: the numbers of `exact`, whatever the network and the widths."""

from dataclasses import replace

import jax
import numpy as np
import pytest
from infer.models import int8

from lstmjax.data.random import MinStd
from lstmjax.exact.forward import pack
from lstmjax.infer.choose import make_forward
from lstmjax.infer.exact_reader import ExactReader, make_exact_reader
from lstmjax.infer.forward import LineToRead
from lstmjax.infer.host.int8_ops import SUPPORTED as INT8_SUPPORTED
from lstmjax.infer.host.network import HostNetwork, make_host_network
from lstmjax.infer.host_forward import HostForward
from lstmjax.infer.model import LoadedModel
from lstmjax.netspec.parse import parse
from lstmjax.netspec.tree import x_scale
from lstmjax.simd.target import Target
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
INT8_SPECS = {
    **SPECS,
    "real size": "[1,36,0,1 Ct3,3,16 Mp3,3 Lfys48 Lfx96 Lrx96 Lfx128 O1c1]",
    "one step": "[1,8,0,1 Ct3,3,4 Mp2,2 Lfys5 Lfxs6 O1c1]",
    "one step back": "[1,8,0,1 Ct3,3,4 Mp2,2 Lfys5 Lrxs6 O1c1]",
    "high window": "[1,13,0,1 Cr7,3,20 Mp2,1 Lfys5 Lfx6 O1c1]",
    "wide window": "[1,13,0,1 Cs3,7,33 Mp1,2 Lfys5 Lfx6 O1c1]",
}
UNSUPPORTED = {
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
    return LoadedModel(root, None, 2, params=params)  # type: ignore[arg-type]


def lines_for(model, widths=(31, 44, 17, 44, 90, 12, 25, 60, 13, 38)):
    shape = model.input_shape
    rows = shape.target_height or 8
    random = np.random.default_rng(0)
    sizes = [(rows, width, 3) if shape.colour else (rows, width) for width in widths]
    return [
        LineToRead(random.integers(0, 256, size, dtype=np.uint8), sample)
        for sample, size in enumerate(sizes)
    ]


def run(model, make):
    """Outputs for some lines, from the reader that `make` gives."""
    reader = make(model)
    assert reader is not None
    return HostForward(model, reader, make).probs(lines_for(model))


@pytest.mark.parametrize("int_mode", [False, True], ids=["float", "int8"])
@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_numbers_are_those_of_exact(spec, int_mode):
    model = int8(model_of(spec)) if int_mode else model_of(spec)
    found, expected = run(model, make_host_network), run(model, make_exact_reader)
    for ours, exact in zip(found, expected, strict=True):
        assert ours.flags.c_contiguous
        # The sums of an int8 network are exact: nothing but the softmax may differ.
        np.testing.assert_allclose(ours, exact, atol=1e-6 if int_mode else 2e-5)


@pytest.mark.skipif(not INT8_SUPPORTED, reason="this processor does not multiply int8 numbers")
@pytest.mark.parametrize("spec", INT8_SPECS.values(), ids=INT8_SPECS)
def test_int8_loops_give_the_bits_of_float_loops(spec, monkeypatch):
    model = int8(model_of(spec))
    lines = lines_for(model, (31, 90, 12, 7, 25, 60, 13, 38, 44, 5, 8))
    in_int8 = make_forward(model).probs(lines)
    monkeypatch.setattr("lstmjax.infer.host.network.INT8_SUPPORTED", False)
    for ours, expected in zip(in_int8, make_forward(model).probs(lines), strict=True):
        assert ours.flags.c_contiguous
        assert len(np.unique(expected)) > 2
        np.testing.assert_array_equal(ours, expected)


@pytest.mark.parametrize("spec", UNSUPPORTED.values(), ids=UNSUPPORTED)
def test_other_networks_are_left_to_exact(spec):
    model = model_of(spec)
    assert make_host_network(model) is None
    forward = make_forward(model)
    assert isinstance(forward, HostForward)
    assert isinstance(forward._reader, ExactReader)
    lines = lines_for(model)
    for line, probs in zip(lines, forward.probs(lines), strict=True):
        assert probs.dtype == np.float32
        assert len(probs) == line.pixels.shape[1] // x_scale(model.root)
        np.testing.assert_allclose(probs.sum(1), 1, rtol=1e-5)


@pytest.mark.parametrize("spec", UNSUPPORTED.values(), ids=UNSUPPORTED)
def test_int8_networks_come_near_their_floats(spec):
    model = model_of(spec)
    found, expected = (
        np.concatenate(run(each, make_exact_reader)) for each in (int8(model), model)
    )
    assert abs(found - expected).max() > 0
    assert abs(found - expected).mean() < 0.01


def test_sums_of_int8_numbers_that_floats_would_round_are_left_alone():
    wide = model_of("[1,1,0,1000 Lfx50 O1c1]")
    assert make_host_network(wide) is not None
    assert make_host_network(int8(wide)) is None
    assert pack(int8(wide).params)["1"]["matrix"].panels.dtype == np.float64


def test_a_processor_without_vectors_is_left_to_exact(monkeypatch):
    model = model_of(SPECS["usual"])
    usual = make_forward(model)
    assert isinstance(usual._reader, HostNetwork)
    monkeypatch.setattr("lstmjax.infer.choose.works", lambda: False)
    monkeypatch.setattr("lstmjax.infer.exact_reader.numba_target", lambda: Target("generic", ""))
    other = make_forward(model)
    assert isinstance(other._reader, ExactReader)
    lines = lines_for(model)
    for ours, expected in zip(other.probs(lines), usual.probs(lines), strict=True):
        np.testing.assert_allclose(ours, expected, atol=2e-5)


def test_neighbours_do_not_change_a_line():
    network = make_host_network(model_of(SPECS["usual"]))
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
    network = make_host_network(replace(model, params=huge))
    assert network is not None
    probs = network.probs([np.full((12, 30, 1), value, np.float32)], [MinStd(1)])[0]
    assert probs.shape == (10, NUM_CODES)
