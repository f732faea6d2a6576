"""The nearest orthogonal matrix, by an iteration of products half of which are symmetric.

`training.fast.muon` says what is computed. A symmetric product is computed above the diagonal only
and mirrored; all numbers of a matrix stay in the nearer caches through all iterations. With `pairs`
factors of products are rounded to bfloat16, as in the original Muon; sums are not.
"""

from typing import NamedTuple

from numba import int64

from lstmjax.simd.borrow import always_inline
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
    copy_row,
    copy_transposed,
    pack,
    pack_transposed,
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
    # A matrix of zeros stays one.
    factor = 1 / max(_NORM_MARGIN * total**0.5, _TINY)
    for i in range(0, count, LANES):
        scale_vector(x + FLOAT_BYTES * i, factor)


@inner
def in_pairs(x, rows, columns, out, zeros):
    """Write the bfloat16 pairs of neighbours in each row."""
    for row in range(rows):
        of = x + FLOAT_BYTES * row * columns
        pair_row(of, columns, out + FLOAT_BYTES * row * (columns // 2), zeros)


@inner
def symmetric_product(x, depth, rows, packed, out, zeros, pairs):
    """Write x [rows, depth] times its transpose, which is packed first."""
    one, none = int64(1), int64(0)
    pack_transposed(x, depth, rows, packed)
    column = none
    while column < rows:
        width = width_of_panel(column, rows)
        panel = packed + FLOAT_BYTES * column * depth
        # Rows down to the panel's diagonal, in whole blocks of rows; the others are mirrored.
        above = min(rows, (column + width + ROWS - 1) // ROWS * ROWS)
        to = out + FLOAT_BYTES * column
        add_panel(above, to, rows, zeros, none, x, depth, one, depth, panel, width, pairs)
        column += width
    # What lies above the diagonal goes below it.
    for row in range(0, rows, LANES):
        of = out + FLOAT_BYTES * (row * rows + row)
        to = out + FLOAT_BYTES * (row * rows + row)
        right = rows - row - LANES
        copy_transposed(
            to + FLOAT_BYTES * LANES * rows, rows, of + FLOAT_BYTES * LANES, rows, LANES, right
        )


class _Layout(NamedTuple):
    """Offsets of the parts of the scratch, in floats; matrices are [r, c] with r <= c.

    Attributes:
      here: [r, c] the matrix.
      there: [r, c] the matrix after an iteration.
      square: [r, r] the matrix times its transpose.
      fourth: [r, r] the square of that.
      factor: [r, r] polynomial that the matrix is multiplied with.
      packed: [c, r] right factor of a product.
      sums: [LANES] partial sums.
      zeros: [c] zeros.
      pairs: [r, c / 2] left factor as bfloat16 pairs.
      size: floats of all of it.
    """

    here: int
    there: int
    square: int
    fourth: int
    factor: int
    packed: int
    sums: int
    zeros: int
    pairs: int
    size: int


def layout(r: int, c: int) -> _Layout:
    """The scratch for a matrix [r, c], both in whole vectors."""
    here = 0
    there = here + r * c
    square = there + r * c
    fourth = square + r * r
    factor = fourth + r * r
    packed = factor + r * r
    sums = packed + r * c
    zeros = sums + LANES
    pairs = zeros + c
    size = pairs + r * c // 2
    return _Layout(here, there, square, fourth, factor, packed, sums, zeros, pairs, size)


_layout = inner(layout)


def scratch_size(rows: int, columns: int) -> int:
    """Floats of scratch that `orthogonal` needs for matrices [rows, columns]."""
    return layout(padded(min(rows, columns)), padded(max(rows, columns))).size


class _Buffers(NamedTuple):
    """Addresses of the scratch's parts, the sizes of the matrix, and those in places of factors."""

    square: int
    fourth: int
    factor: int
    packed: int
    sums: int
    zeros: int
    halves: int
    r: int
    c: int
    high: int
    wide: int
    pairs: int


@inner
def _as_factor(b, x, columns):
    """Return the address of x [r, columns] as the left factor of a product."""
    always_inline()
    if not b.pairs:
        return x
    in_pairs(x, b.r, columns, b.halves, b.zeros)
    return b.halves


@inner
def _multiply_by_factor(b, here, there):
    """Write the factor times the matrix `here` to `there`."""
    always_inline()
    one, none = int64(1), int64(0)
    left, right = b.factor, here
    if b.pairs:
        # The fourth power is used up, and makes room for the pairs of the factor.
        left, right = b.fourth, b.halves
        in_pairs(b.factor, b.r, b.r, left, b.zeros)
        pair_rows(here, b.c, b.r, b.c, right, b.zeros)
    pack(right, b.high, b.c, b.packed)
    column = none
    while column < b.c:
        width = width_of_panel(column, b.c)
        panel = b.packed + FLOAT_BYTES * column * b.high
        add_panel(
            b.r, there + FLOAT_BYTES * column, b.c, b.zeros, none, left, b.high, one, b.high,
            panel, width, b.pairs,
        )  # fmt: skip
        column += width


@inner
def _iterate(b, here, there, coefficients):
    """Write `a x + b (x x^T) x + c (x x^T)^2 x` to `there`, for x at `here`."""
    always_inline()
    left = _as_factor(b, here, b.c)
    symmetric_product(left, b.wide, b.r, b.packed, b.square, b.zeros, b.pairs)
    left = _as_factor(b, b.square, b.r)
    symmetric_product(left, b.high, b.r, b.packed, b.fourth, b.zeros, b.pairs)
    first, second = read_float(coefficients, 0), read_float(coefficients, 1)
    third = read_float(coefficients, 2)
    for i in range(0, b.r * b.r, LANES):
        at = FLOAT_BYTES * i
        combine(b.factor + at, b.square + at, b.fourth + at, second, third)
    # `a x` is the product with `a` on the diagonal: one product for all three terms.
    for i in range(b.r):
        add_to_float(b.factor + FLOAT_BYTES * (i * b.r + i), first)
    _multiply_by_factor(b, here, there)


@inner
def orthogonalise(x, stride, count, rows, columns, coefficients, iterations, pairs, out, scratch):
    """Write the orthogonal matrices [count, rows, columns] for those in x.

    They lie side by side in x, whose rows are `stride` apart.
    """
    transposed = rows > columns  # matrices are made no taller than wide, in whole vectors
    r, c = padded_columns(min(rows, columns)), padded_columns(max(rows, columns))
    at = _layout(r, c)
    here, there = scratch + FLOAT_BYTES * at.here, scratch + FLOAT_BYTES * at.there
    b = _Buffers(
        scratch + FLOAT_BYTES * at.square, scratch + FLOAT_BYTES * at.fourth,
        scratch + FLOAT_BYTES * at.factor, scratch + FLOAT_BYTES * at.packed,
        scratch + FLOAT_BYTES * at.sums, scratch + FLOAT_BYTES * at.zeros,
        scratch + FLOAT_BYTES * at.pairs,
        r, c, r // 2 if pairs else r, c // 2 if pairs else c, pairs,
    )  # fmt: skip
    fill_zero(b.zeros, c)
    for matrix in range(count):
        of = x + FLOAT_BYTES * matrix * columns
        to = out + FLOAT_BYTES * matrix * rows * columns
        # Zero rows and columns fill up whole vectors; they stay zero in every iteration.
        fill_zero(here, r * c)
        if transposed:
            copy_transposed(here, c, of, stride, rows, columns)
        else:
            copy_block(here, c, of, stride, rows, columns)
        normalise(here, r * c, b.sums)
        for k in range(iterations):
            _iterate(b, here, there, coefficients + FLOAT_BYTES * 3 * k)
            # Each iteration reads one buffer and writes the other.
            here, there = there, here
        if transposed:
            copy_transposed(to, columns, here, c, columns, rows)
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
