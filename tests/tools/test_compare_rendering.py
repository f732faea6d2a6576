"""Two networks change lines: who drew what they learn and read, and what the difference is."""

import json
import sys
from argparse import Namespace
from pathlib import Path

import helpers
import pytest
from PIL import Image

WORDS = [f"word{number:03}" for number in range(100)]
RATES = {
    ("original", "original"): 2.0, ("original", "lstmjax"): 2.3,
    ("lstmjax", "original"): 2.1, ("lstmjax", "lstmjax"): 1.9,
}  # fmt: skip


@pytest.fixture
def tool():
    return helpers.load_tool("checks/compare_rendering")


def test_no_word_is_both_trained_on_and_held_out(tool, tmp_path):
    for name, words in (("one", WORDS[:50]), ("two", WORDS[50:])):
        (tmp_path / name).write_text("\n".join(" ".join(words[i : i + 7]) for i in range(0, 50, 7)))
    trained, held_out = tool.divided([tmp_path / "one", tmp_path / "two"])
    assert len(held_out) == 20
    assert sorted(trained + held_out) == WORDS


def test_lines_are_of_some_length_and_the_same_again(tool):
    lines = tool.make_lines([*WORDS, "x" * 40], 50, "train0")
    assert len(lines) == 50
    assert all(tool.SHORTEST <= len(line) <= tool.LONGEST + 8 for line in lines)
    assert lines == tool.make_lines([*WORDS, "x" * 40], 50, "train0")
    assert lines != tool.make_lines(WORDS, 50, "read0")


@pytest.fixture
def commands(tool, monkeypatch):
    """Replace the programs; what was run and where."""
    made = []

    def run(command, folder):
        words = [str(word) for word in command]
        made.append((words, folder))
        if "--report" in words:
            report = {"models": [{"cer": {"value": 0.025}}]}
            Path(words[words.index("--report") + 1]).write_text(json.dumps(report))

    monkeypatch.setattr(tool, "run", run)
    monkeypatch.setattr(tool, "pages", lambda folder, name: [Namespace(transcription=name)])
    return made


def test_both_programs_draw_the_same(tool, commands, tmp_path):
    lines = {"train": list("abcde"), "read": list("xy")}
    asked = Namespace(fonts=["DejaVu Sans", "Free Serif"], flags=["--ptsize=10"])
    both = {name: tool.draw(name, lines, asked, tmp_path / name) for name in tool.PROGRAMS}
    for name, drawn in both.items():
        folder = tmp_path / name
        documents = [folder / "train0.lstmf", folder / "train1.lstmf"]
        assert drawn.lists["train"].read_text().splitlines() == list(map(str, documents))
        assert (folder / "train0.txt").read_text().split() == ["a", "c", "e"]
        assert (folder / "train1.txt").read_text().split() == ["b", "d"]
        assert drawn.texts == ["train0", "train1", "read0", "read1"]
        assert {where for _, where in commands if where == folder} == {folder}
    start = [len(command) for command in tool.PROGRAMS.values()]
    half = len(commands) // 2
    drawing = [
        [words[skip:] for words, _ in part if any(word.startswith("--font=") for word in words)]
        for skip, part in zip(start, (commands[:half], commands[half:]), strict=True)
    ]
    assert drawing[0] == drawing[1]
    assert drawing[0][1] == [
        "--text=train1.txt", "--outputbase=train1", "--font=Free Serif", "--exposure=0",
        "--ptsize=10",
    ]  # fmt: skip


def test_pixels_that_differ_are_counted(tool, tmp_path):
    one, other = (Image.new("1", (6, 4), 1) for _ in range(2))
    for x in range(3):
        one.putpixel((x, 1), 0)
    other.putpixel((0, 1), 0)
    other.putpixel((5, 3), 0)
    for name, image in (("one", one), ("other", other)):
        image.save(tmp_path / f"{name}.tif")
    drawn = [tool.Drawn(images=[tmp_path / f"{name}.tif"]) for name in ("one", "other")]
    assert tool.different_ink(*drawn) == (3, 3)
    assert tool.different_ink(drawn[0], drawn[0]) == (0, 3)


def test_a_network_is_trained_on_one_list_and_reads_the_other(tool, commands, tmp_path):
    drawn = tool.Drawn(lists={"train": tmp_path / "t.list", "read": tmp_path / "r.list"})
    asked = Namespace(net_spec="[1,36,0,1 O1c1]", iterations=500)
    model = tool.train(drawn, tmp_path / "starter", 3, asked, tmp_path / "on")
    assert tool.error_rate(model, tmp_path / "starter", drawn, tmp_path / "r.json") == 2.5
    (train, _), (read, _) = commands
    assert train[train.index("--train_listfile") + 1] == str(tmp_path / "t.list")
    assert train[train.index("--seed") + 1] == "3"
    assert f"{train[train.index('--model_output') + 1]}_checkpoint" == str(model)
    assert read[read.index("--eval_listfile") + 1] == str(tmp_path / "r.list")


def test_means_of_the_seeds_count(tool, commands, tmp_path, monkeypatch):
    (tmp_path / "text").write_text(" ".join(WORDS))
    rates = iter([1.0, 2.0, 3.0, 4.0, 2.0, 4.0, 5.0, 8.0])
    monkeypatch.setattr(tool, "error_rate", lambda *_: next(rates))
    monkeypatch.setattr(tool, "different_ink", lambda *_: (1, 2))
    asked = Namespace(
        text=[tmp_path / "text"], lines=6, read_lines=2, fonts=["DejaVu Sans"], flags=[],
        net_spec="[1,36,0,1 O1c1]", iterations=500, seeds=2, norm_mode=1,
    )  # fmt: skip
    assert tool.measure(asked, tmp_path) == {
        ("original", "original"): 1.5, ("original", "lstmjax"): 3.0,
        ("lstmjax", "original"): 4.0, ("lstmjax", "lstmjax"): 6.0,
    }  # fmt: skip
    seeds = [words[words.index("--seed") + 1] for words, _ in commands if "--seed" in words]
    assert seeds == ["0", "0", "1", "1"]


def test_table_and_differences(tool):
    rows = list(tool.table(RATES))
    assert rows[2:] == ["| original | 2.00 | 2.30 |", "| lstmjax | 2.10 | 1.90 |"]
    found = [points for _, points in tool.gaps(RATES)]
    assert found == pytest.approx([0.3, 0.2, 0.1, -0.4, -0.2])


@pytest.mark.parametrize(("bound", "status"), [("0.5", None), ("0.3", 1)])
def test_status_tells_whether_they_are_close(tool, monkeypatch, capsys, bound, status):
    monkeypatch.setattr(tool, "measure", lambda *_: RATES)
    monkeypatch.setattr(sys, "argv", ["compare", "--text", "x.txt", "--bound", bound])
    if status:
        with pytest.raises(SystemExit) as ended:
            tool.main()
        assert ended.value.code == status
    else:
        tool.main()
    out = capsys.readouterr().out
    assert "our lines: trained on our own or the original's: -0.40 points" in out


def test_a_program_that_fails_is_told(tool, tmp_path):
    command = [sys.executable, "-c", "import sys; print('why', file=sys.stderr); sys.exit(3)"]
    with pytest.raises(SystemExit, match="why"):
        tool.run(command, tmp_path)
