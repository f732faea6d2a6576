"""The 2-D LSTM as compiled loops: all of its forward pass, and all of its backward pass.

A few lines are taken at a time, cell by cell and row by row of the picture, so that what a cell
leaves is still in a near cache when its neighbours need it. Arrays are `row, column, line,
feature`, as in `nn.lstm2d`, which says what is computed; `lengths` [H, N] are the columns that
each row of each line has, none for rows below the line. On the way back the weights' gradient is
summed from some cells at a time.

The weights w are [units / LANES, 2S + D + 1, gates, LANES]: for each vector of units the rows of
the left output, the upper one, the input, and the bias.
"""

from typing import Any

from numba import int64, njit

from lstmjax.kernels.compiling import handler
from lstmjax.kernels.limits import NUM_GATES_2D, NUM_KEPT_2D
from lstmjax.kernels.lstm2d_cells import cell_errors, make_cells
from lstmjax.kernels.operations import (
    copy_float,
    copy_vector,
    fill_zero,
    make_block,
    read_int32,
    read_int64,
)
from lstmjax.kernels.products import add_products, pack_turned, padded_columns
from lstmjax.kernels.vectors import FLOAT_BYTES, LANES, ROWS, padded
from lstmjax.kernels.xla import (
    answers,
    argument,
    argument_sizes,
    result,
)

_CELLS = 8  # places whose errors are multiplied with their inputs together
_BLOCK = 2 if LANES == 8 else 4  # lines, or rows of weights, whose sums the registers hold
_GATES = NUM_GATES_2D * LANES  # sums of a vector of units


def _make_pair(make: Any) -> tuple[Any, Any]:
    """Functions for a block of rows and for one, each compiled once."""
    return make(_BLOCK), make(1)


def _make_cells(rows: int) -> Any:
    operation = make_cells(rows)

    @njit(nogil=True)
    def cells(kept, c, h, c_left, c_up, h_left, h_up, x, D, S, w, steps_above, step):
        operation(kept, c, h, c_left, c_up, h_left, h_up, x, D, S, w, steps_above, step)

    return cells


def _make_gradients(rows: int) -> Any:
    operation = make_block(rows, NUM_GATES_2D)

    @njit(nogil=True)
    def add(dw, inputs, K, depth, dz):
        width, one = int64(_GATES), int64(1)
        operation(dw, width, dw, width, inputs, one, K, depth, dz)

    return add


_block_of_cells, _cell = _make_pair(_make_cells)
_add_gradients, _add_gradient = _make_pair(_make_gradients)


@njit(nogil=True)
def _longest(lengths, rows, W):
    """The most columns any of some lines has."""
    longest = int64(0)
    for n in range(rows):
        longest = max(longest, read_int32(lengths, n))
    return min(longest, W)


@njit(nogil=True)
def _copy(out, x, count):
    """Copy floats."""
    whole = count // LANES * LANES
    for i in range(0, whole, LANES):
        copy_vector(out + FLOAT_BYTES * i, x + FLOAT_BYTES * i)
    for i in range(whole, count):
        copy_float(out + FLOAT_BYTES * i, x + FLOAT_BYTES * i)


@njit(nogil=True)
def _place(k, count, backwards):
    """Where step k of a scan of so many places is."""
    return count - 1 - k if backwards else k


def forward_scratch(S: int) -> int:
    """Floats that `forward` needs for itself."""
    return ROWS * S


