"""Places of a study: filled, claimed once, given back when a worker is gone."""

import os
import subprocess
import sys

import optuna
import pytest
from optuna.trial import TrialState
from sweeps import slots
from sweeps.space import Choice, Space

SPACE = Space({}, {"sampler": "tpe"}, {}, {"seed": Choice((1, 2, 3))})
GRID = Space({}, {"sampler": "grid"}, {}, {"seed": Choice((1, 2, 3))})


@pytest.fixture
def study():
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))


def states(study):
    return [trial.state.name for trial in study.get_trials(deepcopy=False)]


def settle(study, trial, value=1.0):
    assert slots.end(study, trial.number, TrialState.COMPLETE, value)


def test_every_place_is_filled_once(study):
    slots.fill(study, GRID, 3)
    slots.fill(study, GRID, 3)
    assert states(study) == ["WAITING"] * 3
    seeds = []
    while trial := slots.claim(study):
        seeds.append(trial.suggest_categorical("seed", (1, 2, 3)))
        settle(study, trial)
    assert seeds == [1, 2, 3]
    slots.fill(study, GRID, 3)
    assert states(study) == ["COMPLETE"] * 3


def test_more_places_can_be_asked_for_later(study):
    slots.fill(study, SPACE, 1)
    settle(study, slots.claim(study))
    slots.fill(study, SPACE, 3)
    assert states(study) == ["COMPLETE", "WAITING", "WAITING"]


def test_of_two_waiting_trials_of_a_place_one_runs(study):
    for _ in range(2):
        study.enqueue_trial({}, user_attrs={slots.PLACE: 0})
    first = slots.claim(study)
    assert first.number == 0
    assert slots.claim(study) is None
    assert states(study) == ["RUNNING", "FAIL"]
    settle(study, first)
    slots.fill(study, SPACE, 1)
    assert states(study) == ["COMPLETE", "FAIL"]


def test_the_parameters_of_a_lost_trial_are_tried_again(study):
    slots.fill(study, SPACE, 1)
    trial = slots.claim(study)
    seed = trial.suggest_categorical("seed", (1, 2, 3))
    slots.end(study, trial.number, TrialState.FAIL)
    slots.fill(study, SPACE, 1)
    again = slots.claim(study)
    assert again.suggest_categorical("seed", (1, 2, 3)) == seed
    assert again.user_attrs[slots.PLACE] == 0


def test_a_worker_that_wakes_up_too_late_is_turned_away(study):
    slots.fill(study, SPACE, 1)
    trial = slots.claim(study)
    slots.end(study, trial.number, TrialState.FAIL)  # by a watcher
    slots.fill(study, SPACE, 1)
    again = slots.claim(study)
    settle(study, again, 2.0)
    assert not slots.end(study, trial.number, TrialState.COMPLETE, 1.0)
    assert states(study) == ["FAIL", "COMPLETE"]
    assert study.best_value == 2.0


def test_a_place_is_given_up_after_some_attempts(study):
    for _ in range(slots.MAX_ATTEMPTS):
        slots.fill(study, SPACE, 1)
        slots.end(study, slots.claim(study).number, TrialState.FAIL)
    slots.fill(study, SPACE, 1)
    assert states(study) == ["FAIL"] * slots.MAX_ATTEMPTS
    assert slots.is_settled(slots.counts(study.get_trials()))


def test_what_would_fail_again_is_not_tried_again(study):
    slots.fill(study, SPACE, 1)
    trial = slots.claim(study)
    trial.set_user_attr(slots.FINAL, True)
    slots.end(study, trial.number, TrialState.FAIL)
    slots.fill(study, SPACE, 1)
    assert states(study) == ["FAIL"]


def test_a_process_that_ended_is_noticed_at_once(study):
    slots.fill(study, SPACE, 1)
    trial = slots.claim(study)
    assert slots.Watch(60).release(study) == []
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    name = slots.process(child.pid)
    assert name is not None
    trial.set_user_attr(slots.PROCESS, name)
    assert slots.Watch(60).release(study) == []
    child.communicate(b"\n")
    assert slots.Watch(60).release(study) == [0]
    assert states(study) == ["FAIL"]


def test_a_new_process_of_the_same_number_is_another(study):
    slots.fill(study, SPACE, 1)
    trial = slots.claim(study)
    trial.set_user_attr(slots.PROCESS, f"{os.getpid()}@1")
    assert slots.Watch(60).release(study) == [0]


def test_on_another_machine_silence_is_what_counts(study, monkeypatch):
    now = 1000.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    slots.fill(study, SPACE, 1)
    trial = slots.claim(study)
    trial.set_user_attr(slots.MACHINE, "elsewhere")
    trial.set_user_attr(slots.PROCESS, "1@1")
    watch = slots.Watch(60)
    assert watch.release(study) == []
    now = 1050.0
    trial.set_user_attr(slots.BEAT, 1)
    assert watch.release(study) == []
    now = 1109.0
    assert watch.release(study) == []
    now = 1111.0
    assert watch.release(study) == [0]


def test_files_are_taken_over_only_from_a_process_that_is_gone(study):
    slots.fill(study, SPACE, 1)
    first = slots.claim(study)
    first.set_user_attr(slots.RUN, "0000-0000")
    slots.end(study, first.number, TrialState.FAIL)
    slots.fill(study, SPACE, 1)
    second = slots.claim(study)
    assert slots.lost_before(study, second) is None  # this very process still lives
