"""Make box files from the readings of a model, as `tesseract ... lstmbox` and `wordstrbox` do.

A line image is read as a whole; the lines of a page are taken from its PAGE, ALTO or box file. A
page without such a file needs layout analysis, so the installed tesseract reads it.
"""

import os
import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from absl import flags

from lstmjax.cli.flags import parse
from lstmjax.cli.lstmf import define_background, refuse_flags_behind
from lstmjax.errors import DataError, FormatError, LstmjaxError, UsageError

if TYPE_CHECKING:
    from lstmjax.infer.symbols import SymbolReader
    from lstmjax.pages.readings import Reading
    from lstmjax.pages.records import Kind, Line
    from lstmjax.pages.sources import Input

TOOL = "lstmbox"
PAGE_PSM = (1, 3, 4, 6, 11, 12)
LINE_PSM = (7, 8, 9, 10, 13)
_BLOCK = 256  # lines read at a time


def main(argv: list[str]) -> int:
    """Run the tool.

    Args:
      argv: the arguments after the tool's name.

    Returns: the exit status: 1 if any input gave nothing.
    """
    values, paths = parse(TOOL, _define, argv)
    refuse_flags_behind(paths)
    if not values.model:
        raise UsageError("--model is missing: name the traineddata that is to read the lines")
    if not paths:
        raise UsageError("name images, XML files, folders or list files to read")
    if values.wordstr and values.char_boxes:
        raise UsageError("--wordstr is one box a line, --char_boxes one a character: name one")
    if values.psm not in PAGE_PSM + LINE_PSM:
        known = ", ".join(map(str, sorted(PAGE_PSM + LINE_PSM)))
        raise UsageError(f"--psm is {values.psm}, expected one of {known}")
    return _make_boxes(values, paths)


def _define(values: flags.FlagValues) -> None:
    flags.DEFINE_string(
        "model", "",
        "Model: a traineddata; or a checkpoint or the base name of a run, with --traineddata",
        flag_values=values,
    )  # fmt: skip
    flags.DEFINE_string(
        "traineddata", "", "Character set of a checkpoint: the traineddata it was trained with",
        flag_values=values,
    )  # fmt: skip
    flags.DEFINE_bool(
        "wordstr", False, "One box per line, with its text (WordStr)", flag_values=values
    )
    flags.DEFINE_bool(
        "char_boxes", False, "A box around each character, instead of the whole line",
        flag_values=values,
    )  # fmt: skip
    flags.DEFINE_bool(
        "dictionary", True, "Prefer words of the model's word lists", flag_values=values
    )
    flags.DEFINE_string(
        "source", "auto",
        "Source of the lines: xml (PAGE, ALTO), box (needs --output_dir or --overwrite), image "
        "(see --psm), or auto: xml if there is one, else image",
        flag_values=values,
    )  # fmt: skip
    flags.DEFINE_integer(
        "psm", 13,
        "Content of an image: 7, 8, 9, 10, 13: one line; 1, 3, 4, 6, 11, 12: a page whose lines "
        "tesseract finds",
        flag_values=values,
    )  # fmt: skip
    define_background(values)
    flags.DEFINE_string(
        "output_dir", "", "Folder for the box files; default: beside the inputs", flag_values=values
    )
    flags.DEFINE_bool("overwrite", False, "Replace existing box files", flag_values=values)


def _kinds(source: str) -> "tuple[Kind, ...]":
    from lstmjax.pages.records import Kind

    choices = {
        "auto": (Kind.XML, Kind.IMAGE),
        "xml": (Kind.XML,),
        "box": (Kind.BOX,),
        "image": (Kind.IMAGE,),
    }
    if source not in choices:
        raise UsageError(f"--source is {source!r}, expected auto, xml, box or image")
    return choices[source]


def _make_boxes(values: flags.FlagValues, paths: list[str]) -> int:
    from lstmjax.infer import symbols
    from lstmjax.pages import readings, sources

    found = sources.find(paths, _kinds(values.source), values.output_dir)
    for problem in found.problems:
        _say(str(problem))
    reader = symbols.load(
        values.model, values.traineddata or None, use_dictionary=values.dictionary, say=_say
    )
    show = readings.lstmbox_text
    if values.wordstr:
        show = readings.wordstr_text
    elif values.char_boxes:
        show = readings.char_box_text
    writer = _Writer(values, reader, show)
    for one in found.inputs:
        writer.add(one)
    writer.flush()
    failed = len(found.problems) + writer.failed
    text = f"Wrote {writer.lines} lines to {writer.files} box files"
    _say(text if not failed else f"{text}; {failed} of {failed + writer.files} inputs failed")
    return 1 if failed or not writer.files else 0


