import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstmjax.errors import SpecError
from lstmjax.spec.parse import parse
from lstmjax.spec.shape import (
    Shape,
    check_output,
    input_of,
    min_input_height,
    min_input_width,
    output_height,
    output_loss,
    output_shape,
    output_width,
)
from lstmjax.spec.tree import Lstm, Maxpool, Parallel, Reversed, Series


def root(spec: str):
    return parse(spec, 10).root


@pytest.mark.parametrize(
    ("spec", "shape"),
    [
        ("[1,36,0,1 Ct3,3,16 Mp3,3 Lfys48 Lfx96 O1c1]", Shape(1, 0, 10)),
        ("[1,0,0,3 Mp2,2 Lfx4]", Shape(0, 0, 4)),
        ("[1,0,0,3 Mp2,2 Lfys4 Lfxs5]", Shape(1, 1, 5)),
        ("[1,32,100,1 S4,3 L2xy2]", Shape(8, 33, 8)),
        ("[1,8,0,1 (Lfx4 [Lfx3 Lrx2]) R2Lfx1]", Shape(8, 0, 2)),
        ("[1,8,0,1 ([Mp2,4 Lfx2] [Mp1,2 Mp2,2])]", Shape(4, 0, 3)),
        ("[1,1,0,8 RxLbx4 LE3]", Shape(1, 0, 10)),
    ],
)
def test_output_shape(spec, shape):
    assert output_shape(root(spec)) == shape


def test_a_part_needs_the_shape_that_enters():
    part = Series((Maxpool(4, 2, 2), Lstm(4, 3)))
    assert output_shape(part, Shape(9, 0, 4)) == Shape(4, 0, 3)
    for function in (output_shape, input_of):
        with pytest.raises(SpecError, match="not with an input layer"):
            function(part)


@given(
    scales=st.lists(st.tuples(st.integers(1, 4), st.booleans()), max_size=4),
    width=st.integers(1, 300),
    steps=st.integers(1, 20),
)
def test_widths_agree_with_shapes_and_the_least_width_is_the_least(scales, width, steps):
    items = " ".join(f"Mp1,{x}" if pool else f"S1,{x} Lfx2" for x, pool in scales) or "Lfx2"
    net, fixed = root(f"[1,4,0,1 {items}]"), f"[1,4,{width},1 {items}]"
    columns = output_width(net, width)
    if columns:
        assert output_shape(root(fixed)).width == columns
        assert output_width(root(fixed), 7) == columns
        assert min_input_width(root(fixed), columns) == 1
        assert min_input_width(root(fixed), columns + 1) is None
    else:
        with pytest.raises(SpecError, match="left"):
            root(fixed)
    least = min_input_width(net, steps)
    assert least is not None
    assert output_width(net, least) >= steps > output_width(net, least - 1)


def test_a_summary_leaves_one_column():
    net = root("[1,8,0,1 Mp2,3 Lfxs4]")
    assert (output_width(net, 2), output_width(net, 3), output_width(net, 99)) == (0, 1, 1)
    assert (min_input_width(net), min_input_width(net, 2)) == (3, None)


def test_heights():
    net = root("[1,0,0,1 Mp3,1 S2,1 Lfys4 O1c1]")
    assert (output_height(net, 5), output_height(net, 6), output_height(net, 60)) == (0, 1, 1)
    assert (min_input_height(net), min_input_height(root("[1,8,0,1 Mp4,1 Lfx4]"))) == (6, 1)


def test_layers_side_by_side_need_the_widest_minimum():
    net = Series((input_of(root("[1,8,0,1 Lfx2]")), Parallel((Lstm(1, 2), Maxpool(1, 1, 1)))))
    assert min_input_width(net, 5) == 5
    mixed = Parallel((Lstm(1, 2), Lstm(1, 2, summary=True)))
    assert min_input_width(mixed, 2) is None


def test_a_transposed_pool_swaps_its_scales():
    net = Reversed(Maxpool(1, x_scale=2, y_scale=3), "xy")
    assert (output_width(net, 12), output_height(net, 12)) == (4, 6)
    assert output_shape(net, Shape(12, 12, 1)) == Shape(6, 4, 1)


@pytest.mark.parametrize(
    ("end", "loss"),
    [
        ("O1c1", "ctc"),
        ("O1s1", "softmax"),
        ("O1l1", "logistic"),
        ("LE4", "ctc"),
        ("LS4", "ctc"),
        ("Lfx10", "none"),
    ],
)
def test_output_loss(end, loss):
    net = root(f"[1,8,0,1 Lfys4 {end}]")
    assert output_loss(net) == loss
    if loss == "none":
        with pytest.raises(SpecError, match="cannot be trained"):
            check_output(net, 10)
    else:
        check_output(net, 10)


def test_an_output_of_another_size_is_refused():
    with pytest.raises(SpecError, match=r"gives 4 outputs .* 10 codes; .*O1c1"):
        check_output(root("[1,8,0,1 Lfys4]"), 10)
