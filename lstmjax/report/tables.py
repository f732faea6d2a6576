"""A report for other programs: JSON with everything, CSV with a row for each line."""

import csv
import io
import json
import math
from dataclasses import asdict
from importlib.metadata import version
from typing import Any

from lstmjax.data.skips import printable
from lstmjax.report.align import Confusions
from lstmjax.report.result import Measures, Report
from lstmjax.report.statistics import CONFIDENCE, NUM_PERMUTATIONS, NUM_RESAMPLES

FORMAT = "lstmjax evaluation 1"


def json_bytes(report: Report) -> bytes:
    """The whole report as JSON in UTF-8; rates are fractions, infinite ones are null."""
    document = {
        "format": FORMAT,
        "lstmjax": version("lstmjax"),
        "eval_listfile": printable(report.list_path),
        "statistics": {
            "confidence": CONFIDENCE,
            "bootstrap_resamples": NUM_RESAMPLES,
            "permutations": NUM_PERMUTATIONS,
        },
        "models": [
            {
                "label": model.label,
                "path": printable(model.path),
                **_measures(model.measures),
                "bcer": asdict(model.bcer),
                "bwer": asdict(model.bwer),
                "lines_in_character_set": model.own_lines,
                "perfect_lines": model.perfect,
                "lines_right_only_by_cer": model.only_cer_right,
                "lines_right_only_by_bcer": model.only_bcer_right,
                "confusions": _confusions(model.confusions),
            }
            for model in report.models
        ],
        "comparisons": [
            {
                "first": report.models[0].label,
                "second": report.models[one.place].label,
                "cer": asdict(one.cer),
                "wer": asdict(one.wer),
                "cer_p_value_holm": one.adjusted,
            }
            for one in report.comparisons
        ],
        "overfitting": _overfitting(report),
        "groups": {
            kind: [
                {"name": group.name, "models": [_measures(one) for one in group.measures]}
                for group in groups
            ]
            for kind, groups in report.groups.items()
        },
        "lines": _lines(report),
        "skipped": _skipped(report),
    }
    # Names and texts may hold bytes that are not UTF-8: they become question marks.
    return (json.dumps(_finite(document), ensure_ascii=False, indent=1) + "\n").encode(
        "utf-8", "replace"
    )


def _finite(value: Any) -> Any:
    """A JSON value in which infinities and NaNs are replaced by null."""
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_finite(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _measures(one: Measures) -> dict[str, Any]:
    return asdict(one)


def _confusions(found: Confusions) -> dict[str, Any]:
    return {
        name: [
            {"truth": one.truth, "read": one.read, "count": one.count, "of": one.of,
             "lines": list(one.lines)}
            for one in table
        ]
        for name, table in (("characters", found.characters), ("runs", found.runs))
    }  # fmt: skip


def _overfitting(report: Report) -> dict[str, Any] | None:
    found = report.overfitting
    if found is None:
        return None
    return {
        "train_listfile": printable(found.list_path),
        "train": _measures(found.train),
        "cer_gap": asdict(found.cer),
        "wer_gap": asdict(found.wer),
    }


def _lines(report: Report) -> list[dict[str, Any]]:
    return [
        {
            "number": one.line.number,
            "file": printable(one.line.path),
            "page": one.line.page,
            **{kind: one.groups[kind] for kind in ("font", "script")},
            "truth": one.line.text,
            "readings": [
                {
                    "text": reading.text,
                    "char_edits": reading.chars.edits,
                    "word_edits": reading.words.edits,
                    "bcer": reading.bcer,
                    "bwer": reading.bwer,
                }
                for reading in one.readings
            ],
            "chars": one.readings[0].chars.length,
            "words": one.readings[0].words.length,
        }
        for one in report.lines
    ]


def _skipped(report: Report) -> list[dict[str, Any]]:
    return [
        {
            "number": line.number,
            "file": printable(line.path),
            "page": line.page,
            "truth": line.text,
            "reason": skip.reason.name.lower(),
            "detail": printable(skip.detail),
        }
        for line, skip in report.skipped
    ]


_LINE = ("number", "file", "page", "font", "script", "truth", "chars", "words", "skipped")
_READING = ("text", "cer", "char_edits", "word_edits", "bcer", "bwer")


def csv_bytes(report: Report) -> bytes:
    """A row for each line, skipped lines with the reason, as CSV in UTF-8.

    The columns of a reading have plain names if there is one model. With several models each name
    is followed by the label of its model in brackets.
    """
    out = io.StringIO(newline="")
    # Line ends as RFC 4180 has them.
    writer = csv.writer(out, lineterminator="\r\n")
    several = len(report.models) > 1
    names = [
        f"{name} [{model.label}]" if several else name
        for model in report.models
        for name in _READING
    ]
    writer.writerow([*_LINE, *names])
    rows = {}
    for one in report.lines:
        line, first = one.line, one.readings[0]
        row: list[Any] = [line.number, printable(line.path), line.page, one.groups["font"]]
        row += [one.groups["script"], line.text, first.chars.length, first.words.length, ""]
        for reading in one.readings:
            rate = reading.chars.rate
            row += [reading.text, f"{rate:.6f}" if math.isfinite(rate) else ""]
            row += [reading.chars.edits, reading.words.edits]
            row += ["" if x is None else f"{x:.6f}" for x in (reading.bcer, reading.bwer)]
        rows[line.number] = row
    # Skipped lines go where they are in the list.
    for line, skip in report.skipped:
        row = [line.number, printable(line.path), line.page, "", "", line.text, "", ""]
        rows[line.number] = [*row, skip.reason.name.lower(), *[""] * len(names)]
    writer.writerows(rows[number] for number in sorted(rows))
    return out.getvalue().encode("utf-8", "replace")
