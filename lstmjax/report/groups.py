"""The groups of a line: font and file, from the name of its document, and script, from its text."""

import os
import re
from collections import Counter

from lstmjax.charset.characters import script
from lstmjax.data.lines import Line
from lstmjax.data.pairs import is_image_name
from lstmjax.data.skips import printable

_FONT = re.compile(r"[^.]+\.(?P<font>.+)\.exp-?\d+(\.[^.]+)*$")
_WITHOUT_SCRIPT = ("Common", "Inherited", "Unknown")
UNKNOWN = "(unknown)"
KINDS = ("font", "file", "script")


def font_of(line: Line) -> str:
    """The font in a name such as `eng.Arial_Bold.exp0.lstmf`; `UNKNOWN` if it has none.

    The name of the document is tried first, then the name of the image the line was cut from.
    """
    # A list of lstmf files names the font in the file, one of images in the image.
    for path in (line.path, line.name):
        found = _FONT.match(os.path.basename(path))
        if found:
            return printable(found["font"].replace("_", " ").strip()) or UNKNOWN
    return UNKNOWN


def file_of(line: Line) -> str:
    """The document of a line; for a line image with its own text file, the folder of the image."""
    if is_image_name(line.path):
        return printable(os.path.join(os.path.dirname(line.path) or ".", ""))
    return printable(line.path)


def script_of(text: str) -> str:
    """The script of most letters, such as `Latin`; `Common` if there are no letters."""
    counts = Counter(name for name in map(script, text) if name not in _WITHOUT_SCRIPT)
    # Names decide between equal counts, so that the script does not depend on the order.
    return min(counts, key=lambda name: (-counts[name], name)) if counts else "Common"


def group_of(kind: str, line: Line) -> str:
    """The group of a line; `kind` is one of `KINDS`."""
    if kind == "font":
        return font_of(line)
    return file_of(line) if kind == "file" else script_of(line.text)
