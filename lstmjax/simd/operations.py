"""Functions for compiled loops: blocks of products, vectors and raw memory.

Addresses are integers, strides and sizes count floats. Tried with numba 0.68; `trial` finds out
whether operations work, and networks are computed by XLA alone where they do not.
"""

from collections.abc import Callable
from functools import partial, wraps
from typing import Any

from numba import float64, int64, void
from numba.extending import intrinsic

from lstmjax.simd import vectors as v


def operation(
    write: Callable[..., Any] | None = None, *, returns: Any = void, numbers: int = 0
) -> Any:
    """Turn a function that writes LLVM instructions into one that compiled loops can call.

    Args:
      write: function of a builder and the values of the arguments; it returns the result, if there
        is one.
      returns: type of the result.
      numbers: how many of the arguments, the last ones, are float64; the others are int64.
    """
    if write is None:
        return partial(operation, returns=returns, numbers=numbers)

    @wraps(write)  # numba takes the names of the arguments from there
    def define(_typing_context, *kinds):
        def generate(context, builder, _signature, values):
            result = write(builder, *values)
            return context.get_dummy_value() if returns is void else result

        integers = len(kinds) - numbers
        return returns(*[int64] * integers, *[float64] * numbers), generate

    return intrinsic(define)


def make_block(rows: int, columns: int, *, pairs: bool = False) -> Callable[..., Any]:
    """Make the operation that adds a product to a block of sums in registers.

    `block(out, out_stride, start, start_stride, x, x_stride, x_step, depth, w)`:
    out[r, c] = start[r, c] + sum over k < depth of x[r * x_stride + k * x_step] * w[k, c]
    for `rows` rows and `columns` vectors; w is packed, row after row. With `pairs` each place of
    x and w holds a bfloat16 pair: two neighbours in depth.
    """
    combined = v.multiply_add_pairs if pairs else v.multiply_add

    @operation
    def block(builder, out, out_stride, start, start_stride, x, x_stride, x_step, depth, w):
        v.never_inline(builder)  # it is large: many copies would take twice as long to compile
        places = [(r, c) for r in range(rows) for c in range(columns)]
        sums = {place: v.variable(builder) for place in places}

        def at(stride, r, c):
            row = builder.mul(stride, v.integer(r))
            return builder.add(row, v.integer(c * v.LANES))

        # The sums begin with numbers of the caller, so that products can be added up.
        for r, c in places:
            builder.store(v.load(builder, start, at(start_stride, r, c)), sums[r, c])
        with v.repeat(builder, depth) as loop:
            first = builder.mul(loop.index, v.integer(columns * v.LANES))
            weights = [
                v.load(builder, w, builder.add(first, v.integer(c * v.LANES)))
                for c in range(columns)
            ]
            here = builder.mul(x_step, loop.index)
            # A number of x at a time for all columns: it is loaded and spread once.
            for r in range(rows):
                place = builder.add(builder.mul(x_stride, v.integer(r)), here)
                value = v.splat(builder, v.load(builder, x, place, v.FLOAT))
                for c in range(columns):
                    total = builder.load(sums[r, c])
                    total = combined(builder, value, weights[c], total)
                    builder.store(total, sums[r, c])
        for r, c in places:
            v.store(builder, builder.load(sums[r, c]), out, at(out_stride, r, c))

    return block


@operation
def fill_zero(builder, address, count):
    """Set floats to zero."""
    v.zero_bytes(builder, address, builder.mul(count, v.integer(v.FLOAT_BYTES)))


@operation
def copy_vector(builder, out, x):
    """Copy one vector."""
    v.store(builder, v.load(builder, x), out)


@operation
def pair_vectors(builder, out, x, y):
    """Write the bfloat16 pairs of two vectors, place by place."""
    pairs = v.paired(builder, v.load(builder, x), v.load(builder, y))
    v.store(builder, pairs, out)


@operation
def pair_floats(builder, out, x, y):
    """Write the bfloat16 pair of two floats."""
    first, second = (v.load(builder, address, None, v.FLOAT) for address in (x, y))
    v.store(builder, v.paired(builder, first, second), out)


@operation
def pair_neighbours(builder, out, x):
    """Write half a vector of bfloat16 pairs, of neighbours in x."""
    v.store(builder, v.paired_neighbours(builder, v.load(builder, x)), out)


@operation
def copy_transposed_block(builder, out, out_stride, x, x_stride):
    """Copy the transpose of a block of `LANES` vectors, whose rows are `*_stride` apart."""
    v.never_inline(builder)

    def at(stride, row):
        return builder.mul(stride, v.integer(row))

    rows = [v.load(builder, x, at(x_stride, row)) for row in range(v.LANES)]
    for row, values in enumerate(v.transposed(builder, rows)):
        v.store(builder, values, out, at(out_stride, row))


@operation
def copy_float(builder, out, x):
    """Copy one float."""
    v.store(builder, v.load(builder, x, None, v.FLOAT), out)


def _reading(kind: Any, size: int) -> Callable[..., Any]:
    @operation(returns=int64)
    def read(builder, address, index):
        place = builder.add(address, builder.mul(index, v.integer(size)))
        value = builder.load(builder.inttoptr(place, kind.as_pointer()))
        return value if kind is v.INT64 else builder.sext(value, v.INT64)

    return read


read_int64 = _reading(v.INT64, 8)
read_int32 = _reading(v.INT32, 4)


@operation
def write_int32(builder, address, index, value):
    """Write an integer of 32 bits."""
    place = builder.add(address, builder.mul(index, v.integer(4)))
    number = builder.trunc(value, v.INT32)
    builder.store(number, builder.inttoptr(place, v.INT32.as_pointer()))


@operation(returns=float64)
def read_float(builder, address, index):
    """Read one float, as float64."""
    return builder.fpext(v.load(builder, address, index, v.FLOAT), v.DOUBLE)


@operation(numbers=1)
def add_to_float(builder, address, value):
    """Add to one float."""
    total = builder.fadd(v.load(builder, address, None, v.FLOAT), v.rounded(builder, value))
    v.store(builder, total, address)


@operation
def add_square(builder, sums, x):
    """Add the squares of a vector to a vector of sums."""
    value = v.load(builder, x)
    v.store(builder, v.multiply_add(builder, value, value, v.load(builder, sums)), sums)


@operation(numbers=1)
def scale_vector(builder, x, factor):
    """Multiply a vector by a number."""
    factors = v.splat(builder, v.rounded(builder, factor))
    v.store(builder, builder.fmul(v.load(builder, x), factors), x)


@operation(numbers=2)
def combine(builder, out, x, y, a, b):
    """Write the vector `a * x + b * y`."""
    a, b = (v.splat(builder, v.rounded(builder, factor)) for factor in (a, b))
    second = builder.fmul(b, v.load(builder, y))
    v.store(builder, v.multiply_add(builder, a, v.load(builder, x), second), out)
