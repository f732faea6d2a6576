"""Reports: Tesseract's text, and its bookkeeping of best and worst."""

from dataclasses import replace

import numpy as np
import pytest

from lstmjax.data.stream import Position
from lstmjax.formats.checkpoint import CHAR
from lstmjax.training.config import TrainConfig
from lstmjax.training.progress import LineResult, Mark, Progress
from lstmjax.training.report import judge, log_prefix, stalled
from lstmjax.training.validate import evaluation_interval


def progress_with(bcer, iteration, **changes):
    """As if every line so far had this BCER, a fraction."""
    buffers = np.zeros((5, 1000))
    buffers[CHAR] = bcer
    return Progress(
        training_iteration=iteration,
        learning_iteration=iteration,
        sample_iteration=iteration,
        buffers=buffers,
        **changes,
    )


def test_prefix_is_that_of_lstmtraining():
    lines = [LineResult(0.0623, 0.58555, 1.0, 0.99958, 0)] * 100
    progress = Progress().after_batch(lines, Position())
    assert log_prefix(progress) == (
        "At iteration 100/100/100, Mean rms=6.230000%, delta=58.555000%, BCER train=99.958000%, "
        "BWER train=100.000000%, skip ratio=0.000000%, "
    )


def test_counters_tell_perfect_and_skipped_lines_apart():
    lines = [LineResult(0.1, 0.5, 1, 1, 2), LineResult(0, 0, 0, 0, 0), LineResult(0.1, 1, 1, 1, 1)]
    progress = Progress().after_batch(lines, Position(3, 0, 1))
    assert (progress.learning_iteration, progress.training_iteration) == (2, 3)
    assert progress.sample_iteration == 6
    assert progress.last_perfect == 1
    assert progress.rates[4] == 100.0
    assert progress.position == Position(3, 0, 1)


def test_first_best_names_hundred_at_iteration_zero():
    verdict = judge(progress_with(0.99958, 100))
    assert verdict.before == "2 Percent improvement time=100, best error was 100 @ 0"
    assert (verdict.headline + verdict.stage_text) == " New best BCER = 99.958000"
    assert verdict.new_best
    assert verdict.progress.best.rate == 99.958


def test_hundred_percent_at_the_start_is_a_new_worst():
    verdict = judge(progress_with(1.0, 100))
    assert (verdict.headline + verdict.stage_text) == " New worst BCER = 100.000000"
    assert not verdict.new_best


def test_improvement_time_counts_from_the_last_best_two_points_worse():
    history = ((50.0, 100), (31.0, 200), (29.5, 250))
    before = progress_with(
        0.29, 300, best=Mark(29.5, iteration=250), worst=Mark(29.5), history=history
    )
    verdict = judge(before)
    assert verdict.before == "2 Percent improvement time=100, best error was 31 @ 200"
    assert verdict.progress.improvement_steps == 100


def test_stage_changes_below_ten_percent_once():
    first = judge(progress_with(0.09, 100))
    assert (first.headline + first.stage_text).endswith("Transitioned to stage 1")
    second = judge(replace(first.progress, buffers=progress_with(0.08, 100).buffers))
    assert "stage" not in (second.headline + second.stage_text)


@pytest.mark.parametrize(("at", "diverged"), [(900, False), (1200, True)], ids=["early", "late"])
def test_divergence_needs_a_thousand_iterations_after_the_best(at, diverged):
    before = progress_with(0.65, at, best=Mark(10.0, iteration=100), worst=Mark(10.0))
    verdict = judge(before)
    assert (verdict.headline + verdict.stage_text) == " New worst BCER = 65.000000"
    assert verdict.diverged is diverged


@pytest.mark.parametrize(
    ("bcer", "at", "best", "expected"),
    [
        (0.6, 200, 50.0, True),
        (0.51, 200, 50.0, False),
        (0.6, 99, 50.0, False),
        (0.9, 200, 75.0, False),
    ],
    ids=["stalled", "little-worse", "too-soon", "never-good"],
)
def test_stall_needs_time_margin_and_a_good_best(bcer, at, best, expected):
    progress = progress_with(bcer, at, best=Mark(best), stall_iteration=100)
    assert stalled(progress) is expected


def test_early_worst_is_not_settled():
    before = progress_with(0.65, 900, best=Mark(10.0, iteration=100), worst=Mark(10.0))
    verdict = judge(before)
    assert verdict.new_worst
    assert not verdict.settled
    assert verdict.progress is before


@pytest.mark.parametrize(
    ("lines", "asked", "interval"),
    [(10, 0, 1000), (200, 0, 1000), (201, 0, 1100), (10, 150, 200), (999, 100, 100)],
)
def test_evaluations_come_at_reports(lines, asked, interval):
    assert evaluation_interval(TrainConfig(eval_interval=asked), lines) == interval
