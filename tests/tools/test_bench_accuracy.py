"""The comparison of accuracy measures on lines it has not trained on, and sums up what it found."""

import json
import os
import sys
import threading
from argparse import Namespace
from pathlib import Path

import helpers
import pytest

from lstmjax.formats import lstmf

EXAMPLES = Path(__file__).parents[2] / "examples"
LOG = """\
At iteration 90/800/800, mean rms=4.1%, delta=9%, BCER train=4.000000%, BWER train=9.0%
At iteration 95/1008/1008, mean rms=4.1%, delta=9%, BCER train=5.100000%, BWER train=9.0%
At iteration 99/1104/1104, mean rms=4.1%, delta=9%, BCER train=5.000000%, BWER train=9.0%
At iteration 99/1200/1200, mean rms=4.1%, delta=9%, BCER train=3.000000%, BWER train=9.0%
"""


@pytest.fixture
def tool():
    return helpers.load_tool("bench/accuracy")


def asked(**changes) -> Namespace:
    usual = {
        "lines": 100, "seeds": 3, "networks": ["small"], "cases": ["eng", "fra"], "ours": "",
        "real": "--learning_rate 1", "skip_real": False, "out": None,
    }  # fmt: skip
    return Namespace(**usual | changes)


def pages_of(listing: Path) -> list[tuple[bytes, str]]:
    documents = listing.read_text().splitlines()
    return [(page.image, page.transcription) for path in documents for page in lstmf.load(path)]


def test_halves_share_no_line_and_leave_none_out(tool, tmp_path):
    source = EXAMPLES / "train" / "DejaVuSans.lstmf"
    (tmp_path / "fra.Arial_Unicode_MS.exp0.lstmf").write_bytes(source.read_bytes())
    (tmp_path / "out").mkdir()
    case = tool.prepare("fra", tmp_path, tmp_path / "out")
    train, unseen = pages_of(case.train), pages_of(case.unseen)
    whole = [(page.image, page.transcription) for page in lstmf.load(source)]
    assert not set(train) & set(unseen)
    assert sorted(train + unseen) == sorted(whole)
    assert abs(len(train) - len(unseen)) <= 1
    assert case.charset == tmp_path / "fra.starter.traineddata"


def test_another_font_is_unseen(tool, tmp_path):
    case = tool.prepare("eng", Path("data"), tmp_path)
    assert case.train.read_text() == "data/eng.Arial.exp0.lstmf\n"
    assert case.unseen.read_text() == "data/eng.Arial_Unicode_MS.exp0.lstmf\n"


def test_lines_count_once_a_thousand_have_been_seen(tool):
    assert tool.lines_until(LOG) == 1104
    assert tool.lines_until(LOG.replace("=5.0", "=5.1").replace("=3.0", "=9.0")) is None


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([3.0, 1.0, 2.25], "2.25 (1.00 to 3.00)"),
        ([5104.0, 4704.0, 5408.0], "5,104 (4,704 to 5,408)"),
        ([1.5], "1.50"),
        ([1200, None, 1500], "-"),
        ([], "-"),
    ],
)
def test_spread_is_the_median_and_the_ends(tool, values, expected):
    assert tool.spread(values) == expected


def test_every_seed_is_run_and_the_real_program_once(tool):
    assert list(tool.jobs(asked(seeds=2))) == [
        ("eng", "small", "real"), ("eng", "small", "0"), ("eng", "small", "1"),
        ("fra", "small", "real"), ("fra", "small", "0"), ("fra", "small", "1"),
    ]  # fmt: skip
    assert {seed for *_, seed in tool.jobs(asked(skip_real=True))} == {"0", "1", "2"}


