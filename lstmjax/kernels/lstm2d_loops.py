"""The 2-D LSTM as compiled loops: all of its forward pass, and all of its backward pass.

A few lines are taken at a time, cell by cell and row by row of the picture, so that what a cell
leaves is still in a near cache when its neighbours need it. Arrays are `row, column, line,
feature`, as in `nn.lstm2d`, which says what is computed; `lengths` [H, N] are the columns that
each row of each line has, never more than the row above. On the way back the weights' gradient is
summed from some cells at a time.

The weights w are [units / LANES, 2S + D + 1, gates, LANES]: for each vector of units the rows of
the left output, the upper one, the input, and the bias.
"""

from typing import Any

from numba import int64

from lstmjax.constants import NUM_GATES_2D, NUM_SAVED_2D
from lstmjax.kernels.lstm2d_cells import cell_errors, make_cells
from lstmjax.simd.compile import handler, inner
from lstmjax.simd.operations import (
    copy_float,
    copy_vector,
    fill_zero,
    make_block,
    read_int32,
    read_int64,
)
from lstmjax.simd.products import add_products, pack_turned, padded_columns
from lstmjax.simd.vectors import FLOAT_BYTES, LANES, ROWS, padded
from lstmjax.simd.xla import (
    argument,
    argument_sizes,
    four_sizes,
    handle_version_query,
    result,
)

_CELLS = 16  # places whose errors are multiplied with their inputs together
_BLOCK = 2 if LANES == 8 else 4  # lines, or rows of weights, whose sums the registers hold
_GATES = NUM_GATES_2D * LANES  # sums of a vector of units
_PART = FLOAT_BYTES * NUM_GATES_2D * _CELLS * ROWS  # bytes of gradients kept of each unit


def _make_pair(make: Any) -> tuple[Any, Any]:
    """Functions for a block of rows and for one, each compiled once."""
    return make(_BLOCK), make(1)


def _make_cells(rows: int) -> Any:
    operation = make_cells(rows)

    def cells(kept, c, h, c_left, c_up, h_left, h_up, x, D, S, w, has_upper):
        operation(kept, c, h, c_left, c_up, h_left, h_up, x, D, S, w, has_upper)

    cells.__qualname__ = f"cells_of_{rows}_rows"
    return inner(cells)


def _make_gradients(rows: int) -> Any:
    operation = make_block(rows, NUM_GATES_2D)

    def add(dw, inputs, K, depth, dz):
        width, one = int64(_GATES), int64(1)
        operation(dw, width, dw, width, inputs, one, K, depth, dz)

    add.__qualname__ = f"add_gradients_of_{rows}_rows"
    return inner(add)


_block_of_cells, _cell = _make_pair(_make_cells)
_add_gradients, _add_gradient = _make_pair(_make_gradients)


@inner
def _longest(lengths, rows, W):
    """The most columns any of some lines has."""
    longest = int64(0)
    for n in range(rows):
        longest = max(longest, read_int32(lengths, n))
    return min(longest, W)


@inner
def _copy(out, x, count):
    """Copy floats."""
    whole = count // LANES * LANES
    for i in range(0, whole, LANES):
        copy_vector(out + FLOAT_BYTES * i, x + FLOAT_BYTES * i)
    for i in range(whole, count):
        copy_float(out + FLOAT_BYTES * i, x + FLOAT_BYTES * i)


@inner
def _place(k, count, backwards):
    """Where step k of a scan of so many places is."""
    return count - 1 - k if backwards else k


@inner
def _compute_cells(rows, kept, c, h, c_left, c_up, h_left, h_up, x, D, S, w, has_upper):
    """Compute all units of some lines at one place; see `lstm2d_cells.make_cells`."""
    size = FLOAT_BYTES * (2 * S + D + 1) * _GATES
    for unit in range(0, S, LANES):
        u = FLOAT_BYTES * unit
        weights = w + unit // LANES * size
        n = int64(0)
        while n < rows:
            line = FLOAT_BYTES * n * S
            own = line + u
            values, source = kept + NUM_SAVED_2D * own, x + FLOAT_BYTES * n * D
            if n + _BLOCK <= rows:
                _block_of_cells(
                    values, c + own, h + own, c_left + own, c_up + own, h_left + line, h_up + line,
                    source, D, S, weights, has_upper,
                )  # fmt: skip
                n += _BLOCK
            else:
                _cell(
                    values, c + own, h + own, c_left + own, c_up + own, h_left + line, h_up + line,
                    source, D, S, weights, has_upper,
                )  # fmt: skip
                n += 1


def forward_scratch(S: int) -> int:
    """Floats that `forward` needs for itself."""
    return ROWS * S


