"""Checkpoints in which the next report finds a stall or a divergence."""

from dataclasses import replace

import numpy as np

from lstmjax.formats import checkpoint
from lstmjax.formats.checkpoint import CHAR, TrainerRecord


def with_char_error(record: TrainerRecord, error: float) -> TrainerRecord:
    """As if every line so far had this BCER, a fraction."""
    buffers = np.array(record.error_buffers)
    buffers[CHAR] = error
    rates = list(record.error_rates)
    rates[CHAR] = 100 * error
    return replace(record, error_buffers=buffers, error_rates=tuple(rates))


def stalled(early: TrainerRecord, late: TrainerRecord) -> bytes:
    """A run that should try again from an early best."""
    return _joined(early, late, best_error_rate=74.0, best_iteration=90, stall_iteration=100)


def diverging(early: TrainerRecord, late: TrainerRecord) -> bytes:
    """A run whose error is fifty points above an early best, long ago."""
    return _joined(early, late, best_error_rate=20.0, best_iteration=-5000, stall_iteration=10**6)


def _joined(early, late, **marks) -> bytes:
    best = replace(
        with_char_error(early, 0.2),
        amount=checkpoint.NO_BEST,
        best_trainer=b"",
        **{**marks, "best_iteration": 90},
        worst_error_rate=0.0,
    )
    record = replace(
        late,
        amount=checkpoint.FULL,
        best_trainer=checkpoint.pack(best),
        worst_error_rate=0.0,
        **marks,
    )
    return checkpoint.pack(record)
