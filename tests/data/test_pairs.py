"""Images with a text beside them."""

import pytest
from data.documents import png

from lstmjax.data import pairs
from lstmjax.data.pairs import Header
from lstmjax.errors import DataError


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a/b.png", "a/b.gt.txt"),
        ("b.TIF", "b.gt.txt"),
        ("b.bin.png", "b.gt.txt"),
        ("b.nrm.PNG", "b.gt.txt"),
        ("b.c.png", "b.c.gt.txt"),
        ("b.bin.tif", "b.bin.gt.txt"),
    ],
)
def test_the_text_of_an_image(path, text):
    assert pairs.is_image_name(path)
    assert pairs.text_path(path) == text


@pytest.mark.parametrize("path", ["a.lstmf", "a.png.txt", "png", "a.gif"])
def test_other_files_are_no_images(path):
    assert not pairs.is_image_name(path)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"one line\n", "one line"),
        (b"\xef\xbb\xbf first \r\nsecond\n", "first"),
        (b"", ""),
        (b"a\xff", "a\udcff"),
    ],
)
def test_the_first_line_counts(tmp_path, content, text):
    (tmp_path / "x.png").write_bytes(png(30, 20))
    (tmp_path / "x.gt.txt").write_bytes(content)
    assert pairs.scan(str(tmp_path / "x.png")) == (Header(30, 20, False), text)


@pytest.mark.parametrize("kind", ["PNG", "PPM", "TIFF", "JPEG"])
def test_headers_of_all_kinds(kind):
    assert pairs.read_header(png(31, 21, kind=kind)) == Header(31, 21, False)


def test_headers_of_two_valued_images():
    image = png(30, 20, two_valued=True)
    assert pairs.read_header(image) == Header(30, 20, True)
    assert pairs.png_header(30, 20, 1, 0) == Header(30, 20, True)
    assert pairs.png_header(30, 20, 1, 3) == Header(30, 20, False)  # a palette of two colours


def test_headers_that_cannot_be():
    assert pairs.read_header(b"no image") == Header(0, 0, False)
    assert pairs.png_header(0, 0, 0, -1) is None
    assert pairs.png_header(1 << 31, 5, 8, 0) == Header(0, 0, False)


def test_missing_files_are_named(tmp_path):
    path = str(tmp_path / "x.png")
    with pytest.raises(DataError, match="cannot be read"):
        pairs.scan(path)
    (tmp_path / "x.png").write_bytes(png())
    with pytest.raises(DataError, match=r"its text .*x\.gt\.txt cannot be read"):
        pairs.scan(path)
    with pytest.raises(DataError, match=r"y\.png: cannot be read"):
        pairs.read_image(str(tmp_path / "y.png"))


def test_files_larger_than_any_line_are_refused(tmp_path, monkeypatch):
    (tmp_path / "x.png").write_bytes(b"0123456789")
    monkeypatch.setattr(pairs, "_MAX_IMAGE_BYTES", 9)
    with pytest.raises(DataError, match="is it a line image"):
        pairs.read_image(str(tmp_path / "x.png"))
