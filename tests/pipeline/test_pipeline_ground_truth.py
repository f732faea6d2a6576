"""The ground truth found in a folder, and the files that cannot be used."""

import numpy as np
import pytest
from PIL import Image
from pipeline.pipeline_samples import draw, write_document, write_image

from lstmjax.data.listing import read_list
from lstmjax.errors import DataError
from lstmjax.pipeline import ground_truth
from lstmjax.pipeline.ground_truth import find_ground_truth, found_lines
from lstmjax.pipeline.lines import divide
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


def lines(tmp_path, **settings):
    plan = Plan("mine", str(tmp_path / "out"), ground_truth=str(tmp_path / "lines"), **settings)
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


def save_noise(path, seed=0):
    noise = np.random.default_rng(seed).integers(0, 256, (120, 200), dtype=np.uint8)
    Image.fromarray(noise).save(path)


def test_the_lines_of_a_page_are_divided_too(tmp_path):
    folder = tmp_path / "lines"
    folder.mkdir()
    save_noise(folder / "page.png")
    some = "".join(LINE.format(n=n, top=40 * n, end=40 * n + 35) for n in range(3))
    (folder / "page.xml").write_text(PAGE.format(lines=some))
    notes, _ = lines(tmp_path)
    assert notes["counts"] == {"train": 2, "eval": 1}
    texts = (tmp_path / "out" / "all-gt").read_text().splitlines()
    assert sorted(texts) == ["line 0", "line 1", "line 2"]


def test_whole_pages_are_kept_apart_and_the_way_is_told(tmp_path):
    folder = tmp_path / "lines"
    folder.mkdir()
    for page in range(10):
        some = "".join(LINE.format(n=10 * page + n, top=40 * n, end=40 * n + 35) for n in range(2))
        (folder / f"{page}.xml").write_text(
            PAGE.format(lines=some).replace("page.png", f"{page}.png")
        )
        save_noise(folder / f"{page}.png", page)
    notes, said = lines(tmp_path)
    assert notes["counts"] == {"train": 18, "eval": 2}
    assert "18 lines (9 pages or books) for training" in notes["division"][0]
    assert notes["division"][0] in said
    (evaluated,) = read_list(notes["eval"])
    assert not evaluated.endswith(".eval.lstmf")


def test_a_division_from_before_there_was_a_choice_is_kept(tmp_path, monkeypatch):
    """A record without `split_by` counts as done; another choice divides the lines again."""
    for page in range(10):
        for line in range(4):
            write_image(tmp_path / "lines" / f"book_{page}_{line}.png", f"text {page} {line}")
    monkeypatch.setattr(
        ground_truth, "divide", lambda *known, **new: divide(*known, split_by="line")
    )
    before, _ = lines(tmp_path)
    monkeypatch.undo()
    assert lines(tmp_path) == (before, ["== lines: nothing has changed"])
    notes, _ = lines(tmp_path, split_by="page")
    assert "Divided by page" in notes["division"][0]
    assert notes["digest"] != before["digest"]
