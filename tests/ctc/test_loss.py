"""The CTC loss against the sum over all paths, and its gradient against autodiff of that sum."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lstmjax.ctc import loss as losses
from lstmjax.ctc.loss import ctc_loss, simple_loss
from lstmjax.kernels import jax_calls

K, NULL = 4, 3
rng = np.random.default_rng(0)


@pytest.fixture(params=["compiled", "scan"])
def way(request, monkeypatch):
    """Either way to compute the loss."""
    if request.param == "scan":
        monkeypatch.setattr(losses, "usable", lambda: False)
    elif not jax_calls.usable():
        pytest.skip("no vectors that multiply and add")


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


@pytest.mark.usefixtures("way")
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


@pytest.mark.usefixtures("way")
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


@pytest.mark.usefixtures("way")
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


@pytest.mark.skipif(not jax_calls.usable(), reason="no vectors that multiply and add")
@pytest.mark.parametrize(
    ("T", "B", "classes", "L", "scale"),
    [
        (20, 3, 7, 4, 3.0), (100, 8, 111, 45, 3.0), (60, 5, 16, 20, 10.0), (33, 2, 300, 17, 0.1),
        (5, 2, 3, 1, 1.0), (1, 1, 40, 1, 1.0), (150, 2, 113, 64, 20.0),
    ],
)  # fmt: skip
def test_both_ways_agree(T, B, classes, L, scale, monkeypatch):
    draw = np.random.default_rng(T)
    logits = jnp.asarray(scale * draw.normal(size=(T, B, classes)), jnp.float32)
    labels = draw.integers(0, classes - 1, size=(B, L))
    labels[:, 1::3] = labels[:, 0::3][:, : labels[:, 1::3].shape[1]]  # some follow their like
    counts = draw.integers(0, min(L, T // 2) + 1, size=B)
    steps = np.clip(2 * counts + draw.integers(1, T + 1, size=B), 1, T)
    weights = jnp.asarray(draw.uniform(0.1, 1, size=B), jnp.float32)
    arguments = [jnp.asarray(each, jnp.int32) for each in (steps, labels, counts)]

    def total(logits):
        loss, stats = ctc_loss(logits, *arguments, classes - 1)
        return (loss * weights).sum(), (loss, stats)

    def results():
        return jax.jit(jax.grad(total, has_aux=True))(logits)

    gradient, (loss, stats) = results()
    monkeypatch.setattr(losses, "usable", lambda: False)
    jax.clear_caches()
    other, (other_loss, other_stats) = results()
    np.testing.assert_allclose(gradient, other, atol=2e-6 * max(T, scale * scale))
    np.testing.assert_allclose(loss, other_loss, rtol=1e-5)
    np.testing.assert_allclose(stats.rms, other_stats.rms, atol=1e-5)
    np.testing.assert_allclose(stats.delta, other_stats.delta, atol=1e-6)


@pytest.mark.usefixtures("way")
def test_what_is_not_a_number_shows_in_the_gradient():
    logits = np.zeros((4, 2, K), np.float32)
    logits[1, 0, 2] = np.nan
    labels, counts = padded([[0], [1]], 1)
    steps = jnp.asarray([4, 4], jnp.int32)
    gradient = jax.grad(lambda x: ctc_loss(x, steps, labels, counts, NULL)[0].sum())(
        jnp.asarray(logits)
    )
    assert np.isnan(gradient[:, 0]).any()
    assert np.isfinite(gradient[:, 1]).all()


@pytest.mark.skipif(not jax_calls.usable(), reason="no vectors that multiply and add")
def test_labels_and_counts_out_of_bounds_reach_no_other_memory():
    labels = jnp.asarray([[99, -5], [0, 1]], jnp.int32)
    counts, steps = jnp.asarray([7, -1], jnp.int32), jnp.asarray([50, -3], jnp.int32)
    loss, *_, delta = jax.jit(jax_calls.ctc, static_argnums=4)(
        jnp.zeros((6, 2, K)), steps, labels, counts, NULL
    )
    assert np.isfinite(loss).all()
    np.testing.assert_array_equal(delta[:, 1], 0)
