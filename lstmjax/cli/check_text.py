"""Check ground truth against a character set before training on it."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

from absl import flags

from lstmjax.cli.flags import parse
from lstmjax.errors import UsageError

if TYPE_CHECKING:
    from lstmjax.charset.check import Dropped, Missing, Report, TextLine
    from lstmjax.charset.codec import Codec

TOOL = "check_text"
USAGE = "Usage: lstmjax check_text --charset unicharset_or_traineddata [--json] file [...]"
_SHOWN = 20
_SIGNATURE = "\ufeff"


def main(argv: list[str]) -> int:
    """Run the tool.

    Args:
      argv: the arguments after the tool's name.

    Returns: 1 if there are lines that would be dropped, otherwise 0.
    """
    values, paths = parse(TOOL, _define, argv)
    if not values.charset:
        raise UsageError(f"--charset is missing\n{USAGE}")
    if not paths:
        raise UsageError(f"no file to check\n{USAGE}")
    return _check(values, paths)


def _define(values: flags.FlagValues) -> None:
    flags.DEFINE_string(
        "charset", "", "Character set: a unicharset, or a traineddata (a model or a starter)",
        flag_values=values,
    )  # fmt: skip
    flags.DEFINE_integer(
        "min_count", 10, "Occurrences: unichars with fewer are reported, and words in one letter "
        "case only with as many", flag_values=values,
    )  # fmt: skip
    flags.DEFINE_float(
        "dominance", 0.2, "Share of all characters, or words, from which one is reported (0 to 1)",
        flag_values=values,
    )  # fmt: skip
    flags.DEFINE_bool(
        "json", False, "Output as JSON, with full lists, instead of text with shortened ones",
        flag_values=values,
    )  # fmt: skip


def _check(values: flags.FlagValues, paths: list[str]) -> int:
    from lstmjax.charset.check import Checker

    codec = _load_codec(values.charset)
    checker = Checker(codec, values.min_count, values.dominance)
    problems: list[str] = []
    for path in paths:
        for line in _read_lines(path, problems):
            checker.add(line)
    report = checker.report()
    if values.json:
        print(json.dumps({**asdict(report), "problems": problems}))
    else:
        size = len(codec.unicharset)
        print(f"{report.lines} lines, character set {values.charset} with {size} unichars")
        for text in _show(report, values.min_count, problems):
            print(text)
    return 1 if report.dropped else 0


def _load_codec(path: str) -> "Codec":
    from lstmjax.charset.codec import Codec
    from lstmjax.errors import naming
    from lstmjax.formats import traineddata
    from lstmjax.formats.files import read_bytes

    with naming(file=path):
        data = read_bytes(path)
        # A unicharset begins with its count, a traineddata with the bytes of a number.
        if data.split(b"\n", 1)[0].strip().isdigit():
            return Codec.from_parts(data)
        return Codec.from_traineddata(traineddata.unpack(data))


def _read_lines(path: str, problems: list[str]) -> Iterator["TextLine"]:
    """Yield the lines of a file of ground truth; the suffix tells its format."""
    from lstmjax.charset.check import TextLine
    from lstmjax.formats import box, lstmf
    from lstmjax.formats.files import read_bytes
    from lstmjax.formats.stream import to_text

    if path.endswith(".lstmf"):
        index = lstmf.scan(path)
        texts = [page.transcription for page in index.pages]
        problems += [f"{path}: {index.problem}"] if index.problem else []
    elif path.endswith(".box"):
        boxes = box.load(path)
        texts = [line.text for line in box.text_lines(boxes.boxes, page=None)]
        problems += [f"{path}: {problem}" for problem in boxes.problems]
    else:
        texts = [line.removesuffix("\r") for line in to_text(read_bytes(path)).split("\n")]
        if path.endswith(".gt.txt"):
            if any(line.strip() for line in texts[1:]):
                problems.append(f"{path}: only the first line is used in training")
            texts = [texts[0].removeprefix(_SIGNATURE)]
    # Empty lines of a text are no lines of ground truth; an empty page or .gt.txt is a dropped one.
    keep_empty = path.endswith((".lstmf", ".gt.txt"))
    for number, text in enumerate(texts, 1):
        if text or keep_empty:
            yield TextLine(path, number, text)


def _show(report: "Report", min_count: int, problems: list[str]) -> Iterator[str]:
    """Yield the report as text, a line at a time."""
    from lstmjax.charset.check import Repeated

    def times(parts: tuple[Repeated, ...]) -> list[str]:
        return [f"{one.text!r}: {one.count} times" for one in parts]

    sections = {
        "Files with problems": problems,
        "Lines that would be dropped": [_dropped(one) for one in report.dropped],
        "Characters in the way": [_missing(one) for one in report.missing],
        f"Too rare to learn (fewer than {min_count} times)": [
            f"{_named(one.text)}: {one.count} times" for one in report.rare
        ],
        "Unichars that do not occur": [_named(text) for text in report.unused],
        f"Words of one letter case only ({min_count} times or more)": times(report.one_case),
        "White space at the ends of lines": [_at(line) for line in report.blanks_at_ends],
        "Much of the text is one and the same": [
            f"{one.text!r}: {one.share:.0%}, {one.count} times" for one in report.dominant
        ],
        "Lines that occur several times": times(report.duplicates),
    }
    for title, items in sections.items():
        shown = items if title.startswith("Lines that would") else items[:_SHOWN]
        if items:
            yield f"\n{title}: {len(items)}"
            yield from (f"  {item}" for item in shown)
        if len(shown) < len(items):
            yield f"  ... and {len(items) - len(shown)} more; --json lists all"
    if not any(sections.values()):
        yield "Nothing to report."


def _at(line: "TextLine") -> str:
    return f"{line.file}:{line.number}: {line.text!r}"


def _dropped(one: "Dropped") -> str:
    from lstmjax.charset.characters import describe

    what = ", ".join(map(describe, one.characters))
    cure = f"; mended by: {one.mended_by}" if one.mended_by else ""
    return f"{_at(one.line)}: {one.reason}{': ' if what else ''}{what}{cure}"


def _missing(one: "Missing") -> str:
    cure = f"; could be {one.replacement!r}" if one.replacement else ""
    return f"{_named(one.character)}: {one.count} times in {one.lines} lines{cure}"


def _named(text: str) -> str:
    """Return a text with the Unicode names of its characters."""
    from lstmjax.charset.characters import describe

    return f"{text!r} ({', '.join(map(describe, text))})"
