"""The 1-D LSTM as compiled loops: all of its forward pass, and all of its backward pass.

Sequences are taken a few at a time, so that what one step leaves is still in the nearest cache
when the next one needs it, and each sequence ends at its own length: padding costs nothing.
Arrays are `time, sequence, feature`, as in `nn.lstm`, which says what is computed.

numba compiles a function anew for every literal it is called with, hence `int64(0)`.
"""

from numba import int64, njit

from lstmjax.kernels.limits import NUM_GATES
from lstmjax.kernels.operations import (
    cell_backward,
    cell_forward,
    copy_float,
    fill_zero,
    read_int32,
    read_int64,
)
from lstmjax.kernels.products import (
    PANEL,
    add_panel,
    add_products,
    pack,
    pack_panel,
    pack_turned,
    padded_columns,
    width_of_panel,
)
from lstmjax.kernels.vectors import FLOAT_BYTES, LANES, ROWS, padded
from lstmjax.kernels.xla import (
    answers,
    argument,
    argument_sizes,
    handler,
    result,
    result_sizes,
)

_CHUNK = 8  # steps whose input is multiplied together
_DEPTH = 256  # rows that are summed to a gradient of weights in one go


@njit(nogil=True)
def longest_of(lengths, first, rows, T):
    """The most steps any of some sequences has."""
    longest = int64(0)
    for n in range(first, first + rows):
        longest = max(longest, read_int32(lengths, n))
    return min(longest, T)


def forward_scratch(D, S):
    """Floats that `forward` needs for itself."""
    return NUM_GATES * S * (S + D) + S


@njit(nogil=True)
def forward(x, wx, wh, b, lengths, T, N, D, S, reverse, gates, h, c, scratch):
    """Compute gates [T, N, 4S] (their values), h and c [T, N, S] from x [T, N, D].

    Beyond a sequence's length all three are zero. S counts whole vectors.
    """
    none, one = int64(0), int64(1)
    G = NUM_GATES * S
    packed_h = scratch
    packed_x = packed_h + FLOAT_BYTES * G * S
    zeros = packed_x + FLOAT_BYTES * G * D
    pack(wh, S, G, packed_h)
    pack(wx, D, G, packed_x)
    fill_zero(zeros, S)
    for first in range(0, N, ROWS):
        rows = min(ROWS, N - first)
        longest = longest_of(lengths, first, rows, T)
        for t in range(longest, T):
            at = t * N + first
            fill_zero(gates + FLOAT_BYTES * at * G, rows * G)
            fill_zero(h + FLOAT_BYTES * at * S, rows * S)
            fill_zero(c + FLOAT_BYTES * at * S, rows * S)
        for k in range(longest):
            if k % _CHUNK == 0:
                steps = min(_CHUNK, longest - k)
                at = (longest - k - steps if reverse else k) * N + first
                add_products(
                    steps, rows, gates + FLOAT_BYTES * at * G, N * G, G, b, none, none,
                    x + FLOAT_BYTES * at * D, N * D, D, D, packed_x, D, G,
                )  # fmt: skip
            t = longest - 1 - k if reverse else k
            at = t * N + first
            before = at + N if reverse else at - N
            z = gates + FLOAT_BYTES * at * G
            if k > 0:
                source = h + FLOAT_BYTES * before * S
                add_products(one, rows, z, none, G, z, none, G, source, none, S, S, packed_h, S, G)
            for n in range(rows):
                here = FLOAT_BYTES * (at + n) * S
                if t >= read_int32(lengths, first + n):
                    fill_zero(z + FLOAT_BYTES * n * G, G)
                    fill_zero(h + here, S)
                    fill_zero(c + here, S)
                    continue
                kept = c + FLOAT_BYTES * (before + n) * S if k > 0 else zeros
                for unit in range(0, S, LANES):
                    u = FLOAT_BYTES * unit
                    gate = z + FLOAT_BYTES * n * G + u
                    cell_forward(gate, S, kept + u, c + here + u, h + here + u)


def backward_scratch(D, S):
    """Floats that `backward` needs for itself."""
    own = max(S, PANEL) + 2 * ROWS * S + ROWS * PANEL
    return NUM_GATES * S * (S + padded(D)) + own


