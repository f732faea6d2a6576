"""Where compiled code is kept, and that it is never kept elsewhere."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lstmjax.cache import cache_directory

PACKAGE = Path(__file__).parents[2] / "lstmjax"
NORMALISE = """
import numpy as np
from lstmjax.ctc.targets import normalise_probs
print(float(normalise_probs(np.ones((1, 4), np.float32))[0, 0]))
"""
POSIX = pytest.mark.skipif(not hasattr(os, "getuid"), reason="needs POSIX permissions")


def run(code, **environ):
    env = {k: v for k, v in os.environ.items() if not k.startswith("NUMBA_")} | environ
    result = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=300
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


def test_directory_is_private_and_follows_xdg(tmp_path):
    path = cache_directory("numba", {"XDG_CACHE_HOME": str(tmp_path)})
    assert path == tmp_path / "lstmjax" / "numba"
    assert path.stat().st_mode & 0o777 == 0o700 or os.name == "nt"


def test_home_is_used_without_xdg(tmp_path, monkeypatch):
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    expected = tmp_path / ".cache" / "lstmjax" / "numba"
    assert cache_directory("numba", {}) == expected
    assert cache_directory("numba", {"XDG_CACHE_HOME": "not/absolute"}) == expected


@POSIX
def test_directory_that_others_may_write_is_not_used(tmp_path):
    cache_directory("numba", {"XDG_CACHE_HOME": str(tmp_path)})
    (tmp_path / "lstmjax" / "numba").chmod(0o777)
    assert cache_directory("numba", {"XDG_CACHE_HOME": str(tmp_path)}) is None


def test_directory_that_cannot_be_made_is_not_used(tmp_path):
    (tmp_path / "lstmjax").write_text("in the way")
    assert cache_directory("numba", {"XDG_CACHE_HOME": str(tmp_path)}) is None


def test_compiled_code_goes_to_the_cache_only(tmp_path):
    before = set(PACKAGE.rglob("*.nb[ci]"))
    assert run(NORMALISE, XDG_CACHE_HOME=str(tmp_path)) == "0.25"
    assert list((tmp_path / "lstmjax" / "numba").rglob("*_normalise_rows*.nbi"))
    assert set(PACKAGE.rglob("*.nb[ci]")) == before


def test_loops_work_without_a_cache(tmp_path):
    (tmp_path / "lstmjax").write_text("in the way")
    before = set(PACKAGE.rglob("*.nb[ci]"))
    assert run(NORMALISE, XDG_CACHE_HOME=str(tmp_path)) == "0.25"
    assert set(PACKAGE.rglob("*.nb[ci]")) == before


def test_numba_is_left_as_it_was():
    code = "import numba.core.config as c; was = c.CACHE_DIR; import lstmjax.ctc.targets\n"
    assert run(code + "print(was == c.CACHE_DIR)") == "True"


@pytest.mark.parametrize("module", ["best_path", "error_rates"])
def test_light_modules_import_neither_numba_nor_jax(module):
    code = f"import sys, lstmjax.ctc.{module}; print('numba' in sys.modules, 'jax' in sys.modules)"
    assert run(code) == "False False"