class _Writer:
    """Reads the lines of many inputs together, and writes a box file for each input."""

    def __init__(
        self,
        values: flags.FlagValues,
        reader: "SymbolReader",
        show: "Callable[[Iterable[Reading]], str]",
    ) -> None:
        from lstmjax.pages.records import Settings

        self.files = self.lines = self.failed = 0
        self._values, self._reader, self._show = values, reader, show
        self._settings = Settings(
            background=values.background, check_texts=False, texts_needed=False
        )
        self._waiting: list[tuple[Input, list[Line]]] = []

    def add(self, one: "Input") -> None:
        """Queue the lines of an input; read all queued lines if there are enough."""
        try:
            self._add(one)
        except (DataError, FormatError, LstmjaxError) as err:
            self._fail(one, str(err))
        if sum(len(lines) for _, lines in self._waiting) >= _BLOCK:
            self.flush()

    def flush(self) -> None:
        """Read the queued lines and write their files."""
        # Lines of many inputs at once, which the network reads in batches.
        images = [line.crop.colours() for _, lines in self._waiting for line in lines]
        results = self._reader.read(images)
        for one, lines in self._waiting:
            self._finish(one, [(line, next(results)) for line in lines])
        self._waiting.clear()

    def _add(self, one: "Input") -> None:
        from lstmjax.pages import real_tesseract
        from lstmjax.pages.lines import lines_of
        from lstmjax.pages.records import Kind

        output = one.base + ".box"
        if os.path.exists(output) and not self._values.overwrite:
            raise DataError(f"{output} exists; --overwrite replaces it, --output_dir keeps it")
        if one.kind is not Kind.IMAGE or self._values.psm in LINE_PSM:
            lines = list(lines_of(one, self._settings, on_problem=lambda p: _say(str(p))))
            self._waiting.append((one, lines))
            return
        model, psm = self._values.model, self._values.psm
        # Boxes of characters come from the ink: tesseract finds the lines, which are read here.
        if self._values.char_boxes:
            lines = list(real_tesseract.find_lines(one.image, model, psm, self._settings))
            self._waiting.append((one, lines))
            return
        text = real_tesseract.box_text(one.image, model, psm, wordstr=self._values.wordstr)
        self._write(one, text, text.count("\t "))

    def _finish(self, one: "Input", results: list) -> None:
        from lstmjax.pages.readings import Reading
        from lstmjax.pages.records import Kind

        readings: list[Reading] = []
        for line, result in results:
            if isinstance(result, DataError):
                _say(f"{one.path}: page {line.page + 1}, line {line.number + 1}: {result}")
            elif not result.texts:
                _say(f"{one.path}: page {line.page + 1}, line {line.number + 1}: nothing was read")
            else:
                tight = one.kind is Kind.IMAGE and not len(line.boxes)
                readings.append(Reading(line, result.texts, result.spans, tight))
        if not readings:
            self._fail(one, "no line of it can be used")
            return
        try:
            self._write(one, self._show(readings), len(readings))
        except LstmjaxError as err:
            self._fail(one, str(err))

    def _write(self, one: "Input", text: str, lines: int) -> None:
        from lstmjax.formats.files import write_atomically

        output = one.base + ".box"
        try:
            os.makedirs(os.path.dirname(output) or ".", exist_ok=True)
        except OSError as err:
            raise LstmjaxError(f"{output}: cannot be written: {err.strerror or err}") from err
        write_atomically(output, text.encode("utf-8", "surrogateescape"))
        self.files += 1
        self.lines += lines

    def _fail(self, one: "Input", reason: str) -> None:
        self.failed += 1
        _say(f"{one.path}: {reason.removeprefix(f'{one.path}: ')}")


def _say(text: str) -> None:
    print(text.encode("utf-8", "replace").decode(), file=sys.stderr)
