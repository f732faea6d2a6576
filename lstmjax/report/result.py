"""A report as a value: everything that its HTML, JSON and CSV formats show."""

import os
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lstmjax.ctc.error_rates import ErrorCounts
from lstmjax.data.lines import Line, LineIndex
from lstmjax.data.skips import Skip, printable
from lstmjax.errors import DataError
from lstmjax.report.align import Confusions, confusions
from lstmjax.report.groups import KINDS, group_of
from lstmjax.report.readings import Reading
from lstmjax.report.statistics import (
    Difference,
    Rate,
    holm,
    paired_difference,
    rate_of,
    unpaired_difference,
)

_MAX_DEPTH = 12  # most parts of a path shown to tell models apart


@dataclass(frozen=True)
class Measures:
    """Error rates over a set of lines.

    Attributes:
      lines: number of lines.
      cer, wer: edits divided by the length of the truths.
      char_edits, chars, word_edits, words: numerators and denominators of these rates.
    """

    lines: int
    cer: Rate
    wer: Rate
    char_edits: int
    chars: int
    word_edits: int
    words: int


@dataclass(frozen=True)
class Group:
    """Lines of one font, file or script.

    Attributes:
      name: name of the font, file or script.
      measures: error rates of each model.
    """

    name: str
    measures: tuple[Measures, ...]


@dataclass(frozen=True, eq=False)
class ModelResult:
    """The results of one model.

    Attributes:
      label: short name, unique in the report.
      path: path of the model file.
      measures: error rates over all lines.
      bcer, bwer: means of Tesseract's measures over `own_lines`.
      own_lines: number of lines whose text the model's character set can encode.
      perfect: number of lines without any edit.
      only_cer_right: number of `own_lines` without error by CER, but not by BCER.
      only_bcer_right: number of `own_lines` without error by BCER, but not by CER.
      confusions: edits of the model, counted.
    """

    label: str
    path: str
    measures: Measures
    bcer: Rate
    bwer: Rate
    own_lines: int
    perfect: int
    only_cer_right: int
    only_bcer_right: int
    confusions: Confusions


@dataclass(frozen=True)
class Comparison:
    """A model compared with the first one, on the same lines.

    Attributes:
      place: position of the model in the report.
      cer, wer: rates of this model minus those of the first.
      adjusted: p-value of the CER, adjusted by Holm's method for the number of models.
    """

    place: int
    cer: Difference
    wer: Difference
    adjusted: float


@dataclass(frozen=True)
class Overfitting:
    """The first model on lines it was trained on.

    Attributes:
      list_path: path of the training list.
      train: error rates on a sample of the training lines.
      cer, wer: rates on the evaluation lines minus rates on the training lines.
    """

    list_path: str
    train: Measures
    cer: Difference
    wer: Difference


@dataclass(frozen=True, eq=False)
class ReportedLine:
    """A line and how every model read it."""

    line: Line
    groups: Mapping[str, str]
    readings: tuple[Reading, ...]


@dataclass(frozen=True, eq=False)
class Report:
    """An evaluation of one or several models.

    Attributes:
      list_path: path of the evaluation list.
      models: results of the models; the others are compared with the first.
      lines: lines read by all models, in the order of the list.
      skipped: lines left out, with the reason.
      groups: kind -> groups, those with most lines first.
      comparisons: a comparison for each further model.
      overfitting: gap to the training lines; None if no training list was given.
    """

    list_path: str
    models: tuple[ModelResult, ...]
    lines: tuple[ReportedLine, ...]
    skipped: tuple[tuple[Line, Skip], ...]
    groups: Mapping[str, tuple[Group, ...]]
    comparisons: tuple[Comparison, ...]
    overfitting: Overfitting | None

    def worst(self, most: int) -> list[ReportedLine]:
        """The lines that the first model read worst, by edits per character."""
        wrong = [line for line in self.lines if line.readings[0].chars.edits]
        # Rates first; of equal ones the line with more edits says more.
        return sorted(
            wrong, key=lambda one: (-one.readings[0].chars.rate, -one.readings[0].chars.edits)
        )[:most]

    def changed(self, place: int, most: int, *, better: bool) -> list[ReportedLine]:
        """Lines that a model read better (or worse) than the first, the largest change first."""

        def change(one: ReportedLine) -> int:
            return one.readings[place].chars.edits - one.readings[0].chars.edits

        sign = 1 if better else -1
        # Negative for lines that changed in the direction asked for.
        found = [one for one in self.lines if sign * change(one) < 0]
        return sorted(found, key=lambda one: sign * change(one))[:most]


def labels(paths: Sequence[str]) -> list[str]:
    """Unique short names for models: the file name, with as many parent folders as it takes."""
    parts = [path.removesuffix(".traineddata").split(os.sep) for path in paths]
    for depth in range(1, _MAX_DEPTH):
        # Parents are added until the names differ; the same path given twice never does.
        names = [os.sep.join(part[-depth:]) for part in parts]
        if len(set(names)) == len(names):
            return [printable(name) for name in names]
    return [f"{printable(path)} ({i})" for i, path in enumerate(paths, start=1)]


