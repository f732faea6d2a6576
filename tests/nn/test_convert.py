"""Records of networks to trees and params and back, byte for byte."""

from dataclasses import replace

import helpers
import jax
import numpy as np
import pytest
from formats.format_samples import NetworkMaker, networks
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from lstmjax.errors import FormatError
from lstmjax.formats import checkpoint, lstm, lstmf, network, nodes, traineddata, weights
from lstmjax.netspec.parse import parse, parse_append
from lstmjax.netspec.tree import Series
from lstmjax.nn.convert import (
    Writing,
    layer_rates_of,
    learns_below,
    moments_of,
    params_of,
    record_of,
    tree_of,
)

ALL_LAYERS = {
    "conv-pool-lstms": "[1,32,0,1 Ct3,3,8 Mp3,3 Lfys16 Lbx24 O1c1]",
    "2d": "[1,20,0,1 Ct3,3,8 Mp2,2 L2xy8 Lfys16 Lfx24 O1c1]",
    "2d-yx": "[1,32,0,1 Ct3,3,4 L2yx4 Lfys4 O1c1]",
    "LE": "[1,32,0,1 Ct3,3,8 Mp3,3 Lfys16 LE24]",
    "LS": "[1,32,0,1 Ct3,3,8 Mp3,3 Lfys16 LS24]",
    "LE-first": "[1,1,0,32 LE16]",
    "simple-text": "[1,32,0,1 Ct3,3,8 Mp3,3 Lfys16 Lfx24 O1s1]",
    "reconfig": "[1,32,0,1 S4,2 Lfys8 Lby8 O1c1]",
    "activations": "[1,32,0,1 Ct3,3,4 Mp8,4 Lfys4 Rx[Lfx4 Cl1,1,4] Cp1,1,5 Cn1,1,6 Cs1,1,5 "
    "Cm1,1,7 O1c111]",
    "parallel": "[1,1,0,32 (Lfx8 Lrx8) O1c1]",
    "fixed-width": "[1,32,500,1 Ct3,3,4 Mp3,3 Lfys8 O1c1]",
    "nested": "[1,32,0,1 Ct3,3,4 Mp3,3 Lfys8 R2Lfx4 Ry[Lrx4 Cr1,1,4] (Lfx4 [Lbx2 Ct1,1,3]) O1c1]",
}


def rewritten(record, rate, *, with_headers):
    """A record after a trip through tree and params."""
    return record_of(
        tree_of(record),
        params_of(record),
        Writing(record.training, record.flags),
        moments=moments_of(record) if record.training == nodes.TRAINING_ON else None,
        layer_rates=layer_rates_of(record, rate),
        like=record if with_headers else None,
    )


def rounded(node):
    """A record whose numbers are float32, which is all that params hold."""

    def cut(values):
        return None if values is None else values.astype(np.float32).astype(np.float64)

    def matrix(m):
        return replace(
            m, weights=cut(m.weights), updates=cut(m.updates), dw_sq_sum=cut(m.dw_sq_sum), empty=()
        )

    return replace(
        node,
        children=tuple(map(rounded, node.children)),
        gates=tuple(map(matrix, node.gates)),
        weights=None if node.weights is None else matrix(node.weights),
        softmax=None if node.softmax is None else rounded(node.softmax),
    )


def same_bytes(got, expected):
    return network.pack(got) == network.pack(expected)


