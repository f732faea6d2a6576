"""Operations for the loops of CTC: vectors of exponentials, and sums of paths by logarithms.

Addresses are integers; numbers are float64 and rounded to float32.
"""

from typing import Any

from lstmjax.constants import LOG_IMPOSSIBLE
from lstmjax.simd import vectors as v
from lstmjax.simd.operations import operation


def _loaded(builder: Any, *addresses: Any) -> list[Any]:
    return [v.load(builder, address) for address in addresses]


def _repeated(builder: Any, number: Any) -> Any:
    return v.splat(builder, v.rounded(builder, number))


@operation
def copy_floats(builder, out, x, count):
    """Copy `count` floats."""
    v.copy_bytes(builder, out, x, count, v.FLOAT_BYTES)


@operation(numbers=1)
def fill_vector(builder, out, number):
    """Fill a vector with a number."""
    v.store(builder, _repeated(builder, number), out)


@operation(numbers=1)
def write_float(builder, out, index, number):
    """Write one float."""
    v.store(builder, v.rounded(builder, number), out, index)


@operation
def raise_to(builder, tops, x):
    """Replace the tops by x where it is larger."""
    value = v.largest(builder, v.load(builder, tops), v.load(builder, x))
    v.store(builder, value, tops)


@operation(numbers=2)
def exponentials(builder, out, sums, x, shift, factor):
    """Write `factor * exp(x - shift)`, and add it to the sums."""
    shifted = builder.fsub(v.load(builder, x), _repeated(builder, shift))
    value = builder.fmul(v.exponential(builder, shifted), _repeated(builder, factor))
    v.store(builder, builder.fadd(v.load(builder, sums), value), sums)
    v.store(builder, value, out)


def _added(builder: Any, paths: list[Any]) -> Any:
    """Logarithm of the sum of probabilities given by their logarithms."""
    top = paths[0]
    for path in paths[1:]:
        top = v.largest(builder, top, path)
    # Exponents of 0 and less: at least one of them is 0, so the sum is 1 or more.
    total = v.constant(0)
    for path in paths:
        total = builder.fadd(total, v.exponential(builder, builder.fsub(path, top)))
    return builder.fadd(top, v.logarithm(builder, total))


@operation
def into_nulls(builder, out, nulls, labels, emitted):
    """Write `log(exp(nulls) + exp(labels)) + emitted`, all vectors."""
    nulls, labels, emitted = _loaded(builder, nulls, labels, emitted)
    value = builder.fadd(_added(builder, [nulls, labels]), emitted)
    # Bounded, or impossible states would run to -inf, and their differences be NaN.
    v.store(builder, v.largest(builder, v.constant(LOG_IMPOSSIBLE), value), out)


@operation
def into_labels(builder, out, labels, nulls, skipped, skips, emitted):
    """Write `log(exp(labels) + exp(nulls) + exp(skipped + skips)) + emitted`, all vectors."""
    labels, nulls, skipped, skips, emitted = (
        v.load(builder, each) for each in (labels, nulls, skipped, skips, emitted)
    )
    value = _added(builder, [labels, nulls, builder.fadd(skipped, skips)])
    value = builder.fadd(value, emitted)
    v.store(builder, v.largest(builder, v.constant(LOG_IMPOSSIBLE), value), out)


@operation
def joined(builder, out, before, after, emitted):
    """Write `before + after - emitted`: both contain the step's own emission."""
    before, after, emitted = _loaded(builder, before, after, emitted)
    value = builder.fsub(builder.fadd(before, after), emitted)
    v.store(builder, v.largest(builder, v.constant(LOG_IMPOSSIBLE), value), out)


@operation(numbers=1)
def count_from(builder, counts, x, bound):
    """Add 1 to the counts where `|x| >= bound`."""
    value = v.load(builder, x)
    size = v.largest(builder, value, builder.fsub(v.constant(0), value))
    large = builder.fcmp_ordered(">=", size, _repeated(builder, bound))
    more = builder.select(large, v.constant(1), v.constant(0))
    v.store(builder, builder.fadd(v.load(builder, counts), more), counts)
