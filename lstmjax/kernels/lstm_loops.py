"""The 1-D LSTM as compiled loops: all of its forward pass, and all of its backward pass.

Sequences are taken a few at a time, so that what one step leaves is still in the nearest cache
when the next one needs it, and each sequence ends at its own length: padding costs nothing.
Arrays are `time, sequence, feature`, as in `nn.lstm`, which says what is computed. README.md draws
the memory layouts.

numba compiles a function anew for every literal it is called with, hence `int64(0)`.
"""

from typing import NamedTuple

from numba import int64

from lstmjax.constants import NUM_GATES
from lstmjax.kernels.lstm_cells import cell_backward, cell_forward
from lstmjax.simd.borrow import always_inline
from lstmjax.simd.compile import handler, inner
from lstmjax.simd.operations import (
    copy_float,
    fill_zero,
    read_int32,
    read_int64,
)
from lstmjax.simd.products import (
    PANEL,
    add_panel,
    add_products,
    pack,
    pack_panel,
    pack_turned,
    padded_columns,
    pair_row,
    pair_rows,
    width_of_panel,
)
from lstmjax.simd.vectors import FLOAT_BYTES, LANES, ROWS, padded
from lstmjax.simd.xla import (
    argument,
    argument_sizes,
    handle_version_query,
    result,
    result_sizes,
)

_CHUNK = 8  # steps whose input, or whose input's error, is multiplied together
_DEPTH = 256  # rows, or pairs of them, that are summed to a gradient of weights in one go


@inner
def longest_of(lengths, first, rows, T):
    """The most steps any of some sequences has."""
    longest = int64(0)
    for n in range(first, first + rows):
        longest = max(longest, read_int32(lengths, n))
    return min(longest, T)


@inner
def in_places(count, pairs):
    """Places of 32 bits that so many factors take: their number, or that of bfloat16 pairs."""
    return (count + 1) // 2 if pairs else count


class _ForwardLayout(NamedTuple):
    """Where in its scratch the forward pass keeps what, in floats.

    Attributes:
      packed_h: weights of the output before, packed.
      packed_x: weights of the input, packed.
      zeros: [4S] zeros.
      paired: weights as bfloat16 pairs, before they are packed.
      h_pairs: [ROWS, S / 2] outputs of the step before, as pairs.
      x_pairs: [_CHUNK, ROWS, D / 2] inputs of some steps, as pairs.
      size: floats of all of it.
    """

    packed_h: int
    packed_x: int
    zeros: int
    paired: int
    h_pairs: int
    x_pairs: int
    size: int


def forward_layout(D: int, S: int) -> _ForwardLayout:
    """The scratch of a forward pass with D inputs and S units."""
    G = NUM_GATES * S
    packed_h = 0
    packed_x = packed_h + G * S
    zeros = packed_x + G * D
    paired = zeros + G
    h_pairs = paired + G * max(D, S)
    x_pairs = h_pairs + ROWS * S
    size = x_pairs + _CHUNK * ROWS * D
    return _ForwardLayout(packed_h, packed_x, zeros, paired, h_pairs, x_pairs, size)


_forward_layout = inner(forward_layout)


class _Forward(NamedTuple):
    """A forward pass: addresses of arrays and of the scratch's parts, sizes, options.

    S counts whole vectors; G = 4S; Dp and Sp are D and S in places, see `in_places`.
    """

    x: int
    b: int
    lengths: int
    gates: int
    h: int
    c: int
    packed_h: int
    packed_x: int
    zeros: int
    h_pairs: int
    x_pairs: int
    T: int
    N: int
    D: int
    S: int
    G: int
    Dp: int
    Sp: int
    reverse: int
    pairs: int


@inner
def _pack_factor(w, depth, G, pairs, paired, packed, zeros):
    """Pack w [depth, 4S]; with `pairs` neighbouring rows become bfloat16 pairs first."""
    always_inline()
    if pairs:
        pair_rows(w, G, depth, G, paired, zeros)
        pack(paired, in_places(depth, pairs), G, packed)
    else:
        pack(w, depth, G, packed)


