"""The sub-trainer: a second try from the best state, when a run has stalled.

It starts from the best trainer with lower rates, and learns only while its error is lower than the
run's by a margin. If it reaches the run's iteration with a new best, it takes the run's place.
Source: Tesseract src/training/unicharset/lstmtrainer.cpp, StartSubtrainer, UpdateSubtrainer.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import jax
import numpy as np

from lstmjax.errors import Say
from lstmjax.training.report import STALLED_BY, log_prefix
from lstmjax.training.tesseract.trainer import CheckpointCodec, Trainer

BLOCK = 100  # lines between its reports

Reduce = Callable[[Trainer], tuple[Trainer, str]]
Learn = Callable[[Trainer], Trainer]


@dataclass(frozen=True)
class Tried:
    """A trainer after its sub-trainer was started or went on.

    trainer: trainer with its sub-trainer, or replaced by it; text: for the report.
    best_trainer: dump to go back to; won: whether the sub-trainer took the place.
    """

    trainer: Trainer
    text: str
    best_trainer: bytes
    won: bool = False


def start_subtrainer(
    trainer: Trainer, best_trainer: bytes, codec: CheckpointCodec, reduce: Reduce
) -> Tried:
    """Start from the best trainer with lower rates; the next stall is further away.

    Args:
      trainer: trainer that has stalled.
      best_trainer: dump of its best state.
      codec: reads and writes codec.
      reduce: function that lowers the rates of a trainer and says so.
    """
    sub = codec.trainer(best_trainer)
    text = f" Trial sub_trainer_ from iteration {sub.progress.training_iteration}"
    sub, reduced = reduce(sub)
    at = trainer.progress.learning_iteration
    stall = at + 2 * (at - sub.progress.learning_iteration)
    sub = replace(sub, progress=replace(sub.progress, stall_iteration=stall))
    progress = replace(trainer.progress, stall_iteration=stall)
    trainer = replace(trainer, progress=progress, sub=sub)
    return Tried(trainer, text + reduced, codec.no_best(sub))


def update_subtrainer(trainer: Trainer, best_trainer: bytes, learn: Learn, say: Say) -> Tried:
    """Let the sub-trainer learn until it has caught up or lost its margin.

    Args:
      trainer: trainer that has a sub-trainer.
      best_trainer: dump of its best state, handed on.
      learn: function that learns from one line.
      say: prints a line at once.
    """
    sub, progress = trainer.sub, trainer.progress
    assert sub is not None
    # The negation also catches a margin that is undefined, 0 / 0.
    if not margin_of(progress.char_rate, sub.progress.char_rate) >= STALLED_BY:
        return Tried(trainer, "", best_trainer)
    error = sub.progress.char_rate
    margin = margin_of(progress.char_rate, error)
    text = f" sub_trainer={error:f} margin={100 * margin:f}\n"
    # Learning uses a state up, and the old one must last in case a signal interrupts this.
    sub = replace(sub, state=jax.tree.map(np.array, jax.device_get(sub.state)))
    while sub.progress.training_iteration < progress.training_iteration and margin >= STALLED_BY:
        for _ in range(BLOCK):
            sub = learn(sub)
        line = f"Sub:{log_prefix(sub.progress)}"
        say(f"UpdateSubtrainer:{line}")
        text += f"{line}\n"
        error = sub.progress.char_rate
        margin = margin_of(progress.char_rate, error)
    if error < progress.best.rate and margin >= STALLED_BY:
        text += f" Sub trainer wins at iteration {sub.progress.training_iteration}\n"
        return Tried(_replaced(trainer, sub), text, best_trainer, won=True)
    return Tried(replace(trainer, sub=sub), text, best_trainer)


def margin_of(error: float, sub_error: float) -> float:
    """How much larger an error is than the sub-trainer's, by the latter."""
    if sub_error > 0:
        return (error - sub_error) / sub_error
    return math.inf if error > 0 else math.nan


def _replaced(trainer: Trainer, sub: Trainer) -> Trainer:
    """The run with the weights, counters and error rates of its sub-trainer."""
    # Best, worst and history stay the run's own; only what says how far it learnt is taken over.
    progress = replace(
        trainer.progress,
        training_iteration=sub.progress.training_iteration,
        learning_iteration=sub.progress.learning_iteration,
        sample_iteration=sub.progress.sample_iteration,
        last_perfect=sub.progress.last_perfect,
        buffers=sub.progress.buffers,
        stage=sub.progress.stage,
    )
    return replace(trainer, state=sub.state, progress=progress, sub=sub)
