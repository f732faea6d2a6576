"""The index of lines: complete, small, and undisturbed by broken documents."""

import tracemalloc

import helpers
import numpy as np
import pytest
from data.documents import page, png, save

from lstmjax.data import lines
from lstmjax.data.decode import decode
from lstmjax.data.lines import build_index
from lstmjax.data.order import round_robin, sequential
from lstmjax.errors import DataError
from lstmjax.formats import lstmf


def test_lines_of_several_documents_are_numbered_through(tmp_path):
    first = save(tmp_path / "a.lstmf", page("one", png(70, 30), 2, "scan.tif", 7), page("twö"))
    second = save(tmp_path / "b.lstmf", page("three"))
    index = build_index([first, second])
    assert len(index) == 3
    assert [line.text for line in index] == ["one", "twö", "three"]
    assert [line.page for line in index] == [0, 1, 0]
    assert [line.path for line in index] == [first, first, second]
    line = index[0]
    assert (line.width, line.height, line.has_boxes, line.two_valued) == (70, 30, True, False)
    assert (line.name, line.page_number) == ("scan.tif", 7)
    assert index[1].name == first
    assert not index[1].has_boxes
    assert index.pages.tolist() == [2, 1]


@pytest.mark.parametrize("order", [round_robin, sequential])
def test_orders_lead_to_line_numbers(tmp_path, order):
    paths = [
        save(tmp_path / f"{texts}.lstmf", *[page(text) for text in texts])
        for texts in ("abc", "defgh", "i")
    ]
    index = build_index(paths)
    numbers = index.number(*order(np.arange(12), index.pages))
    expected = {"round_robin": "adibeicfiagi", "sequential": "abcdefiiiabc"}[order.__name__]
    assert "".join(index.text(number) for number in numbers) == expected


def test_images_are_read_back(tmp_path):
    images = [png(50 + i, 30, i) for i in range(3)]
    index = build_index([save(tmp_path / "a.lstmf", *[page("x", image) for image in images])])
    assert [index.image(i) for i in range(3)] == images


def test_images_of_other_kinds_are_measured(tmp_path):
    tiff = png(33, 22, two_valued=True, kind="TIFF")
    path = save(tmp_path / "a.lstmf", page("x", tiff), page("y", b"junk"), page("z", b""))
    index = build_index([path])
    assert index.sizes.tolist() == [[33, 22], [0, 0], [0, 0]]
    assert index.columns.two_valued.tolist() == [True, False, False]


@pytest.mark.parametrize(
    ("image", "text", "kind"),
    [
        ("x.png", "x.gt.txt", "PNG"),
        ("x.bin.png", "x.gt.txt", "PNG"),
        ("x.nrm.png", "x.gt.txt", "PNG"),
        ("a.b.tif", "a.b.gt.txt", "TIFF"),
        ("x.JPG", "x.gt.txt", "JPEG"),
        ("x.pgm", "x.gt.txt", "PPM"),
    ],
)
def test_images_with_a_text_beside_are_documents(tmp_path, image, text, kind):
    data = png(80, 25, kind=kind)
    (tmp_path / image).write_bytes(data)
    (tmp_path / text).write_bytes("\ufeffüber alles \r\nsecond line\n".encode())
    index = build_index([str(tmp_path / image)])
    line = index[0]
    assert (line.text, line.width, line.height) == ("über alles", 80, 25)
    assert not line.has_boxes
    assert index.image(0) == data
    assert decode(index.image(0)).shape == (25, 80)


def test_bytes_that_are_not_utf8_survive(tmp_path):
    path = tmp_path / "x.png"
    path.write_bytes(png())
    (tmp_path / "x.gt.txt").write_bytes(b"caf\xe9")
    assert build_index([str(path)]).text(0) == "caf\udce9"


