"""Cells of the 2-D LSTM as vector instructions: a few lines at one place of the picture.

A unit keeps one of two states: its left one weighted by GF1, or the upper one weighted by GFS where
that gate is larger. Only the weight that won is remembered, negative if it was the upper one's.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from lstmjax.constants import (
    GATE_ERROR_CLIP,
    NUM_GATES_2D,
    NUM_SAVED_2D,
    STATE_CLIP,
    STATE_ERROR_CLIP_2D,
)
from lstmjax.simd import vectors as v
from lstmjax.simd.operations import operation


def _at(builder: v.Builder, address: v.Value, stride: v.Value, row: int) -> v.Value:
    """The address of a row; strides count floats."""
    return builder.add(address, builder.mul(stride, v.integer(v.FLOAT_BYTES * row)))


def _store_cell(
    builder: v.Builder, sums: list[v.Value], c_left: v.Value, c_up: v.Value, has_upper: v.Value
) -> tuple[list[v.Value], v.Value, v.Value]:
    """Values to save, state and output of one vector of cells, from the sums of the gates."""
    a = v.tanh(builder, sums[0])
    i, left, o, up = (v.logistic(builder, z) for z in sums[1:])
    # A tie keeps the left state.
    upper_won = builder.and_(
        builder.fcmp_ordered("<", left, up),
        builder.select(has_upper, v.numbers(v.BOOL, [1] * v.LANES), v.zeros(v.vector_of(v.BOOL))),
    )
    weight = builder.select(upper_won, up, left)
    state = builder.fmul(weight, builder.select(upper_won, c_up, c_left))
    c = v.clip(builder, v.multiply_add(builder, i, a, state), -STATE_CLIP, STATE_CLIP)
    h = builder.fmul(o, v.tanh(builder, c))
    # Gates are above 0, so the sign is free to say which of them won.
    signed = builder.select(upper_won, builder.fneg(weight), weight)
    return [a, i, signed, o], c, h


def make_cells(rows: int) -> Callable[..., Any]:
    """Make the operation that computes one vector of units of some lines at one place.

    `cells(saved, c, h, c_left, c_up, h_left, h_up, x, D, S, w, has_upper)`: the lines of `saved`
    are `NUM_SAVED_2D * S` apart, those of x D, all others S. w is [2S + D + 1, gates] for these
    units: rows for the left output, the upper one, the input, and the bias. `has_upper` is 0 in
    the first row, where the left state is chosen.
    """

    @operation
    def cells(builder, saved, c, h, c_left, c_up, h_left, h_up, x, D, S, w, has_upper):
        v.never_inline(builder)
        width = NUM_GATES_2D * v.LANES
        places = [(r, g) for r in range(rows) for g in range(NUM_GATES_2D)]
        sums = {place: v.variable(builder) for place in places}

        def weights(row):
            first = builder.mul(row, v.integer(width))
            return [
                v.load(builder, w, builder.add(first, v.integer(g * v.LANES)))
                for g in range(NUM_GATES_2D)
            ]

        below = builder.icmp_signed("!=", has_upper, v.integer(0))
        bias = weights(builder.add(builder.add(S, S), D))
        # The sums begin with the bias, which needs no factor.
        for r, g in places:
            builder.store(bias[g], sums[r, g])
        before = v.integer(0)
        for source, depth in ((h_left, S), (h_up, S), (x, D)):
            with v.repeat(builder, depth) as loop:
                factors = weights(builder.add(before, loop.index))
                for r in range(rows):
                    row = _at(builder, source, depth, r)
                    value = v.splat(builder, v.load(builder, row, loop.index, v.FLOAT))
                    for g in range(NUM_GATES_2D):
                        total = builder.load(sums[r, g])
                        total = v.multiply_add(builder, value, factors[g], total)
                        builder.store(total, sums[r, g])
            before = builder.add(before, depth)
        for r in range(rows):
            of_line = [builder.load(sums[r, g]) for g in range(NUM_GATES_2D)]
            left, up = (v.load(builder, _at(builder, of, S, r)) for of in (c_left, c_up))
            values, state, output = _store_cell(builder, of_line, left, up, below)
            size = builder.mul(S, v.integer(NUM_SAVED_2D))
            for g, value in enumerate(values):
                v.store(builder, value, _at(builder, saved, size, r), v.integer(g * v.LANES))
            v.store(builder, state, _at(builder, c, S, r))
            v.store(builder, output, _at(builder, h, S, r))

    return cells


@operation
def cell_errors(builder, saved, c, c_left, c_up, d, d_left, d_up, dc_left, dc_up, dz):
    """One vector of cells, backwards: the gradients of the gates' sums.

    d, `d_left` and `d_up` are what the output's gradient is the sum of; `dc_left` and `dc_up` come
    in as the state's gradient from the cells to the right and below, and leave as those for the
    cells to the left and above.
    """
    zero, one = v.constant(0), v.constant(1)
    times, slope = partial(v.product, builder), partial(v.logistic_slope, builder)
    a, i, signed, o = (v.load(builder, saved, v.integer(g * v.LANES)) for g in range(NUM_SAVED_2D))
    # Three sources: what was asked for, the cell to the right, and the cell below.
    e = builder.fadd(v.load(builder, d), v.load(builder, d_left))
    e = builder.fadd(e, v.load(builder, d_up))
    tanh_c = v.tanh(builder, v.load(builder, c))
    inner = builder.fsub(one, times(tanh_c, tanh_c))
    dc = builder.fadd(v.load(builder, dc_left), v.load(builder, dc_up))
    dc = v.multiply_add(builder, times(e, o), inner, dc)
    dc = v.clip(builder, dc, -STATE_ERROR_CLIP_2D, STATE_ERROR_CLIP_2D)
    upper_won = builder.fcmp_ordered("<", signed, zero)
    weight = builder.select(upper_won, builder.fneg(signed), signed)
    state = builder.select(upper_won, v.load(builder, c_up), v.load(builder, c_left))
    # Only the gate that won learns: its state was taken.
    learnt, passed = times(dc, state, slope(weight)), times(dc, weight)
    errors = (
        times(dc, i, builder.fsub(one, times(a, a))),
        times(dc, a, slope(i)),
        builder.select(upper_won, zero, learnt),
        times(e, tanh_c, slope(o)),
        builder.select(upper_won, learnt, zero),
    )
    for g, error in enumerate(errors):
        error = v.clip(builder, error, -GATE_ERROR_CLIP, GATE_ERROR_CLIP)
        v.store(builder, error, dz, v.integer(g * v.LANES))
    v.store(builder, builder.select(upper_won, zero, passed), dc_left)
    v.store(builder, builder.select(upper_won, passed, zero), dc_up)
