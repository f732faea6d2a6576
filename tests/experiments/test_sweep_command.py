"""The command: what it refuses, its tables and pictures, and one sweep with real training."""

import csv
import io
import os
import subprocess
import sys
from pathlib import Path

import optuna
import pytest
import sweep
from optuna.trial import TrialState
from PIL import Image
from sweeps import slots
from sweeps.results import csv_text, markdown, rows, text_of, write_results

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
SPACE = f"""
[data]
traineddata = "{EXAMPLES}/demo.traineddata"
train_listfile = "{EXAMPLES}/train.list"
eval_listfile = "{EXAMPLES}/eval.list"
[study]
sampler = "SAMPLER"
[fixed]
net_spec = "[1,12,0,1 Ct3,3,4 Mp3,2 Lfys8 Lfx{{row}} O1c1]"
max_iterations = 100
eval_interval = 100
[search]
row = {{ choices = [8] }}
"""


@pytest.fixture
def space(tmp_path):
    path = tmp_path / "space.toml"
    path.write_text(SPACE.replace("SAMPLER", "tpe"))
    return path


@pytest.fixture
def study():
    """A complete, a pruned, a failed and a waiting place."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1))
    plans = [
        (TrialState.PRUNED, [90.0, 60.0]),
        (TrialState.COMPLETE, [80.0, 20.0, 25.0]),
        (TrialState.FAIL, []),
        (None, []),
    ]
    for place, (state, curve) in enumerate(plans):
        study.enqueue_trial({}, user_attrs={slots.PLACE: place})
        if state is None:
            continue
        trial = study.ask()
        trial.suggest_float("learning_rate", 1e-3, 1e-1, log=True)
        trial.suggest_categorical("net_spec", ("[a|b]", "[c]"))
        for i, value in enumerate(curve, start=1):
            trial.report(value, 100 * i)
        if state is TrialState.FAIL:
            trial.set_user_attr(slots.PROBLEM, "it broke")
            trial.set_user_attr(slots.FINAL, True)
        slots.end(study, trial.number, state, 20.0 if state is TrialState.COMPLETE else None)
    return study


def test_the_best_comes_first_and_failures_last(study):
    found = rows(study)
    assert [row["state"] for row in found] == ["complete", "pruned", "fail", "waiting"]
    assert [row["cer_percent"] for row in found] == [20.0, 60.0, None, None]
    assert [row["lines"] for row in found] == [300, 200, "", ""]
    assert found[2]["problem"] == "it broke"
    assert text_of(study) == "4 configurations: 1 complete, 1 fail, 1 pruned, 1 waiting"


def test_tables_have_a_row_for_each_configuration(study):
    text = markdown(rows(study))
    lines = text.splitlines()
    assert len(lines) == 6
    assert all(line.replace("\\|", "").count("|") == lines[0].count("|") for line in lines)
    read = list(csv.DictReader(io.StringIO(csv_text(rows(study)))))
    assert [row["cer_percent"] for row in read] == ["20.0", "60.0", "", ""]


def test_results_are_files(study, tmp_path):
    paths = write_results(study, str(tmp_path / "r"))
    assert [Path(path).suffix for path in paths] == [".md", ".csv", ".png"]
    with Image.open(paths[2]) as image:
        assert image.width > 400


def test_an_empty_study_has_results_too(tmp_path):
    assert len(write_results(optuna.create_study(), str(tmp_path / "r"))) == 3


def test_what_is_wrong_is_said(space, tmp_path, capsys):
    where = str(tmp_path / "a.journal")
    cases = [
        (["run", str(space), "--study", where], "--trials is needed"),
        (["run", "absent.toml", "--study", where, "--trials", "1"], "absent.toml: cannot be read"),
        (["report", "--study", where], "there is no such study"),
    ]
    for argv, problem in cases:
        assert sweep.main(argv) == 1
        assert problem in capsys.readouterr().err


@pytest.mark.parametrize("argv", [[], ["run"], ["run", "x", "--study", "y", "--trials", "-1"]])
def test_bad_arguments_end_with_a_usage_text(argv, capsys):
    with pytest.raises(SystemExit) as leaving:
        sweep.main(argv)
    assert leaving.value.code == 2
    assert "usage: sweep.py" in capsys.readouterr().err


@pytest.mark.slow
def test_a_sweep_with_real_training(space, tmp_path):
    space.write_text(SPACE.replace("SAMPLER", "grid"))
    where = str(tmp_path / "a.journal")
    # Strict promotion is for our own code in tests; users run without it.
    env = {name: text for name, text in os.environ.items() if not name.startswith("JAX_NUMPY_")}

    def run(*argv):
        done = subprocess.run(
            [sys.executable, ROOT / "experiments" / "sweep.py", *argv, "--study", where],
            env=env, capture_output=True, text=True, timeout=590,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done

    said = run("run", space, "--workers", "2").stderr
    assert said.endswith("1 configuration: 1 complete\n")
    again = run("run", space, "--workers", "1").stderr
    assert again == "1 configuration: 1 complete\n"
    out = run("report").stdout
    assert out.count("| complete |") == 1
    found = list(csv.DictReader(io.StringIO((tmp_path / "a.csv").read_text())))
    assert {row["row"] for row in found} == {"8"}
    assert (tmp_path / "a.runs").is_dir()
