"""Short runs get few shapes; what compiling used is given back."""

import platform
import re
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lstmjax.training import compiling
from lstmjax.training.compiling import (
    call_once,
    give_back_memory,
    has_option,
    num_buckets,
    options_for,
    padding_for,
)


@pytest.mark.parametrize(
    ("end", "expected"), [(100, 2), (4000, 2), (4001, 4), (100_000, 6), (10**6, 8), (None, 8)]
)
def test_longer_runs_compile_more_shapes(end, expected):
    assert num_buckets(end) == expected


class Gpu:
    platform = "gpu"


def test_where_padding_costs_little_more_of_it_is_taken():
    assert padding_for((Gpu(),)) == 0
    assert padding_for(jax.devices("cpu")) == padding_for(()) > 0


def test_options_are_taken_and_change_nothing_but_digits():
    def function(x):
        return jnp.tanh(x) @ x

    x = jnp.linspace(-1, 1, 36).reshape(6, 6)
    compiled = jax.jit(function, compiler_options=options_for(jax.devices()))
    assert jnp.allclose(compiled(x), function(x), atol=1e-6)


def test_other_devices_keep_their_own_options():
    assert options_for((Gpu(),)) == {}


def test_results_of_a_call_have_memory_of_their_own():
    first, second, total = call_once(lambda x: (x * 0, x * 0, x + 1), jnp.ones(5))
    first += 3
    np.testing.assert_array_equal(second, 0)
    np.testing.assert_array_equal(total, 2)


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


@pytest.fixture
def compiler_has(monkeypatch):
    """Let the compiler have options of these names only."""

    def install(*names):
        monkeypatch.setattr(compiling, "has_option", lambda name, value: name in names)

    return install


GENERATOR = "xla_cpu_use_fusion_emitters"


def test_only_long_formulas_are_worth_the_newer_code_generator(compiler_has):
    compiler_has("xla_backend_optimization_level", GENERATOR)
    cpu = jax.devices("cpu")
    newer = [options_for(cpu, elementwise=how)[GENERATOR] for how in (False, True)]
    assert newer == [False, True]


def test_options_are_asked_of_the_compiler():
    assert has_option("xla_backend_optimization_level", 1)
    assert not has_option("xla_backend_optimization_level", "much")
    assert not has_option("xla_of_another_year", 1)


def test_an_option_that_the_compiler_lacks_is_left_out(compiler_has):
    compiler_has("xla_backend_optimization_level")
    assert options_for(()) == {"xla_backend_optimization_level": 1}
    compiler_has()
    assert options_for((), elementwise=True) == {}
    assert call_once(lambda x: x + 1, jnp.ones(2)).tolist() == [2, 2]


def test_no_program_is_compiled_with_an_option_that_is_not_there():
    options = {"xla_of_another_year": True, "xla_backend_optimization_level": 0}
    kept = compiling.available(options)
    assert kept == {"xla_backend_optimization_level": 0}
    assert jax.jit(lambda x: x + 1, compiler_options=kept)(1) == 2


def test_options_are_named_where_they_are_asked_for():
    root = Path(compiling.__file__).parents[2]
    folders = [root / name for name in ("lstmjax", "tools", "experiments")]
    files = [path for folder in folders for path in folder.rglob("*.py")]
    assert [path.name for path in files if re.search(r"[\"']xla_", path.read_text())] == [
        "compiling.py"
    ]
