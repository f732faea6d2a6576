"""The gradients of the 1-D LSTM's weights, from the errors of all gates."""

from typing import NamedTuple

from numba import int64

from lstmjax.constants import NUM_GATES
from lstmjax.kernels.lstm_forward_loops import in_places
from lstmjax.simd.borrow import always_inline
from lstmjax.simd.compile import inner
from lstmjax.simd.operations import fill_zero, read_int32
from lstmjax.simd.products import PANEL, add_panel, pack_panel, pair_rows, width_of_panel
from lstmjax.simd.vectors import FLOAT_BYTES

_DEPTH = 256  # rows, or pairs of them, that are summed to a gradient of weights in one go


class _WeightsLayout(NamedTuple):
    """Offsets of the parts of the scratch for the weights' gradients, in floats.

    Attributes:
      panel: [_DEPTH, PANEL] errors of some rows, for a panel of columns.
      x_pairs: [_DEPTH, D] inputs of the rows as bfloat16 pairs.
      h_pairs: [_DEPTH, S] outputs before the rows as pairs.
      zeros: [4S + D] zeros.
      size: floats of all of it.
    """

    panel: int
    x_pairs: int
    h_pairs: int
    zeros: int
    size: int


def weights_layout(D: int, S: int) -> _WeightsLayout:
    """The scratch of the weights' gradients with D inputs and S units."""
    panel = 0
    x_pairs = panel + _DEPTH * PANEL
    h_pairs = x_pairs + _DEPTH * D
    zeros = h_pairs + _DEPTH * S
    size = zeros + NUM_GATES * S + D
    return _WeightsLayout(panel, x_pairs, h_pairs, zeros, size)


weights_offsets = inner(weights_layout)


class Weights(NamedTuple):
    """The sum of the weights' gradients: addresses of arrays and of the scratch's parts, sizes.

    `ones` is the address of a 1, as a float or as a bfloat16 pair.
    """

    x: int
    h: int
    dz: int
    ones: int
    dwx: int
    dwh: int
    db: int
    panel: int
    x_pairs: int
    h_pairs: int
    zeros: int
    D: int
    S: int
    G: int
    pairs: int


@inner
def _add_weight_gradients(w, begin, rows, shift):
    """Add what some rows of dz [T * N, 4S] contribute.

    `shift` leads from a row to the output before it; 0 for first steps, which have none.
    """
    always_inline()
    none, one = int64(0), int64(1)
    depth = in_places(rows, w.pairs)
    # With `shift` 0 there is no output before, and `from_h` is not read.
    from_x, from_h = w.x + FLOAT_BYTES * begin * w.D, w.h + FLOAT_BYTES * (begin + shift) * w.S
    if w.pairs:
        # A pass before this one has used the scratch.
        fill_zero(w.zeros, w.G + w.D)
        pair_rows(from_x, w.D, rows, w.D, w.x_pairs, w.zeros)
        from_x = w.x_pairs
        if shift != 0:
            pair_rows(from_h, w.S, rows, w.S, w.h_pairs, w.zeros)
            from_h = w.h_pairs
    column = none
    while column < w.G:
        width = width_of_panel(column, w.G)
        at = FLOAT_BYTES * column
        of = w.dz + FLOAT_BYTES * begin * w.G + at
        if w.pairs:
            pair_rows(of, w.G, rows, width, w.panel, w.zeros)
        else:
            pack_panel(of, w.G, rows, width, w.panel)
        _add_panel(w, w.D, w.dwx + at, from_x, one, w.D, depth, width)
        # The bias is a weight of an input that is always 1: the same 1 for all rows.
        _add_panel(w, one, w.db + at, w.ones, none, none, depth, width)
        if shift != 0:
            _add_panel(w, w.S, w.dwh + at, from_h, one, w.S, depth, width)
        column += width


@inner
def _add_panel(w, rows, out, x, x_stride, x_step, depth, width):
    """Add the product of some columns of x with the panel of errors to rows of a gradient."""
    always_inline()
    add_panel(rows, out, w.G, out, w.G, x, x_stride, x_step, depth, w.panel, width, w.pairs)


@inner
def sum_weight_gradients(w, lengths, T, N, reverse):
    """Sum the gradients of wx [D, 4S], wh [S, 4S] and b [4S]."""
    fill_zero(w.dwx, w.D * w.G)
    fill_zero(w.dwh, w.S * w.G)
    fill_zero(w.db, w.G)
    # A pair holds two rows.
    most = _DEPTH * 2 if w.pairs else _DEPTH
    # Rows of the scan's first steps have no output before them: no block of rows goes across here.
    alone = (T - 1) * N if reverse else N
    begin = int64(0)
    end = int64(0)
    for t in range(T + 1):
        # Rows of shorter sequences between have no errors, so they may lie in a block.
        active = int64(0)  # sequences up to the last one that has this step
        if t < T:
            for n in range(N):
                if read_int32(lengths, n) > t:
                    active = n + 1
        if active > 0 and t * N == end and end != alone:  # the block of rows goes on
            end = t * N + active
            continue
        while begin < end:
            rows = min(most, end - begin)
            shift = int64(0)
            if reverse and begin < alone:
                shift = N
            elif not reverse and begin >= alone:
                shift = -N
            _add_weight_gradients(w, begin, rows, shift)
            begin += rows
        begin = t * N
        end = begin + active