@njit(nogil=True)
def forward(x, w, lengths, H, W, N, D, S, left, up, h, c, kept, zeros):
    """Compute h and c [H, W, N, S] and the gates' values to keep from x [H, W, N, D].

    Beyond a line's width and height h and c are zero. S counts whole vectors.
    """
    K = 2 * S + D + 1
    fill_zero(zeros, ROWS * S)
    for first in range(0, N, ROWS):
        rows = min(ROWS, N - first)
        for j in range(H):
            y = _place(j, H, up)
            steps = lengths + FLOAT_BYTES * (y * N + first)
            steps_above, row_above = zeros, int64(0)
            if j > 0:
                row_above = (W if up else -W) * N
                steps_above = steps + FLOAT_BYTES * (N if up else -N)
            longest = _longest(steps, rows, W)
            for t in range(longest, W):
                at = FLOAT_BYTES * ((y * W + t) * N + first) * S
                fill_zero(h + at, rows * S)
                fill_zero(c + at, rows * S)
            for k in range(longest):
                t = _place(k, longest, left)
                at = (y * W + t) * N + first
                h_left, c_left, h_up, c_up = zeros, zeros, zeros, zeros
                if k > 0:
                    before = FLOAT_BYTES * (at + (N if left else -N)) * S
                    h_left, c_left = h + before, c + before
                if j > 0:
                    above = FLOAT_BYTES * (at + row_above) * S
                    h_up, c_up = h + above, c + above
                for unit in range(0, S, LANES):
                    weights = w + FLOAT_BYTES * (unit // LANES) * K * _GATES
                    u = FLOAT_BYTES * unit
                    n = int64(0)
                    while n < rows:
                        line = FLOAT_BYTES * n * S
                        here = FLOAT_BYTES * (at + n) * S
                        values = kept + NUM_KEPT_2D * (here + u)
                        source = x + FLOAT_BYTES * (at + n) * D
                        above_n = steps_above + FLOAT_BYTES * n
                        if n + _BLOCK <= rows:
                            _block_of_cells(
                                values, c + here + u, h + here + u, c_left + line + u,
                                c_up + line + u, h_left + line, h_up + line, source, D, S,
                                weights, above_n, t,
                            )  # fmt: skip
                            n += _BLOCK
                        else:
                            _cell(
                                values, c + here + u, h + here + u, c_left + line + u,
                                c_up + line + u, h_left + line, h_up + line, source, D, S,
                                weights, above_n, t,
                            )  # fmt: skip
                            n += 1
                for n in range(rows):
                    if t >= read_int32(steps, n):
                        here = FLOAT_BYTES * (at + n) * S
                        fill_zero(h + here, S)
                        fill_zero(c + here, S)


def backward_scratch(W: int, D: int, S: int) -> int:
    """Floats that `backward` needs for itself."""
    C = 2 * S + padded(D)
    K = 2 * S + D + 1
    units = S // LANES
    turned = units * _GATES * C
    errors = W * ROWS * C
    states = ROWS * S + W * ROWS * S
    cells = _CELLS * ROWS * (units * _GATES + K)
    return turned + max(ROWS * S, C) + errors + states + cells


@njit(nogil=True)
def _add_weight_gradients(dw, inputs, dz, count, D, S):
    """Add what some cells of some lines contribute: inputs [count, K], dz [.., count, gates]."""
    K = 2 * S + D + 1
    for unit in range(0, S, LANES):
        k = int64(0)
        errors = dz + FLOAT_BYTES * unit * NUM_GATES_2D * _CELLS * ROWS
        while k < K:
            to = dw + FLOAT_BYTES * (unit // LANES * K + k) * _GATES
            if k + _BLOCK <= K:
                _add_gradients(to, inputs + FLOAT_BYTES * k, K, count, errors)
                k += _BLOCK
            else:
                _add_gradient(to, inputs + FLOAT_BYTES * k, K, count, errors)
                k += 1


@njit(nogil=True)
def backward(d, x, w, lengths, h, c, kept, one, H, W, N, D, S, left, up, dx, dw, scratch):
    """Compute dx [H, W, N, D] and dw from d [H, W, N, S]; `one` is the address of a 1."""
    none, step = int64(0), int64(1)
    K = 2 * S + D + 1
    C = 2 * S + padded_columns(D)  # errors of the left output, of the upper one, of the input
    units = S // LANES
    turned = scratch
    zeros = turned + FLOAT_BYTES * units * _GATES * C
    errors = zeros + FLOAT_BYTES * max(ROWS * S, C)
    dc_left = errors + FLOAT_BYTES * W * ROWS * C
    dc_up = dc_left + FLOAT_BYTES * ROWS * S
    dz = dc_up + FLOAT_BYTES * W * ROWS * S
    inputs = dz + FLOAT_BYTES * _CELLS * ROWS * units * _GATES
    fill_zero(zeros, max(ROWS * S, C))
    fill_zero(dw, units * K * _GATES)
    for unit in range(units):
        weights = w + FLOAT_BYTES * unit * K * _GATES
        pack_turned(weights, int64(_GATES), K - 1, turned + FLOAT_BYTES * unit * _GATES * C)
    for first in range(0, N, ROWS):
        rows = min(ROWS, N - first)
        fill_zero(errors, W * ROWS * C)
        fill_zero(dc_up, W * ROWS * S)
        cells = int64(0)
        for j in range(H):
            y = _place(j, H, 1 - up)
            row_above = (W if up else -W) * N if j < H - 1 else none
            steps = lengths + FLOAT_BYTES * (y * N + first)
            longest = _longest(steps, rows, W)
            for t in range(longest, W):
                fill_zero(dx + FLOAT_BYTES * ((y * W + t) * N + first) * D, rows * D)
            fill_zero(dc_left, ROWS * S)
            from_right = zeros
            for k in range(longest):
                t = _place(k, longest, 1 - left)
                at = (y * W + t) * N + first
                h_left, c_left, h_up, c_up = zeros, zeros, zeros, zeros
                if k < longest - 1:
                    before = FLOAT_BYTES * (at + (N if left else -N)) * S
                    h_left, c_left = h + before, c + before
                if row_above != 0:
                    above = FLOAT_BYTES * (at + row_above) * S
                    h_up, c_up = h + above, c + above
                own = errors + FLOAT_BYTES * t * ROWS * C
                for n in range(rows):
                    to = dz + FLOAT_BYTES * (cells * rows + n) * _GATES
                    source = inputs + FLOAT_BYTES * (cells * rows + n) * K
                    per_unit = FLOAT_BYTES * NUM_GATES_2D * _CELLS * ROWS
                    if t >= read_int32(steps, n):
                        fill_zero(source, K)
                        for unit in range(0, S, LANES):
                            fill_zero(to + per_unit * unit, int64(_GATES))
                        continue
                    line = FLOAT_BYTES * n * S
                    here = FLOAT_BYTES * (at + n) * S
                    right = none if k == 0 else FLOAT_BYTES * n * C
                    for unit in range(0, S, LANES):
                        u = FLOAT_BYTES * unit
                        cell_errors(
                            kept + NUM_KEPT_2D * (here + u), c + here + u, c_left + line + u,
                            c_up + line + u, d + here + u, from_right + right + u,
                            own + FLOAT_BYTES * (n * C + S) + u, dc_left + line + u,
                            dc_up + FLOAT_BYTES * t * ROWS * S + line + u, to + per_unit * unit,
                        )  # fmt: skip
                    _copy(source, h_left + line, S)
                    _copy(source + FLOAT_BYTES * S, h_up + line, S)
                    _copy(source + FLOAT_BYTES * 2 * S, x + FLOAT_BYTES * (at + n) * D, D)
                    copy_float(source + FLOAT_BYTES * (K - 1), one)
                start, stride = zeros, none
                for unit in range(units):
                    of = dz + FLOAT_BYTES * (unit * _CELLS * ROWS + cells * rows) * _GATES
                    packed = turned + FLOAT_BYTES * unit * _GATES * C
                    depth = int64(_GATES)
                    add_products(
                        step, rows, own, none, C, start, stride, of, none, depth, depth, packed,
                        depth, C, none,
                    )  # fmt: skip
                    start, stride = own, C
                from_right = own
                for n in range(rows):
                    of = own + FLOAT_BYTES * (n * C + 2 * S)
                    _copy(dx + FLOAT_BYTES * (at + n) * D, of, D)
                cells += 1
                if cells == _CELLS:
                    _add_weight_gradients(dw, inputs, dz, cells * rows, D, S)
                    cells = none
        _add_weight_gradients(dw, inputs, dz, cells * rows, D, S)


@handler
def lstm2d_forward(frame):
    """Arguments x, w, lengths, [left, up]; results h, c, kept, scratch."""
    if answers(frame):
        return 0
    sizes = argument_sizes(frame, 0)
    H, W, N, D = (
        read_int64(sizes, 0), read_int64(sizes, 1), read_int64(sizes, 2), read_int64(sizes, 3),
    )  # fmt: skip
    S = read_int64(argument_sizes(frame, 1), 0) * LANES
    x, w, lengths, options = (
        argument(frame, 0), argument(frame, 1), argument(frame, 2), argument(frame, 3),
    )  # fmt: skip
    left, up = read_int32(options, 0), read_int32(options, 1)
    h, c, kept, scratch = result(frame, 0), result(frame, 1), result(frame, 2), result(frame, 3)
    forward(x, w, lengths, H, W, N, D, S, left, up, h, c, kept, scratch)
    return 0


@handler
def lstm2d_backward(frame):
    """Arguments d, x, w, lengths, h, c, kept, [left, up], and a 1; results dx, dw, scratch."""
    if answers(frame):
        return 0
    sizes = argument_sizes(frame, 1)
    H, W, N, D = (
        read_int64(sizes, 0), read_int64(sizes, 1), read_int64(sizes, 2), read_int64(sizes, 3),
    )  # fmt: skip
    S = read_int64(argument_sizes(frame, 2), 0) * LANES
    d, x, w, lengths = (
        argument(frame, 0), argument(frame, 1), argument(frame, 2), argument(frame, 3),
    )  # fmt: skip
    h, c, kept = argument(frame, 4), argument(frame, 5), argument(frame, 6)
    options, one = argument(frame, 7), argument(frame, 8)
    left, up = read_int32(options, 0), read_int32(options, 1)
    dx, dw, scratch = result(frame, 0), result(frame, 1), result(frame, 2)
    backward(d, x, w, lengths, h, c, kept, one, H, W, N, D, S, left, up, dx, dw, scratch)
    return 0
