"""Compiled operations are kept per version of their sources, and compiled by one process."""

import subprocess
import sys
import time
from importlib import import_module
from pathlib import Path

import pytest

from lstmjax.cache.code import code_directory
from lstmjax.kernels import ahead
from lstmjax.simd.compile import inner

PACKAGE = Path(ahead.__file__).parents[1]
MODULES = [module for group in ahead.GROUPS for module in group]
pytestmark = pytest.mark.skipif(ahead.fcntl is None, reason="no file locks")


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    found = code_directory()
    assert found is not None
    return found


def test_nothing_is_kept_at_first(place):
    assert not any(ahead.is_kept(module) for module in MODULES)
    (place / "lstm_loops.lstm_forward-0123456789").touch()
    assert ahead.is_kept("lstm_loops")
    assert not ahead.is_kept("orthogonal_loops")


def test_a_second_process_waits_for_the_first(place):
    code = "from lstmjax.kernels.ahead import claimed\nwith claimed('lstm_loops'): print('in')"
    with ahead.claimed("lstm_loops"):
        other = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        time.sleep(0.7)
        assert other.poll() is None
    assert other.communicate(timeout=60)[0] == "in\n"


@pytest.mark.parametrize(("net_spec", "more"), [("Lfx8", []), ("L2xy8", ["lstm2d_loops"])])
def test_a_network_gets_what_its_layers_need(place, monkeypatch, net_spec, more):
    started = []
    monkeypatch.setattr(ahead, "_start_process", started.extend)
    ahead.start(f"[1,32,0,1 S4,2 {net_spec} O1c1]")
    assert started == MODULES + more
    assert place.is_dir()


def test_nothing_is_compiled_ahead_that_no_disk_has_room_for(place, monkeypatch):
    started = []
    monkeypatch.setattr(ahead, "_start_process", started.extend)
    monkeypatch.setattr(ahead, "_LEAST_ROOM", 1 << 62)
    ahead.start()
    assert not started


def test_a_damaged_lock_lets_everybody_compile(place):
    (place / ".lstm_loops.lock").mkdir()
    with ahead.claimed("lstm_loops"), ahead.claimed("lstm_loops"):
        pass


def test_what_is_compiled_ahead_is_found(place):
    ahead.start()
    deadline = time.monotonic() + 120
    while not all(map(ahead.is_kept, MODULES)) and time.monotonic() < deadline:
        time.sleep(0.1)
    for module in MODULES:
        with ahead.claimed(module):
            assert ahead.is_kept(module)
    number = {path.name: path.stat().st_mtime_ns for path in place.iterdir()}
    imports = [f"import {ahead.PACKAGE}.{module}" for module in MODULES]
    subprocess.run([sys.executable, "-c", "; ".join(imports)], check=True, timeout=60)
    after = {path.name: path.stat().st_mtime_ns for path in place.iterdir()}
    assert after == number, "nothing was compiled again"


def test_code_that_differs_has_names_that_differ():
    named = {}
    for folder in ("simd", "kernels", "infer/host", "exact"):
        paths = sorted((PACKAGE / folder).glob("*.py"))
        assert paths
        for path in paths:
            module = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
            for value in vars(import_module(module)).values():
                function = getattr(value, "py_func", None)
                if function is not None:
                    assert "<locals>" not in function.__qualname__, path
                    name = (function.__module__, function.__qualname__)
                    assert named.setdefault(name, function) is function, name
    assert len(named) > 100
    with pytest.raises(ValueError, match="needs a __qualname__"):
        inner(lambda x: x)
