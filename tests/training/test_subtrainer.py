"""The margin of a sub-trainer, and what it takes over."""

import math
from dataclasses import replace

import numpy as np
import pytest

from lstmjax.training.progress import Mark, Progress
from lstmjax.training.state import TrainState
from lstmjax.training.tesseract.subtrainer import margin_of, update_subtrainer
from lstmjax.training.tesseract.trainer import Trainer


def trainer(error, iteration, **changes):
    """As if every line so far had this BCER, a fraction."""
    progress = Progress(
        training_iteration=iteration,
        learning_iteration=iteration,
        sample_iteration=iteration,
        buffers=np.full((5, 1000), error),
        **changes,
    )
    return Trainer(TrainState({}, ()), progress)


def learn(error):
    def one(sub):
        at = sub.progress.training_iteration + 1
        buffers = np.full((5, 1000), error)
        return replace(sub, progress=replace(sub.progress, training_iteration=at, buffers=buffers))

    return one


@pytest.mark.parametrize(
    ("error", "sub_error", "margin"),
    [(60, 50, 0.2), (50, 50, 0), (10, 0, math.inf)],
    ids=["ahead", "equal", "perfect"],
)
def test_margin_is_a_share_of_the_subtrainers_error(error, sub_error, margin):
    assert margin_of(error, sub_error) == margin


def test_perfect_both_ways_is_no_margin():
    assert not margin_of(0, 0) >= 0


def test_subtrainer_without_margin_does_not_learn():
    run = replace(trainer(0.5, 300), sub=trainer(0.495, 100))
    tried = update_subtrainer(run, b"best", lambda sub: pytest.fail("learned"), print)
    assert tried.text == ""
    assert tried.trainer is run


def test_subtrainer_that_catches_up_with_a_new_best_wins():
    run = replace(trainer(0.5, 300, best=Mark(45.0)), sub=trainer(0.4, 100))
    said = []
    tried = update_subtrainer(run, b"best", learn(0.3), said.append)
    assert tried.won
    assert len(said) == 2
    assert tried.text.startswith(" sub_trainer=40.000000 margin=25.000000\nSub:At iteration")
    assert tried.text.endswith(" Sub trainer wins at iteration 300\n")
    assert tried.trainer.progress.char_rate == 30.0
    assert tried.trainer.progress.best.rate == 45.0


def test_subtrainer_that_loses_its_margin_stops_for_now():
    run = replace(trainer(0.5, 300, best=Mark(45.0)), sub=trainer(0.4, 100))
    tried = update_subtrainer(run, b"best", learn(0.5), lambda text: None)
    assert not tried.won
    assert tried.trainer.sub is not None
    assert tried.trainer.sub.progress.training_iteration == 200
