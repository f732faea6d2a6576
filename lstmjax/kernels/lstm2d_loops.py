"""The 2-D LSTM as compiled loops: all of its forward pass, and all of its backward pass.

A few lines are taken at a time, cell by cell and row by row of the picture, so that what a cell
leaves is still in a near cache when its neighbours need it. Arrays are `row, column, line,
feature`, as in `nn.lstm2d`, which says what is computed; `lengths` [H, N] are the columns that
each row of each line has, never more than the row above. In the backward pass the weights' gradient
is summed from some cells at a time. README.md draws the tape that the forward pass saves.

The weights w are [units / LANES, 2S + D + 1, gates, LANES]: for each vector of units the rows of
the left output, the upper one, the input, and the bias.
"""

from typing import Any, NamedTuple

from numba import int64

from lstmjax.constants import NUM_GATES_2D, NUM_SAVED_2D
from lstmjax.kernels.lstm2d_cells import cell_errors
from lstmjax.kernels.lstm2d_forward_loops import (
    BLOCK,
    GATES,
    Forward,
    forward_row,
    forward_scratch,
    make_pair,
    place_of_step,
)
from lstmjax.kernels.lstm_forward_loops import longest_of
from lstmjax.simd.borrow import always_inline
from lstmjax.simd.compile import handler, inner
from lstmjax.simd.operations import copy_float, fill_zero, make_block, read_int32, read_int64
from lstmjax.simd.products import add_products, copy_row, pack_transposed, padded_columns
from lstmjax.simd.vectors import FLOAT_BYTES, LANES, ROWS, padded
from lstmjax.simd.xla import argument, argument_sizes, four_sizes, handle_version_query, result

__all__ = ["backward_scratch", "forward_scratch", "lstm2d_backward", "lstm2d_forward"]

_CELLS = 16  # places whose errors are multiplied with their inputs together
_PART = FLOAT_BYTES * NUM_GATES_2D * _CELLS * ROWS  # bytes of gradients that wait, of each unit


def _make_gradients(rows: int) -> Any:
    operation = make_block(rows, NUM_GATES_2D)

    def add(dw, inputs, K, depth, dz):
        width, one = int64(GATES), int64(1)
        operation(dw, width, dw, width, inputs, one, K, depth, dz)

    add.__qualname__ = f"add_gradients_of_{rows}_rows"
    return inner(add)


_add_gradients, _add_gradient = make_pair(_make_gradients)


class _BackwardLayout(NamedTuple):
    """Offsets of the parts of the backward pass's scratch, in floats.

    Attributes:
      zeros: [max(ROWS * S, C)] zeros.
      transposed: [S / LANES] blocks of transposed weights [gates, C], packed.
      errors: [W, ROWS, C] errors of what the cells of a row took, for the row above.
      dc_left: [ROWS, S] gradients of the states to the left.
      dc_up: [W, ROWS, S] gradients of the states above.
      dz: [S / LANES, _CELLS * ROWS, gates] gradients of the sums of some cells.
      inputs: [_CELLS * ROWS, K] what the weights of those cells were multiplied with.
      size: floats of all of it.
    """

    zeros: int
    transposed: int
    errors: int
    dc_left: int
    dc_up: int
    dz: int
    inputs: int
    size: int


def backward_layout(W: int, D: int, columns: int, S: int) -> _BackwardLayout:
    """The scratch of a backward pass; `columns` are the D inputs in whole vectors."""
    C = 2 * S + columns
    zeros = 0
    transposed = zeros + max(ROWS * S, C)
    errors = transposed + S // LANES * GATES * C
    dc_left = errors + W * ROWS * C
    dc_up = dc_left + ROWS * S
    dz = dc_up + W * ROWS * S
    inputs = dz + NUM_GATES_2D * _CELLS * ROWS * S
    size = inputs + _CELLS * ROWS * (2 * S + D + 1)
    return _BackwardLayout(zeros, transposed, errors, dc_left, dc_up, dz, inputs, size)


_backward_layout = inner(backward_layout)


def backward_scratch(W: int, D: int, S: int) -> int:
    """Floats of scratch that `lstm2d_backward` needs."""
    return backward_layout(W, D, padded(D), S).size


class _Backward(NamedTuple):
    """A backward pass: addresses of arrays and of the scratch's parts, sizes, direction.

    `one` is the address of a 1. Each cell took C inputs, in whole vectors: the left output, the
    upper one, the picture. K rows of weights belong to them and to the bias.
    """

    d: int
    x: int
    lengths: int
    h: int
    c: int
    saved: int
    one: int
    dx: int
    dw: int
    zeros: int
    transposed: int
    errors: int
    dc_left: int
    dc_up: int
    dz: int
    inputs: int
    H: int
    W: int
    N: int
    D: int
    S: int
    C: int
    K: int
    reverse: int


