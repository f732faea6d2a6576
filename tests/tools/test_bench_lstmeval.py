"""The speed of reading is what more lines take beyond what starting takes."""

import re
import sys
from argparse import Namespace
from pathlib import Path

import helpers
import pytest

from lstmjax.formats import lstmf

DOCUMENT = Path(__file__).parents[2] / "examples" / "eval" / "FreeSans.lstmf"
START = {"real": 1.0, "ours": 3.0}
PER_LINE = {"real": 0.01, "ours": 0.002}


@pytest.fixture
def tool():
    return helpers.load_tool("bench/lstmeval")


@pytest.fixture
def calls(tool, monkeypatch):
    """Replace the programs by two with a known speed; who was run on how many documents."""
    made = []

    def seconds(command, model, listing):
        program = "real" if command == ["lstmeval"] else "ours"
        documents = listing.read_text().splitlines()
        made.append((program, len(documents)))
        lines = sum(len(lstmf.load(path)) for path in documents)
        return START[program] + PER_LINE[program] * lines

    monkeypatch.setattr(tool, "seconds", seconds)
    return made


def test_starting_is_left_out_of_the_speed_and_shown_apart(tool, calls):
    arguments = Namespace(rounds=2, times=(2, 5))
    rows = list(tool.measure(Path("model"), DOCUMENT, arguments))
    count = len(lstmf.load(DOCUMENT))
    whole = [START[program] + PER_LINE[program] * count for program in ("real", "ours")]
    assert rows == [pytest.approx([100, 500, 5, *whole])] * 2
    turns = [(program, times) for program in ("real", "ours") for times in (1, 2, 5)]
    assert calls == [("ours", 5), *turns, *turns]


def test_medians_of_the_rounds_are_printed(tool, monkeypatch, capsys):
    rows = [[100.0, 300.0, 3.0, 5.0, 4.0], [90.0, 360.0, 4.0, 6.0, 5.0], [80, 640, 8, 9.0, 3.0]]
    monkeypatch.setattr(tool, "measure", lambda *_: iter(rows))
    monkeypatch.setattr(sys, "argv", ["bench", "--model", "a/fra.traineddata", "--lstmf", "x"])
    tool.main()
    head, rule, row = capsys.readouterr().out.splitlines()
    assert row == "| fra.traineddata | 90.0 | 360.0 | 4.0 (3.0 to 8.0) | 6.0 | 4.0 |"
    assert head.count("|") == rule.count("|") == row.count("|")


def test_a_model_needs_lines(tool, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["bench", "--model", "x"])
    with pytest.raises(SystemExit):
        tool.main()
    assert "--lstmf belong together" in capsys.readouterr().err


def test_without_a_model_data_are_needed(tool, monkeypatch, tmp_path):
    for folder in ("", str(tmp_path)):
        monkeypatch.setenv("LSTMJAX_TESTDATA", folder)
        with pytest.raises(SystemExit, match="set LSTMJAX_TESTDATA"):
            list(tool.cases(Namespace(model=None)))
    (tmp_path / "tesseract-test").mkdir()
    found = [(name, model.parent.name) for name, model, _ in tool.cases(Namespace(model=None))]
    assert found == [("fra, float", "tessdata_best"), ("fra, int8", "tessdata_fast")]


def test_programs_are_timed_and_their_failure_told(tool, tmp_path):
    def program(code):
        return [sys.executable, "-c", code]

    assert tool.seconds(program("import time; time.sleep(0.2)"), tmp_path, tmp_path) >= 0.2
    with pytest.raises(SystemExit, match=re.escape("no such model")):
        tool.seconds(program("import sys; sys.exit('no such model')"), tmp_path, tmp_path)
