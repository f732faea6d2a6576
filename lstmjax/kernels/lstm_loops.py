"""The 1-D LSTM as compiled loops: all of its forward pass, and all of its backward pass.

Sequences are taken a few at a time, so that what one step leaves is still in the nearest cache
when the next one needs it, and each sequence ends at its own length: padding costs nothing.
Arrays are `time, sequence, feature`, as in `nn.lstm`, which says what is computed. README.md draws
the memory layouts.

The passes are in `lstm_forward_loops`, `lstm_backward_loops` and `lstm_weights_loops`. numba
compiles a function anew for every literal it is called with, hence their `int64(0)`.
"""

from lstmjax.constants import NUM_GATES
from lstmjax.kernels.lstm_backward_loops import (
    Backward,
    backward_layout,
    backward_offsets,
    backward_sequences,
    pack_error_factor,
)
from lstmjax.kernels.lstm_forward_loops import (
    Forward,
    forward_layout,
    forward_offsets,
    forward_sequences,
    in_places,
    pack_factor,
)
from lstmjax.kernels.lstm_weights_loops import (
    Weights,
    sum_weight_gradients,
    weights_layout,
    weights_offsets,
)
from lstmjax.simd.compile import handler, inner
from lstmjax.simd.operations import fill_zero, read_int32, read_int64
from lstmjax.simd.products import PANEL, padded_columns
from lstmjax.simd.vectors import FLOAT_BYTES, ROWS, padded
from lstmjax.simd.xla import (
    argument,
    argument_sizes,
    handle_version_query,
    result,
    result_sizes,
)


def forward_scratch(D: int, S: int) -> int:
    """Floats of scratch that `lstm_forward` needs."""
    return forward_layout(D, S).size


def backward_scratch(D: int, S: int) -> int:
    """Floats of scratch that `lstm_backward` needs: its two parts use it one after the other."""
    return max(backward_layout(D, padded(D), S).size, weights_layout(D, S).size)


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
    at = forward_offsets(D, S)
    f = Forward(
        argument(frame, 0), argument(frame, 3), argument(frame, 4),
        result(frame, 0), result(frame, 1), result(frame, 2),
        scratch + FLOAT_BYTES * at.packed_h, scratch + FLOAT_BYTES * at.packed_x,
        scratch + FLOAT_BYTES * at.zeros, scratch + FLOAT_BYTES * at.h_pairs,
        scratch + FLOAT_BYTES * at.x_pairs,
        T, N, D, S, G, in_places(D, pairs), in_places(S, pairs), reverse, pairs,
    )  # fmt: skip
    paired = scratch + FLOAT_BYTES * at.paired
    fill_zero(f.zeros, G)
    # Packed at each call, because weights change with each update.
    pack_factor(argument(frame, 2), S, G, pairs, paired, f.packed_h, f.zeros)
    pack_factor(argument(frame, 1), D, G, pairs, paired, f.packed_x, f.zeros)
    for first in range(0, N, ROWS):
        forward_sequences(f, first)
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
    at = backward_offsets(D, padded_columns(D), S)
    e = Backward(
        argument(frame, 1), lengths, argument(frame, 7), dz, result(frame, 1),
        scratch + FLOAT_BYTES * at.packed_h, scratch + FLOAT_BYTES * at.packed_x,
        scratch + FLOAT_BYTES * at.zeros, scratch + FLOAT_BYTES * at.dh,
        scratch + FLOAT_BYTES * at.dc, scratch + FLOAT_BYTES * at.tail,
        scratch + FLOAT_BYTES * at.dz_pairs,
        T, N, D, S, G, in_places(G, pairs), reverse, last, pairs,
    )  # fmt: skip
    paired = scratch + FLOAT_BYTES * at.paired
    fill_zero(e.zeros, max(G, PANEL))
    pack_error_factor(argument(frame, 4), S, G, pairs, paired, e.packed_h, e.zeros)
    pack_error_factor(argument(frame, 3), D, G, pairs, paired, e.packed_x, e.zeros)
    for first in range(0, N, ROWS):
        backward_sequences(e, first)
    # The errors of all steps are there now, and the scratch is free for the weights' gradients.
    then = weights_offsets(D, S)
    w = Weights(
        argument(frame, 2), argument(frame, 6), dz, argument(frame, 9) + FLOAT_BYTES * pairs,
        result(frame, 2), result(frame, 3), result(frame, 4),
        scratch + FLOAT_BYTES * then.panel, scratch + FLOAT_BYTES * then.x_pairs,
        scratch + FLOAT_BYTES * then.h_pairs, scratch + FLOAT_BYTES * then.zeros,
        D, S, G, pairs,
    )  # fmt: skip
    sum_weight_gradients(w, lengths, T, N, reverse)
    return 0
