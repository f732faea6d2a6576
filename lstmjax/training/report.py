"""What a report says and decides: Tesseract's log lines and its best / worst bookkeeping.

Pure functions of `Progress`; the loops act on the verdict.
Source: Tesseract src/training/unicharset/lstmtrainer.cpp, MaintainCheckpoints, UpdateErrorGraph.
"""

from dataclasses import dataclass, replace

from lstmjax.formats.checkpoint import CHAR, DELTA, RMS, SKIP, WORD
from lstmjax.training.progress import STALL_AFTER, Mark, Progress
from lstmjax.training.validate import Scores

IMPROVEMENT = 2.0  # percent points whose time is reported
SLOW_IMPROVEMENT = 10.0  # below this BCER the stage becomes 1
SETTLED_AFTER = 1000  # learning iterations after a best before a worst counts as one
DIVERGED_BY = 50.0
NEVER_DIVERGES_ABOVE = 75.0  # a best this bad is not worth going back to
SAVE_RATIO = 31 / 32  # a best this much lower than the last saved is saved again
STALLED_BY = 3 / 128  # a stalled run is worse than its best by this share


def log_prefix(progress: Progress) -> str:
    """`At iteration 14/100/102, Mean rms=...` with six decimals and a blank at the end."""
    rates = progress.rates
    return (
        f"At iteration {progress.learning_iteration}/{progress.training_iteration}"
        f"/{progress.sample_iteration}, "
        f"Mean rms={rates[RMS]:f}%, delta={rates[DELTA]:f}%, BCER train={rates[CHAR]:f}%, "
        f"BWER train={rates[WORD]:f}%, skip ratio={rates[SKIP]:f}%, "
    )


def figures(progress: Progress) -> dict[str, float]:
    """Counters and rolling error rates under the names that metrics.jsonl gives them."""
    rates = progress.rates
    return {
        "training_iteration": progress.training_iteration,
        "learning_iteration": progress.learning_iteration,
        "sample_iteration": progress.sample_iteration,
        "rms": rates[RMS],
        "delta": rates[DELTA],
        "bcer": rates[CHAR],
        "bwer": rates[WORD],
        "skip_ratio": rates[SKIP],
    }


def evaluated(progress: Progress, scores: Scores) -> str:
    """What a report appends about an evaluation.

    The end is Tesseract's own, and like there it follows a digit: scripts that plot logs look for
    that, and take every line that begins with `At iteration` for a report.
    """
    return (
        f" CER eval={100 * scores.cer:f}, WER eval={100 * scores.wer:f}"
        f"At iteration {progress.learning_iteration}, stage {progress.stage}, "
        f"BCER eval={100 * scores.bcer:f}, BWER eval={100 * scores.bwer:f}"
    )


@dataclass(frozen=True, eq=False)
class Verdict:
    """The conclusions of a report.

    Attributes:
      progress: counters with best, worst, history and stage brought up to date.
      before: line to print ahead of the report, or "".
      headline: text to append to the report.
      stage_text: text to append after the result of an evaluation, if there is one.
      new_best: whether the training BCER is the lowest so far.
      new_worst: whether it is the highest since the best.
      settled: a new worst long enough after the best to count as one.
      diverged: whether the run should go back to its best.
    """

    progress: Progress
    before: str = ""
    headline: str = ""
    stage_text: str = ""
    new_best: bool = False
    new_worst: bool = False
    settled: bool = False
    diverged: bool = False


def stalled(progress: Progress) -> bool:
    """Whether there was no new best for long, and the run is worse than its best by a margin."""
    best = progress.best.rate
    return (
        progress.learning_iteration >= progress.stall_iteration
        and progress.char_rate > best * (1 + STALLED_BY)
        and best < NEVER_DIVERGES_ABOVE
    )


def judge(progress: Progress) -> Verdict:
    """Compare the rolling training BCER with the best and the worst so far."""
    rate, at = progress.char_rate, progress.learning_iteration
    if rate < progress.best.rate:
        return _new_best(progress, rate, at)
    if rate > progress.worst.rate:
        return _new_worst(progress, rate, at)
    return Verdict(progress)


def _new_best(progress: Progress, rate: float, at: int) -> Verdict:
    mark = Mark(rate, progress.rates, at)
    history = (*progress.history, (rate, at))
    error, iteration = _before_improvement(history, rate)
    stage = progress.stage
    stage_text = ""
    if stage == 0 and rate < SLOW_IMPROVEMENT:
        stage = 1
        stage_text = f" Transitioned to stage {stage}"
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
    headline = f" New best BCER = {rate:f}"
    return Verdict(updated, before, headline, stage_text, new_best=True)


def _before_improvement(history: tuple[tuple[float, int], ...], rate: float) -> tuple[float, int]:
    """The latest best that was at least two points worse; 100 at iteration 0 if there is none."""
    for error, iteration in reversed(history):
        if error >= rate + IMPROVEMENT:
            return error, iteration
    return 100.0, 0


def _new_worst(progress: Progress, rate: float, at: int) -> Verdict:
    text = f" New worst BCER = {rate:f}"
    # As in UpdateErrorGraph: so soon after a best, the worst stays and nothing diverges.
    if rate > progress.best.rate and at < progress.best.iteration + SETTLED_AFTER:
        return Verdict(progress, headline=text, new_worst=True)
    updated = replace(progress, worst=Mark(rate, progress.rates, at))
    best = progress.best.rate
    diverged = rate > best + DIVERGED_BY and best < NEVER_DIVERGES_ABOVE
    return Verdict(updated, headline=text, new_worst=True, settled=True, diverged=diverged)
