"""Directories of the cache are the user's own, or there are none; old ones go."""

import os
import time
from pathlib import Path

import pytest

from lstmjax.cache import cache_directory, problems

POSIX = pytest.mark.skipif(not hasattr(os, "getuid"), reason="needs POSIX permissions")


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


def test_what_is_wrong_is_said_in_one_line(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(problems, "_said", set())
    (tmp_path / "lstmjax").write_text("in the way")
    for _ in range(3):
        assert cache_directory("numba", {"XDG_CACHE_HOME": str(tmp_path)}) is None
    said = capsys.readouterr().err
    assert said.startswith(f"Warning: the cache {tmp_path / 'lstmjax'} is not used")
    assert said.count("\n") == 1


def test_only_directories_of_versions_that_nobody_uses_are_removed(tmp_path):
    parent = tmp_path / "lstmjax"
    now = time.time()
    days = {f"code-00000000000{i}": i for i in range(7)} | {
        "numba": 40, "jax": 31, "kernels-123456789abc": 8, "kernels-mine": 99, "index": 99,
    }  # fmt: skip
    for name, age in days.items():
        (parent / name / "deeper").mkdir(parents=True)
        (parent / name / "deeper" / "file").touch()
        os.utime(parent / name, (now - 86400 * age - 60,) * 2)
    (parent / "lstmjax-000000000000").write_text("a file")
    parent.chmod(0o700)
    os.utime(parent / "code-000000000001", (now - 3600,) * 2)
    path = cache_directory("code-abcdefabcdef", {"XDG_CACHE_HOME": str(tmp_path)}, of_version=True)
    assert path is not None
    left = {entry.name for entry in parent.iterdir()}
    kept = {f"code-00000000000{i}" for i in range(3)}
    assert left == kept | {
        "code-abcdefabcdef", "kernels-mine", "index", "lstmjax-000000000000",
    }  # fmt: skip


def test_many_directories_stay_while_they_may_be_in_use(tmp_path):
    names = [f"code-{i:012x}" for i in range(9)]
    for name in names:
        assert cache_directory(name, {"XDG_CACHE_HOME": str(tmp_path)}, of_version=True)
    assert sorted(entry.name for entry in (tmp_path / "lstmjax").iterdir()) == names


def test_a_directory_that_is_used_counts_as_new(tmp_path):
    environ = {"XDG_CACHE_HOME": str(tmp_path)}
    path = cache_directory("code-000000000000", environ, of_version=True)
    os.utime(path, (1, 1))
    cache_directory("code-000000000000", environ, of_version=True)
    assert time.time() - path.stat().st_mtime < 60
