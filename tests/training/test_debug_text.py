"""Texts of --debug_interval about one line."""

import numpy as np
import pytest
from training.small import EXAMPLES

from lstmjax.charset.codec import Codec
from lstmjax.data.lines import Line
from lstmjax.formats import traineddata
from lstmjax.infer.decode import LineDecoder
from lstmjax.training.debug_text import Reading, activation_path, debug_lines, mean_line


@pytest.fixture(scope="module")
def reader():
    codec = Codec.from_traineddata(traineddata.load(EXAMPLES / "demo.traineddata"))
    return LineDecoder(codec, codec.null_char, simple_text=False)


def probs_of(reader, text, sure=0.9):
    """One step a code with a null after each."""
    codec = reader.codec
    codes = codec.encode(text)
    probs = np.full((2 * len(codes), codec.num_codes), 1e-4, np.float32)
    probs[np.arange(0, len(probs), 2), codes] = sure
    probs[1::2, codec.null_char] = sure
    return probs


def reading(reader, text, truth, delta=0.5, iteration=3):
    line = Line(0, "a.lstmf", 4, "a.tif", 5, 10, 10, False, True, truth)
    targets = probs_of(reader, truth)
    return Reading(iteration, line, probs_of(reader, text), targets, truth, text, delta)


def test_wrong_line_shows_truth_and_text(reader):
    assert list(debug_lines(reading(reader, "of", "on"), reader, -1)) == [
        "Iteration 3: GROUND  TRUTH : on",
        "Iteration 3: BEST OCR TEXT : of",
        "File a.tif line 5 :",
    ]


def test_perfect_line_shows_truth_only(reader):
    assert list(debug_lines(reading(reader, "on", "on", delta=0.0), reader, -1)) == [
        "Iteration 3: GROUND  TRUTH : on",
        "File a.tif line 5 (Perfect):",
    ]


@pytest.mark.parametrize(("iteration", "detailed"), [(3, False), (4, True)])
def test_every_nth_line_shows_activations(reader, iteration, detailed):
    line = reading(reader, "of", "on", iteration=iteration)
    texts = list(debug_lines(line, reader, 2))
    assert ("TRAINING activation path for truth string on" in texts) is detailed


def test_activation_path_names_best_and_second(reader):
    probs = probs_of(reader, "on")
    code = int(reader.codec.encode("o")[0])
    second = int(reader.codec.encode("n")[0])
    probs[0, second] = 0.05
    first, *_ = activation_path(probs, reader)
    assert first.startswith(f"o={code} On [0, 2), scores= 90(n={second}=5) 0.01(<null>=")
    assert first.endswith(", Mean=45.005, max=90")


def test_nothing_read_is_all_null(reader):
    null_char = reader.codec.null_char
    probs = np.full((3, reader.codec.num_codes), 1e-6, np.float32)
    probs[:, null_char] = 0.99
    (text,) = activation_path(probs, reader)
    assert text.startswith(f"<null>={null_char} On [0, 3), scores= 99(")


def test_rates_have_six_significant_digits():
    assert mean_line((8.54, 100.0, 99.5, 100.0, 0.0)) == (
        "Mean rms=8.54%, delta=100%, train=100%(99.5%), skip ratio=0%"
    )
