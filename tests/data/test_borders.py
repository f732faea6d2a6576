"""The noise around pictures, against a walk through the positions as the original makes it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstmjax.data.borders import draw_borders
from lstmjax.data.random import MinStd
from lstmjax.netspec.parse import parse
from lstmjax.netspec.tree import Convolve, Input, Series


def walk(node, height, width, stream, int_mode):
    """[H, W, taps * D] noise, 0 inside: one number after the other."""
    taps_y = 2 * node.half_y + 1
    out = np.zeros((height, width, 2 * node.half_x + 1, taps_y, node.num_in), np.float32)

    def draw():
        value = stream.signed(node.num_in, 127.0 if int_mode else 1.0)
        return np.trunc(value + np.copysign(0.5, value)) if int_mode else value

    for y in range(height):
        for x in range(width):
            for tap_x, dx in enumerate(range(-node.half_x, node.half_x + 1)):
                for tap_y, dy in enumerate(range(-node.half_y, node.half_y + 1)):
                    if not 0 <= x + dx < width or not 0 <= y + dy < height:
                        out[y, x, tap_x, tap_y] = draw()
    return out.reshape(height, width, -1)


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 2), st.integers(0, 2), st.integers(1, 3), st.booleans(), st.integers(1, 6),
    st.integers(1, 7),
)  # fmt: skip
def test_noise_is_drawn_in_the_order_of_the_original(half_x, half_y, depth, int_mode, H, W):
    node = Convolve(depth, half_x, half_y)
    root = Series((Input(1, 0, 0, depth), node))
    ours, theirs = MinStd.for_sample(5), MinStd.for_sample(5)
    (borders,) = draw_borders(root, H, W, ours, int_mode=int_mode)
    found = np.zeros((H, W, node.num_out), np.float32)
    found.reshape(-1)[borders.at] = borders.value
    np.testing.assert_array_equal(found, walk(node, H, W, theirs, int_mode))
    assert ours.state == theirs.state
    assert (borders.at.dtype, borders.value.dtype) == (np.int32, np.float32)


def test_first_numbers_are_those_of_tesseract():
    root = Series((Input(1, 5, 0, 1), Convolve(1, 1, 1)))
    (borders,) = draw_borders(root, 5, 7, MinStd.for_sample(0))
    known = [-0.829935102, 0.202705211, 0.783222554, 0.935911404, -0.620620456]
    np.testing.assert_allclose(borders.value[:5], known, rtol=1e-7)
    # The left column of the first position, then the rows above at offsets 0 and 1.
    assert borders.at[:5].tolist() == [0, 1, 2, 3, 6]


@pytest.mark.parametrize(
    ("spec", "frames"),
    [
        ("[1,20,0,1 Ct3,3,4 Mp2,3 Ct3,3,2 Lfys4 O1c1]", [(20, 30), (10, 10)]),
        ("[1,20,0,1 S4,2 Ct3,3,2 Lfys4 O1c1]", [(5, 15)]),
        ("[1,20,0,1 (Ct3,3,4 [Ct3,3,2 Ct5,5,2]) Lfys4 O1c1]", [(20, 30)] * 3),
        ("[1,20,0,1 Lfys4 Ct3,3,2 O1c1]", [(1, 30)]),
        ("[1,20,0,1 Lfxs4 Ct3,3,2 O1c1]", [(20, 1)]),
        ("[1,20,0,1 Rx[Ct3,3,4 Mp2,2] Lfys4 O1c1]", [(20, 30)]),
        ("[1,20,0,1 Lbx4 Lby4 L2xy2 Ct3,3,2 Lfys4 O1c1]", [(20, 30)]),
        ("[1,1,0,20 Lfx8 O1c1]", []),
    ],
    ids=["pool", "reconfig", "parallel", "y summary", "x summary", "reversed", "scans", "none"],
)
def test_every_convolution_gets_noise_for_the_picture_that_enters_it(spec, frames):
    root = parse(spec, 5).root
    height = 20 if "1,1," not in spec else 1
    stream = MinStd.for_sample(3)
    borders = draw_borders(root, height, 30, stream)
    assert len(borders) == len(frames)
    nodes = [leaf for _, leaf in _leaves(root) if isinstance(leaf, Convolve)]
    expected = MinStd.for_sample(3)
    for drawn, node, (h, w) in zip(borders, nodes, frames, strict=True):
        outside = walk(node, h, w, expected, False)
        assert np.count_nonzero(drawn.value) == np.count_nonzero(outside)
    assert stream.state == expected.state


def _leaves(root):
    from lstmjax.netspec.tree import walk as walk_tree

    return walk_tree(root)
