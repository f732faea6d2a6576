"""Vectors of floats as LLVM instructions, which numba cannot be made to choose.

These functions write instructions with a builder; `operations` turns them into functions that
compiled loops can call. Addresses are integers, and indices count floats. Tried with numba 0.68;
see `operations` for the fallback.
"""

from collections.abc import Sequence
from functools import reduce
from typing import Any

from llvmlite import ir
from numba.core import cgutils

from lstmjax.simd.target import numba_target

Builder = Any
Value = Any

FLOAT = ir.FloatType()
DOUBLE = ir.DoubleType()
BOOL = ir.IntType(1)
INT8 = ir.IntType(8)
INT32 = ir.IntType(32)
INT64 = ir.IntType(64)
FLOAT_BYTES = 4


_TARGET = numba_target()
# Without vectors the module still loads; `SUPPORTED` keeps it from being used.
LANES = _TARGET.lanes or 4
SUPPORTED = _TARGET.lanes > 0
PAIRS_SUPPORTED = _TARGET.has_pairs
ROWS = 4 if LANES == 8 else 8  # of the block of sums that the registers hold at once
COLUMNS = 3  # vectors of that block
VECTOR = ir.VectorType(FLOAT, LANES)
WORDS = ir.VectorType(INT32, LANES)


class _Bfloat16(ir.Type):
    """The type bfloat16: the upper half of a float."""

    def __str__(self) -> str:
        return "bfloat"


_BFLOAT16S = ir.VectorType(_Bfloat16(), 2 * LANES)
_DOT_PAIRS = "x86.avx512bf16.dpbf16ps.512"
_UPPER_HALF = 0xFFFF0000
_BELOW_HALF = 0x7FFF  # added before the lower half is cut off, rounds to nearest

# tanh(x) = x P(x^2) / Q(x^2) to the last place of float32 or two; beyond the bound it is 1.
_TANH_BOUND = 7.90531110763549805
_TANH_P = (
    -2.76076847742355e-16,
    2.00018790482477e-13,
    -8.60467152213735e-11,
    5.12229709037114e-08,
    1.48572235717979e-05,
    6.37261928875436e-04,
    4.89352455891786e-03,
)
_TANH_Q = (1.19825839466702e-06, 1.18534705686654e-04, 2.26843463243900e-03, 4.89352518554385e-03)

# exp(x) = 2^k (1 + r + r^2 P(r)), x = k log(2) + r; below the lower bound it is 0.
_EXP_BOUNDS = (-87.0, 88.0)
_LOG2_E = 1.44269504088896341
_LOG_2 = (0.693359375, -2.12194440e-4)  # in two parts, the first exact times any k
_EXP_P = (
    1.9875691500e-4,
    1.3981999507e-3,
    8.3334519073e-3,
    4.1665795894e-2,
    1.6666665459e-1,
    5.0000001201e-1,
)
_WHOLE = 1.5 * 2.0**23  # added to a float, leaves its nearest whole number in the lowest bits
_MANTISSA_BITS = 23
_ONE_BITS = 127 << _MANTISSA_BITS  # of 1 as a float

# log(m 2^k) = k log(2) + r - r^2 / 2 + r^3 P(r), r = m - 1, m between the roots of 1/2 and 2.
_ROOT_HALF_BITS = 0x3F3504F3
_LOG_P = (
    7.0376836292e-2,
    -1.1514610310e-1,
    1.1676998740e-1,
    -1.2420140846e-1,
    1.4249322787e-1,
    -1.6668057665e-1,
    2.0000714765e-1,
    -2.4999993993e-1,
    3.3333331174e-1,
)


def padded(columns: int) -> int:
    """Return a number of columns, rounded up to whole vectors."""
    return (columns + LANES - 1) // LANES * LANES


def integer(value: int) -> Value:
    """A constant index."""
    return INT64(value)


def constant(value: float) -> Value:
    """A vector of one number repeated."""
    return ir.Constant(VECTOR, [float(value)] * LANES)


def vector_of(kind: Any, count: int = LANES) -> Any:
    """The type of a vector of so many numbers."""
    return ir.VectorType(kind, count)


def numbers(kind: Any, values: Sequence[float]) -> Value:
    """A constant vector of the numbers given."""
    return ir.Constant(ir.VectorType(kind, len(values)), list(values))


def words(value: int) -> Value:
    """A vector of one integer of 32 bits repeated."""
    return numbers(INT32, [value] * LANES)


def zeros(kind: Any) -> Value:
    """A value of a kind with all bits zero."""
    return ir.Constant(kind, None)


def undefined(kind: Any) -> Value:
    """A value of which every place is still to be written."""
    return ir.Constant(kind, ir.Undefined)


def variable(builder: Builder, kind: Any = VECTOR) -> Value:
    """A place on the stack, to load from and store to; LLVM makes a register of it."""
    return cgutils.alloca_once(builder, kind)


