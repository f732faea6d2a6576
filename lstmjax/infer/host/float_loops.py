"""The layers of a network over a few lines at a time, for reading with Tesseract's arithmetic.

Features come in whole vectors: those that fill the last one have weights of zero. Arrays are
[row, column, line, feature].
"""

import numpy as np

from lstmjax.constants import MINSTD_MODULUS, MINSTD_MULTIPLIER
from lstmjax.infer.host import float_ops
from lstmjax.simd.borrow import keep_alive
from lstmjax.simd.compile import inner, vector_kernel
from lstmjax.simd.operations import copy_float, copy_vector
from lstmjax.simd.products import add_products, pack
from lstmjax.simd.vectors import FLOAT_BYTES, LANES, ROWS

LINEAR, TANH, LOGISTIC, RELU, LIN_LOGISTIC, LIN_TANH = range(6)
_CHUNK = 8  # steps whose input is multiplied together


@vector_kernel
def packed(w):
    """[depth, columns] -> panels for `add_products`, flat; columns are whole vectors."""
    out = np.empty(w.size, np.float32)
    pack(w.ctypes.data, w.shape[0], w.shape[1], out.ctypes.data)
    return out


@inner
def _add_product(rows, out, start, start_stride, x, x_stride, depth, weights, columns):
    """`out = start + x @ weights`, x [rows, depth]; with a stride of 0 all rows share one start."""
    add_products(
        1, rows, out, 0, columns, start, start_stride, x, 0, x_stride, depth, weights, depth,
        columns, False,
    )  # fmt: skip


@inner
def squash(kind, tables, x, count):
    """Apply a non-linearity in place."""
    for i in range(0, count, LANES):
        at = x + FLOAT_BYTES * i
        if kind == TANH:
            float_ops.tanh(at, tables)
        elif kind == LOGISTIC:
            float_ops.logistic(at, tables)
        elif kind == RELU:
            float_ops.relu(at, 0)
        elif kind == LIN_LOGISTIC:
            float_ops.clip_logistic(at, 0)
        elif kind == LIN_TANH:
            float_ops.clip_tanh(at, 0)


@inner
def _finish(kind, tables, scale, int_mode, x, count):
    """Turn the sums of one position into its outputs, in place."""
    if int_mode:
        for i in range(0, count, LANES):
            float_ops.multiply(x + FLOAT_BYTES * i, scale + FLOAT_BYTES * i)
    squash(kind, tables, x, count)
    if int_mode:
        for i in range(0, count, LANES):
            float_ops.to_int8(x + FLOAT_BYTES * i, 0)


@inner
def next_noise(state, int_mode):
    """The next state of the random numbers, and the noise it gives."""
    # Below 2^47: `state` is a number of 64 bits.
    state = state * MINSTD_MULTIPLIER % MINSTD_MODULUS
    if not int_mode:
        return state, np.float32(2.0 * state / MINSTD_MODULUS - 1.0)
    drawn = 127.0 * 2.0 * state / MINSTD_MODULUS - 127.0
    return state, np.float32(np.trunc(drawn + np.copysign(0.5, drawn)))


@inner
def _inner_taps(x, y, W, D, half_x, half_y, out):
    """Write the neighbours of a row's positions that have all of them; addresses."""
    depth = (2 * half_x + 1) * (2 * half_y + 1) * D
    at = 0
    for dx in range(-half_x, half_x + 1):
        for dy in range(-half_y, half_y + 1):
            for d in range(D):
                of = x + FLOAT_BYTES * (((y + dy) * W + dx) * D + d)
                to = out + FLOAT_BYTES * at
                # One neighbour for all columns, which follow each other D apart.
                for column in range(half_x, W - half_x):
                    copy_float(to + FLOAT_BYTES * column * depth, of + FLOAT_BYTES * column * D)
                at += 1


@inner
def _taps(x, y, half_x, half_y, state, int_mode, out):
    """Write the neighbours [W, taps * D] of a row; those outside the picture are drawn."""
    H, W, D = x.shape
    # In the first and last rows all columns have neighbours outside.
    inside = half_y <= y < H - half_y and 2 * half_x < W
    if inside:
        _inner_taps(x.ctypes.data, y, W, D, half_x, half_y, out.ctypes.data)
    for column in range(W):
        if inside and half_x <= column < W - half_x:
            continue
        at = 0
        # Drawing order of the original: within a position x offsets first, then y, then features.
        for dx in range(-half_x, half_x + 1):
            for dy in range(-half_y, half_y + 1):
                for d in range(D):
                    if 0 <= column + dx < W and 0 <= y + dy < H:
                        out[column, at] = x[y + dy, column + dx, d]
                    else:
                        state, out[column, at] = next_noise(state, int_mode)
                    at += 1
    return state


