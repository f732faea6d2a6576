"""Word lists as sequences of unichar ids in flat arrays, however long the list.

Texts are read in blocks and looked up all at once; only words that need unichars of several
characters are split one by one.

Source: tesseract src/dict/trie.cpp, add_word_list; src/ccstruct/ratngs.cpp, WERD_CHOICE.
"""

import enum
import io
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Int

from lstmjax.charset.failures import UnencodableError
from lstmjax.charset.unicharset import Unicharset
from lstmjax.formats.files import PathLike, unreadable
from lstmjax.formats.stream import to_text

MAX_WORD = 499
"""Longest word in characters; longer lines are no words."""

_BLOCK = 1 << 22  # bytes read at a time
_NOWHERE, _IN_PARTS = -1, -2  # characters that are no unichars; the latter are parts of unichars
_STRONG_RTL = (1, 13)  # directions R and AL
_NAMED = 5  # characters named when words are left out


class ReversePolicy(enum.IntEnum):
    """Which words are stored from right to left; names as Tesseract prints them."""

    RRP_DO_NO_REVERSE = 0
    RRP_REVERSE_IF_HAS_RTL = 1
    RRP_FORCE_REVERSE = 2


@dataclass
class Skipped:
    """Words that were left out.

    Attributes:
      characters: first character of a word that no unichar has -> number of such words.
      too_long: number of words longer than MAX_WORD.
    """

    characters: Counter[str] = field(default_factory=Counter)
    too_long: int = 0

    @property
    def total(self) -> int:
        """Number of words that were left out."""
        return self.characters.total() + self.too_long

    def describe(self, name: str, kept: int) -> str:
        """Return a line for the user with the numbers of words left out and the reasons.

        Args:
          name: name of the list.
          kept: number of words that were not left out.
        """
        common = self.characters.most_common(_NAMED)
        reasons = [f"{count} with {_show(char)}" for char, count in common]
        if others := self.characters.total() - sum(count for _, count in common):
            reasons.append(f"{others} with {len(self.characters) - _NAMED} other characters")
        if self.too_long:
            reasons.append(f"{self.too_long} longer than {MAX_WORD} characters")
        return (
            f"{name}: left out {self.total} of {self.total + kept} words that the unicharset "
            f"cannot write: {', '.join(reasons)}"
        )


@dataclass(frozen=True, eq=False)
class WordIds:
    """Words as unichar ids.

    Attributes:
      ids: [n] the ids of all words, one after the other, uint16 or uint32.
      ends: [words] int64 end of each word in `ids`; no word is empty.
      skipped: words that could not be encoded.
    """

    ids: Int[np.ndarray, " n"]
    ends: Int[np.ndarray, " words"]
    skipped: Skipped

    def __len__(self) -> int:
        return len(self.ends)

    @property
    def starts(self) -> Int[np.ndarray, " words"]:
        """[words] begin of each word in `ids`."""
        return np.concatenate([[0], self.ends[:-1]]) if len(self.ends) else self.ends


