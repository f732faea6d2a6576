"""Where a reading differs from the truth: the edits of each line, and how often each occurs.

Texts are compared in NFC, code point by code point, as `error_rates.char_counts` does.
"""

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from rapidfuzz.distance import Levenshtein

_LINES_NAMED = 5


class Segment(NamedTuple):
    """A stretch of a line: equal in both texts, or one run of neighbouring edits.

    truth: text of the transcription; "" for an insertion.
    read: text of the reading; "" for a deletion.
    """

    truth: str
    read: str

    @property
    def same(self) -> bool:
        """Whether both texts agree."""
        return self.truth == self.read


@dataclass(frozen=True)
class Confusion:
    """A piece of text that was read as another one.

    Attributes:
      truth: text in the transcription; "" for an insertion.
      read: text in the reading; "" for a deletion.
      count: number of times this confusion occurs.
      of: number of times `truth` occurs in the transcriptions; 0 for insertions.
      lines: numbers of the first few lines with this confusion.
    """

    truth: str
    read: str
    count: int
    of: int
    lines: tuple[int, ...]


@dataclass(frozen=True)
class Confusions:
    """All edits of a set of lines, the most frequent first.

    Attributes:
      characters: edits of single code points; their counts add up to the edits of the CER.
      runs: runs of neighbouring edits with more than one code point on a side, such as `rn` read
        as `m`.
    """

    characters: tuple[Confusion, ...]
    runs: tuple[Confusion, ...]


def segments(truth: str, read: str) -> list[Segment]:
    """Cut both texts into stretches that agree and stretches that differ, alternating."""
    truth, read = _nfc(truth), _nfc(read)
    found: list[Segment] = []
    for code in Levenshtein.opcodes(truth, read):
        piece = Segment(truth[code.src_start : code.src_end], read[code.dest_start : code.dest_end])
        # Insertions, deletions and replacements side by side are one difference to a reader.
        if found and not found[-1].same and not piece.same:
            piece = Segment(found[-1].truth + piece.truth, found.pop().read + piece.read)
        found.append(piece)
    return found


def character_edits(truth: str, read: str) -> list[Segment]:
    """The edits of single code points; their number is the edit distance."""
    truth, read = _nfc(truth), _nfc(read)
    return [
        Segment(
            "" if edit.tag == "insert" else truth[edit.src_pos],
            "" if edit.tag == "delete" else read[edit.dest_pos],
        )
        for edit in Levenshtein.editops(truth, read)
    ]


def confusions(lines: Iterable[tuple[int, str, str]]) -> Confusions:
    """Count the edits of many lines.

    Args:
      lines: number, truth and reading of each line.
    """
    seen: Counter[str] = Counter()
    characters, runs = _Table(), _Table()
    truths = []
    for number, truth, read in lines:
        seen.update(_nfc(truth))
        truths.append(_nfc(truth))
        for edit in character_edits(truth, read):
            characters.add(edit, number)
        for piece in segments(truth, read):
            if not piece.same and max(len(piece.truth), len(piece.read)) > 1:
                runs.add(piece, number)
    # Line ends between them, so that no piece is found across two lines.
    whole = "\n".join(truths)
    return Confusions(
        characters.sorted({edit.truth: seen[edit.truth] for edit in characters.counts}),
        runs.sorted({edit.truth: _occurrences(whole, edit.truth) for edit in runs.counts}),
    )


def _occurrences(text: str, piece: str) -> int:
    return text.count(piece) if piece else 0


class _Table:
    """Counts edits and remembers the first few lines of each."""

    def __init__(self) -> None:
        self.counts: Counter[Segment] = Counter()
        self.lines: defaultdict[Segment, list[int]] = defaultdict(list)

    def add(self, edit: Segment, number: int) -> None:
        self.counts[edit] += 1
        lines = self.lines[edit]
        if len(lines) < _LINES_NAMED and number not in lines:
            lines.append(number)

    def sorted(self, seen: dict[str, int]) -> tuple[Confusion, ...]:
        # The text decides between equal counts, so that reports of equal readings are equal.
        order = sorted(self.counts.items(), key=lambda item: (-item[1], item[0]))
        return tuple(
            Confusion(edit.truth, edit.read, count, seen[edit.truth], tuple(self.lines[edit]))
            for edit, count in order
        )


def _nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text)
