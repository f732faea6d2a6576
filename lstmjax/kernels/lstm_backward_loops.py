"""The backward pass of the 1-D LSTM, from errors of outputs to those of the gates and inputs."""

from typing import NamedTuple

from numba import int64

from lstmjax.constants import NUM_GATES
from lstmjax.kernels.lstm_cells import cell_backward
from lstmjax.kernels.lstm_forward_loops import CHUNK, longest_of
from lstmjax.simd.borrow import always_inline
from lstmjax.simd.compile import inner
from lstmjax.simd.operations import copy_float, fill_zero, read_int32
from lstmjax.simd.products import (
    PANEL,
    add_panel,
    add_products,
    pack_transposed,
    padded_columns,
    pair_row,
    width_of_panel,
)
from lstmjax.simd.vectors import FLOAT_BYTES, LANES, ROWS


class _BackwardLayout(NamedTuple):
    """Offsets of the parts of the backward pass's scratch, in floats.

    Attributes:
      packed_h: transposed weights of the output before, packed.
      packed_x: transposed weights of the input, packed.
      zeros: [max(4S, PANEL)] zeros.
      dh: [ROWS, S] gradients of the outputs of a step.
      dc: [ROWS, S] gradients of the states of a step.
      tail: [ROWS, PANEL] the last, not whole panel of input errors.
      paired: weights as bfloat16 pairs, before they are packed.
      dz_pairs: [CHUNK, ROWS, 4S / 2] gradients of the gates' sums of some steps, as pairs.
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
    size = dz_pairs + CHUNK * ROWS * G
    return _BackwardLayout(packed_h, packed_x, zeros, dh, dc, tail, paired, dz_pairs, size)


backward_offsets = inner(backward_layout)


class Backward(NamedTuple):
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
def pack_error_factor(w, rows, G, pairs, paired, packed, zeros):
    """Pack the transpose of w [rows, 4S], if asked for as bfloat16 pairs."""
    always_inline()
    if not pairs:
        pack_transposed(w, G, rows, packed)
        return
    half = G // 2
    for row in range(rows):
        pair_row(w + FLOAT_BYTES * row * G, G, paired + FLOAT_BYTES * row * half, zeros)
    pack_transposed(paired, half, rows, packed)


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
    # Nothing comes from after the scan's last step: with depth 0 the start is copied.
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
    own = e.dz_pairs + FLOAT_BYTES * (k % CHUNK) * ROWS * e.Gp
    for n in range(rows):
        gate = e.gates + FLOAT_BYTES * (at + n) * e.G
        # Zero, because the weights' gradients are summed over all rows, these included.
        if t >= read_int32(e.lengths, first + n):
            fill_zero(gate, e.G)
            fill_zero(own + FLOAT_BYTES * n * e.Gp, e.Gp)
            continue
        c_before = e.zeros
        # Before the first step the state is 0.
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
def backward_sequences(e, first):
    """All steps of up to `ROWS` sequences, from the scan's last to its first."""
    rows = min(ROWS, e.N - first)
    longest = longest_of(e.lengths, first, rows, e.T)
    for t in range(longest, e.T):
        at = t * e.N + first
        fill_zero(e.gates + FLOAT_BYTES * at * e.G, rows * e.G)
        fill_zero(e.dx + FLOAT_BYTES * at * e.D, rows * e.D)
    fill_zero(e.dc, e.S * ROWS)
    step_rows = e.N if e.reverse else -e.N  # from one step of this pass to the next
    # Not read in the first turn, whose depth is 0.
    source = e.dz_pairs
    for k in range(longest):
        t = k if e.reverse else longest - 1 - k
        at = t * e.N + first
        _output_gradients(e, first, rows, at, k, source)
        source = _backward_step(e, first, rows, longest, t, k)
        if (k + 1) % CHUNK == 0 or k + 1 == longest:
            # The input's errors wait for a chunk of steps, so that packed weights are read once.
            steps = k % CHUNK + 1
            begin = at - (steps - 1) * step_rows
            errors, errors_step = e.gates + FLOAT_BYTES * begin * e.G, step_rows * e.G
            if e.pairs:
                # Pairs of a chunk lie together, step after step, in the order of this pass.
                errors, errors_step = e.dz_pairs, ROWS * e.Gp
            dx = e.dx + FLOAT_BYTES * begin * e.D
            _input_errors(e, steps, rows, errors, errors_step, dx, step_rows * e.D)
