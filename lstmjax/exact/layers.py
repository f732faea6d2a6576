"""The loops over positions: LSTM and pool, forward and backward.

Every number is computed by the same operations in the same order as in the original, in float32
without fused products (but for the sums of `lanes`), so results have the same bits.
Source: Tesseract src/lstm/lstm.cpp, src/lstm/networkio.h, src/lstm/maxpool.cpp.
"""

import numpy as np

from lstmjax.constants import STATE_CLIP
from lstmjax.exact.lanes import LANES, sixteen_sums
from lstmjax.exact.tables import logistic_all, softmax_row, tanh_all
from lstmjax.simd.compile import float_kernel

_ONE = np.float32(1)
_HALF = np.float32(0.5)
_STATE_CLIP = np.float32(STATE_CLIP)
_INT8_MAX = np.float32(127)
NO_FEEDBACK, ALL_CLASSES, BEST_CLASS = range(3)


@float_kernel
def _clip(x, bound):
    if x < -bound:
        return -bound
    return bound if x > bound else x


@float_kernel
def _cell(gate, state, above, out_state, squashed, out):
    """One step from the gates' values; writes state, its tanh, and output.

    `state` is carried from step to step, `out_state` a residual. `above` is empty in the first row
    and for one dimension.
    """
    # LLVM makes vector code of simple loops only: so there is one for each operation, over views.
    num_states = len(state)
    inner, enter = gate[:num_states], gate[num_states : 2 * num_states]
    forget, leave = gate[2 * num_states : 3 * num_states], gate[3 * num_states : 4 * num_states]
    upper = gate[4 * num_states :]
    for i in range(num_states):
        state[i] *= forget[i]
    # A tie keeps the state of the left neighbour. `forget` and `upper` compete; they are not added.
    for i in range(len(above)):
        state[i] = upper[i] * above[i] if forget[i] < upper[i] else state[i]
    for i in range(num_states):
        state[i] = _clip(state[i] + inner[i] * enter[i], _STATE_CLIP)
    out_state[:] = state
    tanh_all(state, squashed)
    for i in range(num_states):
        out[i] = squashed[i] * leave[i]


@float_kernel
def _bits(row, out):
    """The number of the best class in bits, the lowest first."""
    best = 0
    for k in range(1, len(row)):
        if row[k] > row[best]:  # the first of equal classes wins
            best = k
    for i in range(len(out)):
        out[i] = np.float32(best >> i & 1)


@float_kernel
def quantise(values):
    """Round to whole 1/127 steps in -127..127, halves away from zero, in place; flat."""
    for i in range(len(values)):
        scaled = _clip(values[i] * _INT8_MAX, _INT8_MAX)
        # The conversion to int cuts off, so adding a half away from zero rounds.
        values[i] = np.float32(np.int32(scaled + np.copysign(_HALF, scaled)))


@float_kernel
def _finish(sums, bias, scale, out):
    """Write sums with their bias, as real values if they are of int8 numbers."""
    for i in range(len(bias)):
        # Sums may be double: they are rounded once, after the bias.
        out[i] = np.float32(sums[i] + bias[i])
    for i in range(len(scale)):
        out[i] *= scale[i]


