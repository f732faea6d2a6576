"""Loops are compiled when they are needed, and what is compiled is kept in one place only."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from lstmjax.simd.compile import compiled, float_kernel, kernel

PACKAGE = Path(__file__).parents[1] / "lstmjax"
NORMALISE = """
import numpy as np
from lstmjax.ctc.targets import normalise_probs
print(float(normalise_probs(np.ones((1, 4), np.float32))[0, 0]))
"""
PLAIN_LOOPS = """
import numpy as np

FACTOR = 3

def total(x):
    sum = 0.0
    for each in x:
        sum += _times(each)
    return sum

def _times(each):
    return np.float64(each) * FACTOR
"""


def run(code, **environ):
    env = {k: v for k, v in os.environ.items() if not k.startswith("NUMBA_")} | environ
    result = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=300
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


@kernel
def strict_reciprocal(x):
    return 1.0 / x


@float_kernel
def reciprocal(x):
    return 1.0 / x


def test_division_by_zero_is_that_of_python_or_of_floats():
    with pytest.raises(ZeroDivisionError):
        strict_reciprocal(0.0)
    assert reciprocal(0.0) == np.inf


@pytest.fixture
def plain_loops(tmp_path, monkeypatch):
    """The name of a module of plain functions."""
    (tmp_path / "plain_loops.py").write_text(PLAIN_LOOPS)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    yield "plain_loops"
    del sys.modules["plain_loops"]


def test_all_functions_of_a_module_are_compiled_once_whoever_asks(plain_loops):
    found = []
    threads = [threading.Thread(target=lambda: found.append(compiled(plain_loops).total))
               for _ in range(8)]  # fmt: skip
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(map(id, found))) == 1
    assert found[0](np.arange(4.0)) == 18
    assert found[0].nopython_signatures
    loops = compiled(plain_loops)
    assert (loops.total, loops.FACTOR, loops.np) == (found[0], 3, np)
    assert loops._times.nopython_signatures


def test_compiled_code_goes_to_the_cache_only(tmp_path):
    before = set(PACKAGE.rglob("*.nb[ci]"))
    assert run(NORMALISE, XDG_CACHE_HOME=str(tmp_path)) == "0.25"
    assert list((tmp_path / "lstmjax").glob("code-*/_target_kernels.normalise_rows-*"))
    assert set(PACKAGE.rglob("*.nb[ci]")) == before


def test_loops_work_without_a_cache(tmp_path):
    (tmp_path / "lstmjax").write_text("in the way")
    before = set(PACKAGE.rglob("*.nb[ci]"))
    assert run(NORMALISE, XDG_CACHE_HOME=str(tmp_path)) == "0.25"
    assert set(PACKAGE.rglob("*.nb[ci]")) == before


def test_a_users_own_directory_is_respected(tmp_path):
    assert run(NORMALISE, NUMBA_CACHE_DIR=str(tmp_path)) == "0.25"
    assert list(tmp_path.glob("lstmjax-*/_target_kernels.normalise_rows-*"))


CELLS = """
import numpy as np
from lstmjax.exact import layers, tables
print(float(tables.tanh(np.float32(0.5))), layers.__file__)
"""


@pytest.mark.parametrize("module", ["simd.compile", "ctc.best_path", "ctc.error_rates"])
def test_light_modules_import_neither_numba_nor_jax(module):
    code = f"import sys, lstmjax.{module}; print('numba' in sys.modules, 'jax' in sys.modules)"
    assert run(code) == "False False"
