"""Make lstmf training data from images with texts, as `tesseract ... lstm.train` does, and more.

With `--as_tesseract` as the first argument, the others are those of the tesseract program.
"""

import os
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from absl import flags

    from lstmjax.pages.conversion import Outcome, Summary
    from lstmjax.pages.records import Kind

TOOL = "lstmf"
AS_TESSERACT = "--as_tesseract"
_SECONDS = 0.5


def main(argv: list[str]) -> int:
    """Run the tool.

    Args:
      argv: the arguments after the tool's name.

    Returns: the exit status: 1 if any input gave nothing.
    """
    if argv[:1] == [AS_TESSERACT]:
        from lstmjax.pages import as_tesseract

        return as_tesseract.main(argv[1:])
    from lstmjax.cli.flags import parse
    from lstmjax.errors import UsageError

    values, paths = parse(TOOL, _define, argv)
    if not paths:
        raise UsageError("name images, XML files, folders or list files to convert")
    refuse_flags_behind(paths)
    if values.output and values.output_dir:
        raise UsageError("--output is one file for all lines, --output_dir a folder: name one")
    return _convert(values, paths)


def refuse_flags_behind(paths: list[str]) -> None:
    """Check that no flag comes after a path.

    Raises: UsageError: one does.
    """
    from lstmjax.errors import UsageError

    for path in paths:
        if path.startswith("--"):
            raise UsageError(f"{path} comes after a path; put flags in front of all paths")


def define_background(values: "flags.FlagValues") -> None:
    """Define the flag for the background around the polygon of a line."""
    from absl import flags

    flags.DEFINE_string(
        "background", "paper",
        "Background around the polygon of a PAGE or ALTO line: paper (its median colour) or white",
        flag_values=values,
    )  # fmt: skip


def _define(values: "flags.FlagValues") -> None:
    from absl import flags

    flags.DEFINE_string(
        "output", "", "File for all lines, instead of one for each input", flag_values=values
    )
    flags.DEFINE_string(
        "output_dir", "", "Folder for the files; default: beside the inputs", flag_values=values
    )
    flags.DEFINE_string(
        "source", "auto",
        "Source of the lines: box, gt (.gt.txt), xml (PAGE, ALTO), or auto: the first of these "
        "that exists",
        flag_values=values,
    )  # fmt: skip
    flags.DEFINE_integer(
        "psm", 13,
        "Page segmentation mode: 5 rotates vertical lines; 7 to 10 and 13 accept images without "
        "ink",
        flag_values=values,
    )  # fmt: skip
    define_background(values)
    flags.DEFINE_string(
        "gt_boxes", "auto",
        "Boxes for lines with a text only: characters, wordstr (right-to-left text in visual "
        "order), or auto: wordstr for right-to-left text",
        flag_values=values,
    )  # fmt: skip
    flags.DEFINE_integer("workers", 0, "Number of processes; 0: one per core", flag_values=values)
    flags.DEFINE_bool(
        "as_tesseract", False,
        "As the first argument: take the arguments of tesseract, IMAGE BASE [--psm N]",
        flag_values=values,
    )  # fmt: skip


def _kind(source: str) -> "Kind | None":
    """The source of lines that `--source` names; None for auto."""
    from lstmjax.errors import UsageError
    from lstmjax.pages.sources import WITH_TEXT

    kinds = {kind.value: kind for kind in WITH_TEXT} | {"auto": None}
    if source not in kinds:
        raise UsageError(f"--source is {source!r}, expected auto, box, gt or xml")
    return kinds[source]


def _convert(values: "flags.FlagValues", paths: list[str]) -> int:
    from lstmjax.errors import UsageError
    from lstmjax.pages import Settings, convert, find

    if values.as_tesseract:
        raise UsageError(f"{AS_TESSERACT} goes in front of all other arguments")
    if values.workers < 0:
        raise UsageError(f"--workers is {values.workers}, expected 0 or more")
    kind = _kind(values.source)
    settings = Settings(values.psm, values.gt_boxes, values.background, check_texts=kind is None)
    found = find(paths, kind, values.output_dir)
    for problem in found.problems:
        _say(str(problem))
    reporter = _Reporter(len(found.inputs))
    summary = convert(
        found.inputs,
        values.output or None,
        settings=settings,
        workers=values.workers or os.cpu_count() or 1,
        on_done=reporter,
    )
    reporter.clear()
    if found.passed_over:
        _say(f"{found.passed_over} images without a text were passed over")
    summary.inputs += len(found.problems)
    summary.failed += len(found.problems)
    _say(_totals(summary, values.output))
    return 1 if summary.failed or not summary.lines else 0


def _totals(summary: "Summary", output: str) -> str:
    where = output or f"{summary.inputs - summary.failed} files"
    text = f"Wrote {summary.lines} lines to {where}" if summary.lines else "Wrote nothing"
    if summary.failed:
        text += f"; {summary.failed} of {summary.inputs} inputs failed"
    if summary.problems:
        text += f"; {summary.problems} problems, named above"
    return text


class _Reporter:
    """Prints the problems of each input and, on a terminal, the progress."""

    def __init__(self, count: int) -> None:
        self._count, self._done = count, 0
        self._live = sys.stderr.isatty()
        self._next = time.monotonic() + _SECONDS

    def __call__(self, outcome: "Outcome") -> None:
        self._done += 1
        for problem in outcome.problems:
            self.clear()
            _say(str(problem))
        if self._live and time.monotonic() > self._next:
            self._next = time.monotonic() + _SECONDS
            print(f"\r{self._done} of {self._count}", end="", file=sys.stderr, flush=True)

    def clear(self) -> None:
        """Remove the counter from the terminal."""
        if self._live:
            print("\r\033[K", end="", file=sys.stderr, flush=True)


def _say(text: str) -> None:
    print(text.encode("utf-8", "replace").decode(), file=sys.stderr)
