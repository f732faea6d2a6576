"""What several test files need: real data, real tools, running commands."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

TOOLS = Path(__file__).parents[1] / "tools"
IN_CI = os.environ.get("CI", "") not in ("", "0", "false")


def testdata(*parts: str) -> Path:
    """The path of a real data file, or a skip that says how to get it."""
    root = os.environ.get("LSTMJAX_TESTDATA")
    if not root:
        pytest.skip("real data not available: set LSTMJAX_TESTDATA (see README, Tests)")
    path = Path(root, *parts)
    if not path.exists():
        pytest.skip(f"real data file missing: {path}")
    return path


testdata.__test__ = False  # the name starts with "test"


def load_tool(name: str) -> ModuleType:
    """Import a script of tools/, such as "bench/growth", with its folder first on the path."""
    path = TOOLS / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"tools_{name.replace('/', '_')}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    sys.path.insert(0, str(path.parent))
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(path.parent))
    return module


def real_tool(name: str) -> str:
    """The path of an installed Tesseract program; required under CI, else a skip without it."""
    path = shutil.which(name)
    if path is None:
        message = f"the real {name} is not installed (Debian: apt-get install tesseract-ocr)"
        if IN_CI:
            pytest.fail(message)
        pytest.skip(message)
    return path


def run_real(name: str, *args: object, **kwargs) -> subprocess.CompletedProcess[str]:
    """Run a real tool with one thread and return its text."""
    env = {**os.environ, "OMP_THREAD_LIMIT": "1", **kwargs.pop("env", {})}
    return subprocess.run(
        [real_tool(name), *map(str, args)],
        env=env, capture_output=True, text=True, errors="replace", timeout=600, **kwargs,
    )  # fmt: skip


def run_lstmjax(*args: object, **kwargs) -> subprocess.CompletedProcess[str]:
    """Run one of our commands in a process of its own, without the strict settings of tests."""
    environ = {**os.environ, **kwargs.pop("env", {})}
    return subprocess.run(
        [sys.executable, "-m", "lstmjax", *map(str, args)],
        env={name: value for name, value in environ.items() if not name.startswith("JAX_NUMPY_")},
        capture_output=True, text=True, timeout=kwargs.pop("timeout", 600), **kwargs,
    )  # fmt: skip