@float_kernel
def lstm_forward(source, width, gates_of, num_in, feedback, head_of):
    """Run over all positions, row after row.

    A matrix is a tuple: panels, bias [N], and the scale [N] of int8 weights, empty for floats. With
    a scale, inputs and outputs are whole numbers from -127 to 127.

    Args:
      source: [T, input + feedback + states (+ states above)] with the input filled in; the rest is
        written here.
      width: number of positions in a row.
      gates_of: matrix of all gates.
      num_in: number of features of the input.
      feedback: part of the softmax's output that the next step sees.
      head_of: matrix of that softmax, for no classes without feedback.
    Returns: gates [T, gates * states], states [T, states], their tanh, outputs [T, states] and the
      softmax's [T, K].
    """
    panels, bias, scale = gates_of
    head, head_bias, head_scale = head_of
    int_mode = len(scale) > 0
    count, wide = source.shape
    gated, classes = len(bias), len(head_bias)
    # All sizes follow from those of the matrices.
    num_fed = 0
    if feedback == ALL_CLASSES:
        num_fed = classes
    elif feedback == BEST_CLASS:
        while 1 << num_fed < classes:
            num_fed += 1
    own = num_in + num_fed
    two_d = gated != 4 * (wide - own)
    num_states = (wide - own) // 2 if two_d else wide - own
    # Results and room: one array for all steps, so that the loop makes none.
    gates = np.empty((count, gated), np.float32)
    states = np.empty((count, num_states), np.float32)
    squashed = np.empty((count, num_states), np.float32)
    outputs = np.empty((count, num_states), np.float32)
    probs = np.empty((count, classes), np.float32)
    state, fed = np.zeros(num_states, np.float32), np.zeros(num_fed, np.float32)
    # `sixteen_sums` writes whole panels, so there is room for more than the gates.
    sums, z = np.empty(len(panels) * LANES, panels.dtype), np.empty(gated, np.float32)
    logits = np.empty(len(head) * LANES, head.dtype)
    flat, flat_panels, flat_head = source.reshape(-1), panels.reshape(-1), head.reshape(-1)
    nothing = np.empty(0, np.float32)
    for t in range(count):
        above = nothing
        here = source[t]
        here[num_in:own] = fed  # not reset at the start of a row, unlike the output
        if t % width == 0:  # a row starts without state
            state[:] = 0
            here[own : own + num_states] = 0
        else:
            here[own : own + num_states] = outputs[t - 1]
        # The output above has no meaning in the first row, so its place is 0 there.
        if two_d:
            here[own + num_states :] = 0
            if t >= width:
                here[own + num_states :] = outputs[t - width]
                above = states[t - width]
        for block in range(len(panels)):
            at = block * LANES
            sixteen_sums(flat_panels, at * wide, flat, t * wide, wide, sums, at)
        _finish(sums, bias, scale, z)
        gate = gates[t]
        tanh_all(z[:num_states], gate[:num_states])
        logistic_all(z[num_states:], gate[num_states:])
        # In int8 networks too the state stays float32: only what leaves the cell is rounded.
        _cell(gate, state, above, states[t], squashed[t], outputs[t])
        if int_mode:
            quantise(outputs[t])
        if feedback != NO_FEEDBACK:
            # The next step sees the answer, so the softmax cannot be one product after the loop.
            for block in range(len(head)):
                at = block * LANES
                sixteen_sums(flat_head, at * num_states, outputs[t], 0, num_states, logits, at)
            _finish(logits, head_bias, head_scale, probs[t])
            softmax_row(probs[t])
            if feedback == ALL_CLASSES:
                fed[:] = probs[t]
            else:
                _bits(probs[t], fed)
            if int_mode:
                quantise(fed)
    return gates, states, squashed, outputs, probs


@float_kernel
def _gate_errors(gate, before, above, squashed, error, out_error, errors):
    """Write the errors of the gates at a step, from those of its state and output.

    `before` and `above` are the states of those positions, empty where there is none.
    """
    num_states = len(error)
    inner, enter = gate[:num_states], gate[num_states : 2 * num_states]
    forget, leave = gate[2 * num_states : 3 * num_states], gate[3 * num_states : 4 * num_states]
    upper = gate[4 * num_states :]
    of_inner, of_enter = errors[:num_states], errors[num_states : 2 * num_states]
    of_forget = errors[2 * num_states : 3 * num_states]
    of_leave, of_upper = errors[3 * num_states : 4 * num_states], errors[4 * num_states :]
    # The order of the factors decides how they round: it is that of the original.
    for i in range(num_states):
        of_inner[i] = _clip((_ONE - inner[i] * inner[i]) * enter[i] * error[i], _ONE)
    for i in range(num_states):
        of_enter[i] = _clip(enter[i] * (_ONE - enter[i]) * inner[i] * error[i], _ONE)
    of_forget[:] = 0
    for i in range(len(before)):
        of_forget[i] = _clip(forget[i] * (_ONE - forget[i]) * before[i] * error[i], _ONE)
    for i in range(num_states):
        out = squashed[i] * (leave[i] * (_ONE - leave[i])) * out_error[i]
        of_leave[i] = _clip(out, _ONE)
    # Both forget gates learn, whichever of them gave the state: as originally, not a true gradient.
    of_upper[:] = 0
    for i in range(len(above)):
        of_upper[i] = _clip(upper[i] * (_ONE - upper[i]) * above[i] * error[i], _ONE)


