"""Checks on the lines of a run before it starts: which lines are dropped and why, what is odd."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from lstmjax.charset.check import Checker, Report, TextLine
from lstmjax.charset.codec import Codec
from lstmjax.data.lines import LineIndex
from lstmjax.data.skips import Geometry, Skip, classify

_SHOWN = 10


@dataclass(frozen=True)
class Dropped:
    """A line that cannot be trained on.

    Attributes:
      path: path of the document.
      line: number of the line in the document, from 1.
      reason: name of a `SkipReason`, such as `UNENCODABLE`.
      message: text for the user: place, reason and remedy.
    """

    path: str
    line: int
    reason: str
    message: str


def dropped_lines(index: LineIndex, codec: Codec, geometry: Geometry) -> list[Dropped]:
    """Find the lines that training will skip, except those whose image cannot be decoded.

    Args:
      index: the lines.
      codec: character set of the traineddata.
      geometry: input size and time scale of the network.
    """
    found = []
    for line in index:
        judged = classify(line, codec, geometry)
        if isinstance(judged, Skip):
            message = judged.message(line)
            found.append(Dropped(line.path, line.page + 1, judged.reason.name, message))
    return found


def check_texts(index: LineIndex, codec: Codec) -> Report:
    """Check the texts of lines against a character set, as `lstmjax check_text` does."""
    checker = Checker(codec)
    for line in index:
        checker.add(TextLine(line.path, line.page + 1, line.text))
    return checker.report()


def summarize(report: Report, dropped: list[Dropped]) -> dict[str, Any]:
    """What the report of a run says about its lines, as a JSON value."""
    return {
        "lines": report.lines,
        "dropped": [asdict(one) for one in dropped],
        "missing": [[one.character, one.count, one.replacement] for one in report.missing],
        "rare": [[one.text, one.count] for one in report.rare],
        "one_case": len(report.one_case),
        "blanks_at_ends": len(report.blanks_at_ends),
        "dominant": [[one.text, one.share] for one in report.dominant],
        "duplicates": len(report.duplicates),
    }


def warnings(summary: dict[str, Any]) -> Iterator[str]:
    """Yield a summary made by `summarize` as lines of text, the most serious first."""
    dropped = summary["dropped"]
    if dropped:
        counts = Counter(one["reason"] for one in dropped)
        shares = ", ".join(f"{name.lower().replace('_', ' ')} {n}" for name, n in counts.items())
        yield f"{len(dropped)} of {summary['lines']} lines cannot be used ({shares}):"
        yield from (f"  {one['message']}" for one in dropped[:_SHOWN])
        if len(dropped) > _SHOWN:
            yield f"  ... and {len(dropped) - _SHOWN} more; report.json has them all"
    for character, count, replacement in summary["missing"][:_SHOWN]:
        cure = f"; could be {replacement!r}" if replacement else ""
        yield f"not in the character set: {character!r}, {count} times{cure}"
    if summary["rare"]:
        rare = " ".join(text for text, _ in summary["rare"][:40])
        yield f"{len(summary['rare'])} characters occur too rarely to be learned: {rare}"
    for text, share in summary["dominant"]:
        yield f"much of the text is one and the same: {text!r}, {share:.0%}"
    if summary["blanks_at_ends"]:
        yield f"{summary['blanks_at_ends']} texts begin or end with a blank"
    if summary["duplicates"]:
        yield f"{summary['duplicates']} texts occur several times"
