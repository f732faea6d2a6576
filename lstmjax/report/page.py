"""A report as one self-contained HTML file: embedded images, no scripts, no external resources."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import pairwise

from lstmjax.data.skips import SkipReason
from lstmjax.report import parts
from lstmjax.report.align import Confusion
from lstmjax.report.groups import UNKNOWN
from lstmjax.report.parts import bar, interval, marked, percent, text
from lstmjax.report.result import Comparison, Group, Report, ReportedLine
from lstmjax.report.statistics import (
    CONFIDENCE,
    NUM_PERMUTATIONS,
    NUM_RESAMPLES,
    Difference,
)
from lstmjax.report.style import CSS
from lstmjax.report.texts import disagreement

WORST = 30
CHANGED = 10
_CONFUSIONS = 25
_GROUPS = 40
_SKIPS = 50
_SIGNIFICANT = 0.05
_BUCKETS = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)  # upper bounds of CERs
_NO_PICTURE = '<p class="soft small">(the image can no longer be read)</p>'

Picture = Callable[[int], str | None]


def page(report: Report, picture: Picture, *, worst: int = WORST) -> str:
    """The whole page.

    Args:
      report: the report to show.
      picture: function from the number of a line to its image as a data URI; None if unreadable.
      worst: number of worst lines to show.
    """
    sections = [
        ("models", "Models", _models(report) if len(report.models) > 1 else ""),
        ("comparison", "Comparison", "".join(_compared(report, c) for c in report.comparisons)),
        ("overfitting", "Training lines and evaluation lines", _overfitting(report)),
        ("groups", "Fonts, files, scripts", _groups(report)),
        ("lines", "Distribution of errors over lines", _spread(report)),
        ("confusions", "Confusions", _confusions(report)),
        ("worst", "Worst lines", _worst(report, picture, worst)),
        ("changed", "Lines that changed most", _changed(report, picture)),
        ("skipped", "Lines left out", _skipped(report)),
        ("about", "What the figures mean", _about()),
    ]
    # A section without content is left out, with its link.
    shown = [(key, title, body) for key, title, body in sections if body]
    links = "".join(f'<a href="#{key}">{text(title)}</a>' for key, title, _ in shown)
    bodies = "".join(
        f'<section id="{key}"><h2>{text(title)}</h2>{body}</section>' for key, title, body in shown
    )
    title = text("Evaluation of " + " and ".join(model.label for model in report.models))
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        # The page itself forbids scripts and other sources: its texts come from foreign files.
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "img-src data:; style-src 'unsafe-inline'\">"
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{title}</title><style>{CSS}</style></head><body><main>"
        f"<h1>{title}</h1>{_subtitle(report)}<nav>{links}</nav>{_cards(report)}{bodies}"
        "</main></body></html>\n"
    )


def _subtitle(report: Report) -> str:
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    total = report.models[0].measures
    return (
        f'<p class="soft">{total.lines} lines of {text(report.list_path)} with {total.chars} '
        f"characters and {total.words} words, {len(report.skipped)} left out. "
        f"lstmjax {text(version('lstmjax'))}, {now}.</p>"
    )


def _cards(report: Report) -> str:
    model = report.models[0]
    share = model.perfect / model.measures.lines
    cards = [
        ("CER, characters", percent(model.measures.cer.value), interval(model.measures.cer)),
        ("WER, words", percent(model.measures.wer.value), interval(model.measures.wer)),
        ("Lines without error", percent(share), f"{model.perfect} of {model.measures.lines}"),
        ("BCER, Tesseract's", percent(model.bcer.value), interval(model.bcer)),
        ("BWER, Tesseract's", percent(model.bwer.value), interval(model.bwer)),
    ]
    heading = ""
    if len(report.models) > 1:
        heading = f'<p class="soft small">{text(model.label)}</p>'
    drawn = "".join(
        f'<div class="card">{text(name)}<b>{value}</b><span class="soft small">{below}</span></div>'
        for name, value, below in cards
    )
    differ = "".join(f'<p class="soft small">{text(line)}</p>' for line in disagreement(model))
    return f'{heading}<div class="cards">{drawn}</div>{differ}'


def _models(report: Report) -> str:
    most = max(model.measures.cer.high for model in report.models)
    rows = [
        [
            f'{parts.dot(place)}<span title="{text(model.path)}">{text(model.label)}</span>',
            percent(model.measures.cer.value),
            parts.whiskers([model.measures.cer], most, place),
            percent(model.measures.wer.value),
            interval(model.measures.wer),
            percent(model.bcer.value),
            percent(model.bwer.value),
            str(model.measures.lines - model.own_lines),
        ]
        for place, model in enumerate(report.models)
    ]
    head = ["model", "CER", "", "WER", "interval", "BCER", "BWER", "lines it cannot encode"]
    return parts.table(head, rows, "wnbnnnnn") + (
        '<p class="soft small">All models read the same lines. Lines with characters outside a '
        "model's character set count in its CER and WER, not in its BCER and BWER.</p>"
    )


def _compared(report: Report, one: Comparison) -> str:
    first, other = report.models[0], report.models[one.place]
    rows = [
        [
            name,
            percent(a.value),
            percent(b.value),
            parts.points(change.value),
            interval(change),
            parts.p_value(1.0 if change.p_value is None else change.p_value),
            str(change.better),
            str(change.worse),
        ]
        for name, a, b, change in (
            ("CER", first.measures.cer, other.measures.cer, one.cer),
            ("WER", first.measures.wer, other.measures.wer, one.wer),
        )
    ]
    head = [
        "", first.label, other.label, "difference", "interval", "p", "lines better", "lines worse",
    ]  # fmt: skip
    return (
        f"<h3>{text(other.label)} against {text(first.label)}</h3><p>{_verdict(report, one)}</p>"
        f"{parts.table(head, rows, 'tnnnnnnn')}"
    )


def _verdict(report: Report, one: Comparison) -> str:
    first, other = (text(report.models[place].label) for place in (0, one.place))
    # "p = < 0.001" reads badly.
    chance = f"p = {parts.p_value(one.adjusted)}, two-sided".replace("= <", "<")
    if len(report.comparisons) > 1:
        chance += f", adjusted by Holm's method for {len(report.comparisons)} comparisons"
    if one.adjusted >= _SIGNIFICANT:
        return f"No difference in CER beyond chance ({chance})."
    kind, word = ("good", "better") if one.cer.value < 0 else ("bad", "worse")
    return (
        f'<b class="{kind}">{other} reads these lines {word} than {first}</b>: its CER differs by '
        f"{parts.points(one.cer.value)} percentage points ({chance.replace('<', '&lt;')})."
    )


def _overfitting(report: Report) -> str:
    found = report.overfitting
    if found is None:
        return ""
    now = report.models[0].measures
    rows = [
        [name, percent(train.value), interval(train), percent(evaluated.value),
         interval(evaluated), parts.points(gap.value), interval(gap)]
        for name, train, evaluated, gap in (
            ("CER", found.train.cer, now.cer, found.cer),
            ("WER", found.train.wer, now.wer, found.wer),
        )
    ]  # fmt: skip
    head = ["", "training lines", "interval", "evaluation", "interval", "gap", "interval"]
    return (
        f"<p>{_gap_verdict(found.cer)}</p>{parts.table(head, rows, 'tnnnnnn')}"
        f'<p class="soft small">{found.train.lines} lines of {text(found.list_path)}, read by '
        f"{text(report.models[0].label)}; the gap is evaluation minus training.</p>"
    )


def _gap_verdict(gap: Difference) -> str:
    # Both bounds on one side of 0: the gap is not chance.
    if gap.low > 0:
        return (
            '<b class="bad">Training lines are read better than evaluation lines.</b> The model '
            "has partly memorized them, or the evaluation lines are harder (other fonts, other "
            "sources). More training lines, and more varied ones, help in either case."
        )
    if gap.high < 0:
        return (
            "Evaluation lines are read better than training lines: they are easier. This says "
            "nothing about overfitting; take both from the same source."
        )
    return '<b class="good">No sign of overfitting:</b> the interval of the gap includes 0.'


def _groups(report: Report) -> str:
    shown, alike = "", []
    for kind, groups in report.groups.items():
        first, *others = groups
        if others:
            shown += f"<h3>By {kind}</h3>{_group_table(report, kind, groups)}"
        elif first.name != UNKNOWN:
            alike.append(f"{kind} {text(first.name)}")
    if alike:
        shown = f"<p>All lines: {', '.join(alike)}.</p>{shown}"
    return shown


def _group_table(report: Report, kind: str, groups: tuple[Group, ...]) -> str:
    most = max(one.cer.high for group in groups for one in group.measures)
    rows = []
    for group in groups[:_GROUPS]:
        cells = [text(group.name), str(group.measures[0].lines), str(group.measures[0].chars)]
        cells += [f"{percent(m.cer.value)} / {percent(m.wer.value)}" for m in group.measures]
        rows.append([*cells, parts.whiskers([m.cer for m in group.measures], most)])
    several = len(report.models) > 1
    rates = [model.label if several else "CER / WER" for model in report.models]
    about = "CER / WER; the bars are CER" if several else "CER with interval"
    head = [kind, "lines", "characters", *rates, about]
    shown = parts.table(head, rows, f"wnn{'n' * len(rates)}b")
    more = len(groups) - _GROUPS
    if more > 0:
        shown += f'<p class="soft small">{more} more are in the JSON report.</p>'
    return shown


def _spread(report: Report) -> str:
    def bucket(rate: float) -> int:
        # No bucket: more errors than characters.
        return next((i for i, top in enumerate(_BUCKETS) if rate <= top), len(_BUCKETS))

    counts = [
        Counter(bucket(line.readings[place].chars.rate) for line in report.lines)
        for place in range(len(report.models))
    ]
    most = max(max(counter.values()) for counter in counts)
    tops = [f"{100 * top:g}" for top in _BUCKETS]
    names = ["0 %", *(f"{a} to {b} %" for a, b in pairwise(tops)), "> 100 %"]
    rows = []
    for i, name in enumerate(names):
        numbers = " / ".join(str(counter[i]) for counter in counts)
        bars = "".join(bar(c[i] / most, place) for place, c in enumerate(counts))
        rows.append([name, numbers, bars])
    return parts.table(["CER of a line", "lines", ""], rows, "tnl")


def _confusions(report: Report) -> str:
    shown = ""
    for model in report.models:
        found = model.confusions
        if not found.characters:
            shown += f"<p>{text(model.label)} makes no errors.</p>"
            continue
        if len(report.models) > 1:
            shown += f"<h3>{text(model.label)}</h3>"
        shown += '<div class="two"><div>'
        shown += "<p>Single characters</p>" + _confusion_table(found.characters)
        shown += "</div><div><p>Several characters at once</p>"
        shown += _confusion_table(found.runs) if found.runs else '<p class="soft">none</p>'
        shown += "</div></div>"
    return shown


def _confusion_table(found: tuple[Confusion, ...]) -> str:
    rows = [
        [
            parts.character(one.truth),
            parts.character(one.read),
            str(one.count),
            f"{percent(one.count / one.of)} of {one.of}" if one.of else "",
        ]
        for one in found[:_CONFUSIONS]
    ]
    table = parts.table(["truth", "read as", "times", "share"], rows, "ttnn")
    rest = sum(one.count for one in found[_CONFUSIONS:])
    if rest:
        more = f"and {rest} in {len(found) - _CONFUSIONS} rarer confusions"
        table += f'<p class="soft small">{more}</p>'
    return table


def _worst(report: Report, picture: Picture, most: int) -> str:
    lines = report.worst(most)
    if not lines:
        return "<p>Every line was read without error.</p>"
    legend = (
        '<p class="soft small">Ordered by errors per character. Marked are, in the truth, '
        '<span class="t"><del>what was missed</del></span> and, in the reading, '
        '<span class="t"><ins>what was read instead</ins></span>, or ‸ for nothing. '
        "Characters run from left to right, as in the image.</p>"
    )
    return legend + "".join(_line(report, line, picture) for line in lines)


def _line(report: Report, one: ReportedLine, picture: Picture) -> str:
    uri = picture(one.line.number)
    image = f'<img src="{uri}" alt="line image" loading="lazy">' if uri else ""
    rows = f"<dt>truth</dt><dd>{marked(one.line.text, one.readings[0].text)[0]}</dd>"
    for model, reading in zip(report.models, one.readings, strict=True):
        name = model.label if len(report.models) > 1 else "read"
        rows += (
            f"<dt>{text(name)}</dt><dd>{marked(one.line.text, reading.text)[1]} "
            f'<span class="soft small">{reading.chars.edits} of {reading.chars.length}</span></dd>'
        )
    # Pages count from 0 inside, from 1 for people.
    where = text(f"{one.line.path}, page {one.line.page + 1}")
    return (
        f'<div class="line"><span class="soft small">{where}</span>{image or _NO_PICTURE}'
        f"<dl>{rows}</dl></div>"
    )


def _changed(report: Report, picture: Picture) -> str:
    shown = ""
    for one in report.comparisons:
        other = report.models[one.place].label
        for word, better in (("better", True), ("worse", False)):
            lines = report.changed(one.place, CHANGED, better=better)
            if lines:
                shown += f"<h3>Read {word} by {text(other)}</h3>"
                shown += "".join(_line(report, line, picture) for line in lines)
    return shown


def _skipped(report: Report) -> str:
    if not report.skipped:
        return ""
    reasons = Counter(skip.reason for _, skip in report.skipped)
    rows = [[str(count), _reason(reason)] for reason, count in reasons.most_common()]
    details = "".join(
        f"<tr><td>{text(f'{line.path}, page {line.page + 1}')}</td>"
        f"<td>{text(skip.detail)}</td></tr>"
        for line, skip in report.skipped[:_SKIPS]
    )
    more = len(report.skipped) - _SKIPS
    rest = f'<p class="soft small">and {more} more</p>' if more > 0 else ""
    return (
        parts.table(["lines", "reason"], rows, "nt")
        + f"<details><summary>Which</summary><table>{details}</table>{rest}</details>"
    )


def _reason(reason: SkipReason) -> str:
    return text(f"{reason.name.lower().replace('_', ' ')}: {reason.value}")


def _about() -> str:
    return (
        "<p>CER and WER: the insertions, deletions and substitutions of code points (of words "
        "separated by white space) that turn the text that the tesseract program prints into the "
        "truth, divided by the length of the truth, both in Unicode form NFC, over all lines "
        "together; each line counts once. BCER and BWER: the measures of Tesseract's training, "
        "means over lines, which ignore order. They compare another reading: without the model's "
        "word lists, with other random borders, and with characters in the normed forms of the "
        'unicharset, so that “ and " are equal.</p>'
        f"<p>Intervals contain {100 * CONFIDENCE:.0f} % of the rates of {NUM_RESAMPLES} bootstrap "
        "samples of the lines. Lines of one page or font are not independent, so the true "
        "uncertainty about other pages is larger. Models are compared on the same lines: the "
        "interval of a difference comes from a paired bootstrap, p from a two-sided permutation "
        "test that swaps the two readings of a line (all swaps for up to 13 lines that differ, "
        f"else {NUM_PERMUTATIONS} random ones). All draws are seeded: the same readings give the "
        "same figures.</p>"
        "<p>If several alignments need the same number of edits, one of them is chosen; confusions "
        "depend on the choice, rates do not.</p>"
    )


def page_bytes(report: Report, picture: Picture, *, worst: int = WORST) -> bytes:
    """The page in UTF-8; lone surrogates (bytes that are not text) become question marks."""
    return page(report, picture, worst=worst).encode("utf-8", "replace")
