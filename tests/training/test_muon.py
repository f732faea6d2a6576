"""Orthogonalised steps: what they are, and that they are shared among devices without a change."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from lstmjax.kernels import jax_calls
from lstmjax.netspec.parse import parse
from lstmjax.nn.build import build
from lstmjax.training.fast.muon import orthogonal, orthogonal_by_gate, scale_by_orthogonal_adam


@pytest.mark.parametrize("shape", [(8, 8), (5, 12), (12, 5), (3, 9, 16)])
def test_singular_values_become_nearly_one(shape):
    x = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    found = np.linalg.svd(orthogonal(jnp.asarray(x)), compute_uv=False)
    assert 0.4 < found.min() <= found.max() < 1.6


def test_directions_stay():
    x = np.random.default_rng(1).normal(size=(6, 9)).astype(np.float32)
    u, _, v = np.linalg.svd(x, full_matrices=False)
    turned = u.T @ np.asarray(orthogonal(jnp.asarray(x))) @ v.T
    np.testing.assert_allclose(turned, np.diag(np.diag(turned)), atol=1e-4)


def test_zeros_stay_zeros():
    assert not np.asarray(orthogonal(jnp.zeros((4, 6)))).any()


def network_params():
    root = parse("[1,12,0,1 Ct3,3,4 Mp3,2 Lfys8 Lbx12 O1c10]", 10).root
    params = build(root).init(jax.random.key(0))
    gradients = jax.tree.map(
        lambda leaf: jnp.asarray(np.random.default_rng(2).normal(size=leaf.shape), jnp.float32),
        params,
    )
    return params, gradients


def test_gates_are_matrices_of_their_own_and_biases_are_adams():
    params, gradients = network_params()
    ours, adam = scale_by_orthogonal_adam(0.9, 0.999, 1e-8), optax.scale_by_adam()
    steps, state = jax.jit(ours.update)(gradients, ours.init(params))
    expected, same = adam.update(gradients, adam.init(params))
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5), state, same)
    flat = jax.tree_util.tree_flatten_with_path(steps)[0]
    assert {path[-1].key for path, _ in flat} == {"w", "wx", "wh", "b"}
    adams = dict(jax.tree_util.tree_flatten_with_path(expected)[0])
    for path, step in flat:
        if path[-1].key == "b":
            np.testing.assert_allclose(step, adams[path], rtol=1e-5)
        elif path[-1].key == "wh":
            states = step.shape[0]
            for gate in np.split(np.asarray(step), step.shape[1] // states, axis=1):
                values = np.linalg.svd(gate, compute_uv=False) / (0.4 * states**0.5)
                assert 0.3 < values.min() <= values.max() < 1.6


def test_devices_share_the_work():
    params, gradients = network_params()
    alone, shared = (scale_by_orthogonal_adam(0.9, 0.999, 1e-8, n) for n in (1, 2))
    devices = jax.devices()[:2]
    assert len(devices) == 2, "conftest.py asks for two"
    mesh = jax.sharding.Mesh(np.array(devices), ("lines",))
    same = jax.sharding.PartitionSpec()
    update = jax.shard_map(
        shared.update, mesh=mesh, in_specs=(same, same), out_specs=same, check_vma=False
    )
    one, _ = jax.jit(alone.update)(gradients, alone.init(params))
    two, _ = jax.jit(update)(gradients, shared.init(params))
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-5), one, two)


@pytest.mark.skipif(not jax_calls.usable(), reason="no vectors that multiply and add")
@pytest.mark.parametrize(
    ("rows", "columns", "gates"),
    [(48, 48, 4), (9, 16, 1), (16, 5, 3), (111, 37, 1), (256, 256, 1), (33, 100, 2)],
    ids=str,
)
def test_the_compiled_operation_gives_the_same(rows, columns, gates):
    leaf = np.random.default_rng(rows).normal(size=(rows, gates * columns)).astype(np.float32)
    apart = leaf.reshape(rows, gates, columns).swapaxes(0, 1)
    expected = orthogonal(jnp.asarray(apart))
    found = jax.jit(orthogonal_by_gate, static_argnums=(1, 3))(leaf, gates, jnp.int32(0), gates)
    np.testing.assert_allclose(found, expected, atol=3e-4)
    last = jax.jit(orthogonal_by_gate, static_argnums=(1, 3))(leaf, gates, jnp.int32(gates - 1), 1)
    np.testing.assert_array_equal(last[0], found[-1])


@pytest.mark.skipif(not jax_calls.has_pairs(), reason="no products of floats of 16 bits")
@pytest.mark.parametrize(
    ("rows", "columns", "gates"), [(48, 48, 4), (9, 16, 1), (111, 37, 1), (33, 100, 2)], ids=str
)
def test_factors_of_16_bits_give_nearly_the_same(rows, columns, gates):
    leaf = np.random.default_rng(rows).normal(size=(rows, gates * columns)).astype(np.float32)
    compute = jax.jit(orthogonal_by_gate, static_argnums=(1, 3, 4))
    expected = np.asarray(compute(leaf, gates, jnp.int32(0), gates))
    found = np.asarray(compute(leaf, gates, jnp.int32(0), gates, True))
    assert 0 < np.linalg.norm(found - expected) < 0.12 * np.linalg.norm(expected)
    assert np.linalg.svd(found, compute_uv=False).max() < 1.9


@pytest.mark.skipif(not jax_calls.usable(), reason="no vectors that multiply and add")
def test_the_compiled_operation_leaves_zeros_zeros():
    found = jax.jit(orthogonal_by_gate, static_argnums=(1, 3))(
        jnp.zeros((20, 40)), 2, jnp.int32(0), 2
    )
    assert not np.asarray(found).any()


def test_steps_are_the_same_without_the_compiled_operation(monkeypatch):
    params, gradients = network_params()
    ours = scale_by_orthogonal_adam(0.9, 0.999, 1e-8)
    found, _ = jax.jit(ours.update)(gradients, ours.init(params))
    monkeypatch.setattr(jax_calls, "usable", lambda: False)
    expected, _ = jax.jit(lambda g, s: ours.update(g, s))(gradients, ours.init(params))
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=3e-4), found, expected)