@inner
def _convolution(
    x, half_x, half_y, state, weights, bias, scale, kind, tables, x_scale, y_scale, int_mode, out
):  # fmt: skip
    """One line [H, W, D] into its part of the result; returns the next state of its noise."""
    H, W, D = x.shape
    N, depth = len(bias), (2 * half_x + 1) * (2 * half_y + 1) * D
    taps = np.empty((W, depth), np.float32)
    sums = np.empty((y_scale, W, N), np.float32)
    table, scales = tables.ctypes.data, scale.ctypes.data
    for y in range(H):
        # Also for rows that the pool drops: the original draws their noise, too.
        state = _taps(x, y, half_x, half_y, state, int_mode, taps)
        row = y // y_scale
        if row >= H // y_scale:
            continue
        to = sums.ctypes.data + FLOAT_BYTES * (y % y_scale) * W * N
        _add_product(
            W, to, bias.ctypes.data, 0, taps.ctypes.data, depth, depth, weights.ctypes.data, N
        )
        # A row of cells is ready with its last row of pixels.
        if y % y_scale < y_scale - 1:
            continue
        for column in range(W // x_scale):
            best = out.ctypes.data + row * out.strides[0] + column * out.strides[1]
            # Scale and non-linearity come after: they keep the order, see `_check_scale`.
            for k in range(x_scale * y_scale):
                place = k // x_scale * W + column * x_scale + k % x_scale
                of = sums.ctypes.data + FLOAT_BYTES * place * N
                for i in range(0, N, LANES):
                    if k == 0:
                        copy_vector(best + FLOAT_BYTES * i, of + FLOAT_BYTES * i)
                    else:
                        float_ops.largest(best + FLOAT_BYTES * i, of + FLOAT_BYTES * i)
            _finish(kind, table, scales, int_mode, best, N)
    return state


@vector_kernel
def convolution(
    blocks, height, depth, widths, states, half_x, half_y, weights, bias, scale, kind, tables,
    x_scale, y_scale, int_mode,
):  # fmt: skip
    """A convolution, its layer, and the largest of each cell.

    Args:
      blocks: lines [height, w, depth], one after the other, flat.
      height: rows of all lines.
      depth: features of a pixel.
      widths: [B] columns of each line.
      states: [B] state of each line's random numbers, which is advanced.
      half_x: reach of the convolution to each side.
      half_y: reach of the convolution up and down.
      weights: packed weights of the layer.
      bias: [N].
      scale: [N] of int8 weights.
      kind: non-linearity of the layer, such as `TANH`.
      tables: `TABLES`.
      x_scale: width of a cell; 1 where there is no pool.
      y_scale: height of a cell; 1 where there is no pool.
      int_mode: whether numbers are those of int8.
    Returns: [height / y_scale, widest / x_scale, B, N], zero beyond a line's width.
    """
    B, first = len(widths), 0
    out = np.zeros((height // y_scale, widths.max() // x_scale, B, len(bias)), np.float32)
    for b in range(B):
        size = height * widths[b] * depth
        x = blocks[first : first + size].reshape(height, widths[b], depth)
        states[b] = _convolution(
            x, half_x, half_y, states[b], weights, bias, scale, kind, tables, x_scale, y_scale,
            int_mode, out[:, :, b],
        )  # fmt: skip
        first += size
    return out


@vector_kernel
def dense(x, weights, bias, scale, kind, tables, int_mode, out):
    """A fully connected layer at every position: [n, D] -> [n, N]."""
    n, D = x.shape
    N = len(bias)
    to = out.ctypes.data
    _add_product(n, to, bias.ctypes.data, 0, x.ctypes.data, D, D, weights.ctypes.data, N)
    for i in range(n):
        at = to + FLOAT_BYTES * i * N
        _finish(kind, tables.ctypes.data, scale.ctypes.data, int_mode, at, N)


@vector_kernel
def lstm(x, lengths, wx, wh, bias, scale, tables, reverse, last, int_mode, out):
    """Run over time.

    Args:
      x: [T, N, D].
      lengths: [N] steps of each sequence; beyond them its state does not change.
      wx: packed weights of the input.
      wh: packed weights of the own output.
      bias: [4 * S].
      scale: [4 * S] of int8 weights.
      tables: `TABLES`.
      reverse: whether to run from the last step to the first.
      last: whether only the output of the last step is wanted.
      int_mode: whether numbers are those of int8.
      out: [T, N, S], or [1, N, S] with `last`; zero before.
    """
    T, N, D = x.shape
    G = len(bias)
    S = G // 4
    kept_z = np.empty(_CHUNK * ROWS * G, np.float32)
    kept_h, kept_c = np.empty((ROWS, S), np.float32), np.empty((ROWS, S), np.float32)
    z, h, c = kept_z.ctypes.data, kept_h.ctypes.data, kept_c.ctypes.data
    source, to, table = x.ctypes.data, out.ctypes.data, tables.ctypes.data
    start, scales = bias.ctypes.data, scale.ctypes.data
    of_x, of_h = wx.ctypes.data, wh.ctypes.data
    # As many sequences as a block of products has rows.
    for first in range(0, N, ROWS):
        rows = min(ROWS, N - first)
        kept_h[:] = 0
        kept_c[:] = 0
        begin = 0
        for k in range(T):
            t = T - 1 - k if reverse else k
            if k % _CHUNK == 0:
                # The input of some steps at once, as one product of many rows.
                steps = min(_CHUNK, T - k)
                begin = t - steps + 1 if reverse else t
                at = source + FLOAT_BYTES * (begin * N + first) * D
                add_products(
                    steps, rows, z, rows * G, G, start, 0, at, N * D, D, D, of_x, D, G, False
                )
            here = z + FLOAT_BYTES * (t - begin) * rows * G
            # The input's sums and bias are there: the own output is added to them.
            _add_product(rows, here, here, G, h, S, S, of_h, G)
            # Beyond its end a sequence stands still, so a reversed one begins with a state of 0.
            for n in range(rows):
                if t >= lengths[first + n]:
                    continue
                own_z, own = here + FLOAT_BYTES * n * G, FLOAT_BYTES * n * S
                for unit in range(0, S, LANES):
                    u = FLOAT_BYTES * unit
                    if int_mode:
                        float_ops.int_cell(
                            table, own_z + u, scales + u, S, c + own + u, h + own + u
                        )
                    else:
                        float_ops.cell(table, own_z + u, scales + u, S, c + own + u, h + own + u)
                    if not last:
                        put = to + FLOAT_BYTES * ((t * N + first + n) * S + unit)
                        copy_vector(put, h + own + u)
        # The output of each sequence's last step is what has stayed in h.
        if last:
            for i in range(0, rows * S, LANES):
                copy_vector(to + FLOAT_BYTES * (first * S + i), h + FLOAT_BYTES * i)
    keep_alive(kept_z, kept_h, kept_c)  # z, h and c are their addresses


@inner
def softmax(sums, probs, room):
    """Sums [N] to probabilities [K]; beyond these, sums are so low that nothing is added.

    There is room for two vectors.
    """
    row, N = sums.ctypes.data, len(sums)
    best, total = room[0], room[1]
    copy_vector(best.ctypes.data, row)
    for i in range(LANES, N, LANES):
        float_ops.largest(best.ctypes.data, row + FLOAT_BYTES * i)
    for lane in range(1, LANES):
        best[0] = max(best[0], best[lane])
    total[:] = 0
    for i in range(0, N, LANES):
        float_ops.exp_below(row + FLOAT_BYTES * i, best.ctypes.data, total.ctypes.data)
    for lane in range(1, LANES):
        total[0] += total[lane]
    total[:] = total[0]
    for i in range(0, N, LANES):
        float_ops.divide(row + FLOAT_BYTES * i, total.ctypes.data)
    for k in range(len(probs)):
        probs[k] = sums[k]


@inner
def _line_probs(x, line, weights, bias, scale, int_mode, probs):
    """The softmax of one line of a batch [T, B, D], for as many steps as `probs` has."""
    _, B, D = x.shape
    steps, N = len(probs), len(bias)
    sums, room = np.empty((steps, N), np.float32), np.empty((2, LANES), np.float32)
    of = x.ctypes.data + FLOAT_BYTES * line * D
    _add_product(steps, sums.ctypes.data, bias.ctypes.data, 0, of, B * D, D, weights.ctypes.data, N)
    for t in range(steps):
        if int_mode:
            row = sums.ctypes.data + FLOAT_BYTES * t * N
            for i in range(0, N, LANES):
                float_ops.multiply(row + FLOAT_BYTES * i, scale.ctypes.data + FLOAT_BYTES * i)
        softmax(sums[t], probs[t], room)


@vector_kernel
def class_probs(x, widths, weights, bias, scale, int_mode, num_classes):
    """The softmax layer: [T, B, D] -> [sum of widths, num_classes], one line after the other.

    Beyond `num_classes`, bias is so low that nothing is added.
    """
    probs = np.empty((widths.sum(), num_classes), np.float32)
    first = 0
    for b in range(len(widths)):
        part = probs[first : first + widths[b]]
        _line_probs(x, b, weights, bias, scale, int_mode, part)
        first += widths[b]
    return probs
