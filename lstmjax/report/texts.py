"""The summary of a report for the terminal."""

from collections.abc import Iterator

from lstmjax.report.parts import interval, p_value, points
from lstmjax.report.result import ModelResult, Report
from lstmjax.report.statistics import CONFIDENCE, Rate


def summary(report: Report) -> Iterator[str]:
    """Yield rates with intervals, comparisons and the gap to training lines, in percent."""
    percent = f"{100 * CONFIDENCE:.0f}%"
    for model in report.models:
        measures = model.measures
        yield (
            f"{model.label}: CER={_rate(measures.cer)}, WER={_rate(measures.wer)} "
            f"({percent} intervals over {measures.lines} lines)"
        )
    yield from disagreement(report.models[0])
    for one in report.comparisons:
        first, other = report.models[0].label, report.models[one.place].label
        chance = 1.0 if one.cer.p_value is None else one.cer.p_value
        yield (
            f"{other} against {first}: CER {points(one.cer.value)} [{interval(one.cer)}], "
            f"p={p_value(chance)}, WER {points(one.wer.value)} [{interval(one.wer)}], "
            f"better in {one.cer.better} lines, worse in {one.cer.worse}"
        )
    if report.overfitting:
        found = report.overfitting
        yield (
            f"Training lines ({found.train.lines}): CER={_rate(found.train.cer)}; evaluation "
            f"minus training {points(found.cer.value)} [{interval(found.cer)}]"
        )


def disagreement(model: ModelResult) -> Iterator[str]:
    """Yield a sentence about lines that are without error by only one of CER and BCER, if any."""
    if model.only_cer_right or model.only_bcer_right:
        yield (
            f"CER and BCER disagree: {model.only_cer_right} lines are without error by CER only, "
            f"{model.only_bcer_right} by BCER only. CER compares what the tesseract program prints "
            "with the exact truth; BCER compares characters in their normed forms, read without "
            "word lists, and ignores their order."
        )


def _rate(rate: Rate) -> str:
    return f"{100 * rate.value:.3f} [{interval(rate)}]"
