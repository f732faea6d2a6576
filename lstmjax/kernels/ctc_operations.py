"""What the loops of CTC call: vectors of exponentials, and sums of paths by their logarithms.

Addresses are integers; numbers are float64 and rounded to float32.
"""

from typing import Any

from numba.core import cgutils, types

from lstmjax.simd import vectors as v
from lstmjax.simd.operations import operation

IMPOSSIBLE = -1e30
"""The logarithm of no probability at all: small, yet far from what float32 cannot hold."""


def _signature(addresses: int, numbers: int = 0) -> Any:
    return types.void(*[types.int64] * addresses, *[types.float64] * numbers)


def _everywhere(builder: Any, number: Any) -> Any:
    return v.splat(builder, v.rounded(builder, number))


@operation
def copy_floats(typingctx, out, x, count):
    """Copy so many floats."""
    del typingctx, out, x, count

    def write(context, builder, signature, args):
        del signature
        out, x, count = args
        to, of = (v.pointer(builder, address, None, v.INT8) for address in (out, x))
        cgutils.raw_memcpy(builder, to, of, count, v.FLOAT_BYTES)
        return context.get_dummy_value()

    return _signature(3), write


@operation
def fill_vector(typingctx, out, number):
    """Out = the number, everywhere."""
    del typingctx, out, number

    def write(context, builder, signature, args):
        del signature
        v.store(builder, _everywhere(builder, args[1]), args[0])
        return context.get_dummy_value()

    return _signature(1, 1), write


@operation
def write_float(typingctx, out, index, number):
    """Write one float."""
    del typingctx, out, index, number

    def write(context, builder, signature, args):
        del signature
        v.store(builder, v.rounded(builder, args[2]), args[0], args[1])
        return context.get_dummy_value()

    return _signature(2, 1), write


@operation
def raise_to(typingctx, tops, x):
    """Tops = the larger of tops and x."""
    del typingctx, tops, x

    def write(context, builder, signature, args):
        del signature
        tops, x = args
        value = v.largest(builder, v.load(builder, tops), v.load(builder, x))
        v.store(builder, value, tops)
        return context.get_dummy_value()

    return _signature(2), write


@operation
def exponentials(typingctx, out, sums, x, shift, factor):
    """Out = factor * exp(x - shift), which is also added to the sums."""
    del typingctx, out, sums, x, shift, factor

    def write(context, builder, signature, args):
        del signature
        out, sums, x, shift, factor = args
        shifted = builder.fsub(v.load(builder, x), _everywhere(builder, shift))
        value = builder.fmul(v.exponential(builder, shifted), _everywhere(builder, factor))
        v.store(builder, builder.fadd(v.load(builder, sums), value), sums)
        v.store(builder, value, out)
        return context.get_dummy_value()

    return _signature(3, 2), write


def _added(builder: Any, paths: list[Any]) -> Any:
    """Logarithm of the sum of probabilities given by their logarithms."""
    top = paths[0]
    for path in paths[1:]:
        top = v.largest(builder, top, path)
    total = v.constant(0)
    for path in paths:
        total = builder.fadd(total, v.exponential(builder, builder.fsub(path, top)))
    return builder.fadd(top, v.logarithm(builder, total))


@operation
def into_nulls(typingctx, out, nulls, labels, emitted):
    """Out = log(exp(nulls) + exp(labels)) + emitted, all vectors."""
    del typingctx, out, nulls, labels, emitted

    def write(context, builder, signature, args):
        del signature
        out, *others = args
        nulls, labels, emitted = (v.load(builder, each) for each in others)
        value = builder.fadd(_added(builder, [nulls, labels]), emitted)
        v.store(builder, v.largest(builder, v.constant(IMPOSSIBLE), value), out)
        return context.get_dummy_value()

    return _signature(4), write


@operation
def into_labels(typingctx, out, labels, nulls, skipped, skips, emitted):
    """Out = log(exp(labels) + exp(nulls) + exp(skipped + skips)) + emitted, all vectors."""
    del typingctx, out, labels, nulls, skipped, skips, emitted

    def write(context, builder, signature, args):
        del signature
        out, *others = args
        labels, nulls, skipped, skips, emitted = (v.load(builder, each) for each in others)
        value = _added(builder, [labels, nulls, builder.fadd(skipped, skips)])
        value = builder.fadd(value, emitted)
        v.store(builder, v.largest(builder, v.constant(IMPOSSIBLE), value), out)
        return context.get_dummy_value()

    return _signature(6), write


@operation
def joined(typingctx, out, before, after, emitted):
    """Out = before + after - emitted: both contain the step's own probability."""
    del typingctx, out, before, after, emitted

    def write(context, builder, signature, args):
        del signature
        out, *others = args
        before, after, emitted = (v.load(builder, each) for each in others)
        value = builder.fsub(builder.fadd(before, after), emitted)
        v.store(builder, v.largest(builder, v.constant(IMPOSSIBLE), value), out)
        return context.get_dummy_value()

    return _signature(4), write


@operation
def count_from(typingctx, counts, x, bound):
    """Add 1 to the counts where x is at least a bound away from 0."""
    del typingctx, counts, x, bound

    def write(context, builder, signature, args):
        del signature
        counts, x, bound = args
        value = v.load(builder, x)
        size = v.largest(builder, value, builder.fsub(v.constant(0), value))
        large = builder.fcmp_ordered(">=", size, _everywhere(builder, bound))
        more = builder.select(large, v.constant(1), v.constant(0))
        v.store(builder, builder.fadd(v.load(builder, counts), more), counts)
        return context.get_dummy_value()

    return _signature(2, 1), write
