"""Scripts that plot logs of lstmtraining read ours: those of tesstrain, by their own patterns.

Source: tesstrain Makefile, targets iteration.tsv, checkpoint.tsv and eval.tsv.
"""

import re

import pytest

from lstmjax.training.progress import Progress
from lstmjax.training.report import evaluated, log_prefix
from lstmjax.training.validate import Scores

PROGRESS = Progress(training_iteration=1200, learning_iteration=1100, sample_iteration=1201)
EVALUATED = evaluated(PROGRESS, Scores(0.125, 0.25, 0.0625, 0.5, 60))


@pytest.mark.parametrize("headline", ["", " New best BCER = 3.250000"], ids=["plain", "best"])
@pytest.mark.parametrize("evaluation", ["", EVALUATED], ids=["trained", "evaluated"])
def test_every_report_is_one_point(headline, evaluation):
    line = f"{log_prefix(PROGRESS)}{headline}{evaluation} wrote checkpoint."
    assert line.count("\n") == 0
    assert line.startswith("At iteration")
    point = re.sub(r"At iteration ([0-9]*)/([0-9]*)/.*BCER train=", r"\t\t\1\t\2\t\t", line)
    assert re.sub(r"%, BWER.*", "\t", point) == "\t\t1100\t1200\t\t0.000000\t"


@pytest.mark.parametrize("headline", ["", " New worst BCER = 9.000000"], ids=["plain", "worst"])
def test_every_evaluation_is_one_point(headline):
    line = f"{log_prefix(PROGRESS)}{headline}{EVALUATED} Transitioned to stage 1 wrote checkpoint."
    point = re.sub(r"^.*[0-9]At iteration ", "", line)
    point = re.sub(r",.* BCER eval=", "\t\t", point)
    assert re.sub(r", BWER.*$", "\t\t", point) == "1100\t\t12.500000\t\t"
    assert "CER eval=6.250000, WER eval=50.000000" in line


def test_best_model_is_named_after_the_last_slash():
    line = f"{log_prefix(PROGRESS)} wrote best model:out/foo_3.25_1100_1200.checkpoint wrote"
    name = re.sub(r"\.checkpoint.*$", "", re.sub(r"^.*\/", "", line))
    assert name.split("_") == ["foo", "3.25", "1100", "1200"]
