"""Measure the error rates of a model on lines with known text.

Messages, order and digits are those of Tesseract 5.3.0 `lstmeval`, with these differences: a last
line adds the true error rates; skipped lines are named, once each, and counted by reason; without
a single usable line the program fails. Reports and comparisons are additions, computed only if
their flags are given.
"""

import sys
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

from absl import flags

from lstmjax.cli.flags import parse
from lstmjax.errors import DataError, UsageError

if TYPE_CHECKING:
    from lstmjax.data.lines import Line, LineIndex
    from lstmjax.data.skips import Skip
    from lstmjax.infer.evaluate import Evaluation, LineReading
    from lstmjax.infer.forward import Forward
    from lstmjax.infer.model import LoadedModel
    from lstmjax.report.run import TrainingLines

_LEGACY: dict[str, int | float | str] = {
    "debug_level": 0,
    "load_images": 0,
    "clusterconfig_min_samples_fraction": 0.625,
    "clusterconfig_max_illegal": 0.05,
    "clusterconfig_independence": 1.0,
    "clusterconfig_confidence": 1e-06,
    "configfile": "",
    "D": "",
    "F": "font_properties",
    "X": "",
    "U": "unicharset",
    "O": "",
    "output_trainer": "",
    "test_ch": "",
    "fonts_dir": "",
    "fontconfig_tmpdir": "",
}
_NO_EFFECT = "Accepted for compatibility, without effect"


def _define(values: flags.FlagValues) -> None:
    def string(name: str, text: str) -> None:
        flags.DEFINE_string(name, "", text, flag_values=values)

    def integer(name: str, default: int, text: str) -> None:
        flags.DEFINE_integer(name, default, text, flag_values=values, lower_bound=0)

    string(
        "model", "Model to evaluate: a traineddata, checkpoint, .lstm file, or base name of a run"
    )
    string("traineddata", "Character set of a checkpoint: the traineddata it was trained with")
    string("eval_listfile", "List of evaluation files, one path per line")
    integer("max_image_MB", 2000, "Memory for images, in MB")
    integer(
        "verbosity",
        1,
        "0 results only, 1 texts of lines with errors, 2 of all lines, 3 with their error rates",
    )
    flags.DEFINE_bool(
        "true_rates",
        True,
        "True CER and WER: also read as the tesseract program does, which takes twice the time",
        flag_values=values,
    )
    for name, default in _LEGACY.items():
        define = {
            int: flags.DEFINE_integer,
            float: flags.DEFINE_float,
            str: flags.DEFINE_string,
        }[type(default)]
        define(name, default, _NO_EFFECT, flag_values=values)
    _define_report(values)


def _define_report(values: flags.FlagValues) -> None:
    """Define the flags for reports and comparisons, which the original does not have."""

    def several(name: str, text: str) -> None:
        flags.DEFINE_multi_string(name, None, text, flag_values=values)
        values[name].help = text  # absl adds a line of its own

    def integer(name: str, default: int, text: str) -> None:
        flags.DEFINE_integer(name, default, text, flag_values=values, lower_bound=0)

    several(
        "report", "Report to write (.html, .json, .csv); several: by commas, or repeat the flag"
    )
    several("compare_model", "Model to compare with --model on the same lines; may be repeated")
    flags.DEFINE_string(
        "compare_traineddata",
        "",
        "Character set of checkpoints among --compare_model; default: --traineddata",
        flag_values=values,
    )
    flags.DEFINE_string(
        "train_listfile",
        "",
        "List of training files, to check --model for overfitting",
        flag_values=values,
    )
    integer("train_lines", 1000, "Number of lines of --train_listfile to read; 0: all")
    integer("worst_lines", 30, "Number of worst lines shown in the .html report")


def main(argv: list[str]) -> int:
    """Run the tool.

    Args:
      argv: the arguments after the tool's name.

    Returns: the exit status.
    """
    values, rest = parse("lstmeval", _define, argv)
    if rest:
        raise UsageError(f"what is {rest[0]!r}? All arguments of lstmeval are flags")
    if not values.model:
        raise UsageError("Must provide a --model!")
    if not values.eval_listfile:
        raise UsageError("Must provide a --eval_listfile!")
    _evaluate(values)
    return 0


def _evaluate(values: flags.FlagValues) -> None:
    from lstmjax.infer.choose import make_forward
    from lstmjax.infer.model import load_model

    _refuse_without_true_rates(values)
    # All that can fail comes before the lines are read, which takes long.
    reports = _report_paths(values)
    model = load_model(values.model, values.traineddata or None, say=_say)
    others = _load_others(values)
    if not model.from_traineddata:
        _say(f"{values.model} is not a recognition model, trying training checkpoint...")
    index = _read_lines(values.eval_listfile)
    training = _training_lines(values)
    forward = make_forward(model, own_process=True)
    if not model.from_checkpoint:
        _say("Warning: LSTMTrainer deserialized an LSTMRecognizer!")
    result = _read(values, forward, index)
    if reports or others or training:
        _report(values, reports, index, (forward, result), others, training)