@njit(nogil=True)
def input_error(steps, rows, dz, dz_step, G, packed, dx, dx_step, D, zeros, tail):
    """Dx = dz @ wx^T for some steps; columns that are no whole panel go through `tail`."""
    none, one, slot = int64(0), int64(1), int64(PANEL)
    column = none
    while column < D:
        width = width_of_panel(column, padded_columns(D))
        inside = min(width, D - column)
        panel = packed + FLOAT_BYTES * column * G
        for step in range(steps):
            source = dz + FLOAT_BYTES * step * dz_step
            to = dx + FLOAT_BYTES * (step * dx_step + column)
            if inside == width:
                add_panel(rows, to, D, zeros, none, source, G, one, G, panel, width > LANES)
                continue
            add_panel(rows, tail, slot, zeros, none, source, G, one, G, panel, width > LANES)
            for row in range(rows):
                for j in range(inside):
                    at = tail + FLOAT_BYTES * (row * PANEL + j)
                    copy_float(to + FLOAT_BYTES * (row * D + j), at)
        column += width


@njit(nogil=True)
def backward(
    d, x, wx, wh, lengths, c, T, N, D, S, reverse, last, gates, dx, scratch
):  # fmt: skip
    """Turn the gates' values into gradients of their sums, and compute dx [T, N, D].

    d is [T, N, S], with `last` [N, S]: the gradient of the last step of the scan only.
    """
    none, one = int64(0), int64(1)
    G = NUM_GATES * S
    Dw = padded_columns(D)
    packed_h = scratch
    packed_x = packed_h + FLOAT_BYTES * G * S
    zeros = packed_x + FLOAT_BYTES * G * Dw
    dh = zeros + FLOAT_BYTES * max(S, PANEL)
    dc = dh + FLOAT_BYTES * S * ROWS
    tail = dc + FLOAT_BYTES * S * ROWS
    pack_turned(wh, G, S, packed_h)
    pack_turned(wx, G, D, packed_x)
    fill_zero(zeros, max(S, PANEL))
    for first in range(0, N, ROWS):
        rows = min(ROWS, N - first)
        longest = longest_of(lengths, first, rows, T)
        for t in range(longest, T):
            at = t * N + first
            fill_zero(gates + FLOAT_BYTES * at * G, rows * G)
            fill_zero(dx + FLOAT_BYTES * at * D, rows * D)
        fill_zero(dc, S * ROWS)
        for k in range(longest):
            t = k if reverse else longest - 1 - k
            at = t * N + first
            after = at - N if reverse else at + N
            before = t + 1 if reverse else t - 1
            z = gates + FLOAT_BYTES * at * G
            start, stride = d + FLOAT_BYTES * at * S, S
            if last:
                start, stride = (d + FLOAT_BYTES * first * S, S) if k == 0 else (zeros, 0)
            source = gates + FLOAT_BYTES * after * G
            depth = G if k > 0 else 0
            add_products(
                one, rows, dh, none, S, start, none, stride, source, none, G, depth, packed_h, G, S
            )
            for n in range(rows):
                gate = z + FLOAT_BYTES * n * G
                if t >= read_int32(lengths, first + n):
                    fill_zero(gate, G)
                    continue
                kept = zeros
                if 0 <= before < longest:
                    kept = c + FLOAT_BYTES * (before * N + first + n) * S
                state = c + FLOAT_BYTES * (at + n) * S
                for unit in range(0, S, LANES):
                    u = FLOAT_BYTES * unit
                    own = FLOAT_BYTES * n * S + u
                    cell_backward(gate + u, S, state + u, kept + u, dh + own, dc + own)
            if (k + 1) % _CHUNK == 0 or k + 1 == longest:
                steps = k % _CHUNK + 1
                at = (k + 1 - steps if reverse else longest - 1 - k) * N + first
                input_error(
                    steps, rows, gates + FLOAT_BYTES * at * G, N * G, G, packed_x,
                    dx + FLOAT_BYTES * at * D, N * D, D, zeros, tail,
                )  # fmt: skip


def weights_scratch():
    """Floats that `weight_gradients` needs for itself."""
    return _DEPTH * PANEL + 1


