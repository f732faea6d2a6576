"""What compiled loops can call besides Python's own: blocks of products and raw memory.

Addresses are integers, strides and sizes count floats.
"""

from collections.abc import Callable
from typing import Any

from numba import extending
from numba.core import cgutils, types

from lstmjax.simd import vectors as v

operation: Any = extending.intrinsic  # checkers do not see that it changes the signature


def signature_of(arguments: int, result: Any = types.void) -> Any:
    """The signature of an operation whose arguments are all int64."""
    return result(*[types.int64] * arguments)


def make_block(rows: int, columns: int, *, pairs: bool = False) -> Callable[..., Any]:
    """Make the operation that adds a product to a block of sums held in registers.

    `block(out, out_stride, start, start_stride, x, x_stride, x_step, depth, w)`:
    out[r, c] = start[r, c] + sum over k < depth of x[r * x_stride + k * x_step] * w[k, c]
    for `rows` rows and `columns` vectors; w is packed, row after row. With `pairs` each place of
    x and w holds two floats of 16 bits that belong to neighbours in depth.
    """
    combined = v.multiply_add_pairs if pairs else v.multiply_add

    @operation
    def block(typingctx, out, out_stride, start, start_stride, x, x_stride, x_step, depth, w):
        del typingctx, out, out_stride, start, start_stride, x, x_stride, x_step, depth, w

        def write(context, builder, signature, args):
            del signature
            out, out_stride, start, start_stride, x, x_stride, x_step, depth, w = args
            builder.function.attributes.add("noinline")  # one copy is enough, and half the time
            places = [(r, c) for r in range(rows) for c in range(columns)]
            sums = {place: cgutils.alloca_once(builder, v.VECTOR) for place in places}

            def at(stride, r, c):
                row = builder.mul(stride, v.integer(r))
                return builder.add(row, v.integer(c * v.LANES))

            for r, c in places:
                builder.store(v.load(builder, start, at(start_stride, r, c)), sums[r, c])
            with cgutils.for_range(builder, depth) as loop:
                first = builder.mul(loop.index, v.integer(columns * v.LANES))
                weights = [
                    v.load(builder, w, builder.add(first, v.integer(c * v.LANES)))
                    for c in range(columns)
                ]
                here = builder.mul(x_step, loop.index)
                for r in range(rows):
                    place = builder.add(builder.mul(x_stride, v.integer(r)), here)
                    value = v.splat(builder, v.load(builder, x, place, v.FLOAT))
                    for c in range(columns):
                        total = builder.load(sums[r, c])
                        total = combined(builder, value, weights[c], total)
                        builder.store(total, sums[r, c])
            for r, c in places:
                v.store(builder, builder.load(sums[r, c]), out, at(out_stride, r, c))
            return context.get_dummy_value()

        return signature_of(9), write

    return block


@operation
def fill_zero(typingctx, address, count):
    """Set floats to zero."""
    del typingctx, address, count

    def write(context, builder, signature, args):
        del signature
        address, count = args
        first = v.pointer(builder, address, None, v.INT8)
        cgutils.memset(builder, first, builder.mul(count, v.integer(v.FLOAT_BYTES)), 0)
        return context.get_dummy_value()

    return signature_of(2), write


@operation
def copy_vector(typingctx, out, x):
    """Copy one vector."""
    del typingctx, out, x

    def write(context, builder, signature, args):
        del signature
        v.store(builder, v.load(builder, args[1]), args[0])
        return context.get_dummy_value()

    return signature_of(2), write


@operation
def pair_vectors(typingctx, out, x, y):
    """Out = pairs of two vectors, place by place."""
    del typingctx, out, x, y

    def write(context, builder, signature, args):
        del signature
        out, x, y = args
        pairs = v.paired(builder, v.load(builder, x), v.load(builder, y))
        v.store(builder, pairs, out)
        return context.get_dummy_value()

    return signature_of(3), write


@operation
def pair_floats(typingctx, out, x, y):
    """Out = one pair."""
    del typingctx, out, x, y

    def write(context, builder, signature, args):
        del signature
        out, x, y = args
        first, second = (v.load(builder, address, None, v.FLOAT) for address in (x, y))
        v.store(builder, v.paired(builder, first, second), out)
        return context.get_dummy_value()

    return signature_of(3), write


