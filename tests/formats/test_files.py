import os
import stat

import pytest

from lstmjax.errors import FormatError, LstmjaxError
from lstmjax.formats.files import read_bytes, write_atomically


def test_round_trip(tmp_path):
    path = tmp_path / "x.bin"
    write_atomically(path, b"old")
    write_atomically(path, b"new")
    assert read_bytes(path) == b"new"
    assert os.listdir(tmp_path) == ["x.bin"]


def test_missing_file_is_named(tmp_path):
    with pytest.raises(FormatError, match=r"nope\.bin: cannot be read: No such file"):
        read_bytes(tmp_path / "nope.bin")


def test_unwritable_output_is_named(tmp_path):
    with pytest.raises(LstmjaxError, match=r"x\.bin: cannot be written: No such file or directory"):
        write_atomically(tmp_path / "nope" / "x.bin", b"")


def test_permissions_of_an_old_file_stay_and_links_are_followed(tmp_path):
    target = tmp_path / "real"
    target.write_bytes(b"old")
    target.chmod(0o640)
    (tmp_path / "link").symlink_to(target)
    write_atomically(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert target.read_bytes() == b"new"
    assert stat.S_IMODE(target.stat().st_mode) == 0o640


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "x.bin"
    path.write_bytes(b"old")

    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(LstmjaxError, match="No space left"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["x.bin"]


def test_devices_are_written_to_directly():
    write_atomically("/dev/null", b"x")
    assert not os.path.isfile("/dev/null")
