"""The command `tesseract IMAGE BASE [--psm N] lstm.train`, with its messages and exit status.

It imports little, because a Makefile starts it once for each line.
Source: Tesseract 5.3.0 src/tesseract.cpp, src/ccmain/linerec.cpp, src/ccstruct/boxread.cpp.
"""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from lstmjax.errors import DataError, LstmjaxError, UsageError
from lstmjax.formats import box
from lstmjax.formats.box import Box
from lstmjax.formats.lstmf import Page
from lstmjax.formats.stream import to_bytes
from lstmjax.pages import assemble
from lstmjax.pages.lines import is_blank, lines_on_page
from lstmjax.pages.page_image import PageImage, read_pages
from lstmjax.pages.records import BLANK_PSM, Problem, Settings
from lstmjax.pages.sources import box_path

CONFIG = "lstm.train"
_WITHOUT_EFFECT = ("-l", "--tessdata-dir", "--oem", "--dpi", "--loglevel")


@dataclass(frozen=True)
class Call:
    """A command line that makes training data: `tesseract image base --psm N lstm.train`."""

    image: str
    base: str
    psm: int = 3


def parse_call(argv: Sequence[str]) -> Call | None:
    """Read the arguments of a tesseract command.

    Returns: the call; None if the command does not make training data.
    Raises: UsageError: the command makes training data, but with a flag that cannot be honoured.
    """
    if CONFIG not in argv:
        return None
    places: list[str] = []
    psm, rest = 3, list(argv)
    while rest:
        argument = rest.pop(0)
        if argument == "--psm" and rest:
            psm = _psm(rest.pop(0))
        elif argument in _WITHOUT_EFFECT and rest:
            rest.pop(0)
        elif argument.startswith("-") and argument != "-":
            raise UsageError(f"{argument} is not available together with {CONFIG}")
        else:
            places.append(argument)
    if len(places) != 3 or places[2] != CONFIG:
        raise UsageError(f"expected IMAGE BASE [--psm N] {CONFIG}, found {' '.join(argv)}")
    return Call(places[0], places[1], psm)


def _psm(text: str) -> int:
    if not text.isdecimal() or int(text) > 13:
        raise UsageError("Invalid PSM value, please enter a number between 0-13")
    return int(text)


def main(argv: Sequence[str]) -> int:
    """Run a training call.

    Args:
      argv: the arguments after `tesseract`; `lstm.train` may be left out.
    Returns: the exit status.
    """
    try:
        call = parse_call(argv if CONFIG in argv else [*argv, CONFIG])
        assert call is not None
        return run(call)
    except UsageError as err:
        _say(str(err))
        return 1


def run(call: Call) -> int:
    """Make the lstmf of an image and its box file.

    Returns: the exit status: 0, even if lines were left out, or 1.
    """
    if not os.path.exists(call.image):
        return _fail(f"Error, cannot read input file {call.image}: No such file or directory")
    maker = _Maker(call)
    try:
        maker.add_pages()
        maker.save()
    # What earlier pages gave is kept, as in the original, which saves after each page.
    except DataError as err:
        maker.save()
        return _fail(f"Image file {call.image} cannot be read!\n{err}")
    except _Stop as stop:
        maker.save()
        return _fail(str(stop))
    except LstmjaxError:
        name = maker.name
        return _fail(f"Serialize failed: {name}\nFailed to write training data to {name}!")
    return 0


class _Stop(Exception):  # noqa: N818 - it carries the text that the original prints
    """The original gives up here; lines of earlier pages are written."""


class _Maker:
    """Collects the entries of a document, page after page."""

    def __init__(self, call: Call) -> None:
        self.name = call.base + ".lstmf"
        self._call = call
        self._settings = Settings(psm=call.psm, check_texts=False)
        self._entries: list[Page] = []

    def add_pages(self) -> None:
        """Go through the pages of the image; `_Stop` where the original gives up."""
        for number, page in enumerate(read_pages(self._call.image)):
            if page.of > 1:
                _say(f"Page {number + 1}")
            # Modes that look for blocks find none on a blank page, and say nothing about it.
            if self._call.psm in BLANK_PSM or not is_blank(page):
                self._add_page(number, page)

    def save(self) -> None:
        """Write the entries collected so far, if there are any."""
        if self._entries:
            assemble.save(self._entries, self.name)

    def _add_page(self, number: int, page: PageImage) -> None:
        # The original reads the document back before it adds a page, and says so for several lines.
        count = len(self._entries)
        if count > 1:
            _say(f"Loaded {count}/{count} lines (1-{count}) of document {self.name}")
        image = self._call.image
        boxes = [one for one in _read_boxes(box_path(image)) if one.page == number]
        if not boxes:
            raise _Stop(f"Failed to read boxes from {image}")
        lines = box.text_lines(boxes, number)
        made = lines_on_page(image, page, number, lines, self._settings, _say_no_block)
        self._entries = assemble.extend(self._entries, made, self.name)
        if not self._entries:
            raise _Stop(f"Failed to read pages from {image}")


def _read_boxes(path: str) -> tuple[Box, ...]:
    """The boxes of a file; complains about bad lines in the words of the original."""
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError:
        _say(f"Can not read box data from '{path}'.\nDoes it exists?")
        return ()
    if not data:
        _say(f"No box data found in '{path}'.")
    found = box.unpack(data)
    for problem in found.problems:
        _say_bytes(_complaint(to_bytes(problem.text)))
    return found.boxes


def _complaint(line: bytes) -> bytes:
    """The original's message about a line of a box file that cannot be used."""
    label = line[: max(line.find(b" ", 1), 0) or len(line)]
    try:
        label.decode()
    except UnicodeDecodeError as err:
        byte = label[err.start]
        shown = byte | 0xFFFFFF00 if byte > 0x7F else byte  # a signed char, printed with %x
        where = b" starts with 0x%02x at col %d" % (shown, err.start + 1)
        return b"Bad UTF-8 str " + label[err.start :] + where
    return b"Bad box coordinates in boxfile string! " + line


def _say_no_block(problem: Problem) -> None:
    _say(f"No block overlapping textline: {problem.text}")


def _fail(text: str) -> int:
    _say(f"{text}\nError during processing.")
    return 1


def _say(text: str) -> None:
    _say_bytes(text.encode("utf-8", "surrogateescape"))


def _say_bytes(text: bytes) -> None:
    """Print a line on stderr, as the original does, with the unchanged bytes of the file."""
    sys.stderr.flush()
    with open(sys.stderr.fileno(), "wb", closefd=False) as out:
        out.write(text + b"\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
