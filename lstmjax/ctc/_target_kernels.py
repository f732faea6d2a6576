"""The loops that make Tesseract's soft targets; see `targets`.

Source: Tesseract src/training/common/ctc.cpp.
"""

import numpy as np

from lstmjax.simd.compile import kernel

MIN_PROB = np.float32(1e-12)
MIN_TOTAL_PROB = 1e-6  # of one time step over all classes
MIN_TOTAL_TIME_PROB = 1e-8  # of one label over all time steps
MAX_EXP_ARGUMENT = 80.0
IMPOSSIBLE = -float(np.finfo(np.float32).max)


@kernel
def targets_of_lines(probs, lengths, labels, label_lengths, null_char, targets, found):
    for b in range(len(lengths)):
        # A copy: it becomes the targets.
        line = probs[: lengths[b], b].copy()
        line_labels = labels[b, : label_lengths[b]]
        found[b] = _targets_of_line(line, line_labels, null_char)
        if found[b]:
            targets[: lengths[b], b] = line


@kernel
def _targets_of_line(probs, labels, null_char):
    """Turn a line's probs into its targets in place; False when the labels do not fit."""
    T, L = len(probs), len(labels)
    # One null alone leaves `_label_limits` no label to end at.
    if T == 0 or L == 0 or (L == 1 and labels[0] == null_char):
        return False
    lowest, highest = np.empty(T, np.int64), np.empty(T, np.int64)
    if not _label_limits(labels, null_char, lowest, highest):
        return False
    bias = _bias_fraction(probs, labels, null_char)
    # Evenly spread labels help until the outputs are mostly right, see `_bias_fraction`.
    probs += _simple_targets(labels, null_char, probs.shape) * bias
    normalise_rows(probs)
    occupancy = _forward(probs, labels, null_char, lowest, highest)
    occupancy += _backward(probs, labels, null_char, lowest, highest)
    _softmax_over_time(occupancy)
    _labels_to_classes(occupancy, labels, probs)
    normalise_rows(probs)
    return True


@kernel
def normalise_rows(probs):
    smallest = np.float64(MIN_PROB)
    for t in range(probs.shape[0]):
        # In double precision, as in the original; rows become float32 at the end.
        total = 0.0
        for k in range(probs.shape[1]):
            total += probs[t, k]
        total = max(total, MIN_TOTAL_PROB)
        added = 0.0  # by lifting small ones
        # Lifting small probabilities makes the row longer: the divisor takes that in beforehand.
        for k in range(probs.shape[1]):
            prob = probs[t, k] / total
            if prob < smallest:
                added += smallest - prob
        total += added
        for k in range(probs.shape[1]):
            probs[t, k] = max(np.float32(probs[t, k] / total), MIN_PROB)


@kernel
def _is_skippable(labels, u, null_char):
    """Whether u is a null that no pair of equal neighbours needs; nulls at the ends are."""
    if labels[u] != null_char:
        return False
    return u == 0 or u + 1 == len(labels) or labels[u - 1] != labels[u + 1]


@kernel
def _label_limits(labels, null_char, lowest, highest):
    """Fill in the first and last label each step can be at; False when there is no way through."""
    T, last = len(lowest), len(labels) - 1
    u = last - 1 if labels[last] == null_char else last
    for t in range(T - 1, -1, -1):
        lowest[t] = u
        if u > 0:
            u -= 1
            if u > 0 and _is_skippable(labels, u, null_char):
                u -= 1
    u = 1 if labels[0] == null_char else 0
    for t in range(T):
        highest[t] = u
        if u < lowest[t]:
            return False
        if u < last:
            u += 1
            if u < last and _is_skippable(labels, u, null_char):
                u += 1
    return True


@kernel
def _spread_labels(labels, null_char, T, means, half_widths):
    """Spread the labels evenly over time: fill in where each peaks and how wide it is."""
    L, needed = len(labels), 0
    for u in range(L):
        if not _is_skippable(labels, u, null_char):
            needed += 1
    needed_size, spare_size = np.float32(1), np.float32(0)
    if L <= T:
        needed_size = spare_size = np.float32(T) / np.float32(L)
    elif needed < L:
        spare_size = np.float32(T - needed) / np.float32(L - needed)
    position = np.float32(0)
    for u in range(L):
        size = spare_size if _is_skippable(labels, u, null_char) else needed_size
        half_widths[u] = size / np.float32(2)
        # The sum goes on in float32, so that peaks fall on the original's steps.
        position += half_widths[u]
        means[u] = np.int64(position)
        position += half_widths[u]


@kernel
def _simple_targets(labels, null_char, shape):
    """Return [T, K] float32 triangles, one a label, from the labels alone."""
    T, L = shape[0], len(labels)
    means, half_widths = np.empty(L, np.int64), np.empty(L, np.float32)
    _spread_labels(labels, null_char, T, means, half_widths)
    targets = np.zeros(shape, np.float32)
    for u in range(L):
        mean, label = means[u], labels[u]
        left = right = half_widths[u]
        if label == null_char:
            before = means[u - 1] if u > 0 else -1
            after = means[u + 1] if u + 1 < L else -1
            if _is_skippable(labels, u, null_char) and mean in (before, after):
                continue
            # Nulls reach out to their neighbours' peaks, so that no step is left empty.
            left = np.float32(mean - before) if u > 0 else left
            right = np.float32(after - mean) if u + 1 < L else right
        if 0 <= mean < T:
            targets[mean, label] = 1
        _slope(targets[:, label], mean, -1, left)
        _slope(targets[:, label], mean, 1, right)
    return targets


