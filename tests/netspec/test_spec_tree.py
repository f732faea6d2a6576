import pytest

from lstmjax.errors import SpecError
from lstmjax.netspec.parse import parse
from lstmjax.netspec.tree import (
    Convolve,
    Dense,
    Input,
    Lstm,
    Maxpool,
    Parallel,
    Reconfig,
    Reversed,
    Series,
    SoftmaxLstm,
    walk,
    weight_count,
    x_scale,
    y_scale,
)


def test_input_takes_rows_or_the_depth_of_a_single_row():
    assert Input(1, 36, 0, 1).num_in == 36
    assert Input(1, 1, 0, 32).num_in == 32
    assert Input(1, 0, 0, 3).num_in == 0


@pytest.mark.parametrize(
    ("node", "weights"),
    [
        (Dense(9, 8, "tanh"), 80),
        (Lstm(8, 16), 1600),
        (Lstm(4, 4, two_d=True), 260),
        (SoftmaxLstm(16, 24, 111, binary=True), 7383),
        (SoftmaxLstm(16, 24, 111, binary=False), 17367),
        (Maxpool(3, 2, 2), 0),
    ],
    ids=["dense", "lstm", "2-d", "LE", "LS", "maxpool"],
)
def test_weight_count_is_what_the_real_tool_prints(node, weights):
    assert weight_count(node) == weights


def test_walk_gives_layer_ids_in_order():
    root = parse("[1,32,0,1 Ct3,3,8 Mp3,3 Lbx24 O1c1]", 10).root
    found = [(path, type(leaf).__name__) for path, leaf in walk(root)]
    assert found == [
        (":0", "Input"),
        (":1:0", "Convolve"),
        (":1:1", "Dense"),
        (":2", "Maxpool"),
        (":3:0", "Lstm"),
        (":3:1:0", "Lstm"),
        (":4:0", "Reconfig"),
        (":4:1", "Dense"),
    ]


def test_scales_multiply_along_a_series_and_swap_under_a_transpose():
    pool = Maxpool(1, x_scale=2, y_scale=3)
    root = Series((Input(1, 32, 0, 1), pool, Reconfig(1, 5, 7), Reversed(Lstm(35, 2), "x")))
    assert (x_scale(root), y_scale(root)) == (10, 21)
    assert (x_scale(Reversed(pool, "xy")), y_scale(Reversed(pool, "xy"))) == (3, 2)
    assert (x_scale(Reversed(pool, "y")), y_scale(Reversed(pool, "y"))) == (2, 3)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Lstm(0, 4), "num_in 0"),
        (lambda: Dense(4, -1, "tanh"), "num_out -1"),
        (lambda: Maxpool(1, 0, 2), "x_scale 0"),
        (lambda: Convolve(1, -1, 0), "half sizes"),
        (lambda: Input(1, -1, 0, 1), "0 .variable. or more"),
        (lambda: Series(()), "no layers"),
        (lambda: Series((Lstm(1, 4), Lstm(3, 4, name="Lfx4"))), "Lfx4 takes 3 .* gives 4"),
        (lambda: Series((Lstm(1, 1), Input(1, 1, 0, 1))), "Input"),
        (lambda: Parallel((Lstm(1, 4), Lstm(3, 4))), r"\[1, 3\]"),
        (lambda: Parallel((Lstm(1, 4),), "bidi"), "2 layers, found 1"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_tree_that_does_not_fit_cannot_be_made(make, message):
    with pytest.raises(SpecError, match=message):
        make()
