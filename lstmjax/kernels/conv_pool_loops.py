"""Convolution and max-pool of a shallow picture, up to each line's own width.

Arrays are `row, column, line, depth`, as in `nn.conv_pool`, which says what is computed. For one
column of positions the pixels that all their windows need are copied next to each other, a strip
[rows, taps along x, depth], in which each window is a piece without gaps. So the sums of a column
are one product, and so are the gradients of the weights.
"""

from typing import Any

from numba import int64
from numba.core import types

from lstmjax.kernels import vectors as v
from lstmjax.kernels.compiling import handler, inner
from lstmjax.kernels.operations import (
    copy_float,
    copy_vector,
    fill_zero,
    operation,
    read_int32,
    read_int64,
)
from lstmjax.kernels.products import PANEL, add_panel, add_products, pack, width_of_panel
from lstmjax.kernels.vectors import FLOAT_BYTES, LANES
from lstmjax.kernels.xla import answers, argument, argument_sizes, result, result_sizes


def _signature(arguments: int) -> Any:
    return types.void(*[types.int64] * arguments)


@operation
def keep_larger(typingctx, best, index, x, k):
    """Where x is larger than best, best = x and index = k."""
    del typingctx, best, index, x, k

    def write(context, builder, signature, args):
        del signature
        best, index, x, k = args
        old, value = v.load(builder, best), v.load(builder, x)
        larger = builder.fcmp_ordered(">", value, old)
        places = v.load(builder, index, None, v.WORDS)
        own = v.splat(builder, builder.trunc(k, v.INT32))
        v.store(builder, builder.select(larger, value, old), best)
        v.store(builder, builder.select(larger, own, places), index)
        return context.get_dummy_value()

    return _signature(4), write


@operation
def keep_chosen(typingctx, out, x, index, k):
    """Out = x where index is k, else 0."""
    del typingctx, out, x, index, k

    def write(context, builder, signature, args):
        del signature
        out, x, index, k = args
        own = v.splat(builder, builder.trunc(k, v.INT32))
        chosen = builder.icmp_signed("==", v.load(builder, index, None, v.WORDS), own)
        value = builder.select(chosen, v.load(builder, x), v.constant(0))
        v.store(builder, value, out)
        return context.get_dummy_value()

    return _signature(4), write


@inner
def copy_strip(strip, x, row_stride, column_stride, rows, taps_x, D):
    """The strip of one column of positions of one line."""
    for row in range(rows):
        for tap in range(taps_x):
            of = x + FLOAT_BYTES * (row * row_stride + tap * column_stride)
            to = strip + FLOAT_BYTES * (row * taps_x + tap) * D
            for d in range(D):
                copy_float(to + FLOAT_BYTES * d, of + FLOAT_BYTES * d)


def forward_scratch(high: int, taps_x: int, taps_y: int, D: int, N: int) -> int:
    """Floats that `forward` needs for itself; `high` counts rows of positions."""
    return (high + taps_y - 1) * taps_x * D + (taps_y * taps_x * D + high + 1) * N


