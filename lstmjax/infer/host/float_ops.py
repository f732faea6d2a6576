"""Vectors of numbers as Tesseract computes them: its tables, its rounding to int8, LSTM cells.

Every operation here is rounded by itself, as in the original, so that results have the same bits.
Addresses are integers, as in `kernels.operations`.
Source: Tesseract src/lstm/functions.h, src/lstm/lstm.cpp, src/lstm/networkio.cpp.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils

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
_INDICES = ir.VectorType(v.INT32, v.LANES)
# e^x for x <= 0: 2^n times a polynomial of what is left of x / ln 2, after Cephes' expf.
_LOG2E = 1.44269504088896341
_LN2_HIGH, _LN2_LOW = 0.693359375, -2.12194440e-4
_EXP = (1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 0.5)
_GATHER = "llvm.x86.avx2.gather.d.q.256"


def _call(builder: v.Builder, name: str, *args: v.Value) -> v.Value:
    kind = ir.FunctionType(v.VECTOR, [v.VECTOR] * len(args))
    function = cgutils.get_or_insert_function(builder.module, kind, f"llvm.{name}.v{v.LANES}f32")
    return builder.call(function, args)


def _pairs_at(builder: v.Builder, table: v.Value, at: v.Value) -> v.Value:
    """Each an entry of a table and the next, as one number of 64 bits."""
    pairs = ir.Constant(ir.VectorType(v.INT64, v.LANES), ir.Undefined)
    if v.LANES == 16:
        return _gathered_pairs(builder, table, at)
    for lane in range(v.LANES):
        place = builder.zext(builder.extract_element(at, v.INT32(lane)), v.INT64)
        address = builder.add(table, builder.mul(place, v.integer(v.FLOAT_BYTES)))
        pair = builder.load(builder.inttoptr(address, v.INT64.as_pointer()))
        pair.align = v.FLOAT_BYTES
        pairs = builder.insert_element(pairs, pair, v.INT32(lane))
    return pairs


def _gathered_pairs(builder: v.Builder, table: v.Value, at: v.Value) -> v.Value:
    """Likewise, four at once, which takes less time than eight on an AMD Zen 5."""
    pairs, places, base = ir.VectorType(v.INT64, 4), ir.VectorType(v.INT32, 4), v.INT8.as_pointer()
    kind = ir.FunctionType(pairs, [pairs, base, places, pairs, v.INT8])
    gather = cgutils.get_or_insert_function(builder.module, kind, _GATHER)
    nothing, everywhere = (ir.Constant(pairs, [value] * 4) for value in (0, -1))
    parts = []
    for first in range(0, v.LANES, 4):
        lanes = ir.Constant(places, list(range(first, first + 4)))
        here = builder.shuffle_vector(at, at, lanes)
        pointer = builder.inttoptr(table, base)
        arguments = (nothing, pointer, here, everywhere, v.INT8(v.FLOAT_BYTES))
        parts.append(builder.call(gather, arguments))
    while len(parts) > 1:
        size = 2 * parts[0].type.count
        order = ir.Constant(ir.VectorType(v.INT32, size), list(range(size)))
        parts = [
            builder.shuffle_vector(*pair, order)
            for pair in zip(parts[::2], parts[1::2], strict=True)
        ]
    return parts[0]


def _look_up(builder: v.Builder, tables: v.Value, which: int, x: v.Value) -> v.Value:
    """Interpolate a table at x >= 0; exactly 1 from its last entry on."""
    u = builder.fmul(x, v.constant(STEPS_PER_UNIT))
    inside = builder.fcmp_ordered("<", u, v.constant(_LAST))
    at = builder.fptosi(builder.select(inside, u, v.constant(_LAST)), _INDICES)
    pairs = _pairs_at(builder, builder.add(tables, v.integer(which * _TABLE_BYTES)), at)
    numbers = builder.bitcast(pairs, ir.VectorType(v.FLOAT, 2 * v.LANES))
    entry, following = (
        builder.shuffle_vector(
            numbers,
            ir.Constant(numbers.type, ir.Undefined),
            ir.Constant(_INDICES, list(range(first, 2 * v.LANES, 2))),
        )
        for first in (0, 1)
    )
    rest = builder.fsub(u, builder.sitofp(at, v.VECTOR))
    step = builder.fsub(following, entry)
    y = builder.fadd(entry, builder.fmul(step, rest))
    return builder.select(inside, y, v.constant(1))


def _tanh(builder: v.Builder, tables: v.Value, x: v.Value) -> v.Value:
    y = _look_up(builder, tables, 0, _call(builder, "fabs", x))
    return _call(builder, "copysign", y, x)


def _logistic(builder: v.Builder, tables: v.Value, x: v.Value) -> v.Value:
    y = _look_up(builder, tables, 1, _call(builder, "fabs", x))
    negative = builder.fcmp_ordered("<", x, v.constant(0))
    return builder.select(negative, builder.fsub(v.constant(1), y), y)


def in_127ths(builder: v.Builder, x: v.Value) -> v.Value:
    """Whole 127ths in -127..127 as integers, halves away from zero."""
    scaled = v.clip(builder, builder.fmul(x, v.constant(_INT8_MAX)), -_INT8_MAX, _INT8_MAX)
    half = _call(builder, "copysign", v.constant(0.5), scaled)
    return builder.fptosi(builder.fadd(scaled, half), _INDICES)


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


def _signature(arguments: int) -> Any:
    return types.void(*[types.int64] * arguments)


def _in_place(change: Callable[..., v.Value]) -> Callable[..., Any]:
    """Make the operation `(x, other)` that replaces the vector x by `change(builder, x, other)`."""

    @operation
    def in_place(typingctx, x, other):
        del typingctx, x, other

        def write(context, builder, signature, args):
            del signature
            v.store(builder, change(builder, v.load(builder, args[0]), args[1]), args[0])
            return context.get_dummy_value()

        return _signature(2), write

    return in_place


# The second argument: the address of the tables or of another vector; without meaning otherwise.
tanh = _in_place(lambda builder, x, tables: _tanh(builder, tables, x))
logistic = _in_place(lambda builder, x, tables: _logistic(builder, tables, x))
relu = _in_place(lambda builder, x, _: _call(builder, "maxnum", x, v.constant(0)))
clip_logistic = _in_place(lambda builder, x, _: v.clip(builder, x, 0, 1))
clip_tanh = _in_place(lambda builder, x, _: v.clip(builder, x, -1, 1))
multiply = _in_place(lambda builder, x, by: builder.fmul(x, v.load(builder, by)))
divide = _in_place(lambda builder, x, by: builder.fdiv(x, v.load(builder, by)))
largest = _in_place(lambda builder, x, y: _call(builder, "maxnum", x, v.load(builder, y)))
to_int8 = _in_place(lambda builder, x, _: _rounded(builder, x))


def _make_cell(int_mode: bool) -> Callable[..., Any]:
    """Make the operation on one vector of cells.

    `cell(tables, z, scale, size, c, h)`: the gates' sums z (and their scales) are `size` apart; the
    state c and the output h are written.
    """

    @operation
    def cell(typingctx, tables, z, scale, size, c, h):
        del typingctx, tables, z, scale, size, c, h

        def write(context, builder, signature, args):
            del signature
            tables, z, scale, size, state, h = args
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
            return context.get_dummy_value()

        return _signature(6), write

    return cell


@operation
def exp_below(typingctx, x, highest, total):
    """Replace one vector x by e^(x - highest), and add it to the vector `total`."""
    del typingctx, x, highest, total

    def write(context, builder, signature, args):
        del signature
        x, highest, total = args
        below = builder.fsub(
            v.load(builder, x), v.splat(builder, v.load(builder, highest, None, v.FLOAT))
        )
        below = v.clip(builder, below, EXP_FLOOR, 0)
        power = _call(builder, "rint", builder.fmul(below, v.constant(_LOG2E)))
        rest = v.multiply_add(builder, power, v.constant(-_LN2_HIGH), below)
        rest = v.multiply_add(builder, power, v.constant(-_LN2_LOW), rest)
        y = v.constant(_EXP[0])
        for coefficient in _EXP[1:]:
            y = v.multiply_add(builder, y, rest, v.constant(coefficient))
        y = v.multiply_add(builder, builder.fmul(y, rest), rest, rest)
        y = builder.fadd(y, v.constant(1))
        bits = builder.shl(
            builder.add(builder.fptosi(power, _INDICES), ir.Constant(_INDICES, [127] * v.LANES)),
            ir.Constant(_INDICES, [23] * v.LANES),
        )
        y = builder.fmul(y, builder.bitcast(bits, v.VECTOR))
        v.store(builder, y, x)
        v.store(builder, builder.fadd(v.load(builder, total), y), total)
        return context.get_dummy_value()

    return _signature(3), write


cell, int_cell = _make_cell(False), _make_cell(True)
