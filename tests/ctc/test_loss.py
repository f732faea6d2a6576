"""The CTC loss against the sum over all paths, and its gradient against autodiff of that sum."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lstmjax.ctc.loss import ctc_loss, simple_loss

K, NULL = 4, 3
rng = np.random.default_rng(0)


def collapse(path):
    return [k for i, k in enumerate(path) if k != NULL and (i == 0 or path[i - 1] != k)]


def loss_by_enumeration(logits, labels):
    """logits: [T, K] of one line."""
    log_probs = jax.nn.log_softmax(logits)
    paths = [
        path
        for path in itertools.product(range(K), repeat=len(logits))
        if collapse(path) == list(labels)
    ]
    scores = jnp.stack([log_probs[jnp.arange(len(path)), jnp.array(path)].sum() for path in paths])
    return -jax.scipy.special.logsumexp(scores)


def padded(lines, room):
    labels = np.zeros((len(lines), room), np.int32)
    for i, line in enumerate(lines):
        labels[i, : len(line)] = line
    return jnp.asarray(labels), jnp.asarray([len(line) for line in lines], jnp.int32)


LINES = [[0, 1], [1, 1], [2], [0, 1, 0], []]
STEPS = [5, 4, 1, 5, 3]


@pytest.mark.parametrize("i", range(len(LINES)), ids=str)
def test_loss_and_gradient_are_those_of_all_paths(i):
    logits = jnp.asarray(rng.normal(size=(7, len(LINES), K)).astype(np.float32))
    labels, counts = padded(LINES, 4)
    steps = jnp.asarray(STEPS, jnp.int32)

    def ours(logits):
        return ctc_loss(logits, steps, labels, counts, NULL)[0][i]

    def plain(line_logits):
        return loss_by_enumeration(line_logits, LINES[i])

    own = logits[: STEPS[i], i]
    assert float(ours(logits)) == pytest.approx(float(plain(own)), abs=1e-5)
    gradient = jax.grad(ours)(logits)
    np.testing.assert_allclose(gradient[: STEPS[i], i], jax.grad(plain)(own), atol=1e-5)
    rest = np.array(gradient)
    rest[: STEPS[i], i] = 0
    np.testing.assert_array_equal(rest, 0)


def test_padding_of_steps_and_labels_changes_nothing():
    logits = jnp.asarray(rng.normal(size=(5, 1, K)).astype(np.float32))
    labels, counts = padded([[0, 1]], 2)
    wide, _ = padded([[0, 1]], 6)
    steps = jnp.asarray([5], jnp.int32)
    long = jnp.concatenate([logits, 9 * jnp.ones((4, 1, K))])
    (one, stats), (two, padded_stats) = (
        ctc_loss(logits, steps, labels, counts, NULL),
        ctc_loss(long, steps, wide, counts, NULL),
    )
    np.testing.assert_allclose(one, two, rtol=1e-6)
    np.testing.assert_allclose(stats.rms, padded_stats.rms, rtol=1e-6)
    np.testing.assert_array_equal(stats.delta, padded_stats.delta)


def test_labels_that_do_not_fit_cost_too_much_to_be_missed():
    labels, counts = padded([[1, 1]], 2)
    loss, _ = ctc_loss(jnp.zeros((2, 1, K)), jnp.asarray([2], jnp.int32), labels, counts, NULL)
    assert float(loss[0]) > 1e20


def test_simple_loss_wants_the_labels_in_order_and_then_nulls():
    logits = np.full((4, 1, K), -20.0, np.float32)
    for t, k in enumerate([2, 0, NULL, NULL]):
        logits[t, 0, k] = 20
    labels, counts = padded([[2, 0]], 3)
    steps = jnp.asarray([4], jnp.int32)
    loss, stats = simple_loss(jnp.asarray(logits), steps, labels, counts, NULL)
    assert float(loss[0]) == pytest.approx(0, abs=1e-6)
    assert float(stats.delta[0]) == 0
    wrong, stats = simple_loss(jnp.asarray(logits[::-1].copy()), steps, labels, counts, NULL)
    assert float(wrong[0]) == pytest.approx(160, rel=1e-4)
    assert float(stats.delta[0]) == 2  # each step has one class too much and one too little
