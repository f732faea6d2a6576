"""The non-linearities of Tesseract, bit for bit.

Source: Tesseract src/lstm/functions.h.
"""

import math

import numpy as np

from lstmjax.constants import EXP_FLOOR, LOGISTIC_TABLE, STEPS_PER_UNIT, TANH_TABLE
from lstmjax.simd.compile import float_kernel

_STEPS_PER_UNIT = np.float32(STEPS_PER_UNIT)
_LAST = len(TANH_TABLE) - 1
_TABLE_END = np.float32(_LAST)
_USUAL = np.float32(2.0**24)  # below it an index has 32 bits at most: none is cut
_BEYOND_INT64 = np.float32(2.0**63)
_ONE = np.float32(1)
_EXP_FLOOR = np.float32(EXP_FLOOR)


@float_kernel
def _look_up(table, x):
    """Interpolate a table at x >= 0, also where x is huge or undefined.

    The original takes the low 32 bits of the table's index, which matters for huge numbers only.
    """
    if not x >= 0:  # also for NaN
        return x
    u = x * _STEPS_PER_UNIT
    index = np.int64(u) & 0xFFFFFFFF if u < _BEYOND_INT64 else np.int64(0)
    if index >= _LAST:
        return _ONE
    low = table[index]
    return low + (table[index + 1] - low) * (u - np.float32(index))


@float_kernel
def _look_up_quickly(table, x):
    """Interpolate a table at 0 <= x < 2^24, without a branch."""
    u = min(x * _STEPS_PER_UNIT, _TABLE_END)
    # Without a sign, because numba would test for indices below 0; -1 for the entry that follows.
    index = np.uint64(min(np.int32(u), _LAST - 1))
    low = table[index]
    y = low + (table[index + np.uint64(1)] - low) * (u - np.float32(np.int32(u)))
    return y if u < _TABLE_END else _ONE


@float_kernel
def _all_usual(values):
    """Whether all numbers can be looked up without a check: none is huge or undefined."""
    usual = True
    for i in range(len(values)):
        usual &= abs(values[i]) < _USUAL  # False for NaN
    return usual


@float_kernel
def tanh_all(values, out):
    """Write the tanh of flat values, from the table."""
    if _all_usual(values):
        for i in range(len(values)):
            y = _look_up_quickly(TANH_TABLE, abs(values[i]))
            out[i] = -y if values[i] < 0 else y
        return
    for i in range(len(values)):
        y = _look_up(TANH_TABLE, abs(values[i]))
        out[i] = -y if values[i] < 0 else y


@float_kernel
def logistic_all(values, out):
    """Write the logistic of flat values, from the table."""
    if _all_usual(values):
        for i in range(len(values)):
            y = _look_up_quickly(LOGISTIC_TABLE, abs(values[i]))
            out[i] = _ONE - y if values[i] < 0 else y
        return
    for i in range(len(values)):
        y = _look_up(LOGISTIC_TABLE, abs(values[i]))
        out[i] = _ONE - y if values[i] < 0 else y


@float_kernel
def softmax_row(row):
    """Turn the logits of one step into probabilities, in place."""
    highest = row[0]
    for k in range(1, len(row)):
        if row[k] > highest:
            highest = row[k]
    total = np.float32(0)
    for k in range(len(row)):
        below = row[k] - highest
        if below < _EXP_FLOOR:
            below = _EXP_FLOOR
        elif below > 0:
            below = np.float32(0)
        row[k] = np.float32(math.exp(below))
        total += row[k]
    if total > 0:
        for k in range(len(row)):
            row[k] = row[k] / total


@float_kernel
def softmax_rows(rows):
    """Turn logits [T, K] into probabilities, in place."""
    for t in range(len(rows)):
        softmax_row(rows[t])
