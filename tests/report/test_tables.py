"""The JSON file has everything, the CSV file a row for each line."""

import csv
import io
import json

import pytest
from report.crafted import HOSTILE, reading, report_of

from lstmjax.errors import LstmjaxError, UsageError
from lstmjax.report.output import check_paths, write
from lstmjax.report.tables import FORMAT, csv_bytes, json_bytes
from lstmjax.report.texts import summary

TRUTHS = ["abc d", HOSTILE, 'a,"b"\nc', "lost"]


@pytest.fixture
def two(tmp_path):
    train = ("train.list", [reading("ab", "ab"), reading("cd", "ce")])
    return report_of(
        tmp_path, TRUTHS, ["abx", "&<b>", "", ""], ["abc d", HOSTILE, "a", ""],
        skipped=(3,), train=train,
    )  # fmt: skip


def test_json_holds_what_the_report_holds(two):
    report, _ = two
    found = json.loads(json_bytes(report))
    assert found["format"] == FORMAT
    assert [model["label"] for model in found["models"]] == ["m0", "m1"]
    assert found["models"][0]["cer"]["value"] == report.models[0].measures.cer.value
    assert [line["truth"] for line in found["lines"]] == TRUTHS[:3]
    assert found["lines"][1]["readings"][1] == {
        "text": HOSTILE, "char_edits": 0, "word_edits": 0, "bcer": 0.0, "bwer": 0.0,
    }  # fmt: skip
    assert found["skipped"][0]["reason"] == "unencodable"
    assert found["comparisons"][0]["cer"]["p_value"] == report.comparisons[0].cer.p_value
    assert found["overfitting"]["train"]["lines"] == 2
    assert {group["name"] for group in found["groups"]["script"]} == {"Latin"}
    runs = found["models"][0]["confusions"]["runs"]
    assert sum(one["count"] for one in runs) > 0


def test_json_has_no_infinite_numbers(tmp_path):
    report, _ = report_of(tmp_path, ["", ""], ["a", ""])
    text = json_bytes(report).decode()
    found = json.loads(text, parse_constant=lambda name: pytest.fail(name))
    assert found["models"][0]["cer"]["value"] is None


def test_csv_has_a_row_for_each_line(two):
    rows = list(csv.DictReader(io.StringIO(csv_bytes(two[0]).decode(), newline="")))
    assert [row["truth"] for row in rows] == TRUTHS
    assert [row["skipped"] for row in rows] == ["", "", "", "unencodable"]
    assert rows[0]["text [m0]"] == "abx"
    assert rows[0]["char_edits [m0]"] == "3"
    assert rows[0]["cer [m0]"] == "0.600000"
    assert rows[1]["text [m1]"] == HOSTILE
    assert rows[3]["text [m0]"] == ""


def test_one_model_has_plain_columns(tmp_path):
    report, _ = report_of(tmp_path, ["ab"], ["ac"])
    (row,) = csv.DictReader(io.StringIO(csv_bytes(report).decode(), newline=""))
    assert (row["text"], row["cer"], row["font"], row["page"]) == (
        "ac",
        "0.500000",
        "Some Font",
        "0",
    )


def test_the_summary_is_a_line_for_each_finding(two):
    texts = list(summary(two[0]))
    assert [text.partition(":")[0] for text in texts] == [
        "m0", "m1", "CER and BCER disagree", "m1 against m0", "Training lines (2)",
    ]  # fmt: skip
    wrong = sum(1 for line in two[0].lines if line.readings[0].chars.edits)
    assert f"0 lines are without error by CER only, {wrong} by BCER only" in texts[2]
    assert "p=" in texts[3]


def test_measures_that_agree_are_not_said_to_disagree(tmp_path):
    report, _ = report_of(tmp_path, ("abc", "de"), ("abc", "de"))
    assert not any("disagree" in text for text in summary(report))


BAD = {
    "no ending": ("out", "the ending tells the form"),
    "other ending": ("a.html,b.pdf", "'b.pdf': the ending tells the form"),
    "nothing": ("", "the ending tells the form"),
    "folder": ("dir.html", "this is a folder"),
    "no folder": ("absent/a.html", "cannot be written to: No such file"),
    "below a file": ("file/a.json", "cannot be written to: Not a directory"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_paths_are_refused_before_the_work(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dir.html").mkdir()
    (tmp_path / "file").write_text("")
    path, problem = BAD[name]
    with pytest.raises(UsageError, match=problem):
        check_paths([path])


def test_paths_come_apart_at_commas(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert check_paths(["a.html,b.JSON", "c.csv"]) == ["a.html", "b.JSON", "c.csv"]
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    report, index = report_of(tmp_path, ["ab"], ["ac"])
    old = tmp_path / "r.html"
    old.write_text("old")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(LstmjaxError, match=r"r\.html: cannot be written: No space left"):
        write(report, index, [str(old)])
    assert old.read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "eng.Some_Font.exp0.lstmf", "r.html",
    ]  # fmt: skip


def test_all_forms_are_written(tmp_path):
    report, index = report_of(tmp_path, ["ab"], ["ac"])
    paths = [str(tmp_path / f"r{suffix}") for suffix in (".html", ".json", ".csv")]
    write(report, index, paths)
    heads = [(tmp_path / f"r{suffix}").read_text()[:15] for suffix in (".html", ".json", ".csv")]
    assert heads == ["<!DOCTYPE html>", '{\n "format": "l', "number,file,pag"]
