import os

import pytest
from pages import page_samples

from lstmjax.errors import DataError
from lstmjax.pages import Kind, find
from lstmjax.pages.sources import box_path, identify, strip_ending

PAGE_FILE = "<PcGts><Page imageFilename='x.png'/></PcGts>"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def touch(*names: str) -> None:
    for name in names:
        os.makedirs(os.path.dirname(name) or ".", exist_ok=True)
        with open(name, "w") as file:
            file.write(PAGE_FILE if name.endswith(".xml") else "")


@pytest.mark.parametrize(
    ("image", "base"),
    [("a/x.png", "a/x"), ("x.bin.png", "x"), ("x.y.tif", "x.y"), ("x.nrm.png", "x"), ("x", "x")],
)
def test_endings(image, base):
    assert strip_ending(image) == base
    assert box_path(image) == base + ".box"


def test_what_is_beside_an_image_decides():
    touch("a.png", "page/a.xml")
    assert identify("a.png").kind is Kind.XML
    touch("a.gt.txt")
    assert identify("a.png").kind is Kind.GT
    touch("a.box")
    assert identify("a.png").kind is Kind.BOX
    assert identify("a.png", Kind.XML).text == os.path.join("page", "a.xml")
    assert identify("a.png").base == "a"


def test_the_text_can_be_named_instead():
    touch("a.bin.png", "a.gt.txt", "b.tif", "b.box", "c.xml")
    assert identify("a.gt.txt").image == "a.bin.png"
    assert identify("b.box").image == "b.tif"
    assert identify("c.xml").kind is Kind.XML


@pytest.mark.parametrize(
    ("path", "kind", "message"),
    [
        ("none.png", None, "none.png: there is no such file"),
        ("a.png", None, r"a.png: no text for it; looked for a.box, a.gt.txt, a.xml"),
        ("a.png", Kind.BOX, "looked for a.box"),
        ("x.gt.txt", None, "no image beside it; looked for x with an ending"),
        ("x.xml", Kind.GT, "an XML file, but the lines are to be taken from gt"),
    ],
    ids=["missing", "no-text", "no-box", "no-image", "xml"],
)
def test_what_cannot_be_identified(path, kind, message):
    touch("a.png", "x.gt.txt", "x.xml")
    with pytest.raises(DataError, match=message):
        identify(path, kind)


def test_folders_are_searched_in_the_order_of_names():
    touch("d/b.png", "d/b.gt.txt", "d/a/c.png", "d/a/c.box", "d/z.png", "d/e.xml", "d/.hidden.png")
    with open("d/mets.xml", "w") as file:
        file.write("<mets/>")
    found = find(["d"])
    assert [one.path for one in found.inputs] == ["d/b.png", "d/e.xml", "d/a/c.png"]
    assert found.passed_over == 1
    assert found.problems == []
    assert [one.base for one in find(["d"], output_dir="out").inputs] == [
        "out/b", "out/e", "out/a/c",
    ]  # fmt: skip


def test_no_image_of_a_folder_counts_twice():
    touch("d/a.png", "d/a.box", "d/page/a.xml", "d/b.png", "d/page/b.xml", "d/c.png")
    assert [one.text for one in find(["d"]).inputs] == ["d/a.box", "d/page/b.xml"]
    bare = find(["d"], (Kind.XML, Kind.IMAGE))
    assert [one.text for one in bare.inputs] == ["d/c.png", "d/page/a.xml", "d/page/b.xml"]
    assert bare.passed_over == 0


def test_links_between_folders_do_no_harm():
    touch("d/a.png", "d/a.box")
    os.symlink("..", "d/up")
    os.symlink("up", "d/again")
    assert [one.path for one in find(["d"]).inputs] == ["d/a.png"]


def test_lists_name_inputs():
    touch("a.png", "a.gt.txt", "b.png", "b.gt.txt")
    with open("list", "w") as file:
        file.write("a.png\nnone.png\nb.png\n")
    found = find(["list"])
    assert [one.path for one in found.inputs] == ["a.png", "b.png"]
    assert [str(problem) for problem in found.problems] == ["none.png: there is no such file"]


def test_doubles_are_named():
    touch("a.png", "a.tif", "a.box", "b.png", "b.box", "o/b.png", "o/b.box")
    found = find(["a.png", "./a.png", "a.tif", "b.png", "o/b.png"], output_dir="out")
    assert [one.path for one in found.inputs] == ["a.png", "b.png"]
    assert [problem.reason for problem in found.problems] == [
        "given twice (also as a.png)",
        "has the same output as a.png: out/a",
        "has the same output as b.png: out/b",
    ]


@pytest.mark.parametrize("name", ["none", "x.lstmf"])
def test_what_is_neither_is_named(folder, name):
    (folder / "x.lstmf").write_bytes(b"\1\0\0\0\1" + bytes(40))
    found = find([name])
    assert found.inputs == []
    assert found.problems[0].path == name
    assert found.problems[0].whole


def test_samples_are_found(tmp_path):
    name = page_samples.write_line(tmp_path / "x.png")
    assert find([name]).inputs[0].kind is Kind.GT
