"""Tesseract's targets against sums over all paths, and against stored C++ results."""

import math
from collections import Counter
from itertools import groupby, pairwise

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from lstmjax.ctc.targets import (
    ctc_targets,
    ctc_targets_batch,
    normalise_probs,
    simple_text_targets,
)

NULL = 3
K = 4


def with_nulls(codes, null=NULL):
    return [null] + [label for code in codes for label in (code, null)]


def spread(T, num_codes, seed, power):
    """Numbers that any machine makes alike, for results that are stored below."""
    t, k = np.arange(T)[:, None], np.arange(num_codes)
    weights = ((t * t * 31 + k * k * 17 + t * k * 7 + seed * (t // 3 + 1)) % 101 + 1) ** power
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)


def slow_normalise(probs):
    rows = []
    for row in np.asarray(probs, float):
        total = max(row.sum(), 1e-6)
        total += sum(max(0, 1e-12 - p / total) for p in row)
        rows.append([max(p / total, 1e-12) for p in row])
    return np.array(rows)


def all_paths(labels, T):
    """Every way to visit labels in order, one a step, leaving out only nulls nobody needs."""

    def onward(path):
        if len(path) == T:
            if path[-1] == L - 1 or (path[-1] == L - 2 and labels[-1] == NULL):
                yield path
            return
        u = path[-1]
        steps = [u, u + 1]
        if u + 2 < L and labels[u + 1] == NULL and labels[u] != labels[u + 2]:
            steps.append(u + 2)
        for v in steps:
            if v < L:
                yield from onward((*path, v))

    L = len(labels)
    starts = [0, 1] if labels[0] == NULL else [0]
    return [path for start in starts if start < L for path in onward((start,))]


def slow_simple(labels, T):
    """Triangles that spread the labels over time."""
    L = len(labels)
    needed = [
        label != NULL or (0 < u < L - 1 and labels[u - 1] == labels[u + 1])
        for u, label in enumerate(labels)
    ]
    if L <= T:
        sizes = [np.float32(T) / np.float32(L)] * L
    else:
        spare = np.float32(T - sum(needed)) / np.float32(max(L - sum(needed), 1))
        sizes = [np.float32(1) if need else spare for need in needed]
    means, position = [], np.float32(0)
    for size in sizes:
        position += size / np.float32(2)
        means.append(int(position))
        position += size / np.float32(2)
    targets = np.zeros((T, K))
    for u, label in enumerate(labels):
        left = right = sizes[u] / 2
        if label == NULL:
            neighbours = [means[v] for v in (u - 1, u + 1) if 0 <= v < L]
            if not needed[u] and means[u] in neighbours:
                continue
            left = means[u] - means[u - 1] if u > 0 else left
            right = means[u + 1] - means[u] if u + 1 < L else right
        for t in range(T):
            half = left if t < means[u] else right
            if t == means[u]:
                targets[t, label] = 1
            elif abs(t - means[u]) < half:
                targets[t, label] = max(targets[t, label], 1 - abs(t - means[u]) / half)
    return targets


def slow_bias(probs, labels):
    truth = Counter(label for label in labels if label != NULL)
    read = Counter(int(code) for code, _ in groupby(probs.argmax(axis=1)))
    right = sum(min(truth[c], read[c]) for c in truth)
    wrong = sum(max(0, read[c] - truth[c]) for c in truth)
    if not truth:
        return 0.0
    return math.exp(max(right - wrong, 1) * math.log(1e-12) / truth.total())


def slow_targets(probs, labels):
    """The whole computation with explicit paths and ordinary probabilities."""
    T, paths = len(probs), all_paths(labels, len(probs))
    if not paths:
        return None
    biased = slow_normalise(probs + slow_bias(probs, labels) * slow_simple(labels, T))
    occupancy = np.zeros((T, len(labels)))
    for path in paths:
        likelihood = math.prod(biased[t, labels[u]] for t, u in enumerate(path))
        for t, u in enumerate(path):
            occupancy[t, u] += likelihood
    impossible = occupancy == 0
    shares = np.maximum(occupancy / occupancy.max(), math.exp(-80))
    shares[impossible] = 0
    shares /= np.maximum(shares.sum(axis=0), 1e-8)
    targets = np.zeros((T, K))
    for u, label in enumerate(labels):
        targets[:, label] = np.maximum(targets[:, label], shares[:, u])
    return slow_normalise(targets)


lines_of_codes = st.lists(st.integers(0, K - 2), min_size=1, max_size=4)


@settings(max_examples=150, deadline=None)
@given(lines_of_codes, st.integers(1, 7), st.integers(0, 2**32 - 1), st.sampled_from([1, 4, 9]))
def test_equals_sums_over_all_paths(codes, T, seed, sharpness):
    weights = np.random.default_rng(seed).random((T, K)) ** sharpness
    probs = normalise_probs(weights.astype(np.float32))
    expected = slow_targets(probs, with_nulls(codes))
    got = ctc_targets(probs, np.array(with_nulls(codes)), NULL)
    assert (got is None) == (expected is None)
    if got is not None:
        np.testing.assert_allclose(got, expected, rtol=2e-5, atol=1e-7)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.integers(0, K - 1), min_size=1, max_size=6), st.integers(1, 6))