def measure(readings: Sequence[Reading]) -> Measures:
    """The error rates over a set of readings."""
    char_edits, chars = _columns(readings, _chars)
    word_edits, words = _columns(readings, _words)
    return Measures(
        len(readings),
        rate_of(char_edits, chars),
        rate_of(word_edits, words),
        *(int(column.sum()) for column in (char_edits, chars, word_edits, words)),
    )


def _chars(one: Reading) -> ErrorCounts:
    return one.chars


def _words(one: Reading) -> ErrorCounts:
    return one.words


def _columns(
    readings: Sequence[Reading], counts: Callable[[Reading], ErrorCounts]
) -> tuple[np.ndarray, np.ndarray]:
    """Edits and lengths of the readings, [n] int64 each."""
    found = [counts(one) for one in readings]
    edits, lengths = zip(*((one.edits, one.length) for one in found), strict=True)
    return np.array(edits, np.int64), np.array(lengths, np.int64)


def make_report(
    list_path: str,
    paths: Sequence[str],
    index: LineIndex,
    readings: Sequence[Mapping[int, Reading]],
    skipped: Mapping[int, Skip],
    train: tuple[str, Sequence[Reading]] | None = None,
) -> Report:
    """Put a report together.

    Args:
      list_path: path of the evaluation list.
      paths: paths of the model files.
      index: the evaluation lines.
      readings: readings of each model by line number; all models have the same lines.
      skipped: lines left out, by line number.
      train: path of the training list, and the first model's readings of a sample of its lines.
    Raises: DataError: there are no lines to report on.
    """
    numbers = list(readings[0])
    if not numbers:
        raise DataError("no line could be read by all models; there is nothing to report")
    lines = tuple(
        _reported(index[number], tuple(found[number] for found in readings)) for number in numbers
    )
    by_model = [[line.readings[place] for line in lines] for place in range(len(paths))]
    names = labels(paths)
    models = tuple(_model(names[place], paths[place], lines, place) for place in range(len(paths)))
    return Report(
        list_path,
        models,
        lines,
        tuple((index[number], skip) for number, skip in sorted(skipped.items())),
        {kind: _grouped(lines, kind) for kind in KINDS},
        _comparisons(by_model),
        _overfitting(*train, by_model[0]) if train and train[1] else None,
    )


def _reported(line: Line, readings: tuple[Reading, ...]) -> ReportedLine:
    return ReportedLine(line, {kind: group_of(kind, line) for kind in KINDS}, readings)


def _model(label: str, path: str, lines: Sequence[ReportedLine], place: int) -> ModelResult:
    readings = [line.readings[place] for line in lines]
    # A line that the model cannot encode has no BCER, but counts in the CER.
    bcer = [one.bcer for one in readings if one.bcer is not None]
    bwer = [one.bwer for one in readings if one.bwer is not None]
    return ModelResult(
        label,
        path,
        measure(readings),
        _mean(bcer),
        _mean(bwer),
        len(bcer),
        sum(not one.chars.edits for one in readings),
        sum(not one.chars.edits and bool(one.bcer) for one in readings),
        sum(one.chars.edits > 0 and one.bcer == 0 for one in readings),
        confusions((one.line.number, one.line.text, one.readings[place].text) for one in lines),
    )


def _mean(values: Sequence[float]) -> Rate:
    return rate_of(values, np.ones(len(values))) if values else Rate(0.0, 0.0, 0.0)


def _grouped(lines: Sequence[ReportedLine], kind: str) -> tuple[Group, ...]:
    members: defaultdict[str, list[ReportedLine]] = defaultdict(list)
    for line in lines:
        members[line.groups[kind]].append(line)
    groups = [
        # From readings by line to readings by model.
        Group(name, tuple(measure(readings) for readings in zip(*found, strict=True)))
        for name, found in (
            (name, [line.readings for line in group]) for name, group in members.items()
        )
    ]
    return tuple(sorted(groups, key=lambda group: (-group.measures[0].lines, group.name)))


def _comparisons(by_model: Sequence[Sequence[Reading]]) -> tuple[Comparison, ...]:
    found: list[tuple[Difference, Difference]] = []
    for other in by_model[1:]:
        cer, wer = (_paired(by_model[0], other, counts) for counts in (_chars, _words))
        found.append((cer, wer))
    # Only the CER is tested for the verdict, so Holm's method counts one test for each model.
    adjusted = holm([1.0 if cer.p_value is None else cer.p_value for cer, _ in found])
    return tuple(
        Comparison(place, *both, p)
        for place, (both, p) in enumerate(zip(found, adjusted, strict=True), start=1)
    )


def _paired(
    first: Sequence[Reading], other: Sequence[Reading], counts: Callable[[Reading], ErrorCounts]
) -> Difference:
    edits, lengths = _columns(first, counts)
    # The lengths are those of the truths, the same for both.
    return paired_difference(edits, _columns(other, counts)[0], lengths)


def _overfitting(
    list_path: str, train: Sequence[Reading], evaluated: Sequence[Reading]
) -> Overfitting:
    cer, wer = (
        unpaired_difference(_columns(train, counts), _columns(evaluated, counts))
        for counts in (_chars, _words)
    )
    return Overfitting(list_path, measure(train), cer, wer)