@kernel
def _slope(column, mean, direction, half_width):
    """Raise one side of a triangle that falls from 1 at `mean` to 0 at `half_width` away."""
    offset = 1
    while offset < half_width:
        t = mean + direction * offset
        if t < 0 or (direction > 0 and t >= len(column)):
            break
        if t < len(column):
            height = np.float32(1) - np.float32(offset) / half_width
            column[t] = max(column[t], height)
        offset += 1


@kernel
def _bias_fraction(probs, labels, null_char):
    """Return the weight of the simple targets: small once the greedy reading is mostly right."""
    K = probs.shape[1]
    truth, read = np.zeros(K, np.int64), np.zeros(K, np.int64)
    for u in range(len(labels)):
        truth[labels[u]] += 1
    before = -1
    for t in range(len(probs)):
        best = np.argmax(probs[t])  # the first of equal ones
        if best != before:
            read[best] += 1
        before = best
    right = wrong = total = 0
    for k in range(K):
        if k != null_char and truth[k] > 0:
            total += truth[k]
            right += min(truth[k], read[k])
            wrong += max(0, read[k] - truth[k])
    if total == 0:
        return np.float32(0)
    # MIN_PROB^(1 / total) with nothing right, MIN_PROB with everything.
    exponent = np.float32(max(right - wrong, 1)) * np.log(MIN_PROB) / np.float32(total)
    return np.float32(np.exp(np.float64(exponent)))


@kernel
def _log_sum(x, y):
    """ln(e^x + e^y)."""
    if x < y:
        x, y = y, x
    return x if y <= IMPOSSIBLE else x + np.log1p(np.exp(y - x))


@kernel
def _forward(probs, labels, null_char, lowest, highest):
    """Return [T, L] float64 log probabilities of the ways to reach each label by each step."""
    T, L = len(probs), len(labels)
    logs = np.full((T, L), IMPOSSIBLE)
    logs[0, 0] = np.log(np.float64(probs[0, labels[0]]))
    if labels[0] == null_char:
        logs[0, 1] = np.log(np.float64(probs[0, labels[1]]))
    for t in range(1, T):
        null_log = np.log(np.float64(probs[t, null_char]))
        for u in range(lowest[t], highest[t] + 1):
            total = logs[t - 1, u]
            if u > 0:
                total = _log_sum(total, logs[t - 1, u - 1])
            if u > 1 and labels[u - 1] == null_char and labels[u] != labels[u - 2]:
                total = _log_sum(total, logs[t - 1, u - 2])
            if labels[u] == null_char:
                logs[t, u] = total + null_log
            else:
                logs[t, u] = total + np.log(np.float64(probs[t, labels[u]]))
    return logs


@kernel
def _backward(probs, labels, null_char, lowest, highest):
    """Return [T, L] float64 log probabilities of the ways on from each label at each step."""
    T, L = len(probs), len(labels)
    logs = np.full((T, L), IMPOSSIBLE)
    logs[T - 1, L - 1] = 0
    if labels[L - 1] == null_char:
        logs[T - 1, L - 2] = 0
    label_logs = np.empty(L)  # of the step after
    for t in range(T - 2, -1, -1):
        null_log = np.log(np.float64(probs[t + 1, null_char]))
        # From a label one can get two further in a step.
        for u in range(lowest[t], min(highest[t] + 3, L)):
            if labels[u] == null_char:
                label_logs[u] = null_log
            else:
                label_logs[u] = np.log(np.float64(probs[t + 1, labels[u]]))
        for u in range(lowest[t], highest[t] + 1):
            # The C++ takes this logarithm alone in float32.
            total = logs[t + 1, u] + np.log(probs[t + 1, labels[u]])
            if u + 1 < L:
                total = _log_sum(total, logs[t + 1, u + 1] + label_logs[u + 1])
            if u + 2 < L and labels[u + 1] == null_char and labels[u] != labels[u + 2]:
                total = _log_sum(total, logs[t + 1, u + 2] + label_logs[u + 2])
            logs[t, u] = total
    return logs


@kernel
def _softmax_over_time(logs):
    """Turn [T, L] log probabilities into each label's share of time, in place."""
    T, L = logs.shape
    # One number for all labels: they are divided by their own totals afterwards.
    highest = logs.max()
    totals = np.zeros(L)
    for t in range(T):
        for u in range(L):
            if logs[t, u] <= IMPOSSIBLE:
                logs[t, u] = 0
            else:
                logs[t, u] = np.exp(max(logs[t, u] - highest, -MAX_EXP_ARGUMENT))
            totals[u] += logs[t, u]
    for t in range(T):
        for u in range(L):
            logs[t, u] /= max(totals[u], MIN_TOTAL_TIME_PROB)


@kernel
def _labels_to_classes(occupancy, labels, targets):
    """Give each class the largest share of any of its labels."""
    targets[:] = 0
    for t in range(len(occupancy)):
        for u in range(len(labels)):
            # The largest, not the sum: as in the original.
            share = np.float32(occupancy[t, u])
            targets[t, labels[u]] = max(targets[t, labels[u]], share)
