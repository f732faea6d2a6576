"""Matrix products of any size from blocks that the registers hold.

The right factor is packed once into panels of `PANEL` columns (the rest in panels of `LANES`),
each of which stays in the nearest caches while the rows of the left factor pass.
"""

from numba import int64, njit

from lstmjax.kernels.operations import copy_float, copy_turned, copy_vector, fill_zero, make_block
from lstmjax.kernels.vectors import COLUMNS, FLOAT_BYTES, LANES, ROWS, padded

PANEL = COLUMNS * LANES
_HALF = ROWS // 2

_block_wide = make_block(ROWS, COLUMNS)
_block_slim = make_block(ROWS, 1)
_half_wide = make_block(_HALF, COLUMNS)
_half_slim = make_block(_HALF, 1)
_row_wide = make_block(1, COLUMNS)
_row_slim = make_block(1, 1)


padded_columns = njit(nogil=True)(padded)


@njit(nogil=True)
def width_of_panel(column, columns):
    """Of the panel that begins at a column."""
    return PANEL if column + PANEL <= columns else LANES


@njit(nogil=True)
def pack_panel(w, stride, depth, width, panel):
    """Copy `width` columns of w, whose rows are `stride` apart, next to each other."""
    for k in range(depth):
        for column in range(0, width, LANES):
            source = w + FLOAT_BYTES * (k * stride + column)
            copy_vector(panel + FLOAT_BYTES * (k * width + column), source)


@njit(nogil=True)
def pack(w, depth, columns, packed):
    """Pack w [depth, columns], columns whole vectors."""
    column = int64(0)
    while column < columns:
        width = width_of_panel(column, columns)
        start = packed + FLOAT_BYTES * column * depth
        pack_panel(w + FLOAT_BYTES * column, columns, depth, width, start)
        column += width


@njit(nogil=True)
def copy_block_turned(out, out_stride, x, x_stride, rows, columns):
    """Copy the transpose of x [rows, columns]."""
    for row in range(0, rows, LANES):
        for column in range(0, columns, LANES):
            to = out + FLOAT_BYTES * (column * out_stride + row)
            of = x + FLOAT_BYTES * (row * x_stride + column)
            if row + LANES <= rows and column + LANES <= columns:
                copy_turned(to, out_stride, of, x_stride)
                continue
            for i in range(min(LANES, rows - row)):
                for j in range(min(LANES, columns - column)):
                    target = to + FLOAT_BYTES * (j * out_stride + i)
                    copy_float(target, of + FLOAT_BYTES * (i * x_stride + j))


@njit(nogil=True)
def pack_turned(w, depth, columns, packed):
    """Pack the transpose of w [columns, depth]; missing columns of the last vector are zero."""
    whole = padded_columns(columns)
    if whole > columns:
        fill_zero(packed, whole * depth)
    column = int64(0)
    while column < whole:
        width = width_of_panel(column, whole)
        start = packed + FLOAT_BYTES * column * depth
        source = w + FLOAT_BYTES * column * depth
        copy_block_turned(start, width, source, depth, min(width, columns - column), depth)
        column += width


@njit(nogil=True)
def add_panel(rows, out, out_stride, start, start_stride, x, x_stride, x_step, depth, panel, wide):
    """Out = start + x @ panel for any number of rows; strides as in `operations.make_block`."""
    row = int64(0)
    while row < rows:
        to = out + FLOAT_BYTES * row * out_stride
        at = start + FLOAT_BYTES * row * start_stride
        of = x + FLOAT_BYTES * row * x_stride
        if row + ROWS <= rows:
            if wide:
                _block_wide(to, out_stride, at, start_stride, of, x_stride, x_step, depth, panel)
            else:
                _block_slim(to, out_stride, at, start_stride, of, x_stride, x_step, depth, panel)
            row += ROWS
        elif row + _HALF <= rows:
            if wide:
                _half_wide(to, out_stride, at, start_stride, of, x_stride, x_step, depth, panel)
            else:
                _half_slim(to, out_stride, at, start_stride, of, x_stride, x_step, depth, panel)
            row += _HALF
        else:
            if wide:
                _row_wide(to, out_stride, at, start_stride, of, x_stride, x_step, depth, panel)
            else:
                _row_slim(to, out_stride, at, start_stride, of, x_stride, x_step, depth, panel)
            row += 1


@njit(nogil=True)
def add_products(
    steps, rows, out, out_step, out_stride, start, start_step, start_stride, x, x_step, x_stride,
    depth, packed, packed_depth, columns,
):  # fmt: skip
    """Out = start + x @ packed for all rows of some steps; `columns` counts whole vectors.

    Steps are `*_step` apart, rows of a step `*_stride`; a start of stride 0 is one row for all.
    With a depth of 0 the start is copied, whatever the depth of the packed factor.
    """
    one = int64(1)
    column = int64(0)
    while column < columns:
        width = width_of_panel(column, columns)
        panel = packed + FLOAT_BYTES * column * packed_depth
        for step in range(steps):
            to = out + FLOAT_BYTES * (step * out_step + column)
            at = start + FLOAT_BYTES * (step * start_step + column)
            of = x + FLOAT_BYTES * step * x_step
            add_panel(
                rows,
                to,
                out_stride,
                at,
                start_stride,
                of,
                x_stride,
                one,
                depth,
                panel,
                width > LANES,
            )
        column += width
