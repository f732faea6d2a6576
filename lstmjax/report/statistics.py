"""Uncertainty of error rates and of their differences: seeded, vectorised resampling of lines.

The unit of resampling is the line, because errors within a line depend on one another. Every rate
is a sum over lines divided by another such sum, so one draw of lines serves all rates of a report.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

NUM_RESAMPLES = 2000
NUM_PERMUTATIONS = 10000
CONFIDENCE = 0.95
_CELLS = 1 << 22  # random numbers drawn at a time, about 32 MB
_EXACT_UP_TO = 13  # lines that differ; up to here all 2^n swaps are fewer than the random ones


@dataclass(frozen=True)
class Rate:
    """An error rate with its interval; fractions.

    Attributes:
      value: errors divided by length.
      low, high: bounds of the bootstrap interval; equal to the value for a single line.
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Difference:
    """The difference of two error rates, on the same lines or on different ones; fractions.

    Attributes:
      value: second rate minus first; below 0 the second is better.
      low, high: bounds of the bootstrap interval.
      p_value: two-sided p-value of the permutation test; None where lines are not paired.
      better, worse: number of lines on which the second has fewer errors, and more.
    """

    value: float
    low: float
    high: float
    p_value: float | None = None
    better: int = 0
    worse: int = 0


def resampled_sums(
    columns: Float64[np.ndarray, "n m"], *, seed: int = 0, num_resamples: int = NUM_RESAMPLES
) -> Float64[np.ndarray, "R m"]:
    """Draw n lines with replacement, R times, and add up their columns.

    Args:
      columns: quantities to add up, a row for each line.
      seed: seed of the draws.
      num_resamples: R, number of draws.
    """
    n = len(columns)
    random = np.random.default_rng(seed)
    # The draws of a chunk fit into the memory meant for them, however many lines there are.
    rows = max(1, _CELLS // n)
    sums = []
    for start in range(0, num_resamples, rows):
        count = min(rows, num_resamples - start)
        # How often each line is drawn, counted for all draws at once: draw i has bins i*n to i*n+n.
        drawn = random.integers(0, n, (count, n)) + n * np.arange(count)[:, None]
        times = np.bincount(drawn.ravel(), minlength=count * n).reshape(count, n)
        sums.append(times.astype(np.float64) @ columns)
    return np.concatenate(sums)


def rate_of(
    errors: Sequence[float] | np.ndarray, lengths: Sequence[float] | np.ndarray, *, seed: int = 0
) -> Rate:
    """The sum of errors divided by the sum of lengths, with its interval over lines.

    If all lengths are 0, the rate is 0, or infinite if there are errors.
    """
    columns = np.stack([np.asarray(errors, float), np.asarray(lengths, float)], axis=1)
    total_errors, total_length = columns.sum(axis=0)
    if not total_length:
        value = float("inf") if total_errors else 0.0
        return Rate(value, value, value)
    sums = resampled_sums(columns, seed=seed)
    # A draw may consist of lines without text only.
    low, high = _interval(sums[:, 0] / np.maximum(sums[:, 1], 1))
    return Rate(float(total_errors / total_length), low, high)


def paired_difference(
    first: Int64[np.ndarray, " n"],
    second: Int64[np.ndarray, " n"],
    lengths: Int64[np.ndarray, " n"],
    *,
    seed: int = 0,
) -> Difference:
    """Compare two readings of the same lines.

    The interval comes from a paired bootstrap: both readings of a line are drawn together. The
    p-value comes from a permutation test: if it made no difference which model read a line, the
    two readings of each line could be swapped. It is the share of all swaps (of 10000 random ones
    where there are more) whose rates differ by at least as much as the real ones, in either
    direction.

    Args:
      first: edits in each line as read by the first model.
      second: edits in each line as read by the second model.
      lengths: lengths of the truths.
      seed: seed of all draws.
    """
    change = np.asarray(second, np.int64) - np.asarray(first, np.int64)
    total = max(int(np.sum(lengths)), 1)
    sums = resampled_sums(np.stack([change, lengths], axis=1).astype(float), seed=seed)
    low, high = _interval(sums[:, 0] / np.maximum(sums[:, 1], 1))
    return Difference(
        float(change.sum() / total),
        low,
        high,
        # Lines without a change add nothing, whichever way they are swapped.
        _swap_test(change[change != 0], seed),
        int(np.sum(change < 0)),
        int(np.sum(change > 0)),
    )


def _swap_test(change: Int64[np.ndarray, " k"], seed: int) -> float:
    """Two-sided p-value for the sum of changes whose signs are arbitrary."""
    k = len(change)
    if not k:
        return 1.0
    found = abs(int(change.sum()))
    if k <= _EXACT_UP_TO:
        # Each number from 0 to 2^k - 1 is one choice of signs, bit by bit.
        signs = 1 - 2 * (np.arange(1 << k)[:, None] >> np.arange(k) & 1)
        return float(np.mean(np.abs(signs @ change) >= found))
    random = np.random.default_rng(seed)
    rows = max(1, _CELLS // k)
    as_extreme = 0
    for start in range(0, NUM_PERMUTATIONS, rows):
        count = min(rows, NUM_PERMUTATIONS - start)
        swapped = random.integers(0, 2, (count, k), np.int8)
        # A swapped line counts with the opposite sign, so it is subtracted twice.
        totals = change.sum() - 2 * (swapped.astype(np.float64) @ change)
        as_extreme += int(np.count_nonzero(np.abs(totals) >= found))
    return (as_extreme + 1) / (NUM_PERMUTATIONS + 1)  # the real assignment is one of them


def unpaired_difference(
    first: tuple[np.ndarray, np.ndarray], second: tuple[np.ndarray, np.ndarray], *, seed: int = 0
) -> Difference:
    """The rate of one set of lines minus that of another, with its interval.

    Args:
      first: edits and lengths of the lines whose rate is subtracted.
      second: edits and lengths of the other lines.
      seed: seed of the draws, which are independent for the two sets.
    """
    values, draws = [], []
    # Another seed for each set: the same draws would make their errors depend on each other.
    for number, (edits, lengths) in enumerate((first, second)):
        columns = np.stack([edits, lengths], axis=1).astype(float)
        sums = resampled_sums(columns, seed=seed + number)
        draws.append(sums[:, 0] / np.maximum(sums[:, 1], 1))
        values.append(float(columns[:, 0].sum() / max(columns[:, 1].sum(), 1)))
    low, high = _interval(draws[1] - draws[0])
    return Difference(values[1] - values[0], low, high)


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust p-values of several comparisons by Holm's method, in the order given."""
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    adjusted = [0.0] * len(p_values)
    least = 0.0
    for rank, i in enumerate(order):
        # Never below the one before: the order of the p-values stays.
        least = max(least, min(1.0, (len(p_values) - rank) * p_values[i]))
        adjusted[i] = least
    return adjusted


def _interval(values: np.ndarray) -> tuple[float, float]:
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(values, [tail, 1 - tail])
    return float(low), float(high)
