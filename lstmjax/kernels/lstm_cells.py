"""The cell of an LSTM as vector operations, forward and backward.

Addresses are integers, strides and sizes count floats.
Source: Tesseract src/lstm/lstm.cpp.
"""

from functools import partial

from lstmjax.constants import GATE_ERROR_CLIP, NUM_GATES, STATE_CLIP, STATE_ERROR_CLIP
from lstmjax.simd import vectors as v
from lstmjax.simd.operations import operation


@operation
def cell_forward(builder, gates, size, c_before, c_out, h_out):
    """One vector of cells: sums of the gates, `size` apart, become their values; c and h follow."""
    places = [builder.mul(size, v.integer(g)) for g in range(NUM_GATES)]
    sums = [v.load(builder, gates, place) for place in places]
    a, i, f, o = v.tanh(builder, sums[0]), *(v.logistic(builder, z) for z in sums[1:])
    c = v.multiply_add(builder, f, v.load(builder, c_before), builder.fmul(i, a))
    c = v.clip(builder, c, -STATE_CLIP, STATE_CLIP)
    for place, value in zip(places, (a, i, f, o), strict=True):
        v.store(builder, value, gates, place)
    v.store(builder, c, c_out)
    v.store(builder, builder.fmul(o, v.tanh(builder, c)), h_out)


@operation
def cell_backward(builder, gates, size, c, c_before, dh, dc):
    """One vector of cells: values of the gates become gradients of their sums.

    dc comes in as the state's gradient from the step after, and leaves as that for the step before.
    """
    one = v.constant(1)
    times, slope = partial(v.product, builder), partial(v.logistic_slope, builder)
    places = [builder.mul(size, v.integer(g)) for g in range(NUM_GATES)]
    a, i, f, o = (v.load(builder, gates, place) for place in places)
    e = v.load(builder, dh)
    tanh_c = v.tanh(builder, v.load(builder, c))
    inner = builder.fsub(one, times(tanh_c, tanh_c))
    d = v.multiply_add(builder, times(e, o), inner, v.load(builder, dc))
    d = v.clip(builder, d, -STATE_ERROR_CLIP, STATE_ERROR_CLIP)
    errors = (
        times(d, i, builder.fsub(one, times(a, a))),
        times(d, a, slope(i)),
        times(d, v.load(builder, c_before), slope(f)),
        times(e, tanh_c, slope(o)),
    )
    for place, error in zip(places, errors, strict=True):
        error = v.clip(builder, error, -GATE_ERROR_CLIP, GATE_ERROR_CLIP)
        v.store(builder, error, gates, place)
    v.store(builder, times(d, f), dc)
