"""The files of a report: paths are checked before an evaluation, files are written after it.

The suffix of a path selects the format.
"""

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
    """Split the paths of reports at commas, and check that each can be written.

    Raises: UsageError: a suffix stands for no format, or a folder is not writable.
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
        # Trying is the only sure test, and better before the lines are read than after.
        try:
            with tempfile.TemporaryFile(dir=folder):
                pass
        except OSError as err:
            raise UsageError(
                f"--report {path!r}: {folder} cannot be written to: {err.strerror or err}"
            ) from err
    return paths


def write(report: Report, index: LineIndex, paths: Sequence[str], *, worst: int = WORST) -> None:
    """Write a report in the format of each path; every file is written atomically.

    Args:
      report: the report.
      index: the evaluation lines, for their images.
      paths: files to write, checked by `check_paths`.
      worst: number of worst lines on the HTML page, with images.
    Raises: LstmjaxError: a file cannot be written.
    """

    def show(number: int) -> str | None:
        return picture(index, number)

    # Functions, so that only the formats that were asked for are made.
    forms: dict[str, Callable[[], bytes]] = {
        ".html": lambda: page_bytes(report, show, worst=worst),
        ".json": lambda: json_bytes(report),
        ".csv": lambda: csv_bytes(report),
    }
    for path in paths:
        write_atomically(path, forms[os.path.splitext(path)[1].lower()]())
