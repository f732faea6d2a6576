"""The nearest orthogonal matrix, by an iteration of products half of which are symmetric.

`train.orthogonal` says what is computed. A symmetric product is computed above the diagonal only
and mirrored; all numbers of a matrix stay in the nearer caches through all iterations. With `pairs`
factors of products are rounded to 16 bits, as in the original Muon; sums are not.
"""

from numba import int64

from lstmjax.simd.compile import handler, inner
from lstmjax.simd.operations import (
    add_square,
    add_to_float,
    combine,
    fill_zero,
    read_float,
    read_int32,
    read_int64,
    scale_vector,
)
from lstmjax.simd.products import (
    add_panel,
    copy_block_turned,
    copy_row,
    pack,
    pack_turned,
    padded_columns,
    pair_row,
    pair_rows,
    width_of_panel,
)
from lstmjax.simd.vectors import FLOAT_BYTES, LANES, ROWS, padded
from lstmjax.simd.xla import argument, argument_sizes, handle_version_query, result, result_sizes

_NORM_MARGIN = 1.01  # the norm of Frobenius bounds the largest singular value; so does rounding
_TINY = 1e-30


@inner
def copy_block(out, out_stride, x, x_stride, rows, columns):
    """Copy x [rows, columns]; rows are `*_stride` apart."""
    for row in range(rows):
        copy_row(out + FLOAT_BYTES * row * out_stride, x + FLOAT_BYTES * row * x_stride, columns)


@inner
def normalise(x, count, sums):
    """Divide `count` floats (whole vectors) by their norm and a little more."""
    fill_zero(sums, LANES)
    for i in range(0, count, LANES):
        add_square(sums, x + FLOAT_BYTES * i)
    total = 0.0
    for i in range(LANES):
        total += read_float(sums, i)
    factor = 1 / max(_NORM_MARGIN * total**0.5, _TINY)
    for i in range(0, count, LANES):
        scale_vector(x + FLOAT_BYTES * i, factor)


@inner
def in_pairs(x, rows, columns, out, zeros):
    """Pairs of neighbours in each row."""
    for row in range(rows):
        of = x + FLOAT_BYTES * row * columns
        pair_row(of, columns, out + FLOAT_BYTES * row * (columns // 2), zeros)


@inner
def symmetric_product(x, depth, rows, packed, out, zeros, pairs):
    """Out [rows, rows] = x [rows, depth] times its transpose, which is packed for it."""
    one, none = int64(1), int64(0)
    pack_turned(x, depth, rows, packed)
    column = none
    while column < rows:
        width = width_of_panel(column, rows)
        panel = packed + FLOAT_BYTES * column * depth
        above = min(rows, (column + width + ROWS - 1) // ROWS * ROWS)
        to = out + FLOAT_BYTES * column
        add_panel(above, to, rows, zeros, none, x, depth, one, depth, panel, width, pairs)
        column += width
    for row in range(0, rows, LANES):
        of = out + FLOAT_BYTES * (row * rows + row)
        to = out + FLOAT_BYTES * (row * rows + row)
        right = rows - row - LANES
        copy_block_turned(
            to + FLOAT_BYTES * LANES * rows, rows, of + FLOAT_BYTES * LANES, rows, LANES, right
        )


def scratch_size(rows, columns):
    """Floats that `orthogonalise` needs for itself."""
    r, c = padded(min(rows, columns)), padded(max(rows, columns))
    return 3 * r * c + 3 * r * r + LANES + c + r * c // 2


@inner
def orthogonalise(x, stride, count, rows, columns, coefficients, iterations, pairs, out, scratch):
    """Out [count, rows, columns] = the orthogonal matrices for those in x.

    They lie beside each other, so that rows of x are `stride` apart.
    """
    one, none = int64(1), int64(0)
    turned = rows > columns
    # No taller than wide, in whole vectors.
    r, c = padded_columns(min(rows, columns)), padded_columns(max(rows, columns))
    here = scratch
    there = here + FLOAT_BYTES * r * c
    square = there + FLOAT_BYTES * r * c
    fourth = square + FLOAT_BYTES * r * r
    factor = fourth + FLOAT_BYTES * r * r
    packed = factor + FLOAT_BYTES * r * r
    sums = packed + FLOAT_BYTES * r * c
    zeros = sums + FLOAT_BYTES * LANES
    halves = zeros + FLOAT_BYTES * c
    fill_zero(zeros, c)
    wide, high = (c // 2, r // 2) if pairs else (c, r)  # places of c and of r factors
    for matrix in range(count):
        of = x + FLOAT_BYTES * matrix * columns
        to = out + FLOAT_BYTES * matrix * rows * columns
        fill_zero(here, r * c)
        if turned:
            copy_block_turned(here, c, of, stride, rows, columns)
        else:
            copy_block(here, c, of, stride, rows, columns)
        normalise(here, r * c, sums)
        for k in range(iterations):
            left = here
            if pairs:
                left = halves
                in_pairs(here, r, c, left, zeros)
            symmetric_product(left, wide, r, packed, square, zeros, pairs)
            left = square
            if pairs:
                left = halves
                in_pairs(square, r, r, left, zeros)
            symmetric_product(left, high, r, packed, fourth, zeros, pairs)
            first = read_float(coefficients, 3 * k)
            second = read_float(coefficients, 3 * k + 1)
            third = read_float(coefficients, 3 * k + 2)
            for i in range(0, r * r, LANES):
                at = FLOAT_BYTES * i
                combine(factor + at, square + at, fourth + at, second, third)
            for i in range(r):
                add_to_float(factor + FLOAT_BYTES * (i * r + i), first)
            left, right = factor, here
            if pairs:
                left, right = fourth, halves
                in_pairs(factor, r, r, left, zeros)
                pair_rows(here, c, r, c, right, zeros)
            pack(right, high, c, packed)
            column = none
            while column < c:
                width = width_of_panel(column, c)
                panel = packed + FLOAT_BYTES * column * high
                below = there + FLOAT_BYTES * column
                add_panel(r, below, c, zeros, none, left, high, one, high, panel, width, pairs)
                column += width
            here, there = there, here
        if turned:
            copy_block_turned(to, columns, here, c, columns, rows)
        else:
            copy_block(to, columns, here, c, rows, columns)


@handler
def orthogonal(frame):
    """Arguments x [rows, matrices * columns], coefficients [iterations, 3], [first], [pairs].

    Results: out [count, rows, columns], scratch.
    """
    if handle_version_query(frame):
        return 0
    stride = read_int64(argument_sizes(frame, 0), 1)
    sizes = result_sizes(frame, 0)
    count, rows, columns = read_int64(sizes, 0), read_int64(sizes, 1), read_int64(sizes, 2)
    iterations = read_int64(argument_sizes(frame, 1), 0)
    first = read_int32(argument(frame, 2), 0)
    pairs = read_int32(argument(frame, 3), 0)
    x, coefficients = argument(frame, 0) + FLOAT_BYTES * first * columns, argument(frame, 1)
    out, scratch = result(frame, 0), result(frame, 1)
    orthogonalise(x, stride, count, rows, columns, coefficients, iterations, pairs, out, scratch)
    return 0
