"""What stands in the way of training on some texts, or will show in the model afterwards."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from lstmjax.charset.codec import Codec
from lstmjax.charset.failures import TextError, UnencodableError
from lstmjax.charset.mend import Mender
from lstmjax.charset.unicharset import SPACE, Unicharset

_WORD = re.compile(r"[^\W\d_]{2,}")
_ENOUGH = 50  # elements below which shares mean nothing
_TRIES = 20  # places of a line looked at that are wrong though all characters are known


@dataclass(frozen=True)
class TextLine:
    """A line of ground truth.

    Attributes:
      file: where it is from.
      number: its number there, from 1.
      text: what it says.
    """

    file: str
    number: int
    text: str


@dataclass(frozen=True)
class Dropped:
    """A line that cannot be trained on.

    Attributes:
      line: as it is.
      reason: a few words.
      characters: those that are in the way, each once.
      mended_by: what would make the line usable, None if nothing that was tried.
    """

    line: TextLine
    reason: str
    characters: tuple[str, ...] = ()
    mended_by: str | None = None


@dataclass(frozen=True)
class Missing:
    """A character that the unicharset cannot spell.

    Attributes:
      character: itself.
      count: occurrences.
      lines: lines with it.
      replacement: what could stand in its place, None if nothing is known.
    """

    character: str
    count: int
    lines: int
    replacement: str | None


@dataclass(frozen=True)
class Repeated:
    """A text, or a part of texts, and how often it occurs.

    Attributes:
      text: itself.
      count: occurrences.
      share: of all of its kind, 0 to 1; 0 where that says nothing.
    """

    text: str
    count: int
    share: float = 0.0


@dataclass(frozen=True)
class Report:
    """What was found; lists begin with what is most frequent, or are in order of the files.

    Attributes:
      lines: how many were looked at.
      dropped: lines that cannot be trained on.
      missing: what is in the way.
      rare: unichars that occur too seldom to be learned.
      unused: unichars that do not occur at all.
      one_case: frequent words that occur only in small letters, only in capitals, ...
      blanks_at_ends: lines that begin or end with white space.
      dominant: characters and words that make up much of the text.
      duplicates: texts of several lines.
    """

    lines: int
    dropped: tuple[Dropped, ...]
    missing: tuple[Missing, ...]
    rare: tuple[Repeated, ...]
    unused: tuple[str, ...]
    one_case: tuple[Repeated, ...]
    blanks_at_ends: tuple[TextLine, ...]
    dominant: tuple[Repeated, ...]
    duplicates: tuple[Repeated, ...]


class Checker:
    """Looks at lines one after the other.

    Args:
      codec: of the model to be trained.
      min_count: how often something must occur to be learned.
      dominance: share of all characters, or words, that is too much for one.
    """

    def __init__(self, codec: Codec, min_count: int = 10, dominance: float = 0.2):
        self._codec = codec
        self._min_count = min_count
        self._dominance = dominance
        self._mender = Mender(codec.unicharset)
        self._known = frozenset("".join(map(codec.unicharset.unichar, self._ordinary())))
        self._dropped: list[Dropped] = []
        self._blanks_at_ends: list[TextLine] = []
        self._missing: Counter[str] = Counter()
        self._lines_missing: Counter[str] = Counter()
        self._unichars: Counter[int] = Counter()
        self._characters: Counter[str] = Counter()
        self._words: Counter[str] = Counter()
        self._texts: Counter[str] = Counter()

    def add(self, line: TextLine) -> None:
        """Look at a line."""
        self._texts[line.text] += 1
        if line.text != line.text.strip():
            self._blanks_at_ends.append(line)
        self._characters.update("".join(line.text.split()))
        self._words.update(line.text.split())
        try:
            self._codec.encode(line.text)
            self._unichars.update(self._codec.unicharset.encode(line.text))
        except UnencodableError as err:
            self._dropped.append(self._unencodable(line, err))
        except TextError as err:
            self._dropped.append(Dropped(line, err.reason))

    def report(self) -> Report:
        """Return what was found so far."""
        texts = self._codec.unicharset.unichar
        rare = [
            Repeated(texts(unichar_id), self._unichars[unichar_id])
            for unichar_id in self._ordinary()
            if 0 < self._unichars[unichar_id] < self._min_count
        ]
        unused = (texts(i) for i in self._ordinary() if not self._unichars[i] and i != SPACE)
        return Report(
            self._texts.total(),
            tuple(self._dropped),
            tuple(self._describe_missing()),
            tuple(sorted(rare, key=lambda one: -one.count)),
            tuple(unused),
            tuple(_of_one_case(self._words, self._min_count)),
            tuple(self._blanks_at_ends),
            (*self._dominant(self._characters), *self._dominant(self._words)),
            tuple(Repeated(t, count) for t, count in self._texts.most_common() if count > 1),
        )

    def _ordinary(self) -> Iterable[int]:
        """Ids that stand for characters."""
        special = (1, 2) if self._codec.unicharset.has_special_codes else ()
        return (i for i in range(len(self._codec.unicharset)) if i not in special)

    def _unencodable(self, line: TextLine, err: UnencodableError) -> Dropped:
        found = self._in_the_way(line.text)
        self._missing.update(found)
        self._lines_missing.update(set(found))
        mended = self._mender.mend(line.text)
        name = mended[0] if mended else None
        return Dropped(line, err.reason, tuple(dict.fromkeys(found)), name)

    def _in_the_way(self, text: str) -> list[str]:
        """Return the characters that keep a text from being encoded, in order."""
        found = []
        piece = ""
        for char in Unicharset.cleanup(text) + "\0":
            if char in self._known:
                piece += char
                continue
            found += self._misplaced(piece)
            piece = ""
            found.append(char)
        return found[:-1]

    def _misplaced(self, text: str) -> list[str]:
        """Return known characters that occur where the unicharset cannot spell them."""
        found: list[str] = []
        while text and len(found) < _TRIES:
            try:
                self._codec.unicharset.encode(text)
                break
            except UnencodableError as err:
                found.append(err.character)
                text = text[err.position + 1 :]
        return found

    def _describe_missing(self) -> Iterable[Missing]:
        for char, count in self._missing.most_common():
            mended = self._mender.mend(char)
            replacement = mended[1] if mended else None
            yield Missing(char, count, self._lines_missing[char], replacement)

    def _dominant(self, counts: Counter[str]) -> Iterable[Repeated]:
        total = counts.total()
        if total < _ENOUGH:
            return
        for text, count in counts.most_common():
            if count < self._dominance * total:
                break
            yield Repeated(text, count, count / total)


def _of_one_case(words: Counter[str], min_count: int) -> Iterable[Repeated]:
    """Yield frequent words that have case and occur in one way only."""
    forms: dict[str, Counter[str]] = {}
    for text, count in words.items():
        for word in _WORD.findall(text):
            if word.lower() != word.upper():
                forms.setdefault(word.casefold(), Counter())[word] += count
    single = [next(iter(found.items())) for found in forms.values() if len(found) == 1]
    for word, count in sorted(single, key=lambda item: -item[1]):
        if count >= min_count:
            yield Repeated(word, count)
