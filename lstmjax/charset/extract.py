"""The unicharset of texts: every unit that occurs, in order of first appearance.

Source: Tesseract src/training/unicharset_extractor.cpp, src/ccstruct/boxread.cpp. A file is taken
for a box file if every line is one, as 5.3.0 does whatever the file is called.
"""

import re
from collections.abc import Iterator

from lstmjax.charset.builder import UnicharIndex, too_long
from lstmjax.charset.characters import is_white_space
from lstmjax.charset.normalize import normalize
from lstmjax.charset.properties import basic_properties
from lstmjax.charset.segment import NormMode, Segmenter, is_plain
from lstmjax.errors import Say
from lstmjax.formats.stream import to_text
from lstmjax.formats.unicharset import MAX_UNICHAR, UnicharRow, UnicharsetTable

_BOM = b"\xef\xbb\xbf"
_MAX_LABEL = 1023
_NUMBER = re.compile(rb"[ \t-\r]*([+-]?[0-9]+)")
_GAP = re.compile(rb"[ \t]")
_INT_MIN, _INT_MAX = -(2**31), 2**31 - 1


class Extractor:
    """Collects the units of texts.

    Args:
      mode: unit into which texts are divided.
      say: called with each line that Tesseract prints, and with warnings that it does not print.
    """

    def __init__(self, mode: NormMode, say: Say):
        self._say = say
        self._segmenter = Segmenter(mode)
        self._index = UnicharIndex()
        self._seen: set[str] = set()
        self._plain: set[str] = set()  # the seen characters that are units of their own anywhere

    def add_file(self, name: str, data: bytes) -> None:
        """Add the texts of a box file or of a plain text file.

        Args:
          name: name of the file, for messages.
          data: content of the file, not empty.
        """
        texts = _box_texts(data, self._say)
        kind = "plain text" if texts is None else "box"
        self._say(f"Extracting unicharset from {kind} file {name}")
        if texts is None:
            self._warn(name, data)
            texts = (line.split(b"\0")[0] for line in data.split(b"\n"))
        for text in texts:
            self.add_text(text)

    def table(self) -> UnicharsetTable:
        """Return the unicharset with the properties that Unicode defines."""
        rows = (UnicharRow(unichar, 0) for unichar in self._index.unichars)
        return basic_properties(UnicharsetTable(tuple(rows)), self._say)

    def add_text(self, raw: bytes) -> None:
        """Add one line of UTF-8 text, even if it looks like a box."""
        text = raw.decode("utf-8", "replace")
        # Lines of plain characters, nearly all of most texts, need no rules.
        if self._plain.issuperset(text):
            return
        new = [char for char in dict.fromkeys(normalize(text)) if char not in self._plain]
        # New characters that are plain need no segmenting either, and are known from now on.
        if all(map(is_plain, new)):
            self._plain.update(new)
            units = new
        else:
            segmented = self._segmenter.segment(text)
            for message in segmented.messages:
                self._say(message)
            # As in the original, a line that breaks a rule adds nothing at all.
            if not segmented.valid:
                self._say(f"Normalization failed for string '{to_text(raw)}'")
                return
            units = segmented.units
        for unit in units:
            if unit not in self._seen:
                self._seen.add(unit)
                self._add_unit(unit)

    def _add_unit(self, unit: str) -> None:
        if all(map(is_white_space, unit)):
            return
        if too_long(unit):
            self._say(f"Utf8 buffer too big, size>{MAX_UNICHAR} for {unit}; left out")
        elif self._index.add(unit) and any(map(is_white_space, unit)):
            self._say(
                f"Warning: unichar {len(self._index) - 1} {unit!r} holds white space, so that the "
                "unicharset cannot be read back as it is; look for a mark or a virama beside a "
                "space in the text"
            )

    def _warn(self, name: str, data: bytes) -> None:
        """Report the flaws of a text that Tesseract passes over in silence."""
        if data.startswith(_BOM):
            self._say(f"Warning: {name} begins with a byte order mark, which becomes a unichar")
        if b"\0" in data:
            line = data.count(b"\n", 0, data.index(b"\0")) + 1
            self._say(
                f"Warning: {name}: zero byte in line {line}; the rest of such lines is ignored"
            )
        try:
            data.decode("utf-8")
        except UnicodeDecodeError as err:
            line = data.count(b"\n", 0, err.start) + 1
            what = f"byte {data[err.start]:#04x} in line {line} is not valid UTF-8"
            self._say(f"Warning: {name}: {what}; such bytes are left out")


class _BoxError(Exception):
    """A line is no box; the text is Tesseract's message."""


def _box_texts(data: bytes, say: Say) -> list[bytes] | None:
    """Return the labels of a box file except blanks; None if a line is no box or none is left."""
    texts = []
    for line in _lines(data.split(b"\0")[0]):
        try:
            label = _box_label(line)
        except _BoxError as err:
            say(str(err))
            return None
        if label not in (b" ", b"\t"):
            texts.append(label)
    return texts or None


def _lines(data: bytes) -> Iterator[bytes]:
    """Yield the lines that are not empty, without copying all of them at once."""
    start = 0
    while start < len(data):
        end = data.find(b"\n", start)
        end = len(data) if end < 0 else end
        if end > start:
            yield data[start:end]
        start = end + 1


def _box_label(line: bytes) -> bytes:
    """Return the label of a box line.

    Raises: _BoxError: the line is no box, or its label is not UTF-8.
    """
    body = line.removeprefix(_BOM)
    # The label is its first byte, whatever that is, and all up to the next blank: it may be a tab.
    gap = _GAP.search(body, 1)
    end = min(gap.start() if gap else len(body), _MAX_LABEL)
    label, rest = body[:end], body[end + 1 :]
    left, bottom, right, top = _coordinates(rest)
    if not label or right < left or top < bottom:
        raise _BoxError(f"Bad box coordinates in boxfile string! {to_text(line)}")
    if label == b"WordStr" and b"#" in rest:
        label = rest.partition(b"#")[2][:_MAX_LABEL].rstrip(b"\r\n")
    bad = _first_bad(label)
    if bad is not None:
        what = f"{to_text(label[bad:])} starts with {label[bad]:#04x} at col {bad + 1}"
        raise _BoxError(f"Bad UTF-8 str {what}")
    return label


def _coordinates(rest: bytes) -> tuple[int, int, int, int]:
    """Read numbers as a C++ stream does: after a failure the later ones keep their defaults."""
    values = [_INT_MAX, _INT_MAX, _INT_MIN, _INT_MIN]
    place = 0
    for i in range(4):
        match = _NUMBER.match(rest, place)
        if match is None:
            if rest[place:].strip(b" \t\n\v\f\r"):
                values[i] = 0
            break
        digits = match[1].lstrip(b"+-").lstrip(b"0") or b"0"
        # More digits than this are out of range anyhow.
        value = int(digits[:11]) * (-1 if match[1][:1] == b"-" else 1)
        values[i] = min(max(value, _INT_MIN), _INT_MAX)
        if values[i] != value:
            break
        place = match.end()
    return values[0], values[1], values[2], values[3]


def _first_bad(label: bytes) -> int | None:
    """Return the index of the first byte that cannot be part of UTF-8, None if there is none."""
    place = 0
    while place < len(label):
        first = label[place]
        size = 1 if first < 0x80 else 0 if first < 0xC0 else 2 + (first >= 0xE0) + (first >= 0xF0)
        rest = label[place + 1 : place + size]
        if not size or first >= 0xF8 or len(rest) < size - 1 or any(b & 0xC0 != 0x80 for b in rest):
            return place
        place += size
    return None