@inner
def forward(
    x, w, lengths, sizes, taps_x, taps_y, N, pool_x, pool_y, rows, columns, best, index, scratch
):  # fmt: skip
    """Largest sums [rows, columns, B, N] of cells and where in each they are.

    x [H, W, B, D] has `sizes`; w is [taps_y * taps_x * D, N].
    """
    none, one = int64(0), int64(1)
    _, W, B, D = sizes
    high, depth = rows * pool_y, taps_y * taps_x * D
    strip = scratch
    packed = strip + FLOAT_BYTES * (high + taps_y - 1) * taps_x * D
    sums = packed + FLOAT_BYTES * depth * N
    zeros = sums + FLOAT_BYTES * high * N
    fill_zero(zeros, N)
    pack(w, depth, N, packed)
    for b in range(B):
        inside = min(max(read_int32(lengths, b), 0), columns)
        for row in range(rows):
            for column in range(inside, columns):
                at = FLOAT_BYTES * ((row * columns + column) * B + b) * N
                fill_zero(best + at, N)
                fill_zero(index + at, N)
        for column in range(inside):
            for k in range(pool_x * pool_y):
                if k % pool_y == 0:
                    start = x + FLOAT_BYTES * ((column * pool_x + k // pool_y) * B + b) * D
                    copy_strip(strip, start, W * B * D, B * D, high + taps_y - 1, taps_x, D)
                    add_products(
                        one, high, sums, none, N, zeros, none, strip, none, taps_x * D, depth,
                        packed, depth, N, none,
                    )  # fmt: skip
                for row in range(rows):
                    at = FLOAT_BYTES * ((row * columns + column) * B + b) * N
                    of = sums + FLOAT_BYTES * (row * pool_y + k % pool_y) * N
                    for n in range(0, N, LANES):
                        here = at + FLOAT_BYTES * n
                        if k == 0:
                            copy_vector(best + here, of + FLOAT_BYTES * n)
                            fill_zero(index + here, LANES)
                        else:
                            keep_larger(best + here, index + here, of + FLOAT_BYTES * n, k)


def backward_scratch(high: int, taps_x: int, taps_y: int, D: int) -> int:
    """Floats that `backward` needs for itself; `high` counts rows of positions."""
    return (high + taps_y - 1) * taps_x * D + high * PANEL


@inner
def backward(
    d, x, index, lengths, sizes, taps_x, taps_y, N, pool_x, pool_y, rows, columns, dw, scratch
):  # fmt: skip
    """Sum the gradients of the weights, dw [taps_y * taps_x * D, N], from d like `best`."""
    none, one = int64(0), int64(1)
    _, W, B, D = sizes
    high, taps = rows * pool_y, taps_y * taps_x * D
    strip = scratch
    panel = strip + FLOAT_BYTES * (high + taps_y - 1) * taps_x * D
    fill_zero(dw, taps * N)
    for b in range(B):
        inside = min(max(read_int32(lengths, b), 0), columns)
        for place in range(inside * pool_x):
            column, first = place // pool_x, place % pool_x * pool_y
            start = x + FLOAT_BYTES * (place * B + b) * D
            copy_strip(strip, start, W * B * D, B * D, high + taps_y - 1, taps_x, D)
            n = none
            while n < N:
                width = width_of_panel(n, N)
                for row in range(high):
                    cell = (row // pool_y * columns + column) * B + b
                    at = FLOAT_BYTES * (cell * N + n)
                    to = panel + FLOAT_BYTES * row * width
                    for i in range(0, width, LANES):
                        here = at + FLOAT_BYTES * i
                        k = first + row % pool_y
                        keep_chosen(to + FLOAT_BYTES * i, d + here, index + here, k)
                out = dw + FLOAT_BYTES * n
                add_panel(taps, out, N, out, N, strip, one, taps_x * D, high, panel, width, none)
                n += width


@inner
def four(sizes):
    """Four sizes."""
    return (
        read_int64(sizes, 0), read_int64(sizes, 1), read_int64(sizes, 2), read_int64(sizes, 3),
    )  # fmt: skip


@handler
def conv_pool_forward(frame):
    """Arguments x, w, lengths in cells, [taps_x, taps_y, pool_x, pool_y].

    Results: best, index, scratch.
    """
    if answers(frame):
        return 0
    sizes, cells = four(argument_sizes(frame, 0)), four(result_sizes(frame, 0))
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
    if answers(frame):
        return 0
    sizes, cells = four(argument_sizes(frame, 1)), four(argument_sizes(frame, 0))
    options = argument(frame, 4)
    backward(
        argument(frame, 0), argument(frame, 1), argument(frame, 2), argument(frame, 3), sizes,
        read_int32(options, 0), read_int32(options, 1), cells[3], read_int32(options, 2),
        read_int32(options, 3), cells[0], cells[1], result(frame, 0), result(frame, 1),
    )  # fmt: skip
    return 0
