"""The layers of an int8 network over a few lines at a time, on bytes; see `int8_ops`.

Arrays are [row, column, line, feature] as in `float_loops`. Features come in whole groups of four,
or in whole vectors behind a layer, and those that fill up have weights of zero. Columns of weights
are padded to whole vectors. Results are those of `float_loops`, bit for bit.
"""

import numpy as np

from lstmjax.infer.host import int8_ops
from lstmjax.infer.host.float_loops import next_noise, softmax, squash
from lstmjax.infer.host.int8_ops import GATES, GROUP, ZERO
from lstmjax.simd.borrow import keep_alive
from lstmjax.simd.compile import inner, vector_kernel
from lstmjax.simd.operations import copy_vector
from lstmjax.simd.vectors import FLOAT_BYTES, LANES

_PANEL = 4 * LANES  # columns whose weights lie beside each other
_TALL, _FEW = 8, 4  # rows multiplied at once with one vector of columns, and with four
_LINES = 8  # sequences that pass through an LSTM together

_few_by_panel, _one_by_panel = int8_ops.make_dots(_FEW, 4), int8_ops.make_dots(1, 4)
_tall_by_vector, _one_by_vector = int8_ops.make_dots(_TALL, 1), int8_ops.make_dots(1, 1)
_few_cells, _one_cell = int8_ops.make_cells(_FEW), int8_ops.make_cells(1)


