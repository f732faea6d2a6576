"""The directory of compiled code is the user's own, or there is none."""

import os
from pathlib import Path

import pytest

from lstmjax.cache import cache_directory

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
