"""`lstmeval` with reports, on models with the same character set and with different ones."""

import json
import re

import pytest
from data.documents import page, png, save
from formats.format_samples import UNICHARSET
from infer.models import tiny_recognizer, tiny_traineddata

from lstmjax.cli import main
from lstmjax.data.lines import build_index
from lstmjax.formats import traineddata
from lstmjax.infer.choose import make_forward
from lstmjax.infer.model import load_model
from lstmjax.report.readings import read_anyway, sample_lines
from lstmjax.report.run import evaluate_quietly

OTHER = UNICHARSET.replace("é".encode(), b"x")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    traineddata.save(tiny_traineddata(), "m.traineddata")
    traineddata.save(tiny_traineddata(tiny_recognizer(seed=1)), "n.traineddata")
    other = tiny_traineddata(tiny_recognizer(seed=2)).with_component("lstm-unicharset", OTHER)
    traineddata.save(other, "x.traineddata")
    pages = [
        page(text, png(60, 20, i), boxes=2)
        for i, text in enumerate(("é,", "x,", ",é", "", "é,é", "?", ","))
    ]
    save(tmp_path / "eng.Font.exp0.lstmf", *pages)
    save(tmp_path / "t.lstmf", *[page("é", png(50, 20, i), boxes=2) for i in range(9)])
    (tmp_path / "list").write_text("eng.Font.exp0.lstmf\n")
    (tmp_path / "train").write_text("t.lstmf\n")
    return tmp_path


def run(capsys, *argv):
    status = main.run(["lstmeval", "--eval_listfile", "list", *map(str, argv)])
    captured = capsys.readouterr()
    assert captured.out == ""
    return status, captured.err


MODEL = ("--model", "m.traineddata")


def test_texts_stay_as_they_are(folder, capsys):
    _, plain = run(capsys, *MODEL)
    status, err = run(capsys, *MODEL, "--report", "r.html,r.json", "--report", "r.csv")
    assert status == 0
    assert err.startswith(plain)
    added = err.removeprefix(plain).splitlines()
    assert re.fullmatch(
        r"m: CER=[\d.]+ \[[\d.]+ to [\d.]+\], WER=.* \(95% intervals over 4 lines\)", added[0]
    )
    assert added[1:] == ["Report: r.html", "Report: r.json", "Report: r.csv"]
    found = json.loads((folder / "r.json").read_text())
    cer = re.search(r"^CER eval=([\d.]+)", plain, re.M).group(1)
    assert found["models"][0]["cer"]["value"] == pytest.approx(float(cer) / 100, abs=1e-8)
    assert [group["name"] for group in found["groups"]["font"]] == ["Font"]
    assert len(found["skipped"]) == 3


def test_models_of_other_character_sets_read_the_same_lines(folder, capsys):
    status, err = run(
        capsys, *MODEL, "--compare_model", "n.traineddata", "--compare_model=x.traineddata",
        "--report", "r.json", "--train_listfile", "train", "--train_lines", 5, "--verbosity", 0,
    )  # fmt: skip
    assert status == 0
    assert "n against m: CER " in err
    assert "x against m: CER " in err
    found = json.loads((folder / "r.json").read_text())
    # "é,", "x,", ",é", "é,é" and ",": one model or another can write them; not "" and "?".
    assert [line["number"] for line in found["lines"]] == [0, 1, 2, 4, 6]
    assert [skip["number"] for skip in found["skipped"]] == [3, 5]
    assert [model["lines"] for model in found["models"]] == [5, 5, 5]
    assert [model["lines_in_character_set"] for model in found["models"]] == [4, 4, 2]
    assert all(len(line["readings"]) == 3 for line in found["lines"])
    assert found["lines"][1]["readings"][0]["bcer"] is None
    assert found["overfitting"]["train"]["lines"] == 5


def test_a_model_that_can_write_no_line_is_compared_all_the_same(folder, capsys):
    save(folder / "e.lstmf", *[page("é", png(60, 20, i), boxes=2) for i in range(3)])
    (folder / "list").write_text("e.lstmf\n")
    status, err = run(capsys, *MODEL, "--compare_model", "x.traineddata", "--report", "r.json")
    assert status == 0
    assert "x against m" in err
    found = json.loads((folder / "r.json").read_text())
    assert found["models"][1]["lines_in_character_set"] == 0


def test_reading_anyway_agrees_with_the_evaluation(folder):
    forward = make_forward(load_model("m.traineddata"))
    index = build_index(["eng.Font.exp0.lstmf"])
    evaluation = evaluate_quietly(forward, index, 1 << 20)
    numbers = [one.line.number for one in evaluation.distinct]
    found = read_anyway(forward, index, numbers, max_bytes=1 << 20)
    assert {n: r.text for n, r in found.items()} == {
        one.line.number: one.text for one in evaluation.distinct
    }


@pytest.mark.parametrize(
    ("most", "numbers"),
    [(3, [0, 3, 6]), (0, [*range(9)]), (99, [*range(9)])],
    ids=["some", "all", "more than there are"],
)
def test_training_lines_are_spread_evenly(folder, most, numbers):
    forward = make_forward(load_model("m.traineddata"))
    lines = sample_lines(forward, build_index(["t.lstmf"]), most)
    assert [line.number for line in lines] == numbers


FAILURES = {
    "ending": (("--report", "r.pdf"), "the ending tells the form"),
    "folder": (("--report", "absent/r.html"), "cannot be written to"),
    "model": (("--compare_model", "absent"), "absent: cannot be read"),
    "training": (("--train_listfile", "absent"), "Failed to load training data from: absent"),
}


@pytest.mark.parametrize("name", FAILURES)
def test_what_cannot_be_done_is_said_before_reading(name, folder, capsys):
    argv, problem = FAILURES[name]
    status, err = run(capsys, *MODEL, *argv)
    assert status == 1
    assert problem in err
    assert "BCER eval" not in err
    assert not list(folder.glob("r.*"))


def test_no_usable_line_leaves_no_report(folder, capsys):
    save(folder / "u.lstmf", page("?", png(60, 20), boxes=2))
    (folder / "list").write_text("u.lstmf\n")
    status, err = run(capsys, *MODEL, "--report", "r.html")
    assert status == 1
    assert "none of the 1 lines can be used" in err
    assert not (folder / "r.html").exists()


def test_useless_training_lines_are_named(folder, capsys):
    save(folder / "t.lstmf", page("?", png(60, 20), boxes=2))
    status, err = run(capsys, *MODEL, "--train_listfile", "train")
    assert status == 0
    assert "train: no line can be used, so overfitting is not checked" in err
