"""Lines to look at."""

from pathlib import Path

import pytest

from lstmjax.data.samples import documents, read_lines
from lstmjax.errors import DataError

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_list_file():
    lines = read_lines(EXAMPLES / "eval.list")
    assert len(lines) == len(lines.texts) == 60
    assert lines[-1].text == lines.texts[-1]
    assert lines[59].page == 59
    assert [line.text for line in lines[:3]] == lines.texts[:3]
    assert 36 <= lines[0].image.height <= 48
    with pytest.raises(IndexError):
        lines[60]


@pytest.mark.parametrize("count", [1, 2])
def test_documents_by_their_paths(count):
    paths = [EXAMPLES / "samples" / f"sample-{i + 1}.png" for i in range(count)]
    lines = read_lines(paths if count > 1 else paths[0])
    assert len(lines) == count
    assert lines.texts[0] == (EXAMPLES / "samples" / "sample-1.gt.txt").read_text().strip()


def test_two_valued_image_is_shown_in_grey(tmp_path):
    from PIL import Image

    Image.new("1", (30, 20), 1).save(tmp_path / "x.png")
    (tmp_path / "x.gt.txt").write_text("x")
    image = read_lines(tmp_path / "x.png")[0].image
    assert (image.mode, image.getpixel((3, 3))) == ("L", 255)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a.list", "a.list"),
        ("a.LSTMF", ("a.LSTMF",)),
        (Path("b.png"), ("b.png",)),
        ([Path("a"), "b"], ("a", "b")),
        ("list.txt", "list.txt"),
    ],
)
def test_kinds_of_sources(source, expected):
    assert documents(source) == expected


def test_nothing_usable():
    with pytest.raises(DataError, match="none of 1 documents"):
        read_lines(["nowhere.png"])