def test_broken_documents_are_left_out_by_name(tmp_path):
    good = save(tmp_path / "good.lstmf", page("x"))
    (tmp_path / "empty.lstmf").touch()
    (tmp_path / "junk.lstmf").write_bytes(b"\x05\0\0\0junk")
    (tmp_path / "untold.png").write_bytes(png())
    names = ["none.lstmf", "empty.lstmf", "junk.lstmf", "untold.png", "none.png"]
    index = build_index([str(tmp_path / name) for name in names] + [good])
    assert [document.path for document in index.documents] == [good]
    reasons = dict(index.unusable)
    assert list(reasons) == [str(tmp_path / name) for name in names]
    expected = ["No such file", "empty", "page", "untold.gt.txt cannot be read", "No such file"]
    for reason, part in zip(reasons.values(), expected, strict=True):
        assert part in reason
        assert not reason.startswith(str(tmp_path))


def test_a_damaged_document_keeps_the_lines_before_the_damage(tmp_path):
    whole = lstmf.pack((page("one"), page("two"), page("three")))
    path = tmp_path / "cut.lstmf"
    path.write_bytes(whole[:-20])
    index = build_index([str(path)])
    assert [line.text for line in index] == ["one", "two"]
    assert "page 3 of 3" in (index.documents[0].problem or "")


def test_nothing_usable_is_an_error_with_the_reasons(tmp_path):
    paths = [str(tmp_path / f"{i}.lstmf") for i in range(7)]
    with pytest.raises(DataError) as raised:
        build_index(paths)
    lines = str(raised.value).splitlines()
    assert lines[0] == "none of 7 documents can be used:"
    assert len(lines) == 7
    assert lines[-1].strip() == "and 2 more"
    with pytest.raises(DataError, match="no documents"):
        build_index([])


def test_a_file_that_shrinks_later_is_reported(tmp_path):
    path = save(tmp_path / "a.lstmf", page("x"), page("y"))
    index = build_index([path])
    (tmp_path / "a.lstmf").write_bytes(b"\1\0\0\0")
    with pytest.raises(DataError, match="changed during the run"):
        index.image(1)


@pytest.mark.parametrize("number", [-1, 1])
def test_other_numbers_are_refused(tmp_path, number):
    index = build_index([save(tmp_path / "a.lstmf", page("x"))])
    with pytest.raises(IndexError):
        index[number]


def test_large_data_is_indexed_alike(tmp_path, monkeypatch):
    """Documents read by the compiled loop, with some among them that it leaves alone."""
    (tmp_path / "empty.lstmf").touch()
    (tmp_path / "cut.lstmf").write_bytes(lstmf.pack((page("one"), page("two")))[:-20])
    (tmp_path / "p.png").write_bytes(png())
    (tmp_path / "p.gt.txt").write_text("pair")
    tiff = png(33, 22, two_valued=True, kind="TIFF")
    huge = bytearray(png())
    huge[16:20] = b"\xff\xff\xff\xff"
    pages = [page("x", tiff, number=-1), page("caf\udce9", b"junk", 3, "scan.tif", 7)]
    pages += [page("", b""), page("y", png(two_valued=True)), page("z", bytes(huge))]
    whole = save(tmp_path / "whole.lstmf", *pages)
    names = ["none.lstmf", "empty.lstmf", "cut.lstmf", "p.png", "whole.lstmf"]
    paths = [str(tmp_path / name) for name in names] + [whole]

    def facts(index):
        return list(index), index.documents, index.unusable, index.columns.places.tolist()

    slow = facts(build_index(paths))
    monkeypatch.setattr(lines, "_MANY_BYTES", 0)
    assert facts(build_index(paths)) == slow
    assert len(slow[0]) == 12


def test_the_index_is_small(tmp_path):
    path = save(tmp_path / "a.lstmf", *[page("twenty characters ..") for _ in range(2000)])
    tracemalloc.start()
    try:
        index = build_index([path] * 5)
        held = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert held < 120 * len(index)


def test_the_real_document_is_indexed():
    index = build_index([str(helpers.testdata("tesseract-test", "eng.Arial.exp0.lstmf"))])
    assert len(index) == 1036
    line = index[0]
    assert (line.text, line.width, line.height) == ("below Purchase BREAKS", 574, 48)
    assert (line.page_number, line.has_boxes) == (590, True)
    assert len(index.image(0)) == 1608