@float_kernel
def _error_of_right(error, right, has_upper):
    """Take the state's error from the position `right` to the one before it, in place."""
    num_states = len(error)
    forget, upper = right[2 * num_states : 3 * num_states], right[4 * num_states :]
    for i in range(num_states):
        error[i] *= forget[i]
    if has_upper:
        for i in range(len(upper)):
            # A right neighbour that took its state from above passes nothing to the left.
            if forget[i] < upper[i]:
                error[i] = 0


@float_kernel
def _add_error_of_below(error, below, error_below):
    """Add the error of the state below, for the units that took their state from here."""
    num_states = len(error)
    forget, upper = below[2 * num_states : 3 * num_states], below[4 * num_states :]
    for i in range(num_states):
        if forget[i] < upper[i]:
            error[i] += error_below[i] * upper[i]


@float_kernel
def _add_error_of_output(error, gate, squashed, out_error, clip):
    """Add the part of the state's error that comes through the output, and clip the sum."""
    num_states = len(error)
    leave = gate[3 * num_states : 4 * num_states]
    for i in range(num_states):
        slope = _ONE - squashed[i] * squashed[i]
        error[i] = _clip(error[i] + slope * leave[i] * out_error[i], clip)


@float_kernel
def _output_error(t, width, summary, delta, back, below, out_error):
    """Write the error of an output: its own, and those through its right neighbour and below."""
    num_states = len(out_error)
    last_x = (t + 1) % width == 0
    # Of a summary only the last column has an output, and so an error of its own.
    if not summary:
        out_error[:] = delta[t]
    elif last_x:
        out_error[:] = delta[t // width]
    else:
        out_error[:] = 0
    if not last_x:
        for i in range(num_states):
            out_error[i] += back[i]
    for i in range(len(below)):
        out_error[i] += below[i]


@float_kernel
def gate_sums(panels, errors, at, num_states, part, out):
    """Write the errors of the gates' sources at one step: a sum for each gate, then their sum."""
    num_gates, blocks = panels.shape[0], panels.shape[1]
    flat = panels.reshape(-1)
    # There is a matrix for each gate in the original, so the gates' sums are rounded one by one.
    for block in range(blocks):
        first = block * LANES
        for gate in range(num_gates):
            panel = (gate * blocks + block) * num_states * LANES
            start = at + gate * num_states
            if gate == 0:
                sixteen_sums(flat, panel, errors, start, num_states, out, first)
            else:
                sixteen_sums(flat, panel, errors, start, num_states, part, 0)
                for lane in range(LANES):
                    out[first + lane] += part[lane]


@float_kernel
def lstm_backward(delta, summary, width, gates, states, squashed, back_panels, clip):
    """Errors of the gates' sums at all positions, from the last to the first.

    Args:
      delta: [T, states], or [rows, states] with `summary`.
      summary: whether the output is that of the ends of rows only.
      width: number of positions in a row.
      gates: [T, gates * states] values of the gates from `lstm_forward`.
      states: [T, states] from `lstm_forward`.
      squashed: [T, states] tanh of the states, from `lstm_forward`.
      back_panels: recurrent weights (of own outputs, and of those above), see `gate_panels`.
      clip: bound of the state's error.
    Returns: [T, gates * states].
    """
    count, num_states = states.shape
    gated = gates.shape[1]
    two_d = gated > 4 * num_states
    errors = np.empty((count, gated), np.float32)
    flat = errors.reshape(-1)
    back = np.zeros(back_panels.shape[1] * LANES, np.float32)
    part, nothing = np.empty(LANES, np.float32), np.empty(0, np.float32)
    # Errors of the row below, by column; each is replaced by that of this row once it is used.
    columns = width if two_d else 1
    backs_below = np.zeros((columns, len(back)), np.float32)
    errors_below = np.zeros((columns, num_states), np.float32)
    error, out_error = np.zeros(num_states, np.float32), np.empty(num_states, np.float32)
    for t in range(count - 1, -1, -1):
        below = nothing
        has_below = two_d and t + width < count
        if has_below:
            below = backs_below[t % width, num_states : 2 * num_states]
        _output_error(t, width, summary, delta, back, below, out_error)
        if (t + 1) % width == 0:
            error[:] = 0
        else:
            _error_of_right(error, gates[t + 1], t + 1 >= width)
        if has_below:
            _add_error_of_below(error, gates[t + width], errors_below[t % width])
        _add_error_of_output(error, gates[t], squashed[t], out_error, clip)
        # The state before is that at the index before, even at the start of a row.
        before = states[t - 1] if t > 0 else nothing
        above = states[t - width] if two_d and t >= width else nothing
        _gate_errors(gates[t], before, above, squashed[t], error, out_error, errors[t])
        # `back` [2 states]: the errors of the left output, then those of the upper one.
        gate_sums(back_panels, flat, t * gated, num_states, part, back)
        if two_d:
            backs_below[t % width] = back
            errors_below[t % width] = error
    return errors


@float_kernel
def input_errors(panels, errors, num_states, num_in):
    """Errors [T, D] of the input from those of the gates [T, gates * states]."""
    count, gated = errors.shape
    num_gates, blocks = panels.shape[0], panels.shape[1]
    flat, flat_errors = panels.reshape(-1), errors.reshape(-1)
    # Outside the loop over time: nothing there waits for the errors of the input.
    out = np.empty((count, num_in), np.float32)
    total, part = np.empty(LANES, np.float32), np.empty(LANES, np.float32)
    for block in range(blocks):
        first = block * LANES
        width = min(LANES, num_in - first)
        for t in range(count):
            total[:] = 0
            for gate in range(num_gates):
                panel = (gate * blocks + block) * num_states * LANES
                start = t * gated + gate * num_states
                sixteen_sums(flat, panel, flat_errors, start, num_states, part, 0)
                for lane in range(LANES):
                    total[lane] += part[lane]
            for lane in range(width):
                out[t, first + lane] = total[lane]
    return out


@float_kernel
def pooled(x, x_scale, y_scale):
    """The largest value of each cell, [H, W, D] -> [h, w, D], and its first index in the cell."""
    h, w, depth = x.shape[0] // y_scale, x.shape[1] // x_scale, x.shape[2]
    best = np.empty((h, w, depth), np.float32)
    which = np.zeros((h, w, depth), np.int32)
    for y in range(h):
        for column in range(w):
            best[y, column] = x[y * y_scale, column * x_scale]
            for k in range(1, x_scale * y_scale):
                cell = x[y * y_scale + k % y_scale, column * x_scale + k // y_scale]
                # x outer, y inner, as in the original: the first of equal values wins.
                for d in range(depth):
                    larger = best[y, column, d] < cell[d]
                    best[y, column, d] = cell[d] if larger else best[y, column, d]
                    which[y, column, d] = k if larger else which[y, column, d]
    return best, which


@float_kernel
def pooled_back(delta, which, x_scale, y_scale, out):
    """Write the deltas of a pool to the largest value of each cell; `out` [H, W, D] starts as 0."""
    h, w, depth = delta.shape
    for y in range(h):
        for column in range(w):
            for d in range(depth):
                k = which[y, column, d]
                out[y * y_scale + k % y_scale, column * x_scale + k // y_scale, d] = delta[
                    y, column, d
                ]
