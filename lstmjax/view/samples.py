"""A line as it was read, as a record: truth, reading, and the position of each character."""

import unicodedata
from typing import Any

from rapidfuzz.distance import Levenshtein

from lstmjax.ctc.error_rates import char_counts
from lstmjax.data.image import Pixels
from lstmjax.infer.decode import LineDecoder
from lstmjax.training.watch import LineSeen
from lstmjax.view.debug import spellings


def sample(seen: LineSeen, pixels: Pixels, reader: LineDecoder) -> dict[str, Any]:
    """Make the record of a line.

    Args:
      seen: line with its outputs.
      pixels: scaled image of the line.
      reader: decoder of outputs.
    Returns: `line` (number), `name`, `page`, `truth`, `reading`, `errors` (share of characters),
      `parts`: [kind, true part, part read] with kind equal, replace, insert or delete; `places`:
      [text, left, right, probability] in pixels of the image; `width`, `height` of the image.
    """
    # In NFC, as the error rates compare them.
    truth = unicodedata.normalize("NFC", seen.line.text)
    found = spellings(seen.outputs, reader)
    reading = unicodedata.normalize("NFC", "".join(each.text for each in found))
    height, width = pixels.shape[:2]
    scale = width / max(len(seen.outputs), 1)  # pixels for each time step
    places = [
        [
            text,
            round(start * scale, 1),
            round(end * scale, 1),
            _confidence(seen, start, end, reader.codec.null_char),
        ]
        for text, start, end in found
    ]
    return {
        "iteration": seen.iteration,
        "line": seen.line.number,
        "name": _as_utf8(seen.line.name),
        "page": seen.line.page,
        "truth": truth,
        "reading": reading,
        "errors": round(char_counts(truth, reading).rate, 4),
        "parts": parts(truth, reading),
        "places": places,
        "width": width,
        "height": height,
    }


def parts(truth: str, reading: str) -> list[list[str]]:
    """Align truth and reading, from left to right: [kind, true part, part read]."""
    return [
        [step.tag, truth[step.src_start : step.src_end], reading[step.dest_start : step.dest_end]]
        for step in Levenshtein.opcodes(truth, reading)
    ]


def _confidence(seen: LineSeen, start: int, end: int, null_char: int) -> float:
    """The highest probability of any character in a range of steps."""
    # Null is no character, however likely it is.
    steps = seen.outputs[start : max(end, start + 1)].copy()
    steps[:, null_char] = 0
    return round(float(steps.max(initial=0.0)), 3)


def _as_utf8(text: str) -> str:
    """Replace the bytes of a file name that are not UTF-8, which JSON cannot hold."""
    return text.encode("utf-8", "replace").decode("utf-8")
