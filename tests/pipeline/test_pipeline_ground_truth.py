"""What a folder of ground truth holds, and what cannot be used of it."""

import pytest
from pipeline.pipeline_samples import draw, write_document, write_image

from lstmjax.errors import DataError
from lstmjax.pipeline.ground_truth import find_ground_truth, found_lines
from lstmjax.pipeline.plan import Plan
from lstmjax.pipeline.state import State


def find(folder):
    return find_ground_truth(str(folder), str(folder / "out"))


def test_lines_documents_and_problems_are_told_apart(tmp_path):
    write_image(tmp_path / "a" / "line.png", "some text")
    write_document(tmp_path / "a" / "line.lstmf", ["made from it"])
    write_document(tmp_path / "b" / "page.lstmf", ["of its own"])
    (tmp_path / "b" / "lost.gt.txt").write_text("no image\n")
    draw("untold").save(tmp_path / "b" / "untold.png")
    truth = find(tmp_path)
    assert [one.image for one in truth.found.inputs] == [str(tmp_path / "a" / "line.png")]
    assert truth.documents == (str(tmp_path / "b" / "page.lstmf"),)
    assert [(path, why.split(" ", 1)[0]) for path, why in truth.problems] == [
        (str(tmp_path / "b" / "lost.gt.txt"), "no"), (str(tmp_path), "1"),
    ]  # fmt: skip
    assert set(truth.files) == {
        str(tmp_path / "a" / "line.png"), str(tmp_path / "a" / "line.gt.txt"),
        str(tmp_path / "b" / "page.lstmf"),
    }  # fmt: skip


def test_folders_with_nothing_in_them_are_refused(tmp_path):
    with pytest.raises(DataError, match="no ground truth there; expected line images"):
        find(tmp_path)
    with pytest.raises(DataError, match="no such folder"):
        find(tmp_path / "nowhere")


def plan_for(tmp_path) -> Plan:
    return Plan("mine", str(tmp_path / "out"), ground_truth=str(tmp_path / "lines"))


def lines(tmp_path):
    plan = plan_for(tmp_path)
    (tmp_path / "out").mkdir(exist_ok=True)
    said: list[str] = []
    notes = found_lines(plan, State.load(tmp_path / "out"), said.append)
    return notes, said


def test_all_lines_are_divided_and_described(tmp_path):
    for i in range(9):
        write_image(tmp_path / "lines" / f"{i}.png", f"line {i}")
    write_document(tmp_path / "lines" / "page.lstmf", [f"page {i}" for i in range(11)])
    notes, _ = lines(tmp_path)
    assert notes["counts"] == {"train": 18, "eval": 2}
    texts = (tmp_path / "out" / "all-gt").read_text().splitlines()
    assert sorted(texts) == sorted(
        [f"line {i}" for i in range(9)] + [f"page {i}" for i in range(11)]
    )
    assert notes["problems"] == []


def test_a_bad_line_is_named_and_the_others_are_used(tmp_path):
    for i in range(5):
        write_image(tmp_path / "lines" / f"{i}.png", f"line {i}")
    (tmp_path / "lines" / "3.gt.txt").write_text("")
    (tmp_path / "lines" / "4.png").write_bytes(b"no image")
    notes, _ = lines(tmp_path)
    assert notes["counts"] == {"train": 2, "eval": 1}
    assert sorted(path.rsplit("/", 1)[1] for path, _ in notes["problems"]) == ["3.png", "4.png"]


def test_other_lines_are_found_again(tmp_path):
    for i in range(5):
        write_image(tmp_path / "lines" / f"{i}.png", f"line {i}")
    first, _ = lines(tmp_path)
    assert lines(tmp_path) == (first, ["== lines: nothing has changed"])
    write_image(tmp_path / "lines" / "3.png", "corrected")
    notes, said = lines(tmp_path)
    assert said[0] == "== lines"
    assert notes["digest"] != first["digest"]


def test_when_nothing_can_be_used_the_reasons_are_told(tmp_path):
    write_image(tmp_path / "lines" / "a.png", "text").write_bytes(b"no image")
    with pytest.raises(DataError, match=r"nothing there can be used:\n.*a\.png: "):
        lines(tmp_path)


PAGE = """<?xml version="1.0" encoding="UTF-8"?>
<PcGts xmlns="http://schema.primaresearch.org/PAGE/gts/pagecontent/2019-07-15">
<Page imageFilename="page.png" imageWidth="200" imageHeight="120"><TextRegion id="r">
<Coords points="0,0 199,0 199,119 0,119"/>{lines}</TextRegion></Page></PcGts>
"""
LINE = """<TextLine id="l{n}"><Coords points="0,{top} 199,{top} 199,{end} 0,{end}"/>
<TextEquiv><Unicode>line {n}</Unicode></TextEquiv></TextLine>"""


def test_the_lines_of_a_page_are_divided_too(tmp_path):
    folder = tmp_path / "lines"
    folder.mkdir()
    draw("x" * 22, height=120).resize((200, 120)).save(folder / "page.png")
    some = "".join(LINE.format(n=n, top=40 * n, end=40 * n + 35) for n in range(3))
    (folder / "page.xml").write_text(PAGE.format(lines=some))
    notes, _ = lines(tmp_path)
    assert notes["counts"] == {"train": 2, "eval": 1}
    texts = (tmp_path / "out" / "all-gt").read_text().splitlines()
    assert sorted(texts) == ["line 0", "line 1", "line 2"]
