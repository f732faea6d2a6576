"""The passes of the 1-D LSTM as XLA calls them."""

from lstmjax.kernels import lstm_loops as loops
from lstmjax.kernels.operations import read_int32, read_int64
from lstmjax.kernels.xla import answers, argument, argument_sizes, handler, result, result_sizes


@handler
def forward(frame):
    """Arguments x, wx, wh, b, lengths, [reverse]; results gates, h, c, scratch."""
    if answers(frame):
        return 0
    sizes = argument_sizes(frame, 0)
    T, N, D = read_int64(sizes, 0), read_int64(sizes, 1), read_int64(sizes, 2)
    S = read_int64(result_sizes(frame, 1), 2)
    x, wx, wh, b = argument(frame, 0), argument(frame, 1), argument(frame, 2), argument(frame, 3)
    lengths, reverse = argument(frame, 4), read_int32(argument(frame, 5), 0)
    gates, h, c, scratch = result(frame, 0), result(frame, 1), result(frame, 2), result(frame, 3)
    loops.forward(x, wx, wh, b, lengths, T, N, D, S, reverse, gates, h, c, scratch)
    return 0


@handler
def backward(frame):
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
    loops.backward(d, x, wx, wh, lengths, c, T, N, D, S, reverse, last, dz, dx, scratch)
    loops.weight_gradients(x, h, dz, lengths, one, T, N, D, S, reverse, dwx, dwh, db, scratch)
    return 0