def test_a_run_is_measured_with_its_last_state(tool, tmp_path, monkeypatch):
    commands = []

    def run(command, core):
        words = [str(word) for word in command]
        commands.append((words, core))
        if "--report" in words:
            rates = {name: {"value": part} for name, part in
                     (("bcer", 0.02), ("bwer", 0.05), ("cer", 0.01), ("wer", 0.04))}  # fmt: skip
            Path(words[words.index("--report") + 1]).write_text(json.dumps({"models": [rates]}))
        return LOG

    monkeypatch.setattr(tool, "run", run)
    case = tool.Case(tmp_path / "train.list", tmp_path / "unseen.list", tmp_path / "charset")
    found = tool.train(case, "[1,36,0,1 O1c1]", 500, ["trainer", "--seed", "4"], core=1)
    assert found == {"bcer": 2.0, "bwer": 5.0, "cer": 1.0, "wer": 4.0, "lines": 1104}
    (train, _), (evaluate, _) = commands
    assert train[:3] == ["trainer", "--seed", "4"]
    assert train[train.index("--train_listfile") + 1] == str(case.train)
    assert evaluate[evaluate.index("--eval_listfile") + 1] == str(case.unseen)
    model = train[train.index("--model_output") + 1]
    assert evaluate[evaluate.index("--model") + 1] == f"{model}_checkpoint"
    assert {core for _, core in commands} == {1}


@pytest.fixture
def trained(tool, tmp_path, monkeypatch):
    """Replace training; what was asked of it: case, trainer, core."""
    calls, busy, lock = [], set(), threading.Lock()

    def train(case, net_spec, lines, trainer, core):
        with lock:
            assert core not in busy, "two runs on one core"
            busy.add(core)
            calls.append((case, trainer, core))
        seed = int(trainer[trainer.index("--seed") + 1]) if "--seed" in trainer else 9
        with lock:
            busy.remove(core)
        return {"bcer": 1.0 + seed, "bwer": 10.0, "cer": 0.5, "wer": 8.0, "lines": 1000 + seed}

    monkeypatch.setattr(tool, "prepare", lambda name, data, folder: name)
    monkeypatch.setattr(tool, "train", train)
    return calls


def test_the_table_has_medians_over_seeds(tool, trained, tmp_path):
    arguments = asked(cases=["eng"])
    rows = list(tool.table(tool.measure(arguments, tmp_path), arguments))
    assert rows[2:] == [
        "| small | eng | real | 1,009 | 10.00 | 10.00 | 0.50 |",
        "| small | eng | ours | 1,001 (1,000 to 1,002) | 2.00 (1.00 to 3.00) "
        "| 10.00 (10.00 to 10.00) | 0.50 (0.50 to 0.50) |",
    ]
    assert len({row.count("|") for row in rows}) == 1
    assert ["lstmtraining", "--learning_rate", "1"] in [trainer for _, trainer, _ in trained]


def test_results_are_kept_and_other_flags_make_other_runs(tool, trained, tmp_path):
    out = tmp_path / "kept.json"
    first = tool.measure(asked(cases=["eng"], out=out), tmp_path)
    assert len(first) == len(trained) == 4
    assert tool.measure(asked(cases=["eng"], out=out), tmp_path) == first
    assert len(trained) == 4
    tool.measure(asked(cases=["eng"], out=out, ours="--batch 8"), tmp_path)
    assert [trainer[-2:] for _, trainer, _ in trained[4:]] == [["--batch", "8"]] * 3
    tool.measure(asked(cases=["eng"], out=out, real="--net_mode 0"), tmp_path)
    assert [trainer for _, trainer, _ in trained[7:]] == [["lstmtraining", "--net_mode", "0"]]
    assert len(json.loads(out.read_text())) == 8


def test_a_program_has_one_core_and_the_caller_keeps_all(tool):
    cores = os.sched_getaffinity(0)
    code = "import os; print(os.sched_getaffinity(0))"
    assert tool.run([sys.executable, "-c", code], max(cores)) == f"{ {max(cores)} }\n"
    assert os.sched_getaffinity(0) == cores


def test_a_failing_program_is_told(tool):
    code = "import sys; sys.exit('out of luck')"
    with pytest.raises(SystemExit, match="out of luck"):
        tool.run([sys.executable, "-c", code], min(os.sched_getaffinity(0)))
