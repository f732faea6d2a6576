"""The forward pass of the 1-D LSTM: some sequences at a time, from first to last step."""

from typing import NamedTuple

from numba import int64

from lstmjax.constants import NUM_GATES
from lstmjax.kernels.lstm_cells import cell_forward
from lstmjax.simd.borrow import always_inline
from lstmjax.simd.compile import inner
from lstmjax.simd.operations import fill_zero, read_int32
from lstmjax.simd.products import add_products, pack, pair_row, pair_rows
from lstmjax.simd.vectors import FLOAT_BYTES, LANES, ROWS

CHUNK = 8  # steps whose input, or whose input's error, is multiplied together


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
    """Offsets of the parts of the forward pass's scratch, in floats.

    Attributes:
      packed_h: weights of the output before, packed.
      packed_x: weights of the input, packed.
      zeros: [4S] zeros.
      paired: weights as bfloat16 pairs, before they are packed.
      h_pairs: [ROWS, S / 2] outputs of the step before, as pairs.
      x_pairs: [CHUNK, ROWS, D / 2] inputs of some steps, as pairs.
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
    size = x_pairs + CHUNK * ROWS * D
    return _ForwardLayout(packed_h, packed_x, zeros, paired, h_pairs, x_pairs, size)


forward_offsets = inner(forward_layout)


class Forward(NamedTuple):
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
def pack_factor(w, depth, G, pairs, paired, packed, zeros):
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
    steps = min(CHUNK, longest - k)
    # Reversed, the chunk is read from its end; its earliest step is what comes first in memory.
    at = (longest - k - steps if f.reverse else k) * f.N + first
    source, step, stride = f.x + FLOAT_BYTES * at * f.D, f.N * f.D, f.D
    if f.pairs:
        # Pairs are made once a chunk, not for each panel of weights.
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
    # Reversed, the step before is the next one in memory.
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
        # Also zero where the sequence begins later: its state was cleared.
        c_before = f.c + FLOAT_BYTES * (before + n) * f.S if k > 0 else f.zeros
        for unit in range(0, f.S, LANES):
            u = FLOAT_BYTES * unit
            gate = z + FLOAT_BYTES * n * f.G + u
            cell_forward(gate, f.S, c_before + u, f.c + here + u, f.h + here + u)
        if f.pairs:
            pair_row(f.h + here, f.S, f.h_pairs + FLOAT_BYTES * n * f.Sp, f.zeros)


@inner
def forward_sequences(f, first):
    """All steps of up to `ROWS` sequences; beyond their lengths gates, h and c are zero."""
    rows = min(ROWS, f.N - first)
    longest = longest_of(f.lengths, first, rows, f.T)
    for t in range(longest, f.T):
        at = t * f.N + first
        fill_zero(f.gates + FLOAT_BYTES * at * f.G, rows * f.G)
        fill_zero(f.h + FLOAT_BYTES * at * f.S, rows * f.S)
        fill_zero(f.c + FLOAT_BYTES * at * f.S, rows * f.S)
    for k in range(longest):
        if k % CHUNK == 0:
            _input_projection(f, first, rows, longest, k)
        _forward_step(f, first, rows, longest, k)
