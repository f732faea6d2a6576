"""Files of a report: their kind is their ending; checked before the work, written at the end."""

import os
import tempfile
from collections.abc import Callable, Sequence

from lstmjax.data.lines import LineIndex
from lstmjax.errors import UsageError
from lstmjax.formats.files import write_atomically
from lstmjax.report.page import WORST, page_bytes
from lstmjax.report.pictures import picture
from lstmjax.report.result import Report
from lstmjax.report.tables import csv_bytes, json_bytes

SUFFIXES = (".html", ".json", ".csv")


def check_paths(given: Sequence[str]) -> list[str]:
    """The paths of reports, taken apart at commas; fails now rather than after an evaluation.

    Raises: UsageError: an ending that stands for no form, or a place that cannot be written to.
    """
    paths = [path for text in given for path in text.split(",")]
    for path in paths:
        if os.path.splitext(path)[1].lower() not in SUFFIXES:
            raise UsageError(
                f"--report {path!r}: the ending tells the form; expected one of "
                f"{', '.join(SUFFIXES)}"
            )
        if os.path.isdir(path):
            raise UsageError(f"--report {path!r}: this is a folder; name a file in it")
        folder = os.path.dirname(os.path.realpath(path))
        try:
            with tempfile.TemporaryFile(dir=folder):
                pass
        except OSError as err:
            raise UsageError(
                f"--report {path!r}: {folder} cannot be written to: {err.strerror or err}"
            ) from err
    return paths


def write(report: Report, index: LineIndex, paths: Sequence[str], *, worst: int = WORST) -> None:
    """Write a report in each of its forms, each file whole or not at all.

    Args:
      report: what to write.
      index: the lines it is about, for their pictures.
      paths: as `check_paths` gives them.
      worst: lines with pictures in the page.
    Raises: LstmjaxError: a file cannot be written.
    """

    def show(number: int) -> str | None:
        return picture(index, number)

    forms: dict[str, Callable[[], bytes]] = {
        ".html": lambda: page_bytes(report, show, worst=worst),
        ".json": lambda: json_bytes(report),
        ".csv": lambda: csv_bytes(report),
    }
    for path in paths:
        write_atomically(path, forms[os.path.splitext(path)[1].lower()]())
