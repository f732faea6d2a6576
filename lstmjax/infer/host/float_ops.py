"""Vectors of numbers as Tesseract computes them: its tables, its rounding to int8, LSTM cells.

Every operation here is rounded by itself, as in the original, so that results have the same bits.
Addresses are integers, as in `kernels.operations`.
Source: Tesseract src/lstm/functions.h, src/lstm/lstm.cpp, src/lstm/networkio.cpp.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from lstmjax.constants import (
    EXP_FLOOR,
    LOGISTIC_TABLE,
    STATE_CLIP,
    STEPS_PER_UNIT,
    TABLE_SIZE,
    TANH_TABLE,
)
from lstmjax.simd import vectors as v
from lstmjax.simd.operations import operation

TABLES = np.array([np.append(table, np.float32(1)) for table in (TANH_TABLE, LOGISTIC_TABLE)])
"""[tanh, logistic] of [4097], the last entry being 1."""

_LAST = TABLE_SIZE - 1
_TABLE_BYTES = TABLES[0].nbytes
_INT8_MAX = 127.0
# e^x for x <= 0: 2^n times a polynomial of what is left of x / ln 2, after Cephes' expf.
_LOG2E = 1.44269504088896341
_LN2_HIGH, _LN2_LOW = 0.693359375, -2.12194440e-4
_EXP = (1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 0.5)
_GATHER = "x86.avx2.gather.d.q.256"


def _pairs_at(builder: v.Builder, table: v.Value, at: v.Value) -> v.Value:
    """For each index the entry of a table and the next one, as one number of 64 bits."""
    if v.LANES == 16:
        return _gathered_pairs(builder, table, at)
    pairs = v.undefined(v.vector_of(v.INT64))
    for lane in range(v.LANES):
        place = builder.zext(builder.extract_element(at, v.INT32(lane)), v.INT64)
        address = builder.add(table, builder.mul(place, v.integer(v.FLOAT_BYTES)))
        # An entry and the next one lie side by side: one load of 64 bits fetches both.
        pair = builder.load(builder.inttoptr(address, v.INT64.as_pointer()))
        pair.align = v.FLOAT_BYTES
        pairs = builder.insert_element(pairs, pair, v.INT32(lane))
    return pairs


def _gathered_pairs(builder: v.Builder, table: v.Value, at: v.Value) -> v.Value:
    """Pairs as of `_pairs_at`, gathered four at once: on an AMD Zen 5 faster than eight."""
    nothing, everywhere = (v.numbers(v.INT64, [value] * 4) for value in (0, -1))
    parts = []
    for first in range(0, v.LANES, 4):
        here = builder.shuffle_vector(at, at, v.numbers(v.INT32, range(first, first + 4)))
        pointer = builder.inttoptr(table, v.INT8.as_pointer())
        arguments = (nothing, pointer, here, everywhere, v.INT8(v.FLOAT_BYTES))
        parts.append(v.call_intrinsic(builder, _GATHER, nothing.type, *arguments))
    while len(parts) > 1:
        order = v.numbers(v.INT32, range(2 * parts[0].type.count))
        parts = [
            builder.shuffle_vector(*pair, order)
            for pair in zip(parts[::2], parts[1::2], strict=True)
        ]
    return parts[0]


def _look_up(builder: v.Builder, tables: v.Value, which: int, x: v.Value) -> v.Value:
    """Interpolate a table at x >= 0; exactly 1 from its last entry on."""
    u = builder.fmul(x, v.constant(STEPS_PER_UNIT))
    inside = builder.fcmp_ordered("<", u, v.constant(_LAST))
    # Also where x is huge or NaN, so that no address leaves the table.
    at = builder.fptosi(builder.select(inside, u, v.constant(_LAST)), v.WORDS)
    pairs = _pairs_at(builder, builder.add(tables, v.integer(which * _TABLE_BYTES)), at)
    numbers = builder.bitcast(pairs, v.vector_of(v.FLOAT, 2 * v.LANES))
    entry, following = (
        builder.shuffle_vector(
            numbers,
            v.undefined(numbers.type),
            v.numbers(v.INT32, range(first, 2 * v.LANES, 2)),
        )
        for first in (0, 1)
    )
    rest = builder.fsub(u, builder.sitofp(at, v.VECTOR))
    step = builder.fsub(following, entry)
    y = builder.fadd(entry, builder.fmul(step, rest))
    return builder.select(inside, y, v.constant(1))


def _tanh(builder: v.Builder, tables: v.Value, x: v.Value) -> v.Value:
    y = _look_up(builder, tables, 0, v.call_float_intrinsic(builder, "fabs", x))
    return v.call_float_intrinsic(builder, "copysign", y, x)


def _logistic(builder: v.Builder, tables: v.Value, x: v.Value) -> v.Value:
    y = _look_up(builder, tables, 1, v.call_float_intrinsic(builder, "fabs", x))
    negative = builder.fcmp_ordered("<", x, v.constant(0))
    return builder.select(negative, builder.fsub(v.constant(1), y), y)


def _maximum(builder: v.Builder, x: v.Value, y: v.Value) -> v.Value:
    return v.call_float_intrinsic(builder, "maxnum", x, y)


def in_127ths(builder: v.Builder, x: v.Value) -> v.Value:
    """Whole 127ths in -127..127 as integers, halves away from zero."""
    scaled = v.clip(builder, builder.fmul(x, v.constant(_INT8_MAX)), -_INT8_MAX, _INT8_MAX)
    half = v.call_float_intrinsic(builder, "copysign", v.constant(0.5), scaled)
    return builder.fptosi(builder.fadd(scaled, half), v.WORDS)


def _rounded(builder: v.Builder, x: v.Value) -> v.Value:
    return builder.sitofp(in_127ths(builder, x), v.VECTOR)


def lstm_cell(
    builder: v.Builder, tables: v.Value, sums: list[v.Value], state: v.Value
) -> tuple[v.Value, v.Value]:
    """From the sums of the gates and the state to the next state and the output."""
    a = _tanh(builder, tables, sums[0])
    i, f, o = (_logistic(builder, tables, total) for total in sums[1:])
    c = builder.fadd(builder.fmul(state, f), builder.fmul(a, i))
    c = v.clip(builder, c, -STATE_CLIP, STATE_CLIP)
    return c, builder.fmul(_tanh(builder, tables, c), o)


def _in_place(change: Callable[..., v.Value]) -> Callable[..., Any]:
    """Make the operation `(x, other)` that replaces the vector x by `change(builder, x, other)`."""

    @operation
    def in_place(builder, x, other):
        v.store(builder, change(builder, v.load(builder, x), other), x)

    return in_place


# The second argument: the address of the tables or of another vector; without meaning otherwise.
tanh = _in_place(lambda builder, x, tables: _tanh(builder, tables, x))
logistic = _in_place(lambda builder, x, tables: _logistic(builder, tables, x))
relu = _in_place(lambda builder, x, _: _maximum(builder, x, v.constant(0)))
clip_logistic = _in_place(lambda builder, x, _: v.clip(builder, x, 0, 1))
clip_tanh = _in_place(lambda builder, x, _: v.clip(builder, x, -1, 1))
multiply = _in_place(lambda builder, x, by: builder.fmul(x, v.load(builder, by)))
divide = _in_place(lambda builder, x, by: builder.fdiv(x, v.load(builder, by)))
largest = _in_place(lambda builder, x, y: _maximum(builder, x, v.load(builder, y)))
to_int8 = _in_place(lambda builder, x, _: _rounded(builder, x))


def _make_cell(int_mode: bool) -> Callable[..., Any]:
    """Make the operation on one vector of cells.

    `cell(tables, z, scale, size, state, h)`: the gates' sums z (and their scales) are `size` apart;
    the state and the output h are written.
    """

    @operation
    def cell(builder, tables, z, scale, size, state, h):
        sums = []
        for gate in range(4):
            place = builder.mul(size, v.integer(gate))
            total = v.load(builder, z, place)
            if int_mode:
                total = builder.fmul(total, v.load(builder, scale, place))
            sums.append(total)
        c, y = lstm_cell(builder, tables, sums, v.load(builder, state))
        v.store(builder, c, state)
        v.store(builder, _rounded(builder, y) if int_mode else y, h)

    return cell


@operation
def exp_below(builder, x, highest, total):
    """Replace one vector x by e^(x - highest), and add it to the vector `total`."""
    below = builder.fsub(
        v.load(builder, x), v.splat(builder, v.load(builder, highest, None, v.FLOAT))
    )
    below = v.clip(builder, below, EXP_FLOOR, 0)
    # x >= EXP_FLOOR keeps 2^power among the normal numbers, so its bits can be built below.
    power = v.call_float_intrinsic(builder, "rint", builder.fmul(below, v.constant(_LOG2E)))
    # ln 2 in two parts, the first of few digits, so that little is lost; as in Cephes.
    rest = v.multiply_add(builder, power, v.constant(-_LN2_HIGH), below)
    rest = v.multiply_add(builder, power, v.constant(-_LN2_LOW), rest)
    y = v.constant(_EXP[0])
    for coefficient in _EXP[1:]:
        y = v.multiply_add(builder, y, rest, v.constant(coefficient))
    y = v.multiply_add(builder, builder.fmul(y, rest), rest, rest)
    y = builder.fadd(y, v.constant(1))
    # 2^power as a float: the exponent, with 127 added, stands above 23 bits of fraction.
    bits = builder.shl(
        builder.add(builder.fptosi(power, v.WORDS), v.words(127)),
        v.words(23),
    )
    y = builder.fmul(y, builder.bitcast(bits, v.VECTOR))
    v.store(builder, y, x)
    v.store(builder, builder.fadd(v.load(builder, total), y), total)


cell, int_cell = _make_cell(False), _make_cell(True)
