import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstmjax.errors import SpecError
from lstmjax.netspec.parse import parse
from lstmjax.netspec.shape import (
    Shape,
    check_output,
    input_of,
    output_loss,
    output_shape,
    output_width,
)
from lstmjax.netspec.tree import Lstm, Maxpool, Reversed, Series


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
)
def test_widths_agree_with_shapes(scales, width):
    items = " ".join(f"Mp1,{x}" if pool else f"S1,{x} Lfx2" for x, pool in scales) or "Lfx2"
    net, fixed = root(f"[1,4,0,1 {items}]"), f"[1,4,{width},1 {items}]"
    columns = output_width(net, width)
    if columns:
        assert output_shape(root(fixed)).width == columns
        assert output_width(root(fixed), 7) == columns
    else:
        with pytest.raises(SpecError, match="left"):
            root(fixed)


def test_a_summary_leaves_one_column():
    net = root("[1,8,0,1 Mp2,3 Lfxs4]")
    assert (output_width(net, 2), output_width(net, 3), output_width(net, 99)) == (0, 1, 1)


def test_a_transposed_pool_swaps_its_scales():
    net = Reversed(Maxpool(1, x_scale=2, y_scale=3), "xy")
    assert output_width(net, 12) == 4
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
