"""Short runs get few shapes and code that is there soon; what compiling used is given back."""

import platform
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lstmjax.train.compiling import give_back_memory, num_buckets, options_for


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


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc keeps freed memory")
def test_freed_memory_is_given_back():
    def resident() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

    blocks = [np.ones(12_000) for _ in range(1000)]  # 96 kB each: too small to be mapped apart
    last = blocks[-1]
    del blocks
    before = resident()
    give_back_memory()
    assert resident() < before - 50e6
    assert last.sum() == 12_000