@inner
def forward(x, w, lengths, H, W, N, D, S, reverse, h, c, kept, zeros):
    """Compute h and c [H, W, N, S] and the gates' values to keep from x [H, W, N, D].

    Beyond a line's width and height h and c are zero. S counts whole vectors.
    """
    fill_zero(zeros, ROWS * S)
    for first in range(0, N, ROWS):
        rows = min(ROWS, N - first)
        for y in range(H):
            steps = lengths + FLOAT_BYTES * (y * N + first)
            longest = _longest(steps, rows, W)
            for t in range(longest, W):
                here = FLOAT_BYTES * ((y * W + t) * N + first) * S
                fill_zero(h + here, rows * S)
                fill_zero(c + here, rows * S)
            for k in range(longest):
                t = _place(k, longest, reverse)
                at = (y * W + t) * N + first
                here = FLOAT_BYTES * at * S
                h_left, c_left, h_up, c_up = zeros, zeros, zeros, zeros
                if k > 0:
                    before = here + FLOAT_BYTES * (N if reverse else -N) * S
                    h_left, c_left = h + before, c + before
                if y > 0:
                    above = here - FLOAT_BYTES * W * N * S
                    h_up, c_up = h + above, c + above
                _compute_cells(
                    rows, kept + NUM_SAVED_2D * here, c + here, h + here, c_left, c_up, h_left,
                    h_up, x + FLOAT_BYTES * at * D, D, S, w, y,
                )  # fmt: skip
                for n in range(rows):
                    if t >= read_int32(steps, n):
                        fill_zero(h + here + FLOAT_BYTES * n * S, S)
                        fill_zero(c + here + FLOAT_BYTES * n * S, S)


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


