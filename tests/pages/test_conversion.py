import os

import pytest
from pages import page_samples

from lstmjax.errors import LstmjaxError
from lstmjax.formats import lstmf
from lstmjax.pages import conversion, convert, find
from lstmjax.pages.conversion import FEW


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "d").mkdir()
    for i in range(FEW + 6):
        page_samples.write_line(tmp_path / "d" / f"{i:03}.png", f"line {i}", seed=i)
    (tmp_path / "d" / "040.png").write_bytes(b"broken")
    return tmp_path


def test_the_number_of_workers_changes_nothing(folder):
    inputs = find(["d"]).inputs
    seen = []
    first = convert(inputs, "a.lstmf", workers=1, on_done=lambda one: seen.append(one.path))
    alone = (folder / "a.lstmf").read_bytes()
    (folder / "a.lstmf").unlink()
    second = convert(inputs, "a.lstmf", workers=2)
    assert (folder / "a.lstmf").read_bytes() == alone
    assert first == second
    assert (first.inputs, first.failed, first.lines, first.problems) == (70, 1, 69, 1)
    assert seen == [one.path for one in inputs]
    assert len(lstmf.load("a.lstmf")) == 69
    assert sorted(os.listdir(folder)) == ["a.lstmf", "d"]


def test_one_file_for_each_input(folder):
    outcomes = []
    convert(find(["d"], output_dir="out").inputs[38:43], on_done=outcomes.append)
    assert sorted(os.listdir(folder / "out")) == [
        "038.lstmf", "039.lstmf", "041.lstmf", "042.lstmf",
    ]  # fmt: skip
    assert [outcome.failed for outcome in outcomes] == [False, False, True, False, False]
    problem = outcomes[2].problems[0]
    assert problem.whole
    assert str(problem).startswith("d/040.png: not an image")
    assert lstmf.load("out/038.lstmf")[0].transcription == "line 38"


def test_no_lines_give_no_file(folder):
    (folder / "d" / "000.gt.txt").write_text("")
    summary = convert(find(["d/000.png"]).inputs, "a.lstmf")
    assert (summary.lines, summary.failed) == (0, 1)
    assert not (folder / "a.lstmf").exists()


def test_an_input_without_usable_lines_fails(tmp_path):
    name = page_samples.write_page(tmp_path / "x.png", "x 900 0 990 9 0\n")
    outcomes = []
    convert(find([name]).inputs, on_done=outcomes.append)
    assert [problem.whole for problem in outcomes[0].problems] == [False, True]
    assert not (tmp_path / "x.lstmf").exists()


def test_a_place_that_cannot_be_written_fails_for_each(folder):
    (folder / "out").write_text("a file")
    outcomes = []
    convert(find(["d"], output_dir="out").inputs[:2], on_done=outcomes.append)
    assert all(outcome.failed for outcome in outcomes)
    with pytest.raises(LstmjaxError, match="cannot be written"):
        convert(find(["d"]).inputs[:2], "out/x.lstmf")


def test_a_killed_worker_is_reported(folder, monkeypatch):
    monkeypatch.setattr(conversion, "_run", _exit)
    with pytest.raises(LstmjaxError, match="a worker ended unexpectedly"):
        convert(find(["d"]).inputs, "a.lstmf", workers=2)
    assert os.listdir(folder) == ["d"]


def _exit(task):
    os._exit(1)