@operation
def pair_neighbours(typingctx, out, x):
    """Out = half a vector of pairs of neighbours in x."""
    del typingctx, out, x

    def write(context, builder, signature, args):
        del signature
        out, x = args
        v.store(builder, v.paired_neighbours(builder, v.load(builder, x)), out)
        return context.get_dummy_value()

    return signature_of(2), write


@operation
def copy_turned(typingctx, out, out_stride, x, x_stride):
    """Copy the transpose of a block of `LANES` vectors, whose rows are `*_stride` apart."""
    del typingctx, out, out_stride, x, x_stride

    def write(context, builder, signature, args):
        del signature
        out, out_stride, x, x_stride = args
        builder.function.attributes.add("noinline")

        def at(stride, row):
            return builder.mul(stride, v.integer(row))

        rows = [v.load(builder, x, at(x_stride, row)) for row in range(v.LANES)]
        for row, values in enumerate(v.transposed(builder, rows)):
            v.store(builder, values, out, at(out_stride, row))
        return context.get_dummy_value()

    return signature_of(4), write


@operation
def copy_float(typingctx, out, x):
    """Copy one float."""
    del typingctx, out, x

    def write(context, builder, signature, args):
        del signature
        v.store(builder, v.load(builder, args[1], None, v.FLOAT), args[0])
        return context.get_dummy_value()

    return signature_of(2), write


def _reading(kind: Any, size: int) -> Callable[..., Any]:
    @operation
    def read(typingctx, address, index):
        del typingctx, address, index

        def write(context, builder, signature, args):
            del context, signature
            place = builder.add(args[0], builder.mul(args[1], v.integer(size)))
            value = builder.load(builder.inttoptr(place, kind.as_pointer()))
            return value if kind is v.INT64 else builder.sext(value, v.INT64)

        return signature_of(2, types.int64), write

    return read


read_int64 = _reading(v.INT64, 8)
read_int32 = _reading(v.INT32, 4)


@operation
def write_int32(typingctx, address, index, value):
    """Write a whole number of 32 bits."""
    del typingctx, address, index, value

    def write(context, builder, signature, args):
        del signature
        address, index, value = args
        place = builder.add(address, builder.mul(index, v.integer(4)))
        number = builder.trunc(value, v.INT32)
        builder.store(number, builder.inttoptr(place, v.INT32.as_pointer()))
        return context.get_dummy_value()

    return signature_of(3), write


@operation
def read_float(typingctx, address, index):
    """One float, as float64."""
    del typingctx, address, index

    def write(context, builder, signature, args):
        del context, signature
        return builder.fpext(v.load(builder, args[0], args[1], v.FLOAT), v.DOUBLE)

    return signature_of(2, types.float64), write


@operation
def add_to_float(typingctx, address, value):
    """Add to one float."""
    del typingctx, address, value

    def write(context, builder, signature, args):
        del signature
        address, value = args
        total = builder.fadd(v.load(builder, address, None, v.FLOAT), v.rounded(builder, value))
        v.store(builder, total, address)
        return context.get_dummy_value()

    return types.void(types.int64, types.float64), write


@operation
def add_square(typingctx, sums, x):
    """Add the squares of a vector to a vector of sums."""
    del typingctx, sums, x

    def write(context, builder, signature, args):
        del signature
        sums, x = args
        value = v.load(builder, x)
        v.store(builder, v.multiply_add(builder, value, value, v.load(builder, sums)), sums)
        return context.get_dummy_value()

    return signature_of(2), write


@operation
def scale_vector(typingctx, x, factor):
    """Multiply a vector by a number."""
    del typingctx, x, factor

    def write(context, builder, signature, args):
        del signature
        x, factor = args
        factors = v.splat(builder, v.rounded(builder, factor))
        v.store(builder, builder.fmul(v.load(builder, x), factors), x)
        return context.get_dummy_value()

    return types.void(types.int64, types.float64), write


@operation
def combine(typingctx, out, x, y, a, b):
    """Out = a x + b y, for a vector."""
    del typingctx, out, x, y, a, b

    def write(context, builder, signature, args):
        del signature
        out, x, y, a, b = args
        a, b = (v.splat(builder, v.rounded(builder, factor)) for factor in (a, b))
        second = builder.fmul(b, v.load(builder, y))
        v.store(builder, v.multiply_add(builder, a, v.load(builder, x), second), out)
        return context.get_dummy_value()

    return types.void(*[types.int64] * 3, *[types.float64] * 2), write