@inner
def _add_weight_gradients(dw, inputs, dz, count, D, S):
    """Add what some cells of some lines contribute: inputs [count, K], dz [.., count, gates]."""
    K = 2 * S + D + 1
    for unit in range(0, S, LANES):
        k = int64(0)
        errors = dz + _PART * unit
        while k < K:
            to = dw + FLOAT_BYTES * (unit // LANES * K + k) * _GATES
            if k + _BLOCK <= K:
                _add_gradients(to, inputs + FLOAT_BYTES * k, K, count, errors)
                k += _BLOCK
            else:
                _add_gradient(to, inputs + FLOAT_BYTES * k, K, count, errors)
                k += 1


@inner
def _cell_errors_of_line(
    kept, c, c_left, c_up, d, from_right, from_below, dc_left, dc_up, dz, S
):  # fmt: skip
    """Gradients of the gates' sums, for all units of a line at one place."""
    for unit in range(0, S, LANES):
        u = FLOAT_BYTES * unit
        cell_errors(
            kept + NUM_SAVED_2D * u, c + u, c_left + u, c_up + u, d + u, from_right + u,
            from_below + u, dc_left + u, dc_up + u, dz + _PART * unit,
        )  # fmt: skip


@inner
def _write_inputs(out, h_left, h_up, x, one, D, S):
    """One row of what the weights are multiplied with."""
    _copy(out, h_left, S)
    _copy(out + FLOAT_BYTES * S, h_up, S)
    _copy(out + FLOAT_BYTES * 2 * S, x, D)
    copy_float(out + FLOAT_BYTES * (2 * S + D), one)


@inner
def _errors_before(rows, dz, turned, errors, C, S, zeros):
    """Errors [rows, C] of what cells took, from the gradients of their sums."""
    none, one, depth = int64(0), int64(1), int64(_GATES)
    start, stride = zeros, none
    for unit in range(0, S, LANES):
        packed = turned + FLOAT_BYTES * NUM_GATES_2D * unit * C
        add_products(
            one, rows, errors, none, C, start, stride, dz + _PART * unit, none, depth, depth,
            packed, depth, C, none,
        )  # fmt: skip
        start, stride = errors, C


@inner
def backward(d, x, w, lengths, h, c, kept, one, H, W, N, D, S, reverse, dx, dw, scratch):
    """Compute dx [H, W, N, D] and dw from d [H, W, N, S]; `one` is the address of a 1."""
    K = 2 * S + D + 1
    C = 2 * S + padded_columns(D)  # errors of the left output, of the upper one, of the input
    units = S // LANES
    zeros = scratch
    turned = zeros + FLOAT_BYTES * max(ROWS * S, C)
    errors = turned + FLOAT_BYTES * units * _GATES * C
    dc_left = errors + FLOAT_BYTES * W * ROWS * C
    dc_up = dc_left + FLOAT_BYTES * ROWS * S
    all_dz = dc_up + FLOAT_BYTES * W * ROWS * S
    inputs = all_dz + _PART * S
    fill_zero(zeros, max(ROWS * S, C))
    fill_zero(dw, units * K * _GATES)
    for unit in range(units):
        weights = w + FLOAT_BYTES * unit * K * _GATES
        pack_turned(weights, int64(_GATES), K - 1, turned + FLOAT_BYTES * unit * _GATES * C)
    for first in range(0, N, ROWS):
        rows = min(ROWS, N - first)
        fill_zero(errors, W * ROWS * C)
        fill_zero(dc_up, W * ROWS * S)
        cells = int64(0)  # whose gradients and inputs are not multiplied yet
        for y in range(H - 1, -1, -1):
            steps = lengths + FLOAT_BYTES * (y * N + first)
            longest = _longest(steps, rows, W)
            for t in range(longest, W):
                fill_zero(dx + FLOAT_BYTES * ((y * W + t) * N + first) * D, rows * D)
            fill_zero(dc_left, ROWS * S)
            from_right = zeros
            for k in range(longest):
                t = _place(k, longest, 1 - reverse)
                at = (y * W + t) * N + first
                here = FLOAT_BYTES * at * S
                h_left, c_left, h_up, c_up = zeros, zeros, zeros, zeros
                if k < longest - 1:
                    before = here + FLOAT_BYTES * (N if reverse else -N) * S
                    h_left, c_left = h + before, c + before
                if y > 0:
                    above = here - FLOAT_BYTES * W * N * S
                    h_up, c_up = h + above, c + above
                own = errors + FLOAT_BYTES * t * ROWS * C
                dz = all_dz + FLOAT_BYTES * cells * rows * _GATES
                for n in range(rows):
                    source = inputs + FLOAT_BYTES * (cells * rows + n) * K
                    if t >= read_int32(steps, n):
                        fill_zero(source, K)
                        for unit in range(0, S, LANES):
                            fill_zero(dz + FLOAT_BYTES * n * _GATES + _PART * unit, int64(_GATES))
                        continue
                    line = FLOAT_BYTES * n * S
                    right = FLOAT_BYTES * n * C if k > 0 else int64(0)
                    _cell_errors_of_line(
                        kept + NUM_SAVED_2D * (here + line), c + here + line, c_left + line,
                        c_up + line, d + here + line, from_right + right,
                        own + FLOAT_BYTES * (n * C + S), dc_left + line,
                        dc_up + FLOAT_BYTES * t * ROWS * S + line,
                        dz + FLOAT_BYTES * n * _GATES, S,
                    )  # fmt: skip
                    of = x + FLOAT_BYTES * (at + n) * D
                    _write_inputs(source, h_left + line, h_up + line, of, one, D, S)
                _errors_before(rows, dz, turned, own, C, S, zeros)
                from_right = own
                for n in range(rows):
                    of = own + FLOAT_BYTES * (n * C + 2 * S)
                    _copy(dx + FLOAT_BYTES * (at + n) * D, of, D)
                cells += 1
                if cells == _CELLS:
                    _add_weight_gradients(dw, inputs, all_dz, cells * rows, D, S)
                    cells = int64(0)
        _add_weight_gradients(dw, inputs, all_dz, cells * rows, D, S)


@handler
def lstm2d_forward(frame):
    """Arguments x, w, lengths, [reverse]; results h, c, kept, scratch."""
    if handle_version_query(frame):
        return 0
    H, W, N, D = four_sizes(argument_sizes(frame, 0))
    S = read_int64(argument_sizes(frame, 1), 0) * LANES
    x, w, lengths, options = (
        argument(frame, 0), argument(frame, 1), argument(frame, 2), argument(frame, 3),
    )  # fmt: skip
    h, c, kept, scratch = result(frame, 0), result(frame, 1), result(frame, 2), result(frame, 3)
    reverse = read_int32(options, 0)
    forward(x, w, lengths, H, W, N, D, S, reverse, h, c, kept, scratch)
    return 0


@handler
def lstm2d_backward(frame):
    """Arguments d, x, w, lengths, h, c, kept, [reverse], and a 1; results dx, dw, scratch."""
    if handle_version_query(frame):
        return 0
    H, W, N, D = four_sizes(argument_sizes(frame, 1))
    S = read_int64(argument_sizes(frame, 2), 0) * LANES
    d, x, w, lengths = (
        argument(frame, 0), argument(frame, 1), argument(frame, 2), argument(frame, 3),
    )  # fmt: skip
    h, c, kept = argument(frame, 4), argument(frame, 5), argument(frame, 6)
    options, one = argument(frame, 7), argument(frame, 8)
    dx, dw, scratch = result(frame, 0), result(frame, 1), result(frame, 2)
    reverse = read_int32(options, 0)
    backward(d, x, w, lengths, h, c, kept, one, H, W, N, D, S, reverse, dx, dw, scratch)
    return 0