def test_equals_sums_over_all_paths_with_nulls_anywhere(labels, T):
    assume(any(label != NULL for label in labels))
    assume(all(pair != (NULL, NULL) for pair in pairwise(labels)))
    probs = normalise_probs(spread(T, K, len(labels), 3))
    expected = slow_targets(probs, labels)
    got = ctc_targets(probs, np.array(labels), NULL)
    assert (got is None) == (expected is None)
    if got is not None:
        np.testing.assert_allclose(got, expected, rtol=2e-5, atol=1e-7)


# What ComputeCTCTargets of Tesseract 5.3.0 makes of `spread`: (seed, power, codes, targets).
STORED = [
    (1, 2, [0, 1],
     "0.0011660785 1e-12 1e-12 0.99883389"
     "|0.94813937 0.0022522782 1e-12 0.049608335"
     "|0.37667632 0.32107511 1e-12 0.30224857"
     "|0.21971473 0.042184465 1e-12 0.73810083"
     "|0.17858945 0.44505626 1e-12 0.37635431"
     "|1e-12 0.46708012 1e-12 0.53291988"),
    (2, 6, [1, 1, 2],
     "1e-12 0.0011514946 1e-12 0.9988485"
     "|1e-12 0.99999756 1e-12 2.4495271e-06"
     "|1e-12 0.9975574 1e-12 0.0024426156"
     "|1e-12 8.5585416e-06 1e-12 0.99999142"
     "|1e-12 0.89637929 1e-12 0.10362069"
     "|1e-12 0.37487668 9.6443939e-05 0.62502688"
     "|1e-12 0.095686406 0.12314063 0.78117293"
     "|1e-12 0.0049425052 0.99505734 1.5693121e-07"
     "|1e-12 1e-12 0.029549532 0.97045046"),
    (3, 9, [0, 2, 1, 0],
     "1.3283873e-05 1e-12 1e-12 0.99998671"
     "|0.99996561 1e-12 3.3685941e-05 7.0556325e-07"
     "|0.24366732 1.3444263e-05 0.15212771 0.60419154"
     "|2.5421459e-06 0.0001702499 0.42790672 0.57192051"
     "|0.00031936256 0.99878275 1e-12 0.00089785777"
     "|0.49991915 1e-12 1e-12 0.50008082"),
]  # fmt: skip


@pytest.mark.parametrize(("seed", "power", "codes", "targets"), STORED)
def test_equals_the_cpp(seed, power, codes, targets):
    expected = np.array([[float(p) for p in row.split()] for row in targets.split("|")])
    probs = normalise_probs(spread(len(expected), K, seed, power))
    got = ctc_targets(probs, np.array(with_nulls(codes)), NULL)
    assert got is not None
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, expected, rtol=2e-6)


@pytest.mark.parametrize(
    ("labels", "T"),
    [
        pytest.param(with_nulls([0, 1]), 1, id="fewer-steps-than-codes"),
        pytest.param(with_nulls([0, 0]), 2, id="no-room-between-equal-codes"),
        pytest.param([NULL], 5, id="only-a-null"),
        pytest.param([], 5, id="no-labels"),
        pytest.param([0], 0, id="no-steps"),
    ],
)
def test_lines_too_short_fail(labels, T):
    assert ctc_targets(np.full((T, K), 0.25, np.float32), np.array(labels, int), NULL) is None


