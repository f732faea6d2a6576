"""Trees as JSON and back; the subtrees that single items become."""

import json

import pytest

from lstmjax.errors import SpecError
from lstmjax.netspec import build
from lstmjax.netspec.parse import parse
from lstmjax.netspec.plain import from_plain, to_plain
from lstmjax.netspec.shape import Shape
from lstmjax.netspec.tree import Convolve, Dense, Lstm, Parallel, Reconfig, Reversed, Series, walk

SPECS = [
    "[1,36,0,1 Ct3,3,16 Mp3,3 Lfys48 Lfx96 Lrx96 Lfx192 O1c1]",
    "[1,20,0,1 S4,2 L2xy4 R2Lfx3 (Lfx4 [Lrx4 Lfx3]) Rx[Lfx4 Cl1,1,4] O1c1]",
    "[1,1,0,32 Lbx24 LS16]",
    "[1,1,0,32 Lbxs24 LE16]",
]


@pytest.mark.parametrize("spec", SPECS)
def test_trees_survive_json(spec):
    root = parse(spec, 20).root
    assert from_plain(json.loads(json.dumps(to_plain(root)))) == root


@pytest.mark.parametrize(
    "change",
    [
        lambda plain: plain.pop("kind"),
        lambda plain: plain.update(kind="Dropout"),
        lambda plain: plain.update(depth=7),
        lambda plain: plain.update(children=[]),
        lambda plain: plain.update(children=3),
        lambda plain: plain["children"][2].pop("num_in"),
        lambda plain: plain["children"][2].update(num_in="many"),
        lambda plain: plain["children"][2].update(kind="bidi"),
        lambda plain: plain["children"].reverse(),
    ],
)
def test_other_values_are_refused(change):
    plain = to_plain(parse(SPECS[0], 20).root)
    change(plain)
    with pytest.raises(SpecError):
        from_plain(plain)


def test_convolutions():
    assert build.convolution(3, 1, 1, 8, "tanh") == Dense(3, 8, "tanh", name="Conv1x1")
    node = build.convolution(1, 4, 5, 8, "relu")
    assert isinstance(node, Series)
    window, dense = node.children
    assert window == Convolve(1, half_x=2, half_y=2)
    assert dense == Dense(25, 8, "relu", name="ConvNL")


@pytest.mark.parametrize("axis", ["x", "y"])
def test_scans_of_both_directions_are_side_by_side(axis):
    node = build.scan(6, 4, "b", axis, False, "Lb")
    if axis == "y":
        assert isinstance(node, Reversed)
        assert node.axis == "xy"
        node = node.child
    assert isinstance(node, Parallel)
    forward, back = node.children
    assert forward == Lstm(6, 4, name="LbLTR")
    assert back == Reversed(Lstm(6, 4, name="Lb"), "x", name="RevLSTM")


def test_a_quad_scans_from_the_four_corners():
    leaves = [leaf for _, leaf in walk(build.quad(5, 3))]
    assert [(leaf.num_in, leaf.num_out, leaf.two_d) for leaf in leaves] == [(5, 3, True)] * 4
    assert build.quad(5, 3).num_out == 12


def test_dense_layers_over_tiles():
    plain = build.flattened(Shape(1, 0, 9), 1, 1, 4, "softmax", "Output")
    assert plain == Dense(9, 4, "softmax", name="Output")
    tiled = build.flattened(Shape(6, 0, 9), 6, 1, 4, "softmax", "Output")
    assert isinstance(tiled, Series)
    tiles, dense = tiled.children
    assert tiles == Reconfig(9, x_scale=1, y_scale=6, name="FCReconfig")
    assert dense.num_in == 54