def repeat(builder: Builder, count: Value) -> Any:
    """A loop, as a context whose `index` counts from 0."""
    return cgutils.for_range(builder, count)


def call_intrinsic(builder: Builder, name: str, kind: Any, *arguments: Value) -> Value:
    """The result, of a kind, of one of LLVM's own functions."""
    signature = ir.FunctionType(kind, [argument.type for argument in arguments])
    function = cgutils.get_or_insert_function(builder.module, signature, f"llvm.{name}")
    return builder.call(function, arguments)


def call_float_intrinsic(builder: Builder, name: str, *vectors: Value) -> Value:
    """The result of one of LLVM's functions that take vectors of floats and return one."""
    return call_intrinsic(builder, f"{name}.v{LANES}f32", VECTOR, *vectors)


def never_inline(builder: Builder) -> None:
    """Keep one copy of the function that is being compiled, which all of its callers call."""
    builder.function.attributes.add("noinline")


def copy_bytes(builder: Builder, out: Value, x: Value, count: Value, size: int) -> None:
    """Copy `count` items of `size` bytes each from address to address."""
    to, of = (pointer(builder, address, None, INT8) for address in (out, x))
    cgutils.raw_memcpy(builder, to, of, count, size)


def zero_bytes(builder: Builder, address: Value, count: Value) -> None:
    """Set bytes to zero."""
    cgutils.memset(builder, pointer(builder, address, None, INT8), count, 0)


def pointer(builder: Builder, address: Value, index: Value | None, kind: Any) -> Value:
    """A typed pointer to float number `index` after an address."""
    if index is not None:
        # An address in bytes, an index in floats.
        address = builder.add(address, builder.mul(index, INT64(FLOAT_BYTES)))
    return builder.inttoptr(address, kind.as_pointer())


def load(builder: Builder, address: Value, index: Value | None = None, kind: Any = VECTOR) -> Value:
    """Read a vector, or one float."""
    value = builder.load(pointer(builder, address, index, kind))
    # Rows of any length follow each other, so that a vector may begin at any float.
    value.align = FLOAT_BYTES
    return value


def store(builder: Builder, value: Value, address: Value, index: Value | None = None) -> None:
    """Write a vector, or one float."""
    written = builder.store(value, pointer(builder, address, index, value.type))
    written.align = FLOAT_BYTES


def rounded(builder: Builder, value: Value) -> Value:
    """A float64 as a float."""
    return builder.fptrunc(value, FLOAT)


def splat(builder: Builder, value: Value) -> Value:
    """A vector of one number of 32 bits repeated."""
    empty = undefined(ir.VectorType(value.type, LANES))
    first = builder.insert_element(empty, value, INT32(0))
    return builder.shuffle_vector(first, empty, words(0))


def multiply_add(builder: Builder, x: Value, y: Value, z: Value) -> Value:
    """`x * y + z`, rounded once."""
    return call_float_intrinsic(builder, "fma", x, y, z)


def multiply_add_pairs(builder: Builder, x: Value, y: Value, z: Value) -> Value:
    """`z + x0 * y0 + x1 * y1`, where each place of x and y holds two bfloat16 numbers."""
    pairs = [builder.bitcast(value, _BFLOAT16S) for value in (x, y)]
    return call_intrinsic(builder, _DOT_PAIRS, VECTOR, z, *pairs)


def _filled(like: Any, value: int) -> Value:
    """An integer of 32 bits, or a vector of it repeated, of the type given."""
    if isinstance(like, ir.VectorType):
        return ir.Constant(like, [value] * like.count)
    return ir.Constant(like, value)


def _rounded_bits(builder: Builder, x: Value) -> Value:
    """The bits of floats, rounded so that the upper half is the nearest bfloat16, ties to even."""
    vector = isinstance(x.type, ir.VectorType)
    kind = ir.VectorType(INT32, x.type.count) if vector else INT32
    bits = builder.bitcast(x, kind)
    # Half less one, and the lowest bit that stays: ties go to even.
    odd = builder.and_(builder.lshr(bits, _filled(kind, 16)), _filled(kind, 1))
    return builder.add(bits, builder.add(odd, _filled(kind, _BELOW_HALF)))


def _joined(builder: Builder, first: Value, second: Value) -> Value:
    """bfloat16 pairs from rounded bits, the first in the lower half."""
    low = builder.lshr(first, _filled(first.type, 16))
    return builder.or_(low, builder.and_(second, _filled(second.type, _UPPER_HALF)))


def paired(builder: Builder, x: Value, y: Value) -> Value:
    """The bfloat16 pairs of two vectors, or of two floats, place by place."""
    return _joined(builder, _rounded_bits(builder, x), _rounded_bits(builder, y))


def paired_neighbours(builder: Builder, x: Value) -> Value:
    """The bfloat16 pairs of neighbours in a vector: half as many."""
    bits = _rounded_bits(builder, x)
    first, second = (
        builder.shuffle_vector(bits, bits, numbers(INT32, range(start, LANES, 2)))
        for start in (0, 1)
    )
    return _joined(builder, first, second)


