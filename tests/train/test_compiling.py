"""Short runs get few shapes and code that is there soon."""

import jax
import jax.numpy as jnp
import pytest

from lstmjax.train.compiling import num_buckets, options_for


@pytest.mark.parametrize(
    ("end", "expected"), [(100, 2), (4000, 2), (4001, 4), (100_000, 6), (10**6, 8), (None, 8)]
)
def test_longer_runs_compile_more_shapes(end, expected):
    assert num_buckets(end) == expected


def test_long_runs_get_the_faster_code():
    short, long = options_for(1000, jax.devices()), options_for(None, jax.devices())
    assert short.keys() - long.keys() == {"xla_cpu_use_fusion_emitters"}
    assert options_for(10**6, ()) == long


@pytest.mark.parametrize("end", [1000, None])
def test_options_are_taken_and_change_nothing_but_digits(end):
    def function(x):
        return jnp.tanh(x) @ x

    x = jnp.linspace(-1, 1, 36).reshape(6, 6)
    compiled = jax.jit(function, compiler_options=options_for(end, jax.devices()))
    assert jnp.allclose(compiled(x), function(x), atol=1e-6)


def test_other_devices_keep_their_own_options():
    class Device:
        platform = "gpu"

    assert options_for(1000, (Device(),)) == {}
