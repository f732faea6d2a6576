"""List files, as users really have them."""

import pytest

from lstmjax.data.listing import read_list
from lstmjax.errors import DataError


def written(tmp_path, data, name="train.list"):
    path = tmp_path / name
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    "data",
    [
        b"/a b.lstmf\n/c.png\n",
        b"/a b.lstmf\r\n/c.png",
        b"\xef\xbb\xbf\n/a b.lstmf\n \n\n/c.png\n\n",
    ],
    ids=["plain", "CRLF", "signature and empty lines"],
)
def test_paths_are_read(tmp_path, data):
    assert read_list(written(tmp_path, data)) == ["/a b.lstmf", "/c.png"]


def test_relative_paths_may_lie_beside_the_list(tmp_path, monkeypatch):
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / "beside.lstmf").touch()
    (tmp_path / "here.lstmf").touch()
    path = tmp_path / "lists" / "train.list"
    path.write_text("beside.lstmf\nhere.lstmf\nnowhere.lstmf\n")
    monkeypatch.chdir(tmp_path)
    assert read_list("lists/train.list") == ["lists/beside.lstmf", "here.lstmf", "nowhere.lstmf"]


def test_names_need_not_be_utf8(tmp_path):
    assert read_list(written(tmp_path, b"/caf\xe9.lstmf\n")) == ["/caf\udce9.lstmf"]


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("a.lstmf", b"\x0c\x04\0\0\x01\x2c\0\0\0", "this is an lstmf file, not a list of files"),
        ("a.list", b"\x0c\x04\0\0\x01\x2c\0\0\0", "this is an lstmf file, not a list of files"),
        ("a.png", b"\x89PNG\r\n\x1a\n\0\0", "this is an image, not a list"),
        ("a", b"\x7fELF\x02\x01\x01" + bytes(99), "this is a binary file, not a list"),
        ("a", "/x.lstmf\n".encode("utf-16"), "UTF-16; save it as UTF-8"),
        ("a", b"", "names no files"),
        ("a", b"\xef\xbb\xbf\r\n \n", "names no files"),
    ],
    ids=["lstmf", "lstmf by content", "image", "binary", "UTF-16", "empty", "blank"],
)
def test_other_files_are_refused(tmp_path, name, data, reason):
    path = written(tmp_path, data, name)
    with pytest.raises(DataError, match=reason) as raised:
        read_list(path)
    assert str(raised.value).startswith(str(path))


def test_a_missing_list_and_a_folder_are_refused(tmp_path):
    with pytest.raises(DataError, match="No such file"):
        read_list(tmp_path / "none")
    with pytest.raises(DataError, match="folder, not a list"):
        read_list(tmp_path)
