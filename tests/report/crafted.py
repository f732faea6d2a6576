"""Reports made by hand, from texts instead of models."""

from data.documents import page, png, save

from lstmjax.ctc.error_rates import bwer, char_counts, word_counts
from lstmjax.data.lines import build_index
from lstmjax.data.skips import Skip, SkipReason
from lstmjax.report.readings import Reading
from lstmjax.report.result import make_report

HOSTILE = '<script>alert("1")</script> & \x1b[31m\u202eabc'


def reading(truth, text, bcer=0.0):
    return Reading(
        text, char_counts(truth, text), word_counts(truth, text), bcer, bwer(truth, text)
    )


def index_of(folder, truths, name="eng.Some_Font.exp0.lstmf"):
    pages = [page(text, png(70, 24, i), boxes=2) for i, text in enumerate(truths)]
    return build_index([save(folder / name, *pages)])


def report_of(folder, truths, *models, skipped=(), train=None, paths=None):
    """A report on `truths` as read by models, each given by its readings; and the index."""
    index = index_of(folder, truths)
    numbers = [number for number in range(len(truths)) if number not in skipped]
    readings = [
        {number: reading(truths[number], texts[number]) for number in numbers} for texts in models
    ]
    names = paths or [f"m{i}.traineddata" for i in range(len(models))]
    skips = {number: Skip(SkipReason.UNENCODABLE, f"bad {HOSTILE}") for number in skipped}
    return make_report("eval.list", names, index, readings, skips, train), index
