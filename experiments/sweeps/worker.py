"""A worker: takes trials of a study, trains, reports, until every place is settled."""

import math
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import Trial, TrialState

from . import slots
from .space import Choice, Range, Space
from .study import sampler_for
from .training import TrainingFailedError, TrainingRun, earlier_records

_BEAT_SECONDS = 5.0
_IDLE_SECONDS = 1.0
_STEP = 100  # evaluations of runs with different batches are compared at multiples of this


@dataclass(frozen=True)
class Job:
    """The task of a worker.

    Attributes:
      study: the study.
      space: search space.
      count: how many places there are.
      runs: folder of the training runs.
      program: script that can be started as a training child.
      grace: see `slots.Watch`.
    """

    study: optuna.Study
    space: Space
    count: int
    runs: str
    program: str
    grace: float


def work(job: Job) -> None:
    """Work until every place is settled."""
    watch = slots.Watch(job.grace)
    while True:
        _release(job, watch)
        slots.fill(job.study, job.space, job.count)
        trial = slots.claim(job.study)
        if trial is not None:
            _run(job, trial, watch)
            continue
        places = slots.by_place(job.study.get_trials(deepcopy=False))
        if all(slots.is_settled(slots.counts(places.get(i, []))) for i in range(job.count)):
            return
        time.sleep(_IDLE_SECONDS)


def _release(job: Job, watch: slots.Watch) -> None:
    for number in watch.release(job.study):
        _say(f"trial {number}: its worker is gone; it is tried again")


def suggest(trial: Trial, space: Space) -> dict[str, Any]:
    """Let Optuna choose, or take what the trial was queued with."""
    found: dict[str, Any] = {}
    for name, one in space.search.items():
        match one:
            case Choice():
                found[name] = trial.suggest_categorical(name, one.values)
            case Range(whole=True):
                step = int(one.step or 1)
                found[name] = trial.suggest_int(
                    name, int(one.low), int(one.high), step=step, log=one.log
                )
            case Range():
                found[name] = trial.suggest_float(
                    name, one.low, one.high, step=one.step, log=one.log
                )
    return found


def _run(job: Job, trial: Trial, watch: slots.Watch) -> None:
    """Train with the parameters of a trial and finish it."""
    start, seconds, value, complete = time.monotonic(), 0.0, math.inf, False
    try:
        try:
            state, value = _train(job, trial, watch)
        except TrainingFailedError as failure:
            _fail(job, trial, str(failure), final=failure.final)
            return
        if not math.isfinite(value):
            _fail(job, trial, "the run made no evaluation", final=True)
            return
        seconds = round(time.monotonic() - start, 1)
        trial.set_user_attr("seconds", seconds)
        complete = state is TrialState.COMPLETE
        kept = slots.end(job.study, trial.number, state, value if complete else None)
    except optuna.exceptions.UpdateFinishedTrialError:
        kept = False
    if kept:
        word = "complete" if complete else "pruned"
        _say(f"trial {trial.number}: {word}, CER {value:.3f} %, {seconds:.0f} s")
    else:
        _say(f"trial {trial.number}: taken away while this worker was silent; result dropped")


def _train(job: Job, trial: Trial, watch: slots.Watch) -> tuple[TrialState, float]:
    """Train; returns the final state and the best rate."""
    place = trial.user_attrs[slots.PLACE]
    job.study.sampler = sampler_for(job.space, place)
    params = suggest(trial, job.space)
    before = slots.lost_before(job.study, trial)
    name = before.user_attrs[slots.RUN] if before else f"{place:04d}-{trial.number:04d}"
    trial.set_user_attr(slots.RUN, name)
    output = str(Path(job.runs, name, "model"))
    again = ", going on where it was cut off" if before else ""
    _say(f"trial {trial.number} (place {place}): {_shown(params)}{again}")
    follow = _Follow(trial, output)
    with TrainingRun(job.program, {**job.space.settings(params), "model_output": output}) as run:
        state = follow.to_end(run, lambda: _release(job, watch))
    return state, follow.best


def _fail(job: Job, trial: Trial, problem: str, *, final: bool) -> None:
    trial.set_user_attr(slots.PROBLEM, problem)
    if final:
        trial.set_user_attr(slots.FINAL, True)
    slots.end(job.study, trial.number, TrialState.FAIL)
    _say(f"trial {trial.number}: failed: {problem}")


class _Follow:
    """Hands the evaluations of a run to Optuna, and keeps the best."""

    def __init__(self, trial: Trial, output: str):
        self._trial = trial
        self._steps: set[int] = set()
        self._beats = 0
        self._last_beat = -math.inf
        self.best = math.inf
        for record in earlier_records(output):
            self._take(record)

    def to_end(self, run: TrainingRun, look: Callable[[], object]) -> TrialState:
        """Follow a run until it ends or is pruned."""
        for record in run.records(_BEAT_SECONDS):
            if record is not None and self._take(record) and self._trial.should_prune():
                return TrialState.PRUNED
            if time.monotonic() - self._last_beat >= _BEAT_SECONDS:
                self._beat()
                look()
        return TrialState.COMPLETE

    def _beat(self) -> None:
        self._beats += 1
        self._trial.set_user_attr(slots.BEAT, self._beats)
        self._last_beat = time.monotonic()

    def _take(self, record: dict[str, Any]) -> bool:
        """Report an evaluation; whether there was a new one."""
        cer = record.get("cer")
        at = record.get("training_iteration")
        if record.get("event") != "eval" or not isinstance(cer, int | float):
            return False
        step = int(at) // _STEP * _STEP if isinstance(at, int | float) else 0
        if not math.isfinite(cer) or step in self._steps:
            return False
        self._steps.add(step)
        self.best = min(self.best, float(cer))
        self._trial.report(float(cer), step)
        return True


def _shown(params: dict[str, Any]) -> str:
    return ", ".join(
        f"{name}={value:.4g}" if isinstance(value, float) else f"{name}={value}"
        for name, value in params.items()
    )


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