def _refuse_without_true_rates(values: flags.FlagValues) -> None:
    """Refuse flags that need true error rates if these are switched off."""
    if values.true_rates:
        return
    for name in ("report", "compare_model", "train_listfile"):
        if values[name].value:
            raise UsageError(f"--{name} shows true error rates; leave out --true_rates=false")


def _read(values: flags.FlagValues, forward: "Forward", index: "LineIndex") -> "Evaluation":
    """Evaluate the model, and print lines and results as --verbosity asks."""
    from lstmjax.infer.evaluate import evaluate

    verbosity = values.verbosity
    result = evaluate(
        forward,
        index,
        max_bytes=values.max_image_MB << 20,
        on_line=lambda reading: _show_line(reading, verbosity),
        on_skip=lambda line, skip: _show_skip(line, skip, verbosity),
        with_delta=verbosity > 0,
        true_rates=values.true_rates,
    )
    _show_result(result, values.true_rates)
    return result


def _report_paths(values: flags.FlagValues) -> list[str]:
    if not values.report:
        return []
    from lstmjax.report.output import check_paths

    return check_paths(values.report)


def _load_others(values: flags.FlagValues) -> list[tuple[str, "LoadedModel"]]:
    from lstmjax.infer.model import load_model

    charsets = values.compare_traineddata or values.traineddata or None
    return [(path, load_model(path, charsets, say=_say)) for path in values.compare_model or ()]


def _training_lines(values: flags.FlagValues) -> "TrainingLines | None":
    if not values.train_listfile:
        return None
    from lstmjax.report.run import TrainingLines

    return TrainingLines(
        values.train_listfile, _read_lines(values.train_listfile, "training"), values.train_lines
    )


def _report(
    values: flags.FlagValues,
    paths: list[str],
    index: "LineIndex",
    first: "tuple[Forward, Evaluation]",
    others: list[tuple[str, "LoadedModel"]],
    training: "TrainingLines | None",
) -> None:
    """Evaluate the other models and the training lines, print a summary, write the files."""
    from lstmjax.infer.choose import make_forward
    from lstmjax.report.output import write
    from lstmjax.report.run import Evaluated, build_report, evaluate_quietly
    from lstmjax.report.texts import summary

    max_bytes = values.max_image_MB << 20
    models = [Evaluated(values.model, *first)]
    for path, model in others:
        forward = make_forward(model)
        models.append(Evaluated(path, forward, evaluate_quietly(forward, index, max_bytes)))
    report = build_report(
        values.eval_listfile,
        index,
        models,
        max_bytes=max_bytes,
        training=training,
        say=_say,
    )
    for text in summary(report):
        _say(text)
    write(report, index, paths, worst=values.worst_lines)
    for path in paths:
        _say(f"Report: {path}")


def _say(text: str) -> None:
    print(text, file=sys.stderr)


def _read_lines(list_path: str, kind: str = "eval") -> "LineIndex":
    """Index the lines of a list, and print its documents as the original does."""
    from lstmjax.data.lines import build_index
    from lstmjax.data.listing import read_list
    from lstmjax.data.skips import printable

    try:
        index = build_index(read_list(list_path))
    except DataError as err:
        raise DataError(f"Failed to load {kind} data from: {list_path}\n{err}") from err
    for document in index.documents:
        name, count = printable(document.path), document.count
        if count > 1:
            _say(f"Loaded {count}/{count} lines (1-{count}) of document {name}")
        if document.problem:
            _say(f"{printable(document.problem)}; the lines before that are used")
    for path, reason in index.unusable:
        _say(f"{printable(path)}: skipped: {printable(reason)}")
    return index


def _show_line(reading: "LineReading", verbosity: int) -> None:
    found = reading.measured
    if found is None:
        return
    perfect = found.delta == 0
    if verbosity > 1 or (verbosity > 0 and not perfect):
        _say(f"Truth:{reading.line.text}")
        _say(f"OCR  :{found.text}")
    if verbosity > 2 or (verbosity > 1 and not perfect):
        _say(f"Line BCER={found.bcer:f}, BWER={found.bwer:f}\n")


def _show_skip(line: "Line", skip: "Skip", verbosity: int) -> None:
    from lstmjax.charset.failures import TextError

    if isinstance(skip.error, TextError):
        _say(skip.error.log())
    if verbosity > 0:
        _say(skip.message(line))


def _show_result(result: "Evaluation", true_rates: bool) -> None:
    lines, skipped = len(result.distinct), len(result.skipped)
    _say(f"BCER eval={100 * result.bcer:f}, BWER eval={100 * result.bwer:f}")
    rates = ""
    if true_rates:
        rates = f"CER eval={100 * result.cer.rate:f}, WER eval={100 * result.wer.rate:f}, "
    _say(f"{rates}lines={lines}, skipped={skipped}")
    for text in _table(result.skipped.values()):
        _say(text)


def _table(skips: Iterable["Skip"]) -> list[str]:
    """The number of skipped lines by reason, as text."""
    counts = Counter(skip.reason for skip in skips)
    rows = [
        f"  {count:6}  {reason.name.lower().replace('_', ' ')}: {reason.value}"
        for reason, count in counts.most_common()
    ]
    return [f"Skipped {counts.total()} lines:", *rows] if rows else []
