"""A study as numbered places, each to be filled by one finished trial.

Several workers on several machines share one study. Optuna hands out waiting trials, each to one
worker; what it lacks for journal files is that a trial whose worker was killed is tried again. So
every trial belongs to a place:

- A place without a living trial (waiting, running or finished) gets a new waiting one, with the
  same parameters as the one that was lost. The first worker that notices makes it.
- Of several living trials of a place (two workers may notice at once) the finished one counts,
  else the one with the lowest number; the others end as surplus before they start.
- A running trial is lost when its process is gone, on the same machine, or when its beat has
  not changed for a while by the watcher's own clock; clocks of machines are not compared.
- A worker that was only asleep finds its trial taken away and drops its result.
"""

import os
import platform
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import FrozenTrial, Trial, TrialState

from .space import Space

PLACE, BEAT, MACHINE, PROCESS = "place", "beat", "machine", "process"
RUN, SURPLUS, PROBLEM, FINAL = "run", "surplus", "problem", "final"
MAX_ATTEMPTS = 3
_DONE = (TrialState.COMPLETE, TrialState.PRUNED)
_LIVING = (*_DONE, TrialState.WAITING, TrialState.RUNNING)


def machine() -> str:
    """A name for this machine and its process table, within which process numbers are unique."""
    name = platform.node()
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()[:8]
        return f"{name}-{boot}-{os.stat('/proc/self/ns/pid').st_ino}"
    except OSError:
        return name


def process(number: int | None = None) -> str | None:
    """A process of this machine, by number and start; None if there is none."""
    number = os.getpid() if number is None else number
    try:
        status = Path(f"/proc/{number}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return f"{number}" if not os.path.isdir("/proc/self") and _lives(number) else None
    state, *rest = status.rpartition(")")[2].split()
    return None if state in "ZX" else f"{number}@{rest[18]}"


def _lives(number: int) -> bool:
    try:
        os.kill(number, 0)
    except OSError:
        return False
    return True


def is_gone(trial: FrozenTrial) -> bool:
    """Whether the process that ran a trial has ended, as far as can be told here."""
    name = trial.user_attrs.get(PROCESS)
    if trial.user_attrs.get(MACHINE) != machine() or not isinstance(name, str):
        return False
    number = name.partition("@")[0]
    return not number.isdecimal() or process(int(number)) != name


def by_place(trials: Iterable[FrozenTrial]) -> dict[int, list[FrozenTrial]]:
    """The trials of each place, without surplus ones."""
    places: defaultdict[int, list[FrozenTrial]] = defaultdict(list)
    for trial in trials:
        place = trial.user_attrs.get(PLACE)
        if isinstance(place, int) and SURPLUS not in trial.user_attrs:
            places[place].append(trial)
    return dict(places)


def counts(trials: list[FrozenTrial]) -> FrozenTrial | None:
    """The trial of a place that counts; None if it must be tried (again)."""
    finished = [trial for trial in trials if trial.state in _DONE or FINAL in trial.user_attrs]
    living = [trial for trial in trials if trial.state in _LIVING]
    if not living and not finished and len(trials) >= MAX_ATTEMPTS:
        return trials[-1]
    return min(finished or living, key=lambda trial: trial.number, default=None)


def is_settled(trial: FrozenTrial | None) -> bool:
    """Whether the trial that counts for a place has ended."""
    return trial is not None and trial.state.is_finished()


def fill(study: optuna.Study, space: Space, count: int) -> None:
    """Give every place below `count` a living trial."""
    places = by_place(study.get_trials(deepcopy=False))
    grid = space.grid() if space.study["sampler"] == "grid" else None
    for place in range(count):
        trials = places.get(place, [])
        if counts(trials) is None:
            params = dict(trials[-1].params) if trials else {}
            params = params or (grid[place] if grid else {})
            study.enqueue_trial(params, user_attrs={PLACE: place})


def claim(study: optuna.Study) -> Trial | None:
    """Take a waiting trial that counts; None if there is none now."""
    waiting = study.get_trials(deepcopy=False, states=(TrialState.WAITING,))
    if not waiting:
        return None
    trial = study.ask()  # makes a new one if another worker was faster
    trials = study.get_trials(deepcopy=False)
    place = trial.user_attrs.get(PLACE)
    if place is not None:
        chosen = counts(by_place(trials)[place])
        if chosen is not None and chosen.number == trial.number:
            trial.set_user_attr(MACHINE, machine())
            trial.set_user_attr(PROCESS, process())
            return trial
    trial.set_user_attr(SURPLUS, True)
    study.tell(trial, state=TrialState.FAIL)
    return None


def lost_before(study: optuna.Study, trial: Trial) -> FrozenTrial | None:
    """The last attempt at a trial's place, if its files are here and nobody writes to them."""
    place = trial.user_attrs[PLACE]
    earlier = [
        one
        for one in by_place(study.get_trials(deepcopy=False))[place]
        if one.number < trial.number and RUN in one.user_attrs and PROBLEM not in one.user_attrs
    ]
    return earlier[-1] if earlier and is_gone(earlier[-1]) else None


@dataclass
class Watch:
    """Notices trials whose workers are gone.

    Attributes:
      grace: seconds without a beat after which a trial of another machine is lost.
    """

    grace: float
    _seen: dict[int, tuple[Any, float]] = field(default_factory=dict)

    def release(self, study: optuna.Study) -> list[int]:
        """End the trials that are lost, so that `fill` tries them again; their numbers."""
        now = time.monotonic()
        running = study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
        lost = []
        for trial in running:
            beat = trial.user_attrs.get(BEAT)
            last, since = self._seen.get(trial.number, (None, now))
            if trial.number not in self._seen or last != beat:
                self._seen[trial.number] = (beat, now)
                since = now
            if is_gone(trial) or now - since > self.grace:
                lost.append(trial.number)
        for number in lost:
            end(study, number, TrialState.FAIL)
        return lost


def end(study: optuna.Study, number: int, state: TrialState, value: float | None = None) -> bool:
    """Finish a running trial; False if somebody else has.

    Args:
      study: the study.
      number: number of the trial.
      state: final state.
      value: the result of a complete trial.
    """
    try:
        study.tell(number, value, state=state)
    except (ValueError, optuna.exceptions.UpdateFinishedTrialError):
        return False
    return True
