"""Products of int8 numbers, four at a time, and the LSTM cells that follow them.

Outputs of layers are bytes without a sign: 128 is added to each number. The instruction multiplies
four of them with four weights, which have a sign, and adds the products to a whole number of 32
bits; what the 128 add is taken off by the number that a sum starts with. Sums are exact.
"""

from collections.abc import Callable
from typing import Any

from lstmjax.infer.host import float_ops
from lstmjax.simd import vectors as v
from lstmjax.simd.operations import operation
from lstmjax.simd.target import numba_target

ZERO = 128
"""The byte that stands for 0."""
GROUP = 4  # numbers that are multiplied at once
GATES = 4
VECTOR_BYTES = v.LANES * v.FLOAT_BYTES


SUPPORTED = numba_target().has_dots
_DOT = f"x86.avx512.vpdpbusd.{8 * VECTOR_BYTES}"
_BYTES = v.vector_of(v.INT8)
_WHOLE = v.WORDS

Sums = dict[tuple[int, int], v.Value]


def _address(builder: v.Builder, base: v.Value, number: v.Value, size: int) -> v.Value:
    """Of an entry of so many bytes."""
    return builder.add(base, builder.mul(number, v.integer(size)))


def _load(builder: v.Builder, address: v.Value, kind: Any = _WHOLE) -> v.Value:
    value = builder.load(builder.inttoptr(address, kind.as_pointer()))
    value.align = 1  # rows of bytes start anywhere
    return value


def _store(builder: v.Builder, value: v.Value, address: v.Value) -> None:
    written = builder.store(value, builder.inttoptr(address, value.type.as_pointer()))
    written.align = 1


def _start(builder: v.Builder, start: v.Value, rows: int, vectors: int) -> Sums:
    """Places for sums in registers, each row beginning with the same numbers."""
    sums = {}
    for c in range(vectors):
        first = _load(builder, builder.add(start, v.integer(c * VECTOR_BYTES)))
        for r in range(rows):
            sums[r, c] = v.variable(builder, _WHOLE)
            builder.store(first, sums[r, c])
    return sums


def _add_dots(
    builder: v.Builder, sums: Sums, x: v.Value, x_stride: v.Value, groups: v.Value, w: v.Value
) -> None:
    """Add products of so many groups of numbers; rows of x are `x_stride` bytes apart."""
    rows = 1 + max(r for r, _ in sums)
    vectors = 1 + max(c for _, c in sums)
    firsts = [builder.add(x, builder.mul(x_stride, v.integer(r))) for r in range(rows)]
    with v.repeat(builder, groups) as loop:
        panel = _address(builder, w, loop.index, vectors * VECTOR_BYTES)
        weights = [
            _load(builder, builder.add(panel, v.integer(c * VECTOR_BYTES))) for c in range(vectors)
        ]
        for r in range(rows):
            place = _address(builder, firsts[r], loop.index, GROUP)
            # Four neighbouring bytes as one word, the same for all columns.
            numbers = v.splat(builder, _load(builder, place, v.INT32))
            for c in range(vectors):
                total = v.call_intrinsic(
                    builder, _DOT, _WHOLE, builder.load(sums[r, c]), numbers, weights[c]
                )
                builder.store(total, sums[r, c])


def make_dots(rows: int, vectors: int) -> Callable[..., Any]:
    """Make the operation that multiplies a block.

    `dots(out, out_stride, start, x, x_stride, groups, w)`: out[r, c] = start[c] + sum of x[r] times
    w for `rows` rows and `vectors` vectors of columns; out are whole numbers of 32 bits, strides
    count bytes, w is packed.
    """

    @operation
    def dots(builder, out, out_stride, start, x, x_stride, groups, w):
        # One copy of this block for all of its callers.
        v.never_inline(builder)
        sums = _start(builder, start, rows, vectors)
        _add_dots(builder, sums, x, x_stride, groups, w)
        for (r, c), place in sums.items():
            at = builder.add(out, builder.mul(out_stride, v.integer(r)))
            at = builder.add(at, v.integer(c * VECTOR_BYTES))
            _store(builder, builder.load(place), at)

    return dots


def _as_bytes(builder: v.Builder, whole: v.Value) -> v.Value:
    """Whole numbers in -127..127 as bytes."""
    return builder.trunc(builder.add(whole, v.words(ZERO)), _BYTES)


def make_cells(rows: int) -> Callable[..., Any]:
    """Make one step of a vector of LSTM units for some rows, from the products to the output.

    `step(start, x, x_stride, x_groups, h, size, w, scale, tables, c, to)`: h is the output of the
    step before, which has `size` units, c the states, `to` where the output goes; rows of h, c and
    `to` are `size` numbers apart. Gates are beside each other in start, scale and w, whose first
    rows belong to x.
    """

    @operation
    def step(builder, start, x, x_stride, x_groups, h, size, w, scale, tables, c, to):
        v.never_inline(builder)
        sums = _start(builder, start, rows, GATES)
        _add_dots(builder, sums, x, x_stride, x_groups, w)
        # The rows of the own output follow those of the input in the same panel.
        rest = _address(builder, w, x_groups, GATES * VECTOR_BYTES)
        _add_dots(builder, sums, h, size, builder.udiv(size, v.integer(GROUP)), rest)
        scales = [v.load(builder, scale, v.integer(g * v.LANES)) for g in range(GATES)]
        for r in range(rows):
            gates = [
                builder.fmul(builder.sitofp(builder.load(sums[r, g]), v.VECTOR), scales[g])
                for g in range(GATES)
            ]
            row = builder.mul(size, v.integer(r))
            state, y = float_ops.lstm_cell(builder, tables, gates, v.load(builder, c, row))
            v.store(builder, state, c, row)
            out = _as_bytes(builder, float_ops.in_127ths(builder, y))
            _store(builder, out, builder.add(to, row))

    return step


@operation
def to_floats(builder, sums, scale, out):
    """A vector of sums times its scale, as floats; `out` may be `sums`."""
    x = builder.sitofp(_load(builder, sums), v.VECTOR)
    v.store(builder, builder.fmul(x, v.load(builder, scale)), out)


@operation
def to_bytes(builder, x, out):
    """A vector of floats as bytes."""
    whole = float_ops.in_127ths(builder, v.load(builder, x))
    _store(builder, _as_bytes(builder, whole), out)


@operation
def keep_largest(builder, best, x):
    """Replace each whole number of a vector by that of another one if it is larger."""
    old, new = _load(builder, best), _load(builder, x)
    _store(builder, builder.select(builder.icmp_signed(">", new, old), new, old), best)


@operation
def interleave(builder, a, b, c, d, out):
    """Write groups of four bytes, one from each of four places, for a vector of neighbours."""
    joined = v.words(0)
    for i, place in enumerate((a, b, c, d)):
        word = builder.zext(_load(builder, place, _BYTES), _WHOLE)
        joined = builder.or_(joined, builder.shl(word, v.words(8 * i)))
    _store(builder, joined, out)
