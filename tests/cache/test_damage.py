"""Damaged machine code is compiled again; `tools/checks/caches.py` does more of this."""

import os
import pickle
import random

import pytest

from lstmjax.cache import problems
from lstmjax.cache.code import code_directory
from lstmjax.simd.compile import kernel


def _halved(x):
    return x / 2


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.setattr(problems, "_said", set())
    return code_directory()


def run():
    """Whether the function was found in the cache; as in a new process."""
    made = kernel(_halved)
    assert made(5.0) == 2.5
    return sum(made.stats.cache_hits.values()) == 1


def flip(data, draw):
    at = draw.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1 << draw.randrange(8)]) + data[at + 1 :]


DAMAGES = {
    "flipped": flip,
    "cut": lambda data, draw: data[: draw.randrange(len(data))],
    "emptied": lambda data, draw: b"",
    "zeros": lambda data, draw: data[:200] + bytes(len(data) - 200),
    "of another format": lambda data, draw: pickle.dumps(("0.60", {})),
}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_code_is_named_once_and_compiled_again(folder, capsys, damage, seed):
    assert not run()
    assert run()
    (path,) = folder.iterdir()
    path.write_bytes(DAMAGES[damage](path.read_bytes(), random.Random(seed)))
    assert not run()
    assert (
        capsys.readouterr().err == f"Warning: {path} in the cache is damaged; it is made again.\n"
    )
    assert run(), "it was mended"


def test_a_directory_or_a_link_in_the_place_of_code_gives_way(folder, capsys):
    run()
    (path,) = folder.iterdir()
    path.unlink()
    path.mkdir()
    assert not run()
    assert run()
    path.unlink()
    path.symlink_to("nowhere")
    assert not run()
    assert run()
    assert capsys.readouterr().err.count("\n") == 1


def _doubled(x):
    return x * 2


def test_whole_code_of_another_function_is_not_taken(folder):
    run()
    (mine,) = folder.iterdir()
    assert kernel(_doubled)(5.0) == 10
    (other,) = set(folder.iterdir()) - {mine}
    os.replace(other, mine)
    assert not run()
    assert run()


def test_a_full_disk_costs_time_only(folder, monkeypatch, capsys):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    assert not run()
    assert not run()
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "No space left on device" in said
    assert not list(folder.iterdir())
