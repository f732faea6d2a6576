"""What a report says and decides: Tesseract's log lines and its best / worst bookkeeping.

Pure functions of `Progress`; who acts on the verdict is the loop.
Source: Tesseract src/training/unicharset/lstmtrainer.cpp, MaintainCheckpoints, UpdateErrorGraph.
"""

from dataclasses import dataclass, replace

from lstmjax.formats.checkpoint import CHAR, DELTA, RMS, SKIP, WORD
from lstmjax.train.progress import STALL_AFTER, Mark, Progress

IMPROVEMENT = 2.0  # percent points whose time is reported
SLOW_IMPROVEMENT = 10.0  # below this BCER the stage becomes 1
SETTLED_AFTER = 1000  # learning iterations after a best before a worst counts as one
DIVERGED_BY = 50.0
NEVER_DIVERGES_ABOVE = 75.0  # a best this bad is not worth going back to
SAVE_RATIO = 31 / 32  # a best this much lower than the last saved is saved again


def log_prefix(progress: Progress) -> str:
    """`At iteration 14/100/102, Mean rms=...` with six decimals and a blank at the end."""
    rates = progress.rates
    return (
        f"At iteration {progress.learning_iteration}/{progress.training_iteration}"
        f"/{progress.sample_iteration}, "
        f"Mean rms={rates[RMS]:f}%, delta={rates[DELTA]:f}%, BCER train={rates[CHAR]:f}%, "
        f"BWER train={rates[WORD]:f}%, skip ratio={rates[SKIP]:f}%, "
    )


@dataclass(frozen=True, eq=False)
class Verdict:
    """What a report found.

    Attributes:
      progress: with best, worst, history and stage brought up to date.
      before: a line to print ahead of the report, or "".
      text: what to append to the report.
      new_best: whether the training BCER is the lowest so far.
      diverged: whether the run should go back to its best.
    """

    progress: Progress
    before: str
    text: str
    new_best: bool
    diverged: bool


def judge(progress: Progress) -> Verdict:
    """Compare the rolling training BCER with the best and the worst so far."""
    rate, at = progress.char_rate, progress.learning_iteration
    if rate < progress.best.rate:
        return _new_best(progress, rate, at)
    if rate > progress.worst.rate:
        return _new_worst(progress, rate, at)
    return Verdict(progress, "", "", new_best=False, diverged=False)


def _new_best(progress: Progress, rate: float, at: int) -> Verdict:
    mark = Mark(rate, progress.rates, at)
    history = (*progress.history, (rate, at))
    error, iteration = _before_improvement(history, rate)
    stage = progress.stage
    text = f" New best BCER = {rate:f}"
    if stage == 0 and rate < SLOW_IMPROVEMENT:
        stage = 1
        text += f" Transitioned to stage {stage}"
    updated = replace(
        progress,
        best=mark,
        worst=mark,
        history=history,
        improvement_steps=at - iteration,
        stage=stage,
        stall_iteration=at + STALL_AFTER,
    )
    before = (
        f"{IMPROVEMENT:g} Percent improvement time={at - iteration}, "
        f"best error was {error:g} @ {iteration}"
    )
    return Verdict(updated, before, text, new_best=True, diverged=False)


def _before_improvement(history: tuple[tuple[float, int], ...], rate: float) -> tuple[float, int]:
    """The latest best that was at least two points worse; 100 at iteration 0 if there is none."""
    for error, iteration in reversed(history):
        if error >= rate + IMPROVEMENT:
            return error, iteration
    return 100.0, 0


def _new_worst(progress: Progress, rate: float, at: int) -> Verdict:
    text = f" New worst BCER = {rate:f}"
    if rate > progress.best.rate and at < progress.best.iteration + SETTLED_AFTER:
        return Verdict(progress, "", text, new_best=False, diverged=False)
    updated = replace(progress, worst=Mark(rate, progress.rates, at))
    best = progress.best.rate
    diverged = rate > best + DIVERGED_BY and best < NEVER_DIVERGES_ABOVE
    return Verdict(updated, "", text, new_best=False, diverged=diverged)