@njit(nogil=True)
def weight_gradients(x, h, dz, lengths, one, T, N, D, S, reverse, dwx, dwh, db, scratch):
    """Sum the gradients of wx [D, 4S], wh [S, 4S] and b [4S]; `one` is the address of a 1."""
    G = NUM_GATES * S
    fill_zero(dwx, D * G)
    fill_zero(dwh, S * G)
    fill_zero(db, G)
    begin = int64(0)
    end = int64(0)
    for t in range(T + 1):
        active = int64(0)
        if t < T:
            for n in range(N):
                if read_int32(lengths, n) > t:
                    active = n + 1
        if active > 0 and t * N == end:  # goes on where the rows so far ended
            end = t * N + active
            continue
        while begin < end:
            rows = min(_DEPTH, end - begin)
            add_weight_gradients(
                x, h, dz, one, begin, rows, T, N, D, S, reverse, dwx, dwh, db, scratch
            )
            begin += rows
        begin = t * N
        end = begin + active


@njit(nogil=True)
def add_weight_gradients(
    x, h, dz, one, begin, rows, T, N, D, S, reverse, dwx, dwh, db, scratch
):  # fmt: skip
    """Add what some rows of dz [T * N, 4S] contribute."""
    G = NUM_GATES * S
    # A first step of a scan has no output before it.
    low = begin if reverse else max(begin, N)
    high = min(begin + rows, (T - 1) * N) if reverse else begin + rows
    shift = N if reverse else -N
    none, once = int64(0), int64(1)
    column = none
    while column < G:
        width = width_of_panel(column, G)
        wide = width > LANES
        at = FLOAT_BYTES * column
        pack_panel(dz + FLOAT_BYTES * begin * G + at, G, rows, width, scratch)
        of = x + FLOAT_BYTES * begin * D
        add_panel(D, dwx + at, G, dwx + at, G, of, once, D, rows, scratch, wide)
        add_panel(once, db + at, G, db + at, G, one, none, none, rows, scratch, wide)
        if high > low:
            of = h + FLOAT_BYTES * (low + shift) * S
            panel = scratch + FLOAT_BYTES * (low - begin) * width
            add_panel(S, dwh + at, G, dwh + at, G, of, once, S, high - low, panel, wide)
        column += width


@handler
def lstm_forward(frame):
    """Arguments x, wx, wh, b, lengths, [reverse]; results gates, h, c, scratch."""
    if answers(frame):
        return 0
    sizes = argument_sizes(frame, 0)
    T, N, D = read_int64(sizes, 0), read_int64(sizes, 1), read_int64(sizes, 2)
    S = read_int64(result_sizes(frame, 1), 2)
    x, wx, wh, b = argument(frame, 0), argument(frame, 1), argument(frame, 2), argument(frame, 3)
    lengths, reverse = argument(frame, 4), read_int32(argument(frame, 5), 0)
    gates, h, c, scratch = result(frame, 0), result(frame, 1), result(frame, 2), result(frame, 3)
    forward(x, wx, wh, b, lengths, T, N, D, S, reverse, gates, h, c, scratch)
    return 0


@handler
def lstm_backward(frame):
    """Arguments gates, d, x, wx, wh, lengths, h, c, [reverse, last], [1.0].

    Results: dz in the place of gates, dx, dwx, dwh, db, scratch.
    """
    if answers(frame):
        return 0
    sizes = argument_sizes(frame, 2)
    T, N, D = read_int64(sizes, 0), read_int64(sizes, 1), read_int64(sizes, 2)
    S = read_int64(argument_sizes(frame, 6), 2)
    d, x, wx, wh = argument(frame, 1), argument(frame, 2), argument(frame, 3), argument(frame, 4)
    lengths, h, c = argument(frame, 5), argument(frame, 6), argument(frame, 7)
    reverse, last = read_int32(argument(frame, 8), 0), read_int32(argument(frame, 8), 1)
    one = argument(frame, 9)
    dz, dx, dwx, dwh = result(frame, 0), result(frame, 1), result(frame, 2), result(frame, 3)
    db, scratch = result(frame, 4), result(frame, 5)
    backward(d, x, wx, wh, lengths, c, T, N, D, S, reverse, last, dz, dx, scratch)
    weight_gradients(x, h, dz, lengths, one, T, N, D, S, reverse, dwx, dwh, db, scratch)
    return 0
