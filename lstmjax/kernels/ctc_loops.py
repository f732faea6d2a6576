"""CTC for a batch: loss, gradient and figures of the log, line by line; `ctc.loss` defines them.

The states of a line are its nulls and its labels, in separate arrays: null i stands before label i.
A step to the next state therefore reads a vector one place aside. All sums are logarithms.

A row of states is [nulls, labels], each of `wide(L)` floats of which one vector on either side
stays impossible. A row of emissions is a vector with that of the null, and labels of that width.
"""

import math
from typing import NamedTuple

from numba import int64

from lstmjax.constants import LOG_IMPOSSIBLE, WRONG_BY_HALF
from lstmjax.kernels.ctc_operations import (
    copy_floats,
    count_from,
    exponentials,
    fill_vector,
    into_labels,
    into_nulls,
    joined,
    raise_to,
    write_float,
)
from lstmjax.simd.compile import handler, inner
from lstmjax.simd.operations import (
    add_square,
    add_to_float,
    fill_zero,
    read_float,
    read_int32,
    read_int64,
)
from lstmjax.simd.vectors import FLOAT_BYTES, LANES, padded
from lstmjax.simd.xla import argument, argument_sizes, handle_version_query, result


def wide(L: int) -> int:
    """Return the floats of the nulls, or of the labels, in a row of states."""
    return (L // LANES + 3) * LANES


class _Layout(NamedTuple):
    """Addresses of the parts of the scratch; W is `wide(L)`.

    Attributes:
      row: [K padded] logits, then gradients, of a step.
      values: [K padded] exponentials of a row.
      totals: [T] logarithms of each step's sum of exponentials.
      spare: [LANES] partial sums.
      counts: [LANES] partial counts of wrong classes.
      skips: [W] 0 where a label may follow the one before it directly, else impossible.
      after: [2W] states of the step after, going backwards.
      betas: [2W] states of this step.
      paths: [2W] paths through each state.
      shares: [2W] share of each state in all paths.
      emitted: [T, LANES + W] emissions.
      alphas: [T, 2W] states of the forward pass.
      end: end of all of it.
    """

    row: int
    values: int
    totals: int
    spare: int
    counts: int
    skips: int
    after: int
    betas: int
    paths: int
    shares: int
    emitted: int
    alphas: int
    end: int


def layout(base: int, size: int, T: int, row_size: int, W: int) -> _Layout:
    """The scratch for lines of T steps; `row_size` are the classes in whole vectors.

    Args:
      base: address of the scratch.
      size: size of a float, in bytes; with 1 and base 0 the parts are offsets in floats.
      T: time steps.
      row_size: classes in whole vectors.
      W: `wide(L)`.
    """
    row = base
    values = row + size * row_size
    totals = values + size * row_size
    spare = totals + size * T
    counts = spare + size * LANES
    skips = counts + size * LANES
    after = skips + size * W
    betas = after + size * 2 * W
    paths = betas + size * 2 * W
    shares = paths + size * 2 * W
    emitted = shares + size * 2 * W
    alphas = emitted + size * T * (LANES + W)
    end = alphas + size * T * 2 * W
    return _Layout(
        row, values, totals, spare, counts, skips, after, betas, paths, shares, emitted, alphas,
        end,
    )  # fmt: skip


def scratch_size(T: int, K: int, L: int) -> int:
    """Floats of scratch that `ctc` needs."""
    return layout(0, 1, T, padded(K), wide(L)).end


_in_vectors = inner(padded)
_wide = inner(wide)
_layout = inner(layout)


@inner
def bounded(value, least, most):
    """Return an integer within bounds."""
    return min(max(value, least), most)


@inner
def total_of(vector):
    """Return the sum of a vector."""
    total = 0.0
    for i in range(LANES):
        total += read_float(vector, i)
    return total


@inner
def fill(out, count, number):
    """Set whole vectors to a number."""
    for i in range(0, count, LANES):
        fill_vector(out + FLOAT_BYTES * i, number)


@inner
def exponentials_of(x, count, out, spare):
    """Write `exp(x - max(x))` for whole vectors; return the sum of these, and `max(x)`."""
    # Below every number that occurs.
    fill_vector(spare, 2 * LOG_IMPOSSIBLE)
    for i in range(0, count, LANES):
        raise_to(spare, x + FLOAT_BYTES * i)
    highest = read_float(spare, 0)
    for i in range(1, LANES):
        highest = max(highest, read_float(spare, i))
    fill_zero(spare, LANES)
    for i in range(0, count, LANES):
        exponentials(out + FLOAT_BYTES * i, spare, x + FLOAT_BYTES * i, highest, 1.0)
    return total_of(spare), highest


@inner
def load_row(row, x, K):
    """Copy the logits of a step; the rest of the last vector gets no probability."""
    if K % LANES:
        fill_vector(row + FLOAT_BYTES * (K // LANES * LANES), LOG_IMPOSSIBLE)
    copy_floats(row, x, K)


@inner
def emissions(x, T, stride, K, labels, L, null_char, row, values, spare, totals, emitted):
    """Log probabilities of null and labels at each step, and the logarithms of `totals`."""
    whole = LANES + _wide(L)
    fill(emitted, T * whole, LOG_IMPOSSIBLE)
    for t in range(T):
        load_row(row, x + FLOAT_BYTES * t * stride, K)
        total, highest = exponentials_of(row, _in_vectors(K), values, spare)
        # Of all exponentials, from which the highest was taken off.
        total = highest + math.log(total)
        write_float(totals, t, total)
        here = emitted + FLOAT_BYTES * t * whole
        fill_vector(here, read_float(row, null_char) - total)
        for i in range(L):
            # A label that is no class must not lead beyond the row.
            label = bounded(read_int32(labels, i), 0, K - 1)
            write_float(here, 2 * LANES + i, read_float(row, label) - total)


@inner
def forward(T, emitted, skips, L, alphas, before):
    """Write the sums of all path beginnings by the state they end in: a row for each step.

    Before the first step all is at the first null, which can stay or move on.
    """
    W = _wide(L)
    far = FLOAT_BYTES * W
    fill(before, 2 * W, LOG_IMPOSSIBLE)
    write_float(before, LANES, 0.0)
    fill(alphas, 2 * T * W, LOG_IMPOSSIBLE)
    for t in range(T):
        out = alphas + FLOAT_BYTES * 2 * t * W
        here = emitted + FLOAT_BYTES * t * (LANES + W)
        for i in range(0, L + 1, LANES):
            at = FLOAT_BYTES * (LANES + i)
            # Null i comes after label i - 1, which lies one place to the left.
            beside = before + far + at - FLOAT_BYTES  # the labels before these
            emits = here + FLOAT_BYTES * LANES + at
            into_nulls(out + at, before + at, beside, here)
            into_labels(out + far + at, before + far + at, before + at, beside, skips + at, emits)
        before = out


@inner
def backward_step(out, after, emitted, skips, L):
    """Write the sums of all path ends by the state they begin in, one step before `after`."""
    far = FLOAT_BYTES * _wide(L)
    for i in range(0, L + 1, LANES):
        at = FLOAT_BYTES * (LANES + i)
        # Going backwards, label i + 1 and null i + 1 lie one place to the right.
        aside = at + FLOAT_BYTES  # what follows these labels, and whether it may
        into_nulls(out + at, after + at, after + far + at, emitted)
        into_labels(
            out + far + at, after + far + at, after + aside, after + far + aside, skips + aside,
            emitted + FLOAT_BYTES * LANES + at,
        )  # fmt: skip


@inner
def join(out, alphas, betas, emitted, L):
    """Write all paths through each state; both halves contain the step's own emission."""
    far = FLOAT_BYTES * _wide(L)
    for i in range(0, L + 1, LANES):
        at = FLOAT_BYTES * (LANES + i)
        joined(out + at, alphas + at, betas + at, emitted)
        emits = emitted + FLOAT_BYTES * LANES + at
        joined(out + far + at, alphas + far + at, betas + far + at, emits)


@inner
def add_occupied(row, occupied, labels, L, K, null_char, factor):
    """Add to the classes of a step their share of all paths, given by state."""
    far = FLOAT_BYTES * _wide(L)
    nulls = 0.0
    for i in range(L + 1):
        nulls += read_float(occupied, LANES + i)
    add_to_float(row + FLOAT_BYTES * null_char, nulls * factor)
    for i in range(L):
        label = bounded(read_int32(labels, i), 0, K - 1)
        part = read_float(occupied + far, LANES + i)
        add_to_float(row + FLOAT_BYTES * label, part * factor)


@inner
def fill_skips(skips, labels, L):
    """0 where a label may follow the label before it directly, else impossible."""
    fill(skips, _wide(L), LOG_IMPOSSIBLE)
    for i in range(1, L):
        if read_int32(labels, i) != read_int32(labels, i - 1):
            write_float(skips, LANES + i, 0.0)


@inner
def line(x, T, stride, K, labels, L, null_char, delta, scratch):
    """Return loss, rms and wrong classes of a line of T steps, which are `stride` floats apart."""
    W, wide_row = _wide(L), _in_vectors(K)
    at = _layout(scratch, FLOAT_BYTES, T, wide_row, W)
    row, values = at.row, at.values
    totals, spare = at.totals, at.spare
    counts, skips = at.counts, at.skips
    after, betas = at.after, at.betas
    paths, shares = at.paths, at.shares
    emitted, alphas = at.emitted, at.alphas
    fill_skips(skips, labels, L)
    emissions(x, T, stride, K, labels, L, null_char, row, values, spare, totals, emitted)
    forward(T, emitted, skips, L, alphas, after)
    fill(after, 6 * W, LOG_IMPOSSIBLE)  # and betas and paths, which follow it
    write_float(after, LANES + L, 0.0)  # after the last step all is at the last null
    fill_zero(counts, LANES)
    # For a line without steps.
    loss, squares = -LOG_IMPOSSIBLE, 0.0
    for step in range(T):
        t = T - 1 - step
        here = emitted + FLOAT_BYTES * t * (LANES + W)
        backward_step(betas, after, here, skips, L)
        join(paths, alphas + FLOAT_BYTES * 2 * t * W, betas, here, L)
        total, highest = exponentials_of(paths, 2 * W, shares, spare)
        # The same at each step; that of the first one stays.
        loss = -(highest + math.log(total))
        load_row(row, x + FLOAT_BYTES * t * stride, K)
        for i in range(0, wide_row, LANES):
            of = row + FLOAT_BYTES * i
            exponentials(of, spare, of, read_float(totals, t), -1.0)
        # `shares` are not divided by their sum yet.
        add_occupied(row, shares, labels, L, K, null_char, 1 / total)
        fill_zero(spare, LANES)
        for i in range(0, wide_row, LANES):
            add_square(spare, row + FLOAT_BYTES * i)
            count_from(counts, row + FLOAT_BYTES * i, WRONG_BY_HALF)
        squares += total_of(spare)
        copy_floats(delta + FLOAT_BYTES * t * stride, row, K)
        after, betas = betas, after  # their borders stay impossible
    steps = max(T, 1)
    return loss, math.sqrt(squares / (steps * K)), total_of(counts) / steps


@handler
def ctc(frame):
    """Arguments logits, steps, labels, counts of labels, [null].

    Results: losses, rms, wrong, delta, scratch.
    """
    if handle_version_query(frame):
        return 0
    sizes = argument_sizes(frame, 0)
    T, B, K = read_int64(sizes, 0), read_int64(sizes, 1), read_int64(sizes, 2)
    most = read_int64(argument_sizes(frame, 2), 1)
    x, steps, labels, numbers = (
        argument(frame, 0), argument(frame, 1), argument(frame, 2), argument(frame, 3),
    )  # fmt: skip
    null_char = read_int32(argument(frame, 4), 0)
    losses, rms, wrong = result(frame, 0), result(frame, 1), result(frame, 2)
    delta, scratch = result(frame, 3), result(frame, 4)
    for b in range(B):
        own_steps = bounded(read_int32(steps, b), int64(0), T)
        L = bounded(read_int32(numbers, b), int64(0), most)
        to = delta + FLOAT_BYTES * b * K
        loss, root, half = line(
            x + FLOAT_BYTES * b * K, own_steps, B * K, K, labels + 4 * b * most, L, null_char, to,
            scratch,
        )  # fmt: skip
        write_float(losses, b, loss)
        write_float(rms, b, root)
        write_float(wrong, b, half)
        for t in range(own_steps, T):
            fill_zero(to + FLOAT_BYTES * t * B * K, K)
    return 0