def clip(builder: Builder, x: Value, low: float, high: float) -> Value:
    """The vector within bounds; NaN stays NaN."""
    x = builder.select(builder.fcmp_ordered("<", x, constant(low)), constant(low), x)
    return builder.select(builder.fcmp_ordered(">", x, constant(high)), constant(high), x)


def _polynomial(builder: Builder, x: Value, coefficients: tuple[float, ...]) -> Value:
    """The polynomial with coefficients from the highest power down."""
    value = constant(coefficients[0])
    for coefficient in coefficients[1:]:
        value = multiply_add(builder, value, x, constant(coefficient))
    return value


def tanh(builder: Builder, x: Value) -> Value:
    """Hyperbolic tangent."""
    # P / Q would leave the curve beyond the bound.
    x = clip(builder, x, -_TANH_BOUND, _TANH_BOUND)
    square = builder.fmul(x, x)
    over = builder.fmul(x, _polynomial(builder, square, _TANH_P))
    return builder.fdiv(over, _polynomial(builder, square, _TANH_Q))


def logistic(builder: Builder, x: Value) -> Value:
    """1 / (1 + exp(-x))."""
    half = constant(0.5)
    # (1 + tanh(x / 2)) / 2 is the logistic function, and needs no exponential.
    return multiply_add(builder, tanh(builder, builder.fmul(x, half)), half, half)


def product(builder: Builder, *factors: Value) -> Value:
    """All factors multiplied, from left to right."""
    return reduce(builder.fmul, factors)


def logistic_slope(builder: Builder, value: Value) -> Value:
    """The derivative of the logistic function, from its value."""
    return builder.fmul(value, builder.fsub(constant(1), value))


def largest(builder: Builder, x: Value, y: Value) -> Value:
    """The larger of two numbers, place by place."""
    return builder.select(builder.fcmp_ordered(">", x, y), x, y)


def exponential(builder: Builder, x: Value) -> Value:
    """exp(x), to the last place of float32 or two."""
    low, high = _EXP_BOUNDS
    bounded = clip(builder, x, low, high)
    shifted = multiply_add(builder, bounded, constant(_LOG2_E), constant(_WHOLE))
    # Adding and taking off the large number rounds to a whole one.
    k = builder.fsub(shifted, constant(_WHOLE))
    r = multiply_add(builder, k, constant(-_LOG_2[0]), bounded)
    r = multiply_add(builder, k, constant(-_LOG_2[1]), r)
    rest = builder.fadd(r, constant(1))
    value = multiply_add(builder, builder.fmul(r, r), _polynomial(builder, r, _EXP_P), rest)
    # Its lowest bits hold k; shifted, they are where a float has its exponent.
    raised = builder.shl(builder.bitcast(shifted, WORDS), words(_MANTISSA_BITS))
    power = builder.add(raised, words(_ONE_BITS))  # 2^k
    value = builder.fmul(value, builder.bitcast(power, VECTOR))
    return builder.select(builder.fcmp_ordered("<", x, constant(low)), constant(0), value)


def logarithm(builder: Builder, x: Value) -> Value:
    """The natural logarithm of ordinary positive numbers, to the last place or two."""
    bits = builder.bitcast(x, WORDS)
    above = builder.sub(bits, words(_ROOT_HALF_BITS))
    # Shifted with the sign: k is negative for numbers below the root of 1/2.
    k = builder.ashr(above, words(_MANTISSA_BITS))
    mantissa = builder.sub(bits, builder.shl(k, words(_MANTISSA_BITS)))
    k = builder.sitofp(k, VECTOR)
    r = builder.fsub(builder.bitcast(mantissa, VECTOR), constant(1))
    square = builder.fmul(r, r)
    y = builder.fmul(builder.fmul(r, square), _polynomial(builder, r, _LOG_P))
    y = multiply_add(builder, k, constant(_LOG_2[1]), y)
    y = multiply_add(builder, square, constant(-0.5), y)
    return multiply_add(builder, k, constant(_LOG_2[0]), builder.fadd(r, y))


def transposed(builder: Builder, rows: list[Value]) -> list[Value]:
    """The columns of a square block of `LANES` vectors; swaps ever smaller quarters of it."""
    size = LANES // 2
    while size:
        # Places in the two vectors that a shuffle sees as one of twice the length.
        upper = [j if j & size == 0 else LANES + j - size for j in range(LANES)]
        lower = [j + size if j & size == 0 else LANES + j for j in range(LANES)]
        changed = list(rows)
        for i in range(LANES):
            if i & size:
                continue
            first, second = rows[i], rows[i + size]
            for at, places in ((i, upper), (i + size, lower)):
                changed[at] = builder.shuffle_vector(first, second, numbers(INT32, places))
        rows = changed
        size //= 2
    return rows