@inner
def _input_projection(f, first, rows, longest, k):
    """Begin the gates' sums of the steps from k on, of a chunk, with `x @ wx + b`."""
    always_inline()
    steps = min(_CHUNK, longest - k)
    # Reversed, the chunk is read from its end; its earliest step is what comes first in memory.
    at = (longest - k - steps if f.reverse else k) * f.N + first
    source, step, stride = f.x + FLOAT_BYTES * at * f.D, f.N * f.D, f.D
    if f.pairs:
        for i in range(steps * rows):
            row = f.x + FLOAT_BYTES * (at + i // rows * f.N + i % rows) * f.D
            pair_row(row, f.D, f.x_pairs + FLOAT_BYTES * i * f.Dp, f.zeros)
        source, step, stride = f.x_pairs, rows * f.Dp, f.Dp
    add_products(
        steps, rows, f.gates + FLOAT_BYTES * at * f.G, f.N * f.G, f.G, f.b, int64(0),
        source, step, stride, f.Dp, f.packed_x, f.Dp, f.G, f.pairs,
    )  # fmt: skip


@inner
def _forward_step(f, first, rows, longest, k):
    """Step k of some sequences: the gates' sums become values, states and outputs follow."""
    always_inline()
    t = longest - 1 - k if f.reverse else k
    at = t * f.N + first
    before = at + f.N if f.reverse else at - f.N
    z = f.gates + FLOAT_BYTES * at * f.G
    if k > 0:  # before the first step the output is zero
        source = f.h_pairs if f.pairs else f.h + FLOAT_BYTES * before * f.S
        none, one = int64(0), int64(1)
        add_products(
            one, rows, z, none, f.G, z, f.G, source, none, f.Sp, f.Sp, f.packed_h, f.Sp, f.G,
            f.pairs,
        )  # fmt: skip
    for n in range(rows):
        here = FLOAT_BYTES * (at + n) * f.S
        if t >= read_int32(f.lengths, first + n):
            # The next step reads zeros where a shorter sequence has ended, or not yet begun.
            fill_zero(z + FLOAT_BYTES * n * f.G, f.G)
            fill_zero(f.h + here, f.S)
            fill_zero(f.c + here, f.S)
            fill_zero(f.h_pairs + FLOAT_BYTES * n * f.Sp, f.Sp)
            continue
        c_before = f.c + FLOAT_BYTES * (before + n) * f.S if k > 0 else f.zeros
        for unit in range(0, f.S, LANES):
            u = FLOAT_BYTES * unit
            gate = z + FLOAT_BYTES * n * f.G + u
            cell_forward(gate, f.S, c_before + u, f.c + here + u, f.h + here + u)
        if f.pairs:
            pair_row(f.h + here, f.S, f.h_pairs + FLOAT_BYTES * n * f.Sp, f.zeros)


@inner
def _forward_sequences(f, first):
    """All steps of up to `ROWS` sequences; beyond their lengths gates, h and c are zero."""
    rows = min(ROWS, f.N - first)
    longest = longest_of(f.lengths, first, rows, f.T)
    for t in range(longest, f.T):
        at = t * f.N + first
        fill_zero(f.gates + FLOAT_BYTES * at * f.G, rows * f.G)
        fill_zero(f.h + FLOAT_BYTES * at * f.S, rows * f.S)
        fill_zero(f.c + FLOAT_BYTES * at * f.S, rows * f.S)
    for k in range(longest):
        if k % _CHUNK == 0:
            _input_projection(f, first, rows, longest, k)
        _forward_step(f, first, rows, longest, k)


class _BackwardLayout(NamedTuple):
    """Where in its scratch the backward pass keeps what, in floats.

    Attributes:
      packed_h: transposed weights of the output before, packed.
      packed_x: transposed weights of the input, packed.
      zeros: [max(4S, PANEL)] zeros.
      dh: [ROWS, S] gradients of the outputs of a step.
      dc: [ROWS, S] gradients of the states of a step.
      tail: [ROWS, PANEL] the last, not whole panel of input errors.
      paired: weights as bfloat16 pairs, before they are packed.
      dz_pairs: [_CHUNK, ROWS, 4S / 2] gradients of the gates' sums of some steps, as pairs.
      size: floats of all of it.
    """

    packed_h: int
    packed_x: int
    zeros: int
    dh: int
    dc: int
    tail: int
    paired: int
    dz_pairs: int
    size: int


def backward_layout(D: int, columns: int, S: int) -> _BackwardLayout:
    """The scratch of a backward pass with D inputs, in whole vectors `columns`, and S units."""
    G = NUM_GATES * S
    packed_h = 0
    packed_x = packed_h + G * S
    zeros = packed_x + G * columns
    dh = zeros + max(G, PANEL)
    dc = dh + S * ROWS
    tail = dc + S * ROWS
    paired = tail + ROWS * PANEL
    dz_pairs = paired + G * max(D, S)
    size = dz_pairs + _CHUNK * ROWS * G
    return _BackwardLayout(packed_h, packed_x, zeros, dh, dc, tail, paired, dz_pairs, size)


_backward_layout = inner(backward_layout)


class _Backward(NamedTuple):
    """A backward pass: addresses of arrays and of the scratch's parts, sizes, options.

    `d` is the gradient of all outputs [T, N, S], with `last` of the scan's last step [N, S].
    """

    d: int
    lengths: int
    c: int
    gates: int
    dx: int
    packed_h: int
    packed_x: int
    zeros: int
    dh: int
    dc: int
    tail: int
    dz_pairs: int
    T: int
    N: int
    D: int
    S: int
    G: int
    Gp: int
    reverse: int
    last: int
    pairs: int


@inner
def _pack_error_factor(w, rows, G, pairs, paired, packed, zeros):
    """Pack the transpose of w [rows, 4S], if asked for as bfloat16 pairs."""
    always_inline()
    if not pairs:
        pack_turned(w, G, rows, packed)
        return
    half = G // 2
    for row in range(rows):
        pair_row(w + FLOAT_BYTES * row * G, G, paired + FLOAT_BYTES * row * half, zeros)
    pack_turned(paired, half, rows, packed)


@inner
def _input_errors(e, steps, rows, dz, dz_step, dx, dx_step):
    """`dx = dz @ wx.T` for some steps; columns that are no whole panel go through `tail`."""
    always_inline()
    none, one, slot = int64(0), int64(1), int64(PANEL)
    column = none
    while column < e.D:
        width = width_of_panel(column, padded_columns(e.D))
        inside = min(width, e.D - column)
        panel = e.packed_x + FLOAT_BYTES * column * e.Gp
        for step in range(steps):
            source = dz + FLOAT_BYTES * step * dz_step
            to = dx + FLOAT_BYTES * (step * dx_step + column)
            if inside == width:
                add_panel(
                    rows, to, e.D, e.zeros, none, source, e.Gp, one, e.Gp, panel, width, e.pairs
                )
                continue
            # A whole panel would write beyond the row, into the next one.
            add_panel(
                rows, e.tail, slot, e.zeros, none, source, e.Gp, one, e.Gp, panel, width, e.pairs
            )
            for row in range(rows):
                for j in range(inside):
                    at = e.tail + FLOAT_BYTES * (row * PANEL + j)
                    copy_float(to + FLOAT_BYTES * (row * e.D + j), at)
        column += width


@inner
def _output_gradients(e, first, rows, at, k, source):
    """Write `dh`: what was asked for of this step, and what `source`, the step after, adds."""
    always_inline()
    none, one = int64(0), int64(1)
    start, stride = e.d + FLOAT_BYTES * at * e.S, e.S
    if e.last:
        start, stride = (e.d + FLOAT_BYTES * first * e.S, e.S) if k == 0 else (e.zeros, none)
    depth = e.Gp if k > 0 else none
    add_products(
        one, rows, e.dh, none, e.S, start, stride, source, none, e.Gp, depth, e.packed_h, e.Gp,
        e.S, e.pairs,
    )  # fmt: skip


@inner
def _backward_step(e, first, rows, longest, t, k):
    """The gates' values of a step become gradients of their sums, also as pairs if asked for."""
    always_inline()
    at = t * e.N + first
    before = t + 1 if e.reverse else t - 1
    own = e.dz_pairs + FLOAT_BYTES * (k % _CHUNK) * ROWS * e.Gp
    for n in range(rows):
        gate = e.gates + FLOAT_BYTES * (at + n) * e.G
        if t >= read_int32(e.lengths, first + n):
            fill_zero(gate, e.G)
            fill_zero(own + FLOAT_BYTES * n * e.Gp, e.Gp)
            continue
        c_before = e.zeros
        if 0 <= before < longest:
            c_before = e.c + FLOAT_BYTES * (before * e.N + first + n) * e.S
        state = e.c + FLOAT_BYTES * (at + n) * e.S
        for unit in range(0, e.S, LANES):
            u = FLOAT_BYTES * unit
            cell = FLOAT_BYTES * n * e.S + u
            cell_backward(gate + u, e.S, state + u, c_before + u, e.dh + cell, e.dc + cell)
        if e.pairs:
            pair_row(gate, e.G, own + FLOAT_BYTES * n * e.Gp, e.zeros)
    return own if e.pairs else e.gates + FLOAT_BYTES * at * e.G


@inner
def _backward_sequences(e, first):
    """All steps of up to `ROWS` sequences, from the scan's last to its first."""
    rows = min(ROWS, e.N - first)
    longest = longest_of(e.lengths, first, rows, e.T)
    for t in range(longest, e.T):
        at = t * e.N + first
        fill_zero(e.gates + FLOAT_BYTES * at * e.G, rows * e.G)
        fill_zero(e.dx + FLOAT_BYTES * at * e.D, rows * e.D)
    fill_zero(e.dc, e.S * ROWS)
    step_rows = e.N if e.reverse else -e.N  # from one step of this pass to the next
    source = e.dz_pairs
    for k in range(longest):
        t = k if e.reverse else longest - 1 - k
        at = t * e.N + first
        _output_gradients(e, first, rows, at, k, source)
        source = _backward_step(e, first, rows, longest, t, k)
        if (k + 1) % _CHUNK == 0 or k + 1 == longest:
            # The input's errors wait for a chunk of steps, so that packed weights are read once.
            steps = k % _CHUNK + 1
            begin = at - (steps - 1) * step_rows
            errors, errors_step = e.gates + FLOAT_BYTES * begin * e.G, step_rows * e.G
            if e.pairs:
                errors, errors_step = e.dz_pairs, ROWS * e.Gp
            dx = e.dx + FLOAT_BYTES * begin * e.D
            _input_errors(e, steps, rows, errors, errors_step, dx, step_rows * e.D)


class _WeightsLayout(NamedTuple):
    """Where in its scratch the sum of the weights' gradients keeps what, in floats.

    Attributes:
      panel: [_DEPTH, PANEL] errors of some rows, for a panel of columns.
      x_pairs: [_DEPTH, D] inputs of the rows as bfloat16 pairs.
      h_pairs: [_DEPTH, S] outputs before the rows as pairs.
      zeros: [4S + D] zeros.
      size: floats of all of it.
    """

    panel: int
    x_pairs: int
    h_pairs: int
    zeros: int
    size: int


def weights_layout(D: int, S: int) -> _WeightsLayout:
    """The scratch of the weights' gradients with D inputs and S units."""
    panel = 0
    x_pairs = panel + _DEPTH * PANEL
    h_pairs = x_pairs + _DEPTH * D
    zeros = h_pairs + _DEPTH * S
    size = zeros + NUM_GATES * S + D
    return _WeightsLayout(panel, x_pairs, h_pairs, zeros, size)


_weights_layout = inner(weights_layout)


def forward_scratch(D: int, S: int) -> int:
    """Floats of scratch that `lstm_forward` needs."""
    return forward_layout(D, S).size


def backward_scratch(D: int, S: int) -> int:
    """Floats of scratch that `lstm_backward` needs: its two parts use it one after the other."""
    return max(backward_layout(D, padded(D), S).size, weights_layout(D, S).size)


class _Weights(NamedTuple):
    """The sum of the weights' gradients: addresses of arrays and of the scratch's parts, sizes.

    `ones` is the address of a 1, as a float or as a bfloat16 pair.
    """

    x: int
    h: int
    dz: int
    ones: int
    dwx: int
    dwh: int
    db: int
    panel: int
    x_pairs: int
    h_pairs: int
    zeros: int
    D: int
    S: int
    G: int
    pairs: int


@inner
def _add_weight_gradients(w, begin, rows, shift):
    """Add what some rows of dz [T * N, 4S] contribute.

    `shift` leads from a row to the output before it; 0 for first steps, which have none.
    """
    always_inline()
    none, one = int64(0), int64(1)
    depth = in_places(rows, w.pairs)
    from_x, from_h = w.x + FLOAT_BYTES * begin * w.D, w.h + FLOAT_BYTES * (begin + shift) * w.S
    if w.pairs:
        fill_zero(w.zeros, w.G + w.D)
        pair_rows(from_x, w.D, rows, w.D, w.x_pairs, w.zeros)
        from_x = w.x_pairs
        if shift != 0:
            pair_rows(from_h, w.S, rows, w.S, w.h_pairs, w.zeros)
            from_h = w.h_pairs
    column = none
    while column < w.G:
        width = width_of_panel(column, w.G)
        at = FLOAT_BYTES * column
        of = w.dz + FLOAT_BYTES * begin * w.G + at
        if w.pairs:
            pair_rows(of, w.G, rows, width, w.panel, w.zeros)
        else:
            pack_panel(of, w.G, rows, width, w.panel)
        _add_panel(w, w.D, w.dwx + at, from_x, one, w.D, depth, width)
        _add_panel(w, one, w.db + at, w.ones, none, none, depth, width)
        if shift != 0:
            _add_panel(w, w.S, w.dwh + at, from_h, one, w.S, depth, width)
        column += width


@inner
def _add_panel(w, rows, out, x, x_stride, x_step, depth, width):
    """Add the product of some columns of x with the panel of errors to rows of a gradient."""
    always_inline()
    add_panel(rows, out, w.G, out, w.G, x, x_stride, x_step, depth, w.panel, width, w.pairs)


@inner
def _sum_weight_gradients(w, lengths, T, N, reverse):
    """Sum the gradients of wx [D, 4S], wh [S, 4S] and b [4S]."""
    fill_zero(w.dwx, w.D * w.G)
    fill_zero(w.dwh, w.S * w.G)
    fill_zero(w.db, w.G)
    most = _DEPTH * 2 if w.pairs else _DEPTH
    # Rows of the scan's first steps have no output before them: no block of rows goes across here.
    alone = (T - 1) * N if reverse else N
    begin = int64(0)
    end = int64(0)
    for t in range(T + 1):
        active = int64(0)  # sequences up to the last one that has this step
        if t < T:
            for n in range(N):
                if read_int32(lengths, n) > t:
                    active = n + 1
        if active > 0 and t * N == end and end != alone:  # the block of rows goes on
            end = t * N + active
            continue
        while begin < end:
            rows = min(most, end - begin)
            shift = int64(0)
            if reverse and begin < alone:
                shift = N
            elif not reverse and begin >= alone:
                shift = -N
            _add_weight_gradients(w, begin, rows, shift)
            begin += rows
        begin = t * N
        end = begin + active


@inner
def _sizes(x_sizes, h_sizes):
    """T, N, D and S from the sizes of x and h."""
    return (
        read_int64(x_sizes, 0),
        read_int64(x_sizes, 1),
        read_int64(x_sizes, 2),
        read_int64(h_sizes, 2),
    )


@handler
def lstm_forward(frame):
    """Arguments x, wx, wh, b, lengths, [reverse, pairs]; results gates, h, c, scratch."""
    if handle_version_query(frame):
        return 0
    T, N, D, S = _sizes(argument_sizes(frame, 0), result_sizes(frame, 1))
    G = NUM_GATES * S
    options, scratch = argument(frame, 5), result(frame, 3)
    reverse, pairs = read_int32(options, 0), read_int32(options, 1)
    at = _forward_layout(D, S)
    f = _Forward(
        argument(frame, 0), argument(frame, 3), argument(frame, 4),
        result(frame, 0), result(frame, 1), result(frame, 2),
        scratch + FLOAT_BYTES * at.packed_h, scratch + FLOAT_BYTES * at.packed_x,
        scratch + FLOAT_BYTES * at.zeros, scratch + FLOAT_BYTES * at.h_pairs,
        scratch + FLOAT_BYTES * at.x_pairs,
        T, N, D, S, G, in_places(D, pairs), in_places(S, pairs), reverse, pairs,
    )  # fmt: skip
    paired = scratch + FLOAT_BYTES * at.paired
    fill_zero(f.zeros, G)
    _pack_factor(argument(frame, 2), S, G, pairs, paired, f.packed_h, f.zeros)
    _pack_factor(argument(frame, 1), D, G, pairs, paired, f.packed_x, f.zeros)
    for first in range(0, N, ROWS):
        _forward_sequences(f, first)
    return 0


@handler
def lstm_backward(frame):
    """Arguments gates, d, x, wx, wh, lengths, h, c, [reverse, last, pairs], and a 1
    as float and as pair.

    Results: dz in the place of gates, dx, dwx, dwh, db, scratch.
    """
    if handle_version_query(frame):
        return 0
    T, N, D, S = _sizes(argument_sizes(frame, 2), argument_sizes(frame, 6))
    G = NUM_GATES * S
    options, scratch = argument(frame, 8), result(frame, 5)
    reverse, last, pairs = read_int32(options, 0), read_int32(options, 1), read_int32(options, 2)
    lengths, dz = argument(frame, 5), result(frame, 0)
    at = _backward_layout(D, padded_columns(D), S)
    e = _Backward(
        argument(frame, 1), lengths, argument(frame, 7), dz, result(frame, 1),
        scratch + FLOAT_BYTES * at.packed_h, scratch + FLOAT_BYTES * at.packed_x,
        scratch + FLOAT_BYTES * at.zeros, scratch + FLOAT_BYTES * at.dh,
        scratch + FLOAT_BYTES * at.dc, scratch + FLOAT_BYTES * at.tail,
        scratch + FLOAT_BYTES * at.dz_pairs,
        T, N, D, S, G, in_places(G, pairs), reverse, last, pairs,
    )  # fmt: skip
    paired = scratch + FLOAT_BYTES * at.paired
    fill_zero(e.zeros, max(G, PANEL))
    _pack_error_factor(argument(frame, 4), S, G, pairs, paired, e.packed_h, e.zeros)
    _pack_error_factor(argument(frame, 3), D, G, pairs, paired, e.packed_x, e.zeros)
    for first in range(0, N, ROWS):
        _backward_sequences(e, first)
    # The errors of all steps are there now, and the scratch is free for the weights' gradients.
    then = _weights_layout(D, S)
    w = _Weights(
        argument(frame, 2), argument(frame, 6), dz, argument(frame, 9) + FLOAT_BYTES * pairs,
        result(frame, 2), result(frame, 3), result(frame, 4),
        scratch + FLOAT_BYTES * then.panel, scratch + FLOAT_BYTES * then.x_pairs,
        scratch + FLOAT_BYTES * then.h_pairs, scratch + FLOAT_BYTES * then.zeros,
        D, S, G, pairs,
    )  # fmt: skip
    _sum_weight_gradients(w, lengths, T, N, reverse)
    return 0
