"""The installed tesseract program, for the one thing that only it can do: find lines on a page."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from lstmjax.errors import DataError
from lstmjax.pages.lines import lines_of
from lstmjax.pages.records import Kind, Line, Settings
from lstmjax.pages.sources import Input

_SUFFIX = ".traineddata"
_SECONDS = 600


def box_text(image: str, model: str, psm: int, *, wordstr: bool) -> str:
    """Read a page with the real tesseract.

    Args:
      image: path of the page.
      model: path of a traineddata.
      psm: page segmentation mode.
      wordstr: whether boxes are of lines instead of symbols.
    Returns: the text of the box file.
    Raises: DataError: tesseract is not installed, cannot use the model, or fails.
    """
    program = shutil.which("tesseract")
    if program is None:
        raise DataError(
            f"{image}: a page whose lines are not known, and tesseract is not installed to find "
            "them; describe them in PAGE or ALTO, or cut the page into lines"
        )
    if not model.endswith(_SUFFIX):
        raise DataError(f"{image}: finding its lines needs a {_SUFFIX} as --model, found {model}")
    folder, name = os.path.split(os.path.abspath(model))
    kind = "wordstrbox" if wordstr else "lstmbox"
    with tempfile.TemporaryDirectory() as scratch:
        base = os.path.join(scratch, "page")
        command = [
            program, image, base, "--tessdata-dir", folder, "-l", name.removesuffix(_SUFFIX),
            "--psm", str(psm), "-c", f"tessedit_create_{kind}=1",
        ]  # fmt: skip
        try:
            done = subprocess.run(command, capture_output=True, timeout=_SECONDS, check=False)
        except subprocess.TimeoutExpired:
            raise DataError(f"{image}: tesseract took more than {_SECONDS} s") from None
        result = Path(base + ".box")
        if done.returncode or not result.exists():
            said = done.stderr.decode("utf-8", "replace").strip().splitlines() or ["no reason"]
            raise DataError(f"{image}: tesseract failed: {said[-1]}")
        return result.read_text(encoding="utf-8", errors="surrogateescape")


def find_lines(image: str, model: str, psm: int, settings: Settings) -> Iterator[Line]:
    """Yield the lines that the real tesseract finds on a page; see `box_text`."""
    text = box_text(image, model, psm, wordstr=True)
    with tempfile.TemporaryDirectory() as scratch:
        path = os.path.join(scratch, "page.box")
        Path(path).write_text(text, encoding="utf-8", errors="surrogateescape")
        yield from lines_of(Input(image, path, Kind.BOX, path), settings)
