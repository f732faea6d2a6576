"""Whole sweeps with a stand-in for training: killed workers, failures, pruning, resuming."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import optuna
import pytest
import sweep_worker as worker_script
from optuna.trial import TrialState
from sweeps import slots
from sweeps.space import load_space
from sweeps.study import load_study, open_study
from sweeps.worker import work

from lstmjax.errors import UsageError

HERE = Path(__file__).parent
TEXT = """
[data]
traineddata = "t"
train_listfile = "t"
eval_listfile = "t"
[study]
sampler = "grid"
pruner = "none"
[fixed]
net_spec = "x"
max_iterations = 400
[search]
seed = { choices = [%s] }
"""


@pytest.fixture
def space(tmp_path):
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    (tmp_path / "t").write_text("")

    def make(seeds="0, 1, 2, 3", **changes):
        text = TEXT % seeds
        for old, new in changes.items():
            text = text.replace(f'{old} = "', f'{old} = "{new}" # "')
        (tmp_path / "space.toml").write_text(text)
        return str(tmp_path / "space.toml")

    return make


def start(space_path, where, count):
    return subprocess.Popen(
        [sys.executable, HERE / "sweep_worker.py", space_path, where, str(count)],
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def counted(where):
    places = slots.by_place(load_study(where).get_trials())
    return {place: slots.counts(trials) for place, trials in places.items()}


def wait_for(condition, seconds=120):
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)
    return found


def test_a_killed_worker_costs_no_trial_and_repeats_none(space, tmp_path):
    where, count = str(tmp_path / "a.journal"), 8
    path = space(", ".join(map(str, (0, 1, 2, 3, 4, 5, 6, 10))))
    job = worker_script.job(path, where, count)
    slots.fill(job.study, job.space, count)
    victim, other = (start(path, where, count) for _ in range(2))
    name = slots.process(victim.pid)

    def running():
        """The victim's trial, once its training has begun."""
        for trial in job.study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            run = trial.user_attrs.get(slots.RUN)
            begun = run and (Path(job.runs, run) / "model.metrics.jsonl").exists()
            if begun and trial.user_attrs.get(slots.PROCESS) == name:
                return trial
        return None

    trial = wait_for(running)
    os.kill(victim.pid, signal.SIGKILL)
    victim.communicate()
    child = int((Path(job.runs, trial.user_attrs[slots.RUN]) / "model.pid").read_text())
    _, said = other.communicate(timeout=240)
    assert other.returncode == 0, said
    assert slots.process(child) is None  # training does not outlive its worker
    found = counted(where)
    assert [found[place].state for place in range(count)] == [TrialState.COMPLETE] * count
    assert sorted(one.params["seed"] for one in found.values()) == [0, 1, 2, 3, 4, 5, 6, 10]
    trials = load_study(where).get_trials()
    complete = [one for one in trials if one.state is TrialState.COMPLETE]
    assert len(complete) == count
    assert trials[trial.number].state is TrialState.FAIL
    again = found[trial.user_attrs[slots.PLACE]]
    assert again.params == trial.params
    assert again.user_attrs[slots.RUN] == trial.user_attrs[slots.RUN]  # it went on
    assert sorted(again.intermediate_values) == [100, 200, 300, 400]
    assert "its worker is gone" in said
    assert "going on where it was cut off" in said


@pytest.mark.parametrize("sampler", ["tpe", "random"])
def test_workers_that_know_nothing_of_each_other_try_different_things(space, tmp_path, sampler):
    where, path = str(tmp_path / "a.journal"), Path(space(sampler=sampler))
    text = path.read_text().replace("seed = { choices = [0, 1, 2, 3] }", "learning_rate = {}")
    path.write_text(text.replace("{}", "{ low = 1e-4, high = 1e-2, log = true }"))
    for worker in [start(str(path), where, 6) for _ in range(2)]:
        _, said = worker.communicate(timeout=240)
        assert worker.returncode == 0, said
    assert len({one.params["learning_rate"] for one in counted(where).values()}) == 6


def test_a_study_goes_on_after_all_workers_were_killed(space, tmp_path):
    where, path = str(tmp_path / "a.journal"), space("0, 1, 2")
    first = start(path, where, 3)
    wait_for(lambda: os.path.exists(where) and any(
        trial.state is TrialState.COMPLETE for trial in open_study(where, load_space(path)).trials
    ))  # fmt: skip
    os.kill(first.pid, signal.SIGKILL)
    first.communicate()
    work(worker_script.job(path, where, 3))
    states = [trial.state for _, trial in sorted(counted(where).items())]
    assert states == [TrialState.COMPLETE] * 3


def test_failures_are_kept_and_tried_again_where_that_helps(space, tmp_path, capsys):
    where = str(tmp_path / "a.journal")
    work(worker_script.job(space("7, 8, 9, 1"), where, 4))
    trials = slots.by_place(load_study(where).get_trials())
    refused, crashed, silent, good = (trials[place] for place in range(4))
    assert [len(each) for each in (refused, crashed, silent, good)] == [1, slots.MAX_ATTEMPTS, 1, 1]
    assert refused[0].user_attrs[slots.PROBLEM] == "SpecError: no such layer"
    assert crashed[-1].user_attrs[slots.PROBLEM] == "killed by SIGABRT"
    assert silent[0].user_attrs[slots.PROBLEM] == "the run made no evaluation"
    assert good[0].value == pytest.approx(50 / 4 + 1)
    assert "failed: SpecError" in capsys.readouterr().err


def test_runs_that_fall_behind_are_pruned(space, tmp_path):
    where = str(tmp_path / "a.journal")
    path = space("0, 0.5, 40", pruner="median")
    text = Path(path).read_text().replace("[study]", "[study]\nstartup_trials = 2")
    Path(path).write_text(text)
    work(worker_script.job(path, where, 3))
    found = counted(where)
    assert [found[place].state.name for place in range(3)] == ["COMPLETE", "COMPLETE", "PRUNED"]
    assert max(found[2].intermediate_values) < 400


@pytest.mark.parametrize(
    ("prepare", "problem"),
    [
        (lambda path, where, space: space("5"), "it was begun with another search space (of seed)"),
        (lambda path, where, space: _mark(path, where, 99) or path, "a sweep of format 99"),
        (lambda path, where, space: Path(where).write_text("x\ny\n") and path, "no"),
    ],
    ids=["other space", "other version", "no journal"],
)
def test_studies_that_do_not_fit_are_refused(prepare, problem, space, tmp_path):
    where, path = str(tmp_path / "a.journal"), space("0, 1")
    open_study(where, load_space(path))
    path = prepare(path, where, space)
    with pytest.raises(UsageError) as error:
        open_study(where, load_space(path))
    assert problem in str(error.value)
    assert where in str(error.value)


def _mark(path, where, number):
    open_study(where, load_space(path)).set_user_attr("format", number)


@pytest.mark.parametrize("kind", ["absent", "folder", "foreign"])
def test_studies_that_cannot_be_loaded_are_named(kind, tmp_path):
    where = tmp_path / "s"
    if kind == "folder":
        where.mkdir()
    if kind == "foreign":
        where.write_text("")
    with pytest.raises(UsageError, match="--study"):
        load_study(str(where))


def test_a_database_serves_as_well(space, tmp_path):
    where = f"sqlite:///{tmp_path}/a.db"
    job = worker_script.job(space("0"), where, 1)
    work(job.__class__(job.study, job.space, 1, str(tmp_path / "runs"), job.program, 60.0))
    assert [trial.state for trial in load_study(where).trials] == [TrialState.COMPLETE]