def packed(w: np.ndarray) -> np.ndarray:
    """Weights [depth, columns], whole groups and vectors of numbers in int8, for the loops; flat.

    Panels of four vectors of columns, then single vectors; in each, group after group.
    """
    depth, columns = w.shape
    groups = w.astype(np.int8).reshape(depth // GROUP, GROUP, columns).transpose(0, 2, 1)
    whole = columns // _PANEL * _PANEL
    firsts = [*range(0, whole, _PANEL), *range(whole, columns, LANES)]
    return np.concatenate([
        groups[:, first:last].reshape(-1)
        for first, last in zip(firsts, [*firsts[1:], columns], strict=True)
    ])  # fmt: skip


@inner
def _multiply(rows, out, x, x_stride, groups, weights, start, columns):
    """`out = start + x @ weights`, int32 [rows, columns]; addresses, strides in bytes."""
    out_stride = FLOAT_BYTES * columns
    column = 0
    while column < columns:
        # Panels first, as `packed` arranges them; the vectors that are left have more rows at once.
        panel = column + _PANEL <= columns
        w = weights + GROUP * groups * column
        first, to = start + FLOAT_BYTES * column, out + FLOAT_BYTES * column
        at_once = _FEW if panel else _TALL
        row = 0
        while row < rows:
            at, of = to + row * out_stride, x + row * x_stride
            if row + at_once <= rows:
                if panel:
                    _few_by_panel(at, out_stride, first, of, x_stride, groups, w)
                else:
                    _tall_by_vector(at, out_stride, first, of, x_stride, groups, w)
                row += at_once
            else:
                if panel:
                    _one_by_panel(at, out_stride, first, of, x_stride, groups, w)
                else:
                    _one_by_vector(at, out_stride, first, of, x_stride, groups, w)
                row += 1
        column += _PANEL if panel else LANES


@inner
def _finish(kind, tables, scale, sums, floats, out, count):
    """Turn the sums of one position into bytes; addresses, `floats` has room for a vector."""
    for i in range(0, count, LANES):
        int8_ops.to_floats(sums + FLOAT_BYTES * i, scale + FLOAT_BYTES * i, floats)
        squash(kind, tables, floats, LANES)
        int8_ops.to_bytes(floats, out + i)


@inner
def _window_columns(x, y, half_y, out):
    """Write the columns [W, whole groups] that the windows of a row are made of."""
    _, W, D = x.shape
    depth, room = (2 * half_y + 1) * D, out.shape[1]
    # The usual case, a grey picture: rows are woven into groups, a vector of columns at once.
    if room == GROUP and D == 1 and W >= LANES:
        row = x.ctypes.data + (y - half_y) * W
        last = W * (depth - 1)
        for start in range(0, W, LANES):
            # The last vector overlaps the one before instead of reaching beyond the row.
            column = min(start, W - LANES)
            of = row + column
            # With fewer than four rows the last one stands in for the others; their weights are 0.
            int8_ops.interleave(of, of + min(W, last), of + min(2 * W, last), of + last,
                            out.ctypes.data + GROUP * column)  # fmt: skip
        return
    for column in range(W):
        for dy in range(2 * half_y + 1):
            for d in range(D):
                out[column, dy * D + d] = x[y - half_y + dy, column, d]


@inner
def _window(x, y, column, half_x, half_y, state, out):
    """Write the window [columns, whole groups] of a position at an edge; the rest is drawn."""
    H, W, D = x.shape
    for dx in range(-half_x, half_x + 1):
        for dy in range(-half_y, half_y + 1):
            for d in range(D):
                if 0 <= column + dx < W and 0 <= y + dy < H:
                    number = x[y + dy, column + dx, d]
                else:
                    state, noise = next_noise(state, True)
                    # Bytes stand for numbers with 128 added.
                    number = np.uint8(np.int64(noise) + ZERO)
                out[dx + half_x, (dy + half_y) * D + d] = number
    return state


@inner
def _row_sums(x, y, half_x, half_y, state, weights, start, columns, edges, sums):
    """The sums [W, N] of one row of positions; returns the next state of the noise."""
    H, W, _ = x.shape
    N, room = sums.shape[1], columns.shape[1]
    wide = (2 * half_x + 1) * room
    groups = wide // GROUP
    to, of = sums.ctypes.data, edges.ctypes.data
    w, first = weights.ctypes.data, start.ctypes.data
    # Every window of these rows has a part outside.
    if y < half_y or y >= H - half_y or 2 * half_x >= W:
        for column in range(W):
            state = _window(x, y, column, half_x, half_y, state, edges[column])
        _multiply(W, to, of, wide, groups, w, first, N)
        return state
    _window_columns(x, y, half_y, columns)
    # The original draws row by row and in a row from left to right, so this order counts.
    for column in range(half_x):
        state = _window(x, y, column, half_x, half_y, state, edges[column])
    for column in range(half_x):
        at = W - half_x + column
        state = _window(x, y, at, half_x, half_y, state, edges[half_x + column])
    row = FLOAT_BYTES * N
    inside = W - 2 * half_x
    _multiply(half_x, to, of, wide, groups, w, first, N)
    # Inside, windows overlap: each starts one column further in `columns`, so none is copied.
    _multiply(inside, to + half_x * row, columns.ctypes.data, room, groups, w, first, N)
    _multiply(half_x, to + (W - half_x) * row, of + half_x * wide, wide, groups, w, first, N)
    return state


@inner
def _pool_row(sums, x_scale, first, best):
    """Take the sums [W, N] of a row into the largest [cells, N]."""
    N = sums.shape[1]
    for cell in range(best.shape[0]):
        to = best.ctypes.data + FLOAT_BYTES * cell * N
        for k in range(x_scale):
            of = sums.ctypes.data + FLOAT_BYTES * (cell * x_scale + k) * N
            for i in range(0, N, LANES):
                if first and k == 0:
                    copy_vector(to + FLOAT_BYTES * i, of + FLOAT_BYTES * i)
                else:
                    int8_ops.keep_largest(to + FLOAT_BYTES * i, of + FLOAT_BYTES * i)


@inner
def _convolution(
    x, half_x, half_y, state, weights, start, scale, kind, tables, x_scale, y_scale, out
):
    """One line [H, W, D] into its part of the result; returns the next state of its noise."""
    H, W, D = x.shape
    N, depth = len(start), (2 * half_y + 1) * D
    room = (depth + GROUP - 1) // GROUP * GROUP
    columns = np.full((W, room), ZERO, np.uint8)
    edges = np.full((max(W, 2 * half_x), 2 * half_x + 1, room), ZERO, np.uint8)
    sums, best = np.empty((W, N), np.int32), np.empty((W // x_scale, N), np.int32)
    floats = np.empty(LANES, np.float32)
    for y in range(H):
        state = _row_sums(x, y, half_x, half_y, state, weights, start, columns, edges, sums)
        row = y // y_scale
        if row >= H // y_scale:
            continue
        # In whole numbers: scale and non-linearity do not change which sum is largest.
        _pool_row(sums, x_scale, y % y_scale == 0, best)
        if y % y_scale < y_scale - 1:
            continue
        for cell in range(W // x_scale):
            of = best.ctypes.data + FLOAT_BYTES * cell * N
            to = out.ctypes.data + row * out.strides[0] + cell * out.strides[1]
            _finish(kind, tables.ctypes.data, scale.ctypes.data, of, floats.ctypes.data, to, N)
    keep_alive(columns, edges, sums, best, floats)
    return state


@vector_kernel
def convolution(
    blocks, height, depth, widths, states, half_x, half_y, weights, start, scale, kind, tables,
    x_scale, y_scale,
):  # fmt: skip
    """A convolution, its layer, and the largest of each cell.

    Args:
      blocks: lines [height, w, depth] of bytes, one after the other, flat.
      height: rows of all lines.
      depth: features of a pixel.
      widths: [B] columns of each line.
      states: [B] state of each line's random numbers, which is advanced.
      half_x: reach of the convolution to each side.
      half_y: reach of the convolution up and down.
      weights: packed weights of the layer; a window's columns are in whole groups.
      start: [N] initial values of sums.
      scale: [N] factors of the sums, not negative.
      kind: non-linearity of the layer, such as `TANH`.
      tables: `TABLES`.
      x_scale: width of a cell; 1 where there is no pool.
      y_scale: height of a cell; 1 where there is no pool.
    Returns: [height / y_scale, widest / x_scale, B, N] bytes.
    """
    B, first = len(widths), 0
    out = np.full((height // y_scale, widths.max() // x_scale, B, len(start)), ZERO, np.uint8)
    for b in range(B):
        size = height * widths[b] * depth
        x = blocks[first : first + size].reshape(height, widths[b], depth)
        states[b] = _convolution(
            x, half_x, half_y, states[b], weights, start, scale, kind, tables, x_scale, y_scale,
            out[:, :, b],
        )  # fmt: skip
        first += size
    return out


@vector_kernel
def dense(x, weights, start, scale, kind, tables, out):
    """A fully connected layer at every position: [n, D] -> [n, N] bytes."""
    n, D = x.shape
    N = len(start)
    kept, room = np.empty(N, np.int32), np.empty(LANES, np.float32)
    sums, floats = kept.ctypes.data, room.ctypes.data
    of, to, w, first = x.ctypes.data, out.ctypes.data, weights.ctypes.data, start.ctypes.data
    for i in range(n):
        _multiply(1, sums, of + i * D, D, D // GROUP, w, first, N)
        _finish(kind, tables.ctypes.data, scale.ctypes.data, sums, floats, to + i * N, N)
    keep_alive(kept, room)  # `sums` and `floats` are their addresses


@inner
def _step(rows, start, x, D, h, S, w, scale, tables, c, to):
    """One step of all units for a few sequences; addresses."""
    panel = (D + S) * GATES * LANES
    for unit in range(0, S, LANES):
        numbers = FLOAT_BYTES * GATES * unit
        first, factors, part = start + numbers, scale + numbers, w + unit // LANES * panel
        states = c + FLOAT_BYTES * unit
        row = 0
        while row < rows:
            at = row * S
            of, before, kept, out = x + row * D, h + at, states + FLOAT_BYTES * at, to + unit + at
            if row + _FEW <= rows:
                _few_cells(first, of, D, D // GROUP, before, S, part, factors, tables, kept, out)
                row += _FEW
            else:
                _one_cell(first, of, D, D // GROUP, before, S, part, factors, tables, kept, out)
                row += 1


@vector_kernel
def lstm(x, lengths, weights, start, scale, tables, reverse, last, out):
    """Run over time.

    Args:
      x: [T, N, D] bytes.
      lengths: [N] steps of each sequence; outputs beyond them have no meaning.
      weights: packed, [D + S, 4 * S]: the gates of each vector of units side by side.
      start: [4 * S] initial values of sums, in the same order.
      scale: [4 * S] factors of the sums, in the same order.
      tables: `TABLES`.
      reverse: whether to run from the last step to the first.
      last: whether only the output of the last step is wanted.
      out: [T, N, S] bytes, or [1, N, S] with `last`.
    """
    T, N, D = x.shape
    S = out.shape[2]
    kept = np.empty((2, _LINES, S), np.uint8)  # the output of a step and of the one before
    states = np.empty((_LINES, S), np.float32)
    for first in range(0, N, _LINES):
        rows = min(_LINES, N - first)
        kept[:] = ZERO
        states[:] = 0
        before = kept[0, :rows]
        for k in range(T):
            t = T - 1 - k if reverse else k
            # Two buffers take turns where only the last output is wanted.
            here = kept[(k + 1) % 2, :rows] if last else out[t, first : first + rows]
            # Steps beyond a sequence's end are computed, too, so a reversed one is reset there.
            if reverse:
                for n in range(rows):
                    if lengths[first + n] == t + 1:  # where this one begins
                        before[n] = ZERO
                        states[n] = 0
            _step(
                rows, start.ctypes.data, x.ctypes.data + (t * N + first) * D, D,
                before.ctypes.data, S, weights.ctypes.data, scale.ctypes.data,
                tables.ctypes.data, states.ctypes.data, here.ctypes.data,
            )  # fmt: skip
            before = here
            # No sequence stops at its end, so the output there is taken when it comes by.
            if last:
                for n in range(rows):
                    if t == (0 if reverse else lengths[first + n] - 1):
                        out[0, first + n] = here[n]
    keep_alive(kept, states)


@vector_kernel
def class_probs(x, widths, weights, start, scale, num_classes):
    """The softmax layer: [T, B, D] -> [sum of widths, num_classes], one line after the other.

    Beyond `num_classes`, sums begin so low that nothing is added.
    """
    _, B, D = x.shape
    N = len(start)
    probs = np.empty((widths.sum(), num_classes), np.float32)
    whole = np.empty((widths.max(), N), np.int32)
    sums, room = np.empty(N, np.float32), np.empty((2, LANES), np.float32)
    row = 0
    for b in range(B):
        of = x.ctypes.data + b * D
        _multiply(widths[b], whole.ctypes.data, of, B * D, D // GROUP, weights.ctypes.data,
                  start.ctypes.data, N)  # fmt: skip
        for t in range(widths[b]):
            for i in range(0, N, LANES):
                at = FLOAT_BYTES * i
                int8_ops.to_floats(
                    whole.ctypes.data + FLOAT_BYTES * t * N + at, scale.ctypes.data + at,
                    sums.ctypes.data + at,
                )  # fmt: skip
            softmax(sums, probs[row], room)
            row += 1
    return probs