@dataclass(frozen=True, eq=False)
class WordEncoder:
    """Looks words up in a unicharset.

    Attributes:
      unicharset: the unicharset that spells the words.
      policy: which words to reverse.
    """

    unicharset: Unicharset
    policy: ReversePolicy = ReversePolicy.RRP_DO_NO_REVERSE

    def read(self, path: PathLike) -> WordIds:
        """Encode the words of a file, one a line.

        Empty lines and carriage returns at the ends of lines are ignored.

        Raises: FormatError: the file cannot be read.
        """
        try:
            with open(path, "rb") as source:
                return self._encode(source)
        except OSError as err:
            raise unreadable(path, err) from err

    def encode(self, text: bytes) -> WordIds:
        """Encode the words of a text, one a line; see `read`."""
        return self._encode(io.BytesIO(text))

    def _encode(self, source: io.BufferedIOBase) -> WordIds:
        skipped = Skipped()
        parts = [self._encode_block(block, skipped) for block in _blocks(source, skipped)]
        ids = np.concatenate([np.empty(0, self._dtype), *(ids for ids, _ in parts)])
        lengths = np.concatenate([np.empty(0, np.int64), *(lengths for _, lengths in parts)])
        return WordIds(ids, np.cumsum(lengths), skipped)

    @property
    def _dtype(self) -> type[np.unsignedinteger]:
        return np.uint16 if len(self.unicharset) <= 1 << 16 else np.uint32

    def _encode_block(self, block: bytes, skipped: Skipped) -> tuple[np.ndarray, np.ndarray]:
        """The ids of the words in a block of whole lines, and the length of each word.

        Words whose characters are unichars of their own are looked up all at once and come first;
        the order of a word list has no meaning.
        """
        text = to_text(block)
        if "\r" in text:
            text = re.sub(r"\r+(?=\n|\Z)", "", text)
        text = Unicharset.cleanup(text)
        # UTF-32: one array entry for each character, and surrogates for bytes that are not UTF-8.
        points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
        ends = np.append(np.flatnonzero(points == ord("\n")), len(points))
        starts = np.append(0, ends[:-1] + 1)
        found = self._table[points]
        skipped.too_long += int((ends - starts > MAX_WORD).sum())
        usable = (ends > starts) & (ends - starts <= MAX_WORD)
        starts, ends = starts[usable], ends[usable]
        # Running counts tell whether a word has any such character: the count grows within it.
        unknown = np.append(0, np.cumsum(found == _NOWHERE, dtype=np.int64))
        bad = unknown[ends] > unknown[starts]
        _count_first(points, np.flatnonzero(found == _NOWHERE), starts[bad], skipped)
        starts, ends = starts[~bad], ends[~bad]
        in_parts = np.append(0, np.cumsum(found == _IN_PARTS, dtype=np.int64))
        slow = in_parts[ends] > in_parts[starts]
        fast_ids = found[_spans(starts[~slow], ends[~slow])]
        words = list(self._split(text, starts[slow], ends[slow], skipped))
        slow_ids = np.array([i for word in words for i in word], np.int32)
        lengths = np.concatenate([(ends - starts)[~slow], np.array([*map(len, words)], np.int64)])
        ids = np.concatenate([fast_ids, slow_ids])
        return self._turn(ids, lengths).astype(self._dtype), lengths

    def _split(
        self, text: str, starts: np.ndarray, ends: np.ndarray, skipped: Skipped
    ) -> Iterator[tuple[int, ...]]:
        """Split words with unichars of several characters."""
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
            try:
                yield self.unicharset.encode(text[start:end])
            except UnencodableError as err:
                skipped.characters[err.character] += 1

    @cached_property
    def _table(self) -> Int[np.ndarray, " points"]:
        """Code point -> unichar_id, or the reason why there is none."""
        table = np.full(0x110000, _NOWHERE, np.int32)
        ids = self.unicharset.ids
        # First a code for all that occur in any unichar, then over it the ids of single characters.
        table[[ord(char) for unichar in ids for char in unichar]] = _IN_PARTS
        for unichar, unichar_id in ids.items():
            if len(unichar) == 1:
                table[ord(unichar)] = unichar_id
        return table

    @cached_property
    def _strong_rtl(self) -> Bool[np.ndarray, " unichars"]:
        return np.array([row.direction in _STRONG_RTL for row in self.unicharset.table.rows])

    @cached_property
    def _mirrors(self) -> Int[np.ndarray, " unichars"]:
        return np.array([row.mirror for row in self.unicharset.table.rows], np.int32)

    def _turn(self, ids: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        """Reverse the words that the policy selects, and mirror their characters."""
        if self.policy == ReversePolicy.RRP_DO_NO_REVERSE or not len(ids):
            return ids
        word = np.repeat(np.arange(len(lengths)), lengths)
        ends = np.cumsum(lengths)
        turned = np.ones(len(lengths), bool)
        if self.policy == ReversePolicy.RRP_REVERSE_IF_HAS_RTL:
            turned = np.bincount(word, self._strong_rtl[ids], len(lengths)) > 0
        here = turned[word]
        # Place k of a word takes its letter from place length - 1 - k.
        source = (2 * ends - lengths - 1)[word] - np.arange(len(ids))
        return np.where(here, self._mirrors[ids[source]], ids)


def _show(char: str) -> str:
    """Name a character, whether it can be seen or not."""
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:
        return f"byte {code - 0xDC00:#04x} (not UTF-8)"
    return f"{char if char.isprintable() else repr(char)} (U+{code:04X})"


def _blocks(source: io.BufferedIOBase, skipped: Skipped) -> Iterator[bytes]:
    """The lines of a file, many at a time; a line longer than a block is dropped."""
    rest = b""
    dropping = False
    while data := source.read(_BLOCK):
        head, newline, tail = data.rpartition(b"\n")
        # The rest of a line that was dropped ends with the first newline of this block.
        if dropping and newline:
            head = head.partition(b"\n")[2]
            dropping = False
        elif dropping:
            continue
        if newline:
            yield rest + head
            rest = tail
        # No word is as long; dropped, or a file without newlines would fill the memory.
        elif len(rest) + len(data) > _BLOCK:
            rest, dropping = b"", True
            skipped.too_long += 1
        else:
            rest += data
    if rest:
        yield rest


def _spans(starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """All indices from each start to its end, one after the other."""
    lengths = ends - starts
    offsets = np.cumsum(lengths) - lengths
    return np.arange(lengths.sum()) + np.repeat(starts - offsets, lengths)


def _count_first(
    points: np.ndarray, unknown: np.ndarray, starts: np.ndarray, skipped: Skipped
) -> None:
    """Count the first unknown character of words that have one."""
    # The first unknown character at or after the start of each word is in that word.
    first = points[unknown[np.searchsorted(unknown, starts)]]
    for point, count in zip(*np.unique(first, return_counts=True), strict=True):
        skipped.characters[chr(point)] += int(count)
