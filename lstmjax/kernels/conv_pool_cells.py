"""Cells of convolution and max-pool as vector instructions: what the registers hold of one cell.

Tables of 32 bits a place count floats: where the window of each position begins after its cell,
and where each tap is after its window. Groups of positions, or of taps, share what is loaded. Where
a group goes beyond the end of its table the last place is computed again, which changes nothing.
"""

from collections.abc import Callable
from typing import Any

from lstmjax.simd import vectors as v
from lstmjax.simd.operations import operation


def _number(builder: v.Builder, value: v.Value) -> v.Value:
    """A whole number of 64 bits as a vector of 32 bits each."""
    return v.splat(builder, builder.trunc(value, v.INT32))


def _group(builder: v.Builder, first: v.Value, size: int, count: v.Value) -> list[v.Value]:
    """Numbers from `first` on, none beyond the last of `count`."""
    last = builder.sub(count, v.integer(1))
    numbers = [builder.add(first, v.integer(i)) for i in range(size)]
    return [builder.select(builder.icmp_signed("<", i, last), i, last) for i in numbers]


def _place(builder: v.Builder, table: v.Value, index: v.Value) -> v.Value:
    return builder.sext(v.load(builder, table, index, v.INT32), v.INT64)


def _starts(builder: v.Builder, x: v.Value, table: v.Value, group: list[v.Value]) -> list[v.Value]:
    """Addresses of a group's places after x."""
    size = v.integer(v.FLOAT_BYTES)
    return [builder.add(x, builder.mul(_place(builder, table, i), size)) for i in group]


def _add_pixels(
    builder: v.Builder, starts: list[v.Value], at: v.Value, factor: v.Value, sums: list[v.Value]
) -> None:
    """Add a pixel times a vector to each sum; the pixel of each is `at` floats after its start."""
    for start, total in zip(starts, sums, strict=True):
        pixel = v.splat(builder, v.load(builder, start, at, v.FLOAT))
        builder.store(v.multiply_add(builder, pixel, factor, builder.load(total)), total)


def make_largest(size: int) -> Callable[..., Any]:
    """Make the operation that finds the largest sums of some cells among at most `size` positions.

    `largest(best, index, step, x, x_step, count, places, positions, first, w, N, offsets, taps)`
    for one vector of features: where the sum of a position is larger than best, it becomes best and
    its number, counted from `first` on, index; with `first` = 0 there is nothing before. Each of
    `count` cells is `x_step` floats after the one before, its results `step`. w is [taps, N].
    """

    @operation
    def largest(
        builder, best, index, step, x, x_step, count, places, positions, first, w, N, offsets,
        taps,
    ):  # fmt: skip
        group = _group(builder, v.integer(0), size, positions)
        starts = _starts(builder, x, places, group)
        sums = [v.variable(builder) for _ in group]
        # In the first pass there is nothing yet to compare with.
        fresh = builder.icmp_signed("==", first, v.integer(0))
        before = _number(builder, first)
        with v.repeat(builder, count) as cell:
            here = builder.mul(cell.index, x_step)
            for total in sums:
                builder.store(v.constant(0), total)
            with v.repeat(builder, taps) as tap:
                at = builder.add(here, _place(builder, offsets, tap.index))
                weights = v.load(builder, w, builder.mul(tap.index, N))
                _add_pixels(builder, starts, at, weights, sums)
            to = builder.mul(cell.index, step)
            values = [builder.load(total) for total in sums]
            top = builder.select(fresh, values[0], v.load(builder, best, to))
            old = builder.sub(v.load(builder, index, to, v.WORDS), before)
            own = builder.select(fresh, v.words(0), old)
            for i, value in enumerate(values):
                # Larger only: of equal sums the first position wins.
                larger = builder.fcmp_ordered(">", value, top)
                top = builder.select(larger, value, top)
                own = builder.select(larger, v.words(i), own)
            v.store(builder, top, best, to)
            v.store(builder, builder.add(own, before), index, to)

    return largest


def make_gradients(size: int) -> Callable[..., Any]:
    """Make the operation that adds what some cells give to the gradients of `size` taps' weights.

    `gradients(d, index, step, x, x_step, count, places, positions, first, dw, N, offsets, taps,
    first_tap)` for one vector of features and the rows of dw [taps, N] from `first_tap` on; the
    rest is as for `make_largest`, with d, the gradient of best, in its place.
    """

    @operation
    def gradients(
        builder, d, index, step, x, x_step, count, places, positions, first, dw, N, offsets, taps,
        first_tap,
    ):  # fmt: skip
        group = _group(builder, first_tap, size, taps)
        starts = _starts(builder, x, offsets, group)
        rows = [builder.mul(tap, N) for tap in group]
        sums = [v.variable(builder) for _ in group]
        before = _number(builder, first)
        # From what is there: the gradients of all cells and lines add up.
        for row, total in zip(rows, sums, strict=True):
            builder.store(v.load(builder, dw, row), total)
        with v.repeat(builder, count) as cell:
            here = builder.mul(cell.index, x_step)
            of = builder.mul(cell.index, step)
            error = v.load(builder, d, of)
            # Positions of another pass have no number here: then none gets the error.
            chosen = builder.sub(v.load(builder, index, of, v.WORDS), before)
            with v.repeat(builder, positions) as position:
                own = builder.icmp_signed("==", chosen, _number(builder, position.index))
                share = builder.select(own, error, v.constant(0))
                at = builder.add(here, _place(builder, places, position.index))
                _add_pixels(builder, starts, at, share, sums)
        for row, total in zip(rows, sums, strict=True):
            v.store(builder, builder.load(total), dw, row)

    return gradients
