"""Kept files come back as they were written, or not at all, with one line about it."""

import os
import subprocess
import sys
import tempfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lstmjax.cache import entries, problems

CONTENT = bytes(range(256)) * 3


@pytest.fixture(autouse=True)
def nothing_said(monkeypatch):
    monkeypatch.setattr(problems, "_said", set())


@pytest.fixture
def kept(tmp_path):
    path = tmp_path / "entry"
    assert entries.write(path, CONTENT)
    return path


def test_content_comes_back(kept, capsys):
    assert entries.read(kept) == CONTENT
    assert entries.write(kept, b"")
    assert entries.read(kept) == b""
    assert entries.read(kept.with_name("other")) is None
    assert capsys.readouterr().err == ""
    assert list(kept.parent.iterdir()) == [kept]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(data=st.data())
def test_no_damage_goes_unnoticed(kept, data):
    entries.write(kept, CONTENT)
    whole = kept.read_bytes()
    at = data.draw(st.integers(0, len(whole) - 1))
    damaged = data.draw(
        st.sampled_from([
            whole[:at],
            whole[:at] + bytes([whole[at] ^ 1 << at % 8]) + whole[at + 1 :],
            whole + b"x",
        ])
    )  # fmt: skip
    kept.write_bytes(damaged)
    assert entries.read(kept) is None
    assert not kept.exists(), "the damaged file is out of the way"


def test_damage_is_said_once(kept, capsys):
    for _ in range(2):
        kept.write_bytes(b"damaged")
        assert entries.read(kept) is None
    assert (
        capsys.readouterr().err == f"Warning: {kept} in the cache is damaged; it is made again.\n"
    )


def test_a_directory_in_the_place_of_a_file_gives_way(kept):
    kept.unlink()
    (kept / "deeper").mkdir(parents=True)
    assert entries.read(kept) is None
    assert entries.write(kept, CONTENT)
    assert entries.read(kept) == CONTENT


def test_a_file_that_may_not_be_read_is_made_again():
    if not hasattr(os, "getuid"):
        pytest.skip("needs POSIX permissions")
    code = """
import os, sys
from pathlib import Path
from lstmjax.cache import entries
path = Path(sys.argv[1], "entry")
path.parent.chmod(0o777)
if os.getuid() == 0:
    os.setuid(65534)  # root may read everything
entries.write(path, b"mine")
path.chmod(0)
print(entries.read(path), entries.write(path, b"new"), entries.read(path))
"""
    with tempfile.TemporaryDirectory() as folder:  # which another user can reach
        done = subprocess.run(
            [sys.executable, "-c", code, folder], capture_output=True, text=True, timeout=60
        )
    assert done.stdout == "None True b'new'\n", done.stderr
    assert done.stderr.count("\n") == 1


def test_what_cannot_be_written_is_said_and_leaves_nothing(tmp_path, monkeypatch, capsys):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    assert not entries.write(tmp_path / "entry", CONTENT)
    assert not list(tmp_path.iterdir())
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "No space left on device" in said