def test_just_enough_steps():
    targets = ctc_targets(np.full((3, K), 0.25, np.float32), np.array(with_nulls([0, 0])), NULL)
    assert targets is not None
    assert targets.argmax(axis=1).tolist() == [0, NULL, 0]


def test_long_unlikely_line_stays_finite():
    probs = np.zeros((400, K), np.float32)
    probs[:, NULL] = 1
    targets = ctc_targets(normalise_probs(probs), np.array(with_nulls([0, 1, 2] * 20)), NULL)
    assert targets is not None
    np.testing.assert_allclose(targets.sum(axis=1), 1, rtol=1e-6)


def test_batch_equals_lines_and_ignores_padding():
    random = np.random.default_rng(2)
    probs = normalise_probs(random.random((20, 4, K)).astype(np.float32))
    lengths, label_lengths = np.array([20, 3, 11, 0]), np.array([9, 9, 5, 3])
    labels = random.integers(-99, 99, (4, 12))
    for b, length in enumerate(label_lengths):
        labels[b, :length] = with_nulls(random.integers(0, 3, length // 2))
    batch = ctc_targets_batch(probs, lengths, labels, label_lengths, NULL)
    assert batch.found.tolist() == [True, False, True, False]
    for b in range(4):
        line = ctc_targets(probs[: lengths[b], b], labels[b, : label_lengths[b]], NULL)
        expected = np.zeros((20, K), np.float32)
        if line is not None:
            expected[: lengths[b]] = line
        np.testing.assert_array_equal(batch.targets[:, b], expected)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([0.0, 1e-9, 1e-3, 1.0, 50.0]))
def test_normalised_rows(seed, size):
    probs = (np.random.default_rng(seed).random((5, 6)) ** 9 * size).astype(np.float32)
    got = normalise_probs(probs)
    np.testing.assert_allclose(got, slow_normalise(probs), rtol=1e-6)
    assert got.min() >= np.float32(1e-12)
    enough = probs.sum(axis=1) >= 1e-6
    np.testing.assert_allclose(got[enough].sum(axis=1), 1, rtol=1e-5)


def test_normalise_keeps_its_argument_and_any_shape():
    probs = np.ones((2, 3, 4), np.float32)
    assert normalise_probs(probs).shape == (2, 3, 4)
    assert probs.max() == 1
    assert normalise_probs(np.zeros((0, 4), np.float32)).shape == (0, 4)


def test_simple_text_targets():
    targets = simple_text_targets(np.array([2, 0]), 4, K, NULL)
    assert targets is not None
    assert targets.argmax(axis=1).tolist() == [2, 0, NULL, NULL]
    assert targets.sum() == 4
    assert simple_text_targets(np.array([2, 0, 1]), 2, K, NULL) is None
    with pytest.raises(ValueError, match="found 0 to 4"):
        simple_text_targets(np.array([0, 4]), 4, K, NULL)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param({"probs": np.zeros((4, K), np.float32)}, "expected probs", id="rank"),
        pytest.param({"lengths": np.array([5])}, "lengths must lie in 0..4", id="too-long"),
        pytest.param({"lengths": np.array([4, 4])}, "expected 1 lines", id="lines-differ"),
        pytest.param({"label_lengths": np.array([4])}, "lie in 0..3, found", id="labels-too-long"),
        pytest.param({"labels": np.array([[NULL, K, NULL]])}, "code 4 is not one", id="code"),
        pytest.param({"labels": np.array([[NULL, -1, NULL]])}, "code -1 is not", id="negative"),
        pytest.param({"null_char": K}, "code 4 is not one", id="null"),
    ],
)
def test_refuses_what_does_not_fit(changes, message):
    arguments = {
        "probs": np.zeros((4, 1, K), np.float32),
        "lengths": np.array([4]),
        "labels": np.array([[NULL, 0, NULL]]),
        "label_lengths": np.array([3]),
        "null_char": NULL,
    }
    with pytest.raises(ValueError, match=message):
        ctc_targets_batch(**(arguments | changes))
