"""Make the unicharset of box files and plain text files.

Messages, exit statuses and the file are those of Tesseract 5.3.0 `unicharset_extractor`, with
these differences: a mode other than 1, 2 and 3 is refused, units too long for a unichar are left
out, and nothing is written if no file could be read. What the original ignores silently (invalid
UTF-8, zero bytes, a byte order mark) is reported.
"""

import sys

from absl import flags

from lstmjax.cli.flags import parse
from lstmjax.errors import FormatError, LstmjaxError, UsageError

TOOL = "unicharset_extractor"
USAGE = """\
Usage: lstmjax unicharset_extractor [--output_unicharset filename] [--norm_mode mode] \
box_or_text_file [...]
Where mode means:
 1=combine graphemes (use for Latin and other simple scripts)
 2=split graphemes (use for Indic/Khmer/Myanmar)
 3=pure unicode (use for Arabic/Hebrew/Thai/Tibetan)
Reads box or plain text files to extract the unicharset."""


def main(argv: list[str]) -> int:
    """Run the tool.

    Args:
      argv: the arguments after the tool's name.

    Returns: the exit status.
    """
    values, paths = parse(TOOL, _define, argv) if argv else (None, [])
    if values is None or not paths:
        say(USAGE)
        return 1
    return _extract(paths, values.norm_mode, values.output_unicharset, values.hex_properties)


def say(text: str) -> None:
    """Print a line where Tesseract prints it."""
    print(text, file=sys.stderr)


def define_hex(values: flags.FlagValues) -> None:
    """Define the flag for hexadecimal properties, shared by the tools that write unicharsets."""
    flags.DEFINE_bool(
        "hex_properties", False,
        "Properties in hexadecimal, as readers expect them, not in decimal as Tesseract 5 writes",
        flag_values=values,
    )  # fmt: skip


def _define(values: flags.FlagValues) -> None:
    flags.DEFINE_string("output_unicharset", "unicharset", "File to write", flag_values=values)
    flags.DEFINE_integer(
        "norm_mode", 1,
        "Normalization mode: 1 combine graphemes, 2 split graphemes, 3 pure Unicode",
        flag_values=values,
    )  # fmt: skip
    define_hex(values)


def _extract(paths: list[str], norm_mode: int, output: str, hex_properties: bool) -> int:
    from lstmjax.charset.extract import Extractor
    from lstmjax.charset.segment import NormMode
    from lstmjax.formats import unicharset
    from lstmjax.formats.files import read_bytes

    if norm_mode not in set(NormMode):
        raise UsageError(f"--norm_mode is {norm_mode}, expected 1, 2 or 3\n{USAGE}")
    extractor = Extractor(NormMode(norm_mode), say)
    used = 0
    for path in paths:
        try:
            data = read_bytes(path)
        except FormatError as err:
            say(f"Failed to read data from: {path}\n{err}")
            continue
        used += 1
        if data:
            extractor.add_file(path, data)
        else:
            say(f"Failed to read data from: {path}\n{path}: the file is empty")
    if not used:
        raise LstmjaxError("no file could be read, so no unicharset is written; check the paths")
    try:
        unicharset.save(extractor.table(), output, decimal=not hex_properties)
    except LstmjaxError as err:
        say(f"Cannot save unicharset file {output}\n{err}")
        return 1
    say(f"Wrote unicharset file {output}")
    return 0
