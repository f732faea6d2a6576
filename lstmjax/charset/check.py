"""Problems of training texts: lines that cannot be trained on, and flaws a model would learn."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from lstmjax.charset.codec import Codec
from lstmjax.charset.failures import TextError, UnencodableError
from lstmjax.charset.mend import Mender
from lstmjax.charset.unicharset import SPACE, Unicharset

_WORD = re.compile(r"[^\W\d_]{2,}")
_ENOUGH = 50  # with fewer elements, shares mean nothing
_TRIES = 20  # most misplaced known characters that are listed of a line


@dataclass(frozen=True)
class TextLine:
    """A line of ground truth.

    Attributes:
      file: name of the file that the line is from.
      number: line number in the file, from 1.
      text: the transcription.
    """

    file: str
    number: int
    text: str


@dataclass(frozen=True)
class Dropped:
    """A line that cannot be trained on.

    Attributes:
      line: the line, unchanged.
      reason: a few words for tables.
      characters: the characters that cannot be encoded, each once.
      mended_by: name of a change that would make the line usable; None if none of those tried.
    """

    line: TextLine
    reason: str
    characters: tuple[str, ...] = ()
    mended_by: str | None = None


@dataclass(frozen=True)
class Missing:
    """A character that the unicharset cannot spell.

    Attributes:
      character: the character.
      count: number of occurrences.
      lines: number of lines with it.
      replacement: text that could stand in its place; None if none is known.
    """

    character: str
    count: int
    lines: int
    replacement: str | None


@dataclass(frozen=True)
class Repeated:
    """A text, or a part of texts, and how often it occurs.

    Attributes:
      text: the text.
      count: number of occurrences.
      share: share of all elements of the kind, 0 to 1; 0 where a share says nothing.
    """

    text: str
    count: int
    share: float = 0.0


@dataclass(frozen=True)
class Report:
    """All findings; lists begin with the most frequent element, or are in order of the files.

    Attributes:
      lines: number of lines looked at.
      dropped: lines that cannot be trained on.
      missing: characters that the unicharset cannot spell.
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
      codec: character set of the model to be trained.
      min_count: number of occurrences needed to learn a unichar.
      dominance: share of all characters, or of all words, from which one of them is reported.
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
            # Encoded twice: the codec refuses blanks, too; the unicharset gives unichars to count.
            self._codec.encode(line.text)
            self._unichars.update(self._codec.unicharset.encode(line.text))
        except UnencodableError as err:
            self._dropped.append(self._unencodable(line, err))
        except TextError as err:
            self._dropped.append(Dropped(line, err.reason))

    def report(self) -> Report:
        """Return the findings so far."""
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
        """Yield the ids that stand for characters."""
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
        piece = ""  # a run of known characters
        # The zero byte, never known, ends the last run; it is taken off again below.
        for char in Unicharset.cleanup(text) + "\0":
            if char in self._known:
                piece += char
                continue
            # Known characters, but perhaps in places where no unichar has them.
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
    """Yield frequent words that have case and occur in one form only."""
    forms: dict[str, Counter[str]] = {}
    for text, count in words.items():
        for word in _WORD.findall(text):
            if word.lower() != word.upper():
                forms.setdefault(word.casefold(), Counter())[word] += count
    single = [next(iter(found.items())) for found in forms.values() if len(found) == 1]
    for word, count in sorted(single, key=lambda item: -item[1]):
        if count >= min_count:
            yield Repeated(word, count)
