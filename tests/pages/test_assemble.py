import os

import pytest
from pages import page_samples
from PIL import Image

from lstmjax.errors import LstmjaxError
from lstmjax.formats import lstmf
from lstmjax.pages import assemble, lines_of


def test_documents_are_in_the_order_of_their_name(tmp_path):
    name = page_samples.write_page(tmp_path / "page.png")
    lines = list(lines_of(name))
    orders = {
        tuple(page.transcription for page in assemble.document(lines, f"x{i}.lstmf"))
        for i in range(9)
    }
    assert len(orders) == 2
    (entry, _) = assemble.document(lines, "x")
    assert (entry.name, entry.page_number, entry.language) == ("", 0, "")


def test_entries_of_earlier_pages_are_named(tmp_path):
    page = Image.fromarray(page_samples.grey())
    name = page_samples.write_page(
        tmp_path / "x.tif",
        page_samples.BOXES + page_samples.NEXT_BOXES,
        save_all=True,
        append_images=[page],
    )
    pages = assemble.document(lines_of(name), "x.lstmf")
    assert sorted((page.name, page.page_number) for page in pages) == [
        ("", 1), ("", 1), ("x.lstmf", 0), ("x.lstmf", 1),
    ]  # fmt: skip


def test_a_stream_gives_the_file_of_the_document(tmp_path):
    lines = list(lines_of(page_samples.write_page(tmp_path / "page.png")))
    path = str(tmp_path / "x.lstmf")
    assert assemble.write_stream(map(assemble.record, lines), path) == 2
    assert (tmp_path / "x.lstmf").read_bytes() == lstmf.pack(assemble.document(lines, path))


def test_no_records_leave_the_old_file(tmp_path):
    (tmp_path / "x.lstmf").write_text("old")
    assert assemble.write_stream([], tmp_path / "x.lstmf") == 0
    assert (tmp_path / "x.lstmf").read_text() == "old"
    assert os.listdir(tmp_path) == ["x.lstmf"]


def test_a_failure_half_way_leaves_nothing(tmp_path):
    def records():
        yield b"abc"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        assemble.write_stream(records(), tmp_path / "x.lstmf")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("write", [assemble.write_stream, assemble.save])
def test_places_that_cannot_be_written_are_named(tmp_path, write):
    path = str(tmp_path / "no" / "x.lstmf")
    with pytest.raises(LstmjaxError, match=r"no/x\.lstmf: cannot be written: No such file"):
        assemble.write_stream([b"x"], path) if write is assemble.write_stream else write((), path)