@pytest.fixture(scope="module")
def train(tmp_path_factory):
    """Run the real trainer for a few lines and read what it wrote."""
    folder = tmp_path_factory.mktemp("real")
    pages = lstmf.load(helpers.testdata("tesseract-test", "eng.Arial.exp0.lstmf"))[:2]
    lstmf.save(pages, folder / "two.lstmf")
    (folder / "list").write_text(f"{folder}/two.lstmf\n")

    def run(name, *flags, lines=1):
        output = folder / name
        done = helpers.run_real(
            "lstmtraining", "--model_output", output, "--max_iterations", lines,
            "--train_listfile", folder / "list", *flags,
            "--traineddata", helpers.testdata("tesseract-test", "eng.starter.traineddata"),
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return f"{output}_checkpoint"

    return run


@pytest.mark.reference
@pytest.mark.parametrize("name", ALL_LAYERS)
def test_checkpoints_come_back_byte_for_byte(name, train):
    spec = ALL_LAYERS[name]
    model = checkpoint.load(train(name, "--net_spec", spec)).recognizer
    assert tree_of(model.network) == parse(spec, model.network.num_out).root
    for with_headers in (False, True):
        got = rewritten(model.network, model.learning_rate, with_headers=with_headers)
        assert same_bytes(got, model.network)


@pytest.mark.reference
@pytest.mark.parametrize("net_mode", [0, 64, 128, 192])
def test_every_net_mode_comes_back(net_mode, train):
    spec = ALL_LAYERS["LE"]
    path = train(f"mode{net_mode}", "--net_spec", spec, "--net_mode", net_mode, lines=3)
    model = checkpoint.load(path).recognizer
    assert model.network.flags == net_mode
    got = rewritten(model.network, model.learning_rate, with_headers=False)
    assert same_bytes(got, model.network)


@pytest.mark.reference
@pytest.mark.parametrize("net_mode", [0, 192])
def test_networks_with_appended_layers_come_back(net_mode, train):
    base = train(f"base{net_mode}", "--net_spec", ALL_LAYERS["nested"])
    path = train(
        f"appended{net_mode}", "--continue_from", base, "--append_index", 5,
        "--net_spec", "[Lbx8 O1c1]", "--net_mode", net_mode, lines=2,
    )  # fmt: skip
    model = checkpoint.load(path).recognizer
    root = model.network
    assert (root.name, root.num_weights) == ("MasterSeries", 0)
    old = tree_of(checkpoint.load(base).recognizer.network)
    assert isinstance(old, Series)
    assert tree_of(root) == parse_append("[Lbx8 O1c1]", root.num_out, old, 5).root
    assert same_bytes(rewritten(root, model.learning_rate, with_headers=True), root)


@pytest.mark.parametrize("name", ["fra", "heb"])
def test_trained_models_come_back_rounded(name):
    path = helpers.testdata("tessdata_best", f"{name}.traineddata")
    model = lstm.unpack_from(traineddata.load(path))
    stored = {rate for node in model.network.walk() for rate in node.learning_rates or ()}
    assert len(stored) > 1
    got = rewritten(model.network, model.learning_rate, with_headers=True)
    assert same_bytes(got, rounded(model.network))


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(networks())
def test_any_float_network_comes_back(record):
    shape = record.children[0].shape
    assume(shape is not None and shape[1] > 1)  # of one row, the inputs are counted by depth
    for matrix in (matrix for node in record.walk() for matrix in node.matrices):
        adam = bool(record.flags & nodes.ADAM)
        assume(not matrix.int_mode and bool(matrix.mode & weights.ADAM) == adam)
    assert same_bytes(rewritten(record, 0.001, with_headers=True), rounded(record))


def test_params_mirror_the_tree():
    record = NetworkMaker().every_kind()
    params = params_of(record)
    assert sorted(params) == sorted(
        str(i) for i, child in enumerate(record.children) if child.num_weights
    )
    quad = params["3"]
    assert quad["0"]["wv"].shape == (2, 10)
    last = params["11"]
    assert {key: last[key].shape for key in ("wx", "wf", "wh", "b")} == {
        "wx": (5, 8), "wf": (5, 8), "wh": (2, 8), "b": (8,),
    }  # fmt: skip
    gate = record.children[11].gates[1]
    np.testing.assert_array_equal(last["wf"][:, 2:4], gate.weights[:, 5:10].T.astype(np.float32))
    assert last["softmax"]["w"].shape == (2, 5)
    assert all(leaf.dtype == np.float32 for leaf in jax.tree.leaves(params))


def test_int8_weights_keep_their_numbers_and_get_scales():
    record = NetworkMaker(mode=129, training=0).every_kind()
    params = params_of(record)
    for leaves, child in ((params["10"], record.children[10]), (params["1"], None)):
        leaves = leaves if child else leaves["1"]
        node = child or record.children[1].children[1]
        rows = np.concatenate([m.weights for m in node.matrices])
        np.testing.assert_array_equal(leaves["b"], rows[:, -1])
        scales = np.concatenate([m.row_scales for m in node.matrices])
        np.testing.assert_array_equal(leaves["scale"], (scales / 127).astype(np.float32))


def test_missing_history_counts_as_zero():
    record = NetworkMaker(training=2).every_kind()
    for part in moments_of(record):
        assert jax.tree.structure(part) == jax.tree.structure(params_of(record))
        assert not any(leaf.any() for leaf in jax.tree.leaves(part))


@st.composite
def rate_trees(draw):
    return {"1": {"1": draw(st.floats(0, 1, width=32))}, "3": draw(st.floats(0, 1, width=32))}


@settings(max_examples=10, deadline=None)
@given(rate_trees())
def test_layer_rates_are_kept(rates):
    root = parse("[1,32,0,1 Ct3,3,2 Mp32,3 Lfx2 O1c1]", 4).root
    record = record_of(
        root, ones_like(root), Writing(nodes.TRAINING_PAUSED, 64), layer_rates={**rates, "4": 0.5}
    )
    assert layer_rates_of(record, 9.0) == {**rates, "4": 0.5}


def ones_like(root):
    from lstmjax.nn.build import build

    return jax.tree.map(np.asarray, build(root).init(jax.random.key(0)))


def test_layers_without_rates_of_their_own_have_the_default():
    record = NetworkMaker(flags=128).every_kind()
    assert set(jax.tree.leaves(layer_rates_of(record, 0.25))) == {0.25}


@pytest.mark.parametrize(
    ("spec", "learns"),
    [("[1,8,0,1 Mp2,2 S2,1 Mp1,1 Lfys2 O1c1]", [0, 0, 0, 0, 0, 1])],
    ids=["first weights"],
)
def test_only_layers_above_weights_pass_gradients_down(spec, learns):
    root = parse(spec, 4).root
    record = record_of(root, ones_like(root), Writing(nodes.TRAINING_PAUSED, 0))
    assert [child.needs_backprop for child in record.children] == learns
    assert learns_below(root, False)
    assert not learns_below(root.children[1], False)


def test_layers_that_nothing_runs_are_refused():
    record = NetworkMaker().every_kind()
    broken = replace(record, children=(replace(record.children[0], type="TensorFlow"),))
    with pytest.raises(FormatError, match="TensorFlow, which cannot be run"):
        tree_of(broken)
