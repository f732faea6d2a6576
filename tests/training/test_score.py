"""Scores of training lines, against counts made by hand."""

from typing import Any

import numpy as np
import pytest
from training.starts import DEMO, codec_of

from lstmjax.data.batch import BatchShape
from lstmjax.data.stream import Plan, Position
from lstmjax.training.fast.score import Scorer
from lstmjax.training.fast.step import StepResult


def scored(texts, read, *, finite=True):
    """Score lines with these truths, of which the network reads other texts."""
    codec = codec_of(DEMO)
    null, T = codec.null_char, 40
    probs = np.zeros((T, len(texts), codec.num_codes), np.float32)
    probs[:, :, null] = 0.5
    steps = []
    for i, text in enumerate(read):
        codes = codec.encode(text)
        steps.append(2 * len(codes) + 1)
        for place, code in enumerate(codes):
            probs[2 * place + 1, i, code] = 1
    codes = tuple(np.asarray(codec.encode(text), np.int32) for text in texts)
    count = len(texts)
    plan = Plan(
        tuple(range(count)), tuple(range(count)), (0, 3)[:count], codes,
        BatchShape(12, T, 9), Position(),
    )  # fmt: skip
    figures: Any = np.linspace(0.1, 0.2, count)
    result = StepResult(
        figures,
        figures,
        figures,
        probs,
        np.array(steps),
        np.array(finite),  # type: ignore[arg-type]
    )
    with Scorer(codec, simple_text=False) as scorer:
        return scorer.submit(plan, result).result()


def test_errors_are_counted_as_tesseract_counts_them():
    right, wrong = scored(["one two", "one two"], ["one two", "one twe"])
    assert (right.char, right.word, right.skipped) == (0, 0, 0)
    assert wrong.char == pytest.approx(2 / 7)  # a substitution counts twice
    assert (wrong.word, wrong.skipped) == (0.5, 3)
    assert (right.rms, wrong.delta) == (pytest.approx(0.1), pytest.approx(0.2))


def test_steps_beyond_the_end_of_a_line_do_not_count():
    short, _ = scored(["one", "one two three"], ["one", "one two three"])
    assert short.char == 0


def test_lines_of_an_update_that_was_left_out_count_as_wrong():
    for line in scored(["one", "two"], ["one", "two"], finite=False):
        assert line[:4] == (1.0, 1.0, 1.0, 1.0)
