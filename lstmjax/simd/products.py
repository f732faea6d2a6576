"""Matrix products of any size, built from blocks of sums in registers.

The right factor is packed once into panels of `PANEL` columns (the rest in panels of `LANES`), each
of which stays in the nearest caches while the rows of the left factor pass; `kernels/README.md` has
a drawing. Where both factors are bfloat16 pairs, all sizes count pairs.
"""

from typing import Any

from numba import int64

from lstmjax.simd.compile import inner
from lstmjax.simd.operations import (
    copy_float,
    copy_transposed_block,
    copy_vector,
    fill_zero,
    make_block,
    pair_floats,
    pair_neighbours,
    pair_vectors,
)
from lstmjax.simd.vectors import (
    COLUMNS,
    FLOAT_BYTES,
    LANES,
    PAIRS_SUPPORTED,
    ROWS,
    padded,
)

PANEL = COLUMNS * LANES
_HALF = ROWS // 2


def _make_rows(rows: int) -> Any:
    """Make `add(..., width, pairs)`: the block of a number of rows, for every kind of panel."""
    # Which kind of panel it is, and pairs or floats, is known only when the loop runs.
    wide, slim = make_block(rows, COLUMNS), make_block(rows, 1)
    wide_pairs, slim_pairs = wide, slim
    if PAIRS_SUPPORTED:
        wide_pairs = make_block(rows, COLUMNS, pairs=True)
        slim_pairs = make_block(rows, 1, pairs=True)

    def add(out, out_stride, start, start_stride, x, x_stride, x_step, depth, w, width, pairs):
        if pairs:
            if width > LANES:
                wide_pairs(out, out_stride, start, start_stride, x, x_stride, x_step, depth, w)
            else:
                slim_pairs(out, out_stride, start, start_stride, x, x_stride, x_step, depth, w)
        elif width > LANES:
            wide(out, out_stride, start, start_stride, x, x_stride, x_step, depth, w)
        else:
            slim(out, out_stride, start, start_stride, x, x_stride, x_step, depth, w)

    add.__qualname__ = f"add_{rows}_rows"
    return inner(add)


_add_block, _add_half, _add_row = (_make_rows(rows) for rows in (ROWS, _HALF, 1))
padded_columns = inner(padded)


@inner
def width_of_panel(column, columns):
    """Return the columns of the panel that begins at a column."""
    return PANEL if column + PANEL <= columns else LANES


@inner
def copy_row(out, x, count):
    """Copy floats, whole vectors at a time and then one by one."""
    whole = count // LANES * LANES
    for i in range(0, whole, LANES):
        copy_vector(out + FLOAT_BYTES * i, x + FLOAT_BYTES * i)
    for i in range(whole, count):
        copy_float(out + FLOAT_BYTES * i, x + FLOAT_BYTES * i)


@inner
def pack_panel(w, stride, depth, width, panel):
    """Copy `width` columns of w, whose rows are `stride` apart, into a panel."""
    for k in range(depth):
        for column in range(0, width, LANES):
            source = w + FLOAT_BYTES * (k * stride + column)
            copy_vector(panel + FLOAT_BYTES * (k * width + column), source)


@inner
def pack(w, depth, columns, packed):
    """Pack w [depth, columns], where columns are whole vectors."""
    column = int64(0)
    while column < columns:
        width = width_of_panel(column, columns)
        start = packed + FLOAT_BYTES * column * depth
        pack_panel(w + FLOAT_BYTES * column, columns, depth, width, start)
        column += width


@inner
def copy_transposed(out, out_stride, x, x_stride, rows, columns):
    """Copy the transpose of x [rows, columns]."""
    for row in range(0, rows, LANES):
        for column in range(0, columns, LANES):
            to = out + FLOAT_BYTES * (column * out_stride + row)
            of = x + FLOAT_BYTES * (row * x_stride + column)
            if row + LANES <= rows and column + LANES <= columns:
                copy_transposed_block(to, out_stride, of, x_stride)
                continue
            for i in range(min(LANES, rows - row)):
                for j in range(min(LANES, columns - column)):
                    target = to + FLOAT_BYTES * (j * out_stride + i)
                    copy_float(target, of + FLOAT_BYTES * (i * x_stride + j))


