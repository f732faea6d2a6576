"""The 1-D LSTM as compiled loops: all of its forward pass, and all of its backward pass.

Sequences are taken a few at a time, so that what one step leaves is still in the nearest cache
when the next one needs it, and each sequence ends at its own length: padding costs nothing.
Arrays are `time, sequence, feature`, as in `nn.lstm`, which says what is computed.

numba compiles a function anew for every literal it is called with, hence `int64(0)`.
"""

from numba import int64

from lstmjax.constants import NUM_GATES
from lstmjax.kernels.lstm_cells import cell_backward, cell_forward
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
    """Places that so many factors take: their number, or that of pairs."""
    return (count + 1) // 2 if pairs else count


def forward_scratch(D: int, S: int) -> int:
    """Floats that `forward` needs for itself."""
    G = NUM_GATES * S
    return G * (S + D) + G + G * max(D, S) + ROWS * S + _CHUNK * ROWS * D


@inner
def forward(x, wx, wh, b, lengths, T, N, D, S, reverse, pairs, gates, h, c, scratch):
    """Compute gates [T, N, 4S] (their values), h and c [T, N, S] from x [T, N, D].

    Beyond a sequence's length all three are zero. S counts whole vectors. With `pairs` factors of
    products are rounded to 16 bits.
    """
    none, one = int64(0), int64(1)
    G = NUM_GATES * S
    Dp, Sp = in_places(D, pairs), in_places(S, pairs)
    packed_h = scratch
    packed_x = packed_h + FLOAT_BYTES * G * S
    zeros = packed_x + FLOAT_BYTES * G * D
    turned = zeros + FLOAT_BYTES * G
    h_pairs = turned + FLOAT_BYTES * G * max(D, S)
    x_pairs = h_pairs + FLOAT_BYTES * ROWS * S
    fill_zero(zeros, G)
    if pairs:
        pair_rows(wh, G, S, G, turned, zeros)
        pack(turned, Sp, G, packed_h)
        pair_rows(wx, G, D, G, turned, zeros)
        pack(turned, Dp, G, packed_x)
    else:
        pack(wh, S, G, packed_h)
        pack(wx, D, G, packed_x)
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
                source, step, stride = x + FLOAT_BYTES * at * D, N * D, D
                if pairs:
                    for i in range(steps * rows):
                        row = x + FLOAT_BYTES * (at + i // rows * N + i % rows) * D
                        pair_row(row, D, x_pairs + FLOAT_BYTES * i * Dp, zeros)
                    source, step, stride = x_pairs, rows * Dp, Dp
                add_products(
                    steps, rows, gates + FLOAT_BYTES * at * G, N * G, G, b, none,
                    source, step, stride, Dp, packed_x, Dp, G, pairs,
                )  # fmt: skip
            t = longest - 1 - k if reverse else k
            at = t * N + first
            before = at + N if reverse else at - N
            z = gates + FLOAT_BYTES * at * G
            if k > 0:
                source = h_pairs if pairs else h + FLOAT_BYTES * before * S
                add_products(
                    one, rows, z, none, G, z, G, source, none, Sp, Sp, packed_h, Sp, G, pairs
                )
            for n in range(rows):
                here = FLOAT_BYTES * (at + n) * S
                if t >= read_int32(lengths, first + n):
                    fill_zero(z + FLOAT_BYTES * n * G, G)
                    fill_zero(h + here, S)
                    fill_zero(c + here, S)
                    fill_zero(h_pairs + FLOAT_BYTES * n * Sp, Sp)
                    continue
                kept = c + FLOAT_BYTES * (before + n) * S if k > 0 else zeros
                for unit in range(0, S, LANES):
                    u = FLOAT_BYTES * unit
                    gate = z + FLOAT_BYTES * n * G + u
                    cell_forward(gate, S, kept + u, c + here + u, h + here + u)
                if pairs:
                    pair_row(h + here, S, h_pairs + FLOAT_BYTES * n * Sp, zeros)


def backward_scratch(D: int, S: int) -> int:
    """Floats that `backward` needs for itself."""
    G = NUM_GATES * S
    own = max(G, PANEL) + 2 * ROWS * S + ROWS * PANEL
    return G * (S + padded(D)) + own + G * max(D, S) + _CHUNK * ROWS * G


@inner
def input_error(steps, rows, dz, dz_step, Gp, packed, dx, dx_step, D, zeros, tail, pairs):
    """Dx = dz @ wx^T for some steps; columns that are no whole panel go through `tail`."""
    none, one, slot = int64(0), int64(1), int64(PANEL)
    column = none
    while column < D:
        width = width_of_panel(column, padded_columns(D))
        inside = min(width, D - column)
        panel = packed + FLOAT_BYTES * column * Gp
        for step in range(steps):
            source = dz + FLOAT_BYTES * step * dz_step
            to = dx + FLOAT_BYTES * (step * dx_step + column)
            if inside == width:
                add_panel(rows, to, D, zeros, none, source, Gp, one, Gp, panel, width, pairs)
                continue
            add_panel(rows, tail, slot, zeros, none, source, Gp, one, Gp, panel, width, pairs)
            for row in range(rows):
                for j in range(inside):
                    at = tail + FLOAT_BYTES * (row * PANEL + j)
                    copy_float(to + FLOAT_BYTES * (row * D + j), at)
        column += width


@inner
def pack_error_factor(w, rows, G, pairs, turned, packed, zeros):
    """Pack the transpose of w [rows, 4S], if asked for as pairs."""
    if not pairs:
        pack_turned(w, G, rows, packed)
        return
    half = G // 2
    for row in range(rows):
        pair_row(w + FLOAT_BYTES * row * G, G, turned + FLOAT_BYTES * row * half, zeros)
    pack_turned(turned, half, rows, packed)


@inner
def backward(
    d, x, wx, wh, lengths, c, T, N, D, S, reverse, last, pairs, gates, dx, scratch
):  # fmt: skip
    """Turn the gates' values into gradients of their sums, and compute dx [T, N, D].

    d is [T, N, S], with `last` [N, S]: the gradient of the last step of the scan only.
    """
    none, one = int64(0), int64(1)
    G = NUM_GATES * S
    Gp = in_places(G, pairs)
    packed_h = scratch
    packed_x = packed_h + FLOAT_BYTES * G * S
    zeros = packed_x + FLOAT_BYTES * G * padded_columns(D)
    dh = zeros + FLOAT_BYTES * max(G, PANEL)
    dc = dh + FLOAT_BYTES * S * ROWS
    tail = dc + FLOAT_BYTES * S * ROWS
    turned = tail + FLOAT_BYTES * ROWS * PANEL
    dz_pairs = turned + FLOAT_BYTES * G * max(D, S)
    fill_zero(zeros, max(G, PANEL))
    pack_error_factor(wh, S, G, pairs, turned, packed_h, zeros)
    pack_error_factor(wx, D, G, pairs, turned, packed_x, zeros)
    step_rows = N if reverse else -N  # from one step of the way back to the next
    for first in range(0, N, ROWS):
        rows = min(ROWS, N - first)
        longest = longest_of(lengths, first, rows, T)
        for t in range(longest, T):
            at = t * N + first
            fill_zero(gates + FLOAT_BYTES * at * G, rows * G)
            fill_zero(dx + FLOAT_BYTES * at * D, rows * D)
        fill_zero(dc, S * ROWS)
        source = dz_pairs
        for k in range(longest):
            t = k if reverse else longest - 1 - k
            at = t * N + first
            before = t + 1 if reverse else t - 1
            z = gates + FLOAT_BYTES * at * G
            start, stride = d + FLOAT_BYTES * at * S, S
            if last:
                start, stride = (d + FLOAT_BYTES * first * S, S) if k == 0 else (zeros, none)
            depth = Gp if k > 0 else none
            add_products(
                one, rows, dh, none, S, start, stride, source, none, Gp, depth, packed_h, Gp, S,
                pairs,
            )  # fmt: skip
            own = dz_pairs + FLOAT_BYTES * (k % _CHUNK) * ROWS * Gp
            for n in range(rows):
                gate = z + FLOAT_BYTES * n * G
                if t >= read_int32(lengths, first + n):
                    fill_zero(gate, G)
                    fill_zero(own + FLOAT_BYTES * n * Gp, Gp)
                    continue
                kept = zeros
                if 0 <= before < longest:
                    kept = c + FLOAT_BYTES * (before * N + first + n) * S
                state = c + FLOAT_BYTES * (at + n) * S
                for unit in range(0, S, LANES):
                    u = FLOAT_BYTES * unit
                    cell = FLOAT_BYTES * n * S + u
                    cell_backward(gate + u, S, state + u, kept + u, dh + cell, dc + cell)
                if pairs:
                    pair_row(gate, G, own + FLOAT_BYTES * n * Gp, zeros)
            source = own if pairs else z
            if (k + 1) % _CHUNK == 0 or k + 1 == longest:
                steps = k % _CHUNK + 1
                begin = at - (steps - 1) * step_rows
                errors, errors_step = gates + FLOAT_BYTES * begin * G, step_rows * G
                if pairs:
                    errors, errors_step = dz_pairs, ROWS * Gp
                input_error(
                    steps, rows, errors, errors_step, Gp, packed_x, dx + FLOAT_BYTES * begin * D,
                    step_rows * D, D, zeros, tail, pairs,
                )  # fmt: skip


def weights_scratch(D: int, S: int) -> int:
    """Floats that `weight_gradients` needs for itself."""
    return _DEPTH * (PANEL + D + S) + NUM_GATES * S + D


@inner
def weight_gradients(
    x, h, dz, lengths, ones, T, N, D, S, reverse, pairs, dwx, dwh, db, scratch
):  # fmt: skip
    """Sum the gradients of wx [D, 4S], wh [S, 4S] and b [4S]; `ones` is the address of a 1."""
    G = NUM_GATES * S
    fill_zero(dwx, D * G)
    fill_zero(dwh, S * G)
    fill_zero(db, G)
    most = _DEPTH * 2 if pairs else _DEPTH
    alone = (T - 1) * N if reverse else N  # where steps begin, or end, that have none before them
    begin = int64(0)
    end = int64(0)
    for t in range(T + 1):
        active = int64(0)
        if t < T:
            for n in range(N):
                if read_int32(lengths, n) > t:
                    active = n + 1
        if active > 0 and t * N == end and end != alone:  # goes on where the rows so far ended
            end = t * N + active
            continue
        while begin < end:
            rows = min(most, end - begin)
            shift = int64(0)
            if reverse and begin < alone:
                shift = N
            elif not reverse and begin >= alone:
                shift = -N
            add_weight_gradients(
                x, h, dz, ones, begin, rows, shift, D, S, pairs, dwx, dwh, db, scratch
            )
            begin += rows
        begin = t * N
        end = begin + active


@inner
def add_weight_gradients(
    x, h, dz, ones, begin, rows, shift, D, S, pairs, dwx, dwh, db, scratch
):  # fmt: skip
    """Add what some rows of dz [T * N, 4S] contribute.

    `shift` leads from a row to the output before it; 0 for first steps, which have none.
    """
    none, one = int64(0), int64(1)
    G = NUM_GATES * S
    depth = in_places(rows, pairs)
    panel = scratch
    x_pairs = panel + FLOAT_BYTES * _DEPTH * PANEL
    h_pairs = x_pairs + FLOAT_BYTES * _DEPTH * D
    zeros = h_pairs + FLOAT_BYTES * _DEPTH * S
    from_x, from_h = x + FLOAT_BYTES * begin * D, h + FLOAT_BYTES * (begin + shift) * S
    if pairs:
        fill_zero(zeros, G + D)
        pair_rows(from_x, D, rows, D, x_pairs, zeros)
        from_x = x_pairs
        if shift != 0:
            pair_rows(from_h, S, rows, S, h_pairs, zeros)
            from_h = h_pairs
    column = none
    while column < G:
        width = width_of_panel(column, G)
        at = FLOAT_BYTES * column
        of = dz + FLOAT_BYTES * begin * G + at
        if pairs:
            pair_rows(of, G, rows, width, panel, zeros)
        else:
            pack_panel(of, G, rows, width, panel)
        add_panel(D, dwx + at, G, dwx + at, G, from_x, one, D, depth, panel, width, pairs)
        add_panel(one, db + at, G, db + at, G, ones, none, none, depth, panel, width, pairs)
        if shift != 0:
            add_panel(S, dwh + at, G, dwh + at, G, from_h, one, S, depth, panel, width, pairs)
        column += width


@handler
def lstm_forward(frame):
    """Arguments x, wx, wh, b, lengths, [reverse, pairs]; results gates, h, c, scratch."""
    if handle_version_query(frame):
        return 0
    sizes = argument_sizes(frame, 0)
    T, N, D = read_int64(sizes, 0), read_int64(sizes, 1), read_int64(sizes, 2)
    S = read_int64(result_sizes(frame, 1), 2)
    x, wx, wh, b = argument(frame, 0), argument(frame, 1), argument(frame, 2), argument(frame, 3)
    lengths, options = argument(frame, 4), argument(frame, 5)
    reverse, pairs = read_int32(options, 0), read_int32(options, 1)
    gates, h, c, scratch = result(frame, 0), result(frame, 1), result(frame, 2), result(frame, 3)
    forward(x, wx, wh, b, lengths, T, N, D, S, reverse, pairs, gates, h, c, scratch)
    return 0


@handler
def lstm_backward(frame):
    """Arguments gates, d, x, wx, wh, lengths, h, c, [reverse, last, pairs], and a 1
    as float and as pair.

    Results: dz in the place of gates, dx, dwx, dwh, db, scratch.
    """
    if handle_version_query(frame):
        return 0
    sizes = argument_sizes(frame, 2)
    T, N, D = read_int64(sizes, 0), read_int64(sizes, 1), read_int64(sizes, 2)
    S = read_int64(argument_sizes(frame, 6), 2)
    d, x, wx, wh = argument(frame, 1), argument(frame, 2), argument(frame, 3), argument(frame, 4)
    lengths, h, c = argument(frame, 5), argument(frame, 6), argument(frame, 7)
    options = argument(frame, 8)
    reverse, last, pairs = read_int32(options, 0), read_int32(options, 1), read_int32(options, 2)
    ones = argument(frame, 9) + FLOAT_BYTES * pairs
    dz, dx, dwx, dwh = result(frame, 0), result(frame, 1), result(frame, 2), result(frame, 3)
    db, scratch = result(frame, 4), result(frame, 5)
    backward(d, x, wx, wh, lengths, c, T, N, D, S, reverse, last, pairs, dz, dx, scratch)
    weight_gradients(
        x, h, dz, lengths, ones, T, N, D, S, reverse, pairs, dwx, dwh, db, scratch
    )  # fmt: skip
    return 0
