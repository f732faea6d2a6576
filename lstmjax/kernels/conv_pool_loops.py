"""Convolution and max-pool of a shallow picture, up to each line's own width.

Arrays are `row, column, line, depth`, as in `nn.conv_pool`, which says what is computed. One row of
cells of one line is computed at a time, by `conv_pool_cells`, straight from the picture; a cell of
many positions in several passes.
"""

from numba import int64

from lstmjax.kernels.conv_pool_cells import make_gradients, make_largest
from lstmjax.simd.compile import handler, inner
from lstmjax.simd.operations import fill_zero, read_int32, write_int32
from lstmjax.simd.vectors import FLOAT_BYTES, LANES
from lstmjax.simd.xla import (
    argument,
    argument_sizes,
    four_sizes,
    handle_version_query,
    result,
    result_sizes,
)

_MANY, _FEW = 9, 4  # positions, or taps, whose sums the registers hold at once
_largest_of_many, _largest_of_few = make_largest(_MANY), make_largest(_FEW)
_gradients_of_many, _gradients_of_few = make_gradients(_MANY), make_gradients(_FEW)


@inner
def write_offsets(offsets, sizes, taps_x, taps_y):
    """Write how many floats after its window each tap is: rows, then columns, then depth."""
    _, W, B, D = sizes
    for tap in range(taps_y * taps_x * D):
        row, column, d = tap // (taps_x * D), tap // D % taps_x, tap % D
        write_int32(offsets, tap, (row * W + column) * B * D + d)


@inner
def write_places(places, sizes, pool_x, pool_y, first):
    """Write how many floats after its cell each position of a pass is; returns how many there are.

    Positions count along y first.
    """
    _, W, B, D = sizes
    positions = min(pool_x * pool_y - first, _MANY)
    for i in range(positions):
        k = first + i
        write_int32(places, i, (k % pool_y * W + k // pool_y) * B * D)
    return positions


@inner
def find_largest(
    best, index, step, x, x_step, count, places, positions, first, w, N, offsets, taps
):  # fmt: skip
    """Best and index of some cells, all features; see `conv_pool_cells.make_largest`."""
    for n in range(0, N, LANES):
        to, at, of = best + FLOAT_BYTES * n, index + FLOAT_BYTES * n, w + FLOAT_BYTES * n
        if positions > _FEW:
            _largest_of_many(
                to, at, step, x, x_step, count, places, positions, first, of, N, offsets, taps
            )
        else:
            _largest_of_few(
                to, at, step, x, x_step, count, places, positions, first, of, N, offsets, taps
            )


@inner
def add_gradients(
    d, index, step, x, x_step, count, places, positions, first, dw, N, offsets, taps
):  # fmt: skip
    """Add what some cells give to all gradients; see `conv_pool_cells.make_gradients`."""
    for n in range(0, N, LANES):
        of, at, to = d + FLOAT_BYTES * n, index + FLOAT_BYTES * n, dw + FLOAT_BYTES * n
        tap = int64(0)
        while tap < taps:
            if tap + _MANY <= taps:
                _gradients_of_many(
                    of, at, step, x, x_step, count, places, positions, first, to, N, offsets, taps,
                    tap,
                )  # fmt: skip
                tap += _MANY
            else:
                _gradients_of_few(
                    of, at, step, x, x_step, count, places, positions, first, to, N, offsets, taps,
                    tap,
                )  # fmt: skip
                tap += _FEW


def scratch_size(taps_x: int, taps_y: int, D: int) -> int:
    """Floats that `forward`, or `backward`, needs for itself, whatever else there is."""
    return taps_y * taps_x * D + _MANY


@inner
def forward(
    x, w, lengths, sizes, taps_x, taps_y, N, pool_x, pool_y, rows, columns, best, index, scratch
):  # fmt: skip
    """Largest sums [rows, columns, B, N] of cells and where in each they are.

    x [H, W, B, D] has `sizes`; w is [taps_y * taps_x * D, N].
    """
    _, W, B, D = sizes
    taps = taps_y * taps_x * D
    offsets, places = scratch, scratch + FLOAT_BYTES * taps
    write_offsets(offsets, sizes, taps_x, taps_y)
    # Passes outside, cells inside: the tables of a pass serve all cells.
    for first in range(0, pool_x * pool_y, _MANY):
        positions = write_places(places, sizes, pool_x, pool_y, first)
        for row in range(rows):
            for b in range(B):
                # Lengths come from outside: no value may lead beyond the arrays.
                inside = min(max(read_int32(lengths, b), 0), columns)
                at = FLOAT_BYTES * (row * columns * B + b) * N
                of = x + FLOAT_BYTES * (row * pool_y * W * B + b) * D
                find_largest(
                    best + at, index + at, B * N, of, pool_x * B * D, inside, places, positions,
                    first, w, N, offsets, taps,
                )  # fmt: skip
                for column in range(inside, columns):
                    here = at + FLOAT_BYTES * column * B * N
                    fill_zero(best + here, N)
                    fill_zero(index + here, N)


@inner
def backward(
    d, x, index, lengths, sizes, taps_x, taps_y, N, pool_x, pool_y, rows, columns, dw, scratch
):  # fmt: skip
    """Sum the gradients of the weights, dw [taps_y * taps_x * D, N], from d like `best`."""
    _, W, B, D = sizes
    taps = taps_y * taps_x * D
    offsets, places = scratch, scratch + FLOAT_BYTES * taps
    write_offsets(offsets, sizes, taps_x, taps_y)
    # Gradients of all passes are added to it.
    fill_zero(dw, taps * N)
    for first in range(0, pool_x * pool_y, _MANY):
        positions = write_places(places, sizes, pool_x, pool_y, first)
        for row in range(rows):
            for b in range(B):
                inside = min(max(read_int32(lengths, b), 0), columns)
                at = FLOAT_BYTES * (row * columns * B + b) * N
                of = x + FLOAT_BYTES * (row * pool_y * W * B + b) * D
                add_gradients(
                    d + at, index + at, B * N, of, pool_x * B * D, inside, places, positions,
                    first, dw, N, offsets, taps,
                )  # fmt: skip


@handler
def conv_pool_forward(frame):
    """Arguments x, w, lengths in cells, [taps_x, taps_y, pool_x, pool_y].

    Results: best, index, scratch.
    """
    if handle_version_query(frame):
        return 0
    sizes, cells = four_sizes(argument_sizes(frame, 0)), four_sizes(result_sizes(frame, 0))
    options = argument(frame, 3)
    forward(
        argument(frame, 0), argument(frame, 1), argument(frame, 2), sizes, read_int32(options, 0),
        read_int32(options, 1), cells[3], read_int32(options, 2), read_int32(options, 3), cells[0],
        cells[1], result(frame, 0), result(frame, 1), result(frame, 2),
    )  # fmt: skip
    return 0


@handler
def conv_pool_backward(frame):
    """Arguments d, x, index, lengths in cells, [taps_x, taps_y, pool_x, pool_y].

    Results: dw, scratch.
    """
    if handle_version_query(frame):
        return 0
    sizes, cells = four_sizes(argument_sizes(frame, 1)), four_sizes(argument_sizes(frame, 0))
    options = argument(frame, 4)
    backward(
        argument(frame, 0), argument(frame, 1), argument(frame, 2), argument(frame, 3), sizes,
        read_int32(options, 0), read_int32(options, 1), cells[3], read_int32(options, 2),
        read_int32(options, 3), cells[0], cells[1], result(frame, 0), result(frame, 1),
    )  # fmt: skip
    return 0