@inner
def pack_transposed(w, depth, columns, packed):
    """Pack the transpose of w [columns, depth]; missing columns of the last vector are zero."""
    whole = padded_columns(columns)
    # Only the last vector can have columns that are missing.
    if whole > columns:
        fill_zero(packed, whole * depth)
    column = int64(0)
    while column < whole:
        width = width_of_panel(column, whole)
        start = packed + FLOAT_BYTES * column * depth
        source = w + FLOAT_BYTES * column * depth
        copy_transposed(start, width, source, depth, min(width, columns - column), depth)
        column += width


@inner
def add_panel(
    rows, out, out_stride, start, start_stride, x, x_stride, x_step, depth, panel, width, pairs
):  # fmt: skip
    """Write `start + x @ panel` for any number of rows; see `operations.make_block`."""
    row = int64(0)
    # Blocks of `ROWS`, then half a block, then single rows: each as large as still fits.
    while row < rows:
        to = out + FLOAT_BYTES * row * out_stride
        at = start + FLOAT_BYTES * row * start_stride
        of = x + FLOAT_BYTES * row * x_stride
        if row + ROWS <= rows:
            _add_block(
                to, out_stride, at, start_stride, of, x_stride, x_step, depth, panel, width, pairs
            )
            row += ROWS
        elif row + _HALF <= rows:
            _add_half(
                to, out_stride, at, start_stride, of, x_stride, x_step, depth, panel, width, pairs
            )
            row += _HALF
        else:
            _add_row(
                to, out_stride, at, start_stride, of, x_stride, x_step, depth, panel, width, pairs
            )
            row += 1


@inner
def add_products(
    steps, rows, out, out_step, out_stride, start, start_stride, x, x_step, x_stride,
    depth, packed, packed_depth, columns, pairs,
):  # fmt: skip
    """Write `start + x @ packed` for all rows of some steps; `columns` are whole vectors.

    Steps are `*_step` apart, rows of a step `*_stride`. A start with stride 0 is one row that all
    rows begin with. With depth 0 the start is copied, whatever the depth of the packed factor.
    """
    one = int64(1)
    column = int64(0)
    # A panel stays in the cache while all rows of all steps pass it.
    while column < columns:
        width = width_of_panel(column, columns)
        # The depth of the packed factor, since `depth` may be 0.
        panel = packed + FLOAT_BYTES * column * packed_depth
        at = start + FLOAT_BYTES * column
        for step in range(steps):
            to = out + FLOAT_BYTES * (step * out_step + column)
            of = x + FLOAT_BYTES * step * x_step
            add_panel(
                rows, to, out_stride, at, start_stride, of, x_stride, one, depth, panel, width,
                pairs,
            )  # fmt: skip
        column += width


@inner
def pair_row(x, count, out, zeros):
    """Write the bfloat16 pairs of neighbours in a row; an odd last float is paired with zero."""
    whole = count // LANES * LANES
    for i in range(0, whole, LANES):
        pair_neighbours(out + FLOAT_BYTES // 2 * i, x + FLOAT_BYTES * i)
    for i in range(whole, count, 2):
        second = x + FLOAT_BYTES * (i + 1) if i + 1 < count else zeros
        pair_floats(out + FLOAT_BYTES // 2 * i, x + FLOAT_BYTES * i, second)


@inner
def pair_rows(x, stride, rows, columns, out, zeros):
    """Write the pairs [rows / 2, columns] of neighbouring rows; an odd last one goes with zeros."""
    whole = columns // LANES * LANES
    for row in range(0, rows, 2):
        first = x + FLOAT_BYTES * row * stride
        second = first + FLOAT_BYTES * stride if row + 1 < rows else zeros
        to = out + FLOAT_BYTES * (row // 2) * columns
        for i in range(0, whole, LANES):
            at = FLOAT_BYTES * i
            pair_vectors(to + at, first + at, second + at)
        for i in range(whole, columns):
            at = FLOAT_BYTES * i
            pair_floats(to + at, first + at, second + at)