@inner
def _add_weight_gradients(dw, inputs, dz, count, D, S):
    """Add what some cells of some lines contribute: inputs [count, K], dz [.., count, gates]."""
    K = 2 * S + D + 1
    for unit in range(0, S, LANES):
        k = int64(0)
        errors = dz + _PART * unit
        while k < K:
            to = dw + FLOAT_BYTES * (unit // LANES * K + k) * GATES
            if k + BLOCK <= K:
                _add_gradients(to, inputs + FLOAT_BYTES * k, K, count, errors)
                k += BLOCK
            else:
                _add_gradient(to, inputs + FLOAT_BYTES * k, K, count, errors)
                k += 1


@inner
def _cell_errors_of_line(
    saved, c, c_left, c_up, d, from_right, from_below, dc_left, dc_up, dz, S
):  # fmt: skip
    """Gradients of the gates' sums, for all units of a line at one place."""
    for unit in range(0, S, LANES):
        u = FLOAT_BYTES * unit
        cell_errors(
            saved + NUM_SAVED_2D * u, c + u, c_left + u, c_up + u, d + u, from_right + u,
            from_below + u, dc_left + u, dc_up + u, dz + _PART * unit,
        )  # fmt: skip


@inner
def _write_inputs(out, h_left, h_up, x, one, D, S):
    """One row of what the weights are multiplied with."""
    copy_row(out, h_left, S)
    copy_row(out + FLOAT_BYTES * S, h_up, S)
    copy_row(out + FLOAT_BYTES * 2 * S, x, D)
    copy_float(out + FLOAT_BYTES * (2 * S + D), one)


@inner
def _input_errors(e, rows, dz, errors):
    """Errors [rows, C] of what cells took, from the gradients of their sums."""
    always_inline()
    none, one, depth = int64(0), int64(1), int64(GATES)
    # The first vector of units begins with zeros, the others add to what it wrote.
    start, stride = e.zeros, none
    for unit in range(0, e.S, LANES):
        packed = e.transposed + FLOAT_BYTES * NUM_GATES_2D * unit * e.C
        add_products(
            one, rows, errors, none, e.C, start, stride, dz + _PART * unit, none, depth, depth,
            packed, depth, e.C, none,
        )  # fmt: skip
        start, stride = errors, e.C


@inner
def _backward_cells(e, first, rows, y, t, k, longest, cells, from_right):
    """Gradients of the sums at one place of some lines, and the inputs that they belong to.

    `cells` counts the places whose gradients wait already; `from_right` are the errors [rows, C]
    of the place to the right.
    """
    always_inline()
    steps = e.lengths + FLOAT_BYTES * (y * e.N + first)
    at = (y * e.W + t) * e.N + first
    here = FLOAT_BYTES * at * e.S
    h_left, c_left, h_up, c_up = e.zeros, e.zeros, e.zeros, e.zeros
    # The last step of this pass is the row's first one: nothing lies before it.
    if k < longest - 1:
        before = here + FLOAT_BYTES * (e.N if e.reverse else -e.N) * e.S
        h_left, c_left = e.h + before, e.c + before
    if y > 0:
        above = here - FLOAT_BYTES * e.W * e.N * e.S
        h_up, c_up = e.h + above, e.c + above
    from_below = e.errors + FLOAT_BYTES * t * ROWS * e.C  # of the row below, until overwritten
    dc_up = e.dc_up + FLOAT_BYTES * t * ROWS * e.S
    dz = e.dz + FLOAT_BYTES * cells * rows * GATES
    for n in range(rows):
        source = e.inputs + FLOAT_BYTES * (cells * rows + n) * e.K
        # Zero gradients: the cells beyond a line's width are multiplied with the others.
        if t >= read_int32(steps, n):
            fill_zero(source, e.K)
            for unit in range(0, e.S, LANES):
                fill_zero(dz + FLOAT_BYTES * n * GATES + _PART * unit, int64(GATES))
            continue
        line = FLOAT_BYTES * n * e.S
        right = FLOAT_BYTES * n * e.C if k > 0 else int64(0)
        _cell_errors_of_line(
            e.saved + NUM_SAVED_2D * (here + line), e.c + here + line, c_left + line,
            c_up + line, e.d + here + line, from_right + right,
            from_below + FLOAT_BYTES * (n * e.C + e.S), e.dc_left + line, dc_up + line,
            dz + FLOAT_BYTES * n * GATES, e.S,
        )  # fmt: skip
        of = e.x + FLOAT_BYTES * (at + n) * e.D
        _write_inputs(source, h_left + line, h_up + line, of, e.one, e.D, e.S)
    return dz


@inner
def _backward_row(e, first, rows, y, cells):
    """One row of some lines; returns how many places' gradients wait to be multiplied."""
    steps = e.lengths + FLOAT_BYTES * (y * e.N + first)
    longest = longest_of(steps, int64(0), rows, e.W)
    for t in range(longest, e.W):
        fill_zero(e.dx + FLOAT_BYTES * ((y * e.W + t) * e.N + first) * e.D, rows * e.D)
    fill_zero(e.dc_left, ROWS * e.S)
    from_right = e.zeros
    for k in range(longest):
        # In the opposite direction of the forward pass.
        t = place_of_step(k, longest, 1 - e.reverse)
        dz = _backward_cells(e, first, rows, y, t, k, longest, cells, from_right)
        # The errors of this place take the room of those from the row below, which are used up.
        own = e.errors + FLOAT_BYTES * t * ROWS * e.C
        _input_errors(e, rows, dz, own)
        from_right = own
        at = (y * e.W + t) * e.N + first
        # The part of the errors that belongs to the picture.
        for n in range(rows):
            of = own + FLOAT_BYTES * (n * e.C + 2 * e.S)
            copy_row(e.dx + FLOAT_BYTES * (at + n) * e.D, of, e.D)
        cells += 1
        if cells == _CELLS:
            _add_weight_gradients(e.dw, e.inputs, e.dz, cells * rows, e.D, e.S)
            cells = int64(0)
    return cells


@inner
def _backward_lines(e, first):
    """All rows of up to `ROWS` lines, from the lowest to the highest."""
    rows = min(ROWS, e.N - first)
    fill_zero(e.errors, e.W * ROWS * e.C)
    fill_zero(e.dc_up, e.W * ROWS * e.S)
    cells = int64(0)
    for y in range(e.H - 1, -1, -1):
        cells = _backward_row(e, first, rows, y, cells)
    # What has not filled a block.
    _add_weight_gradients(e.dw, e.inputs, e.dz, cells * rows, e.D, e.S)


@handler
def lstm2d_forward(frame):
    """Arguments x, w, lengths, [reverse]; results h, c, saved, scratch."""
    if handle_version_query(frame):
        return 0
    H, W, N, D = four_sizes(argument_sizes(frame, 0))
    S = read_int64(argument_sizes(frame, 1), 0) * LANES
    f = Forward(
        argument(frame, 0), argument(frame, 1), argument(frame, 2),
        result(frame, 0), result(frame, 1), result(frame, 2), result(frame, 3),
        H, W, N, D, S, read_int32(argument(frame, 3), 0),
    )  # fmt: skip
    fill_zero(f.zeros, ROWS * S)
    for first in range(0, N, ROWS):
        rows = min(ROWS, N - first)
        for y in range(H):
            forward_row(f, first, rows, y)
    return 0


@handler
def lstm2d_backward(frame):
    """Arguments d, x, w, lengths, h, c, saved, [reverse], and a 1; results dx, dw, scratch."""
    if handle_version_query(frame):
        return 0
    H, W, N, D = four_sizes(argument_sizes(frame, 1))
    units = read_int64(argument_sizes(frame, 2), 0)
    S = units * LANES
    C, K = 2 * S + padded_columns(D), 2 * S + D + 1
    at, scratch = _backward_layout(W, D, padded_columns(D), S), result(frame, 2)
    e = _Backward(
        argument(frame, 0), argument(frame, 1), argument(frame, 3), argument(frame, 4),
        argument(frame, 5), argument(frame, 6), argument(frame, 8),
        result(frame, 0), result(frame, 1),
        scratch + FLOAT_BYTES * at.zeros, scratch + FLOAT_BYTES * at.transposed,
        scratch + FLOAT_BYTES * at.errors, scratch + FLOAT_BYTES * at.dc_left,
        scratch + FLOAT_BYTES * at.dc_up, scratch + FLOAT_BYTES * at.dz,
        scratch + FLOAT_BYTES * at.inputs,
        H, W, N, D, S, C, K, read_int32(argument(frame, 7), 0),
    )  # fmt: skip
    fill_zero(e.zeros, max(ROWS * S, C))
    fill_zero(e.dw, units * K * GATES)
    for unit in range(units):
        weights = argument(frame, 2) + FLOAT_BYTES * unit * K * GATES
        # The bias, the last row, is left out: no error goes on from it.
        pack_transposed(weights, int64(GATES), K - 1, e.transposed + FLOAT_BYTES * unit * GATES * C)
    for first in range(0, N, ROWS):
        _backward_lines(e, first)
    return 0
