"""Text to the units that become unichars: whole graphemes, their parts, or single characters.

A line of text is checked by the rules of its most frequent script, if that is one with viramas.
The rules never look across a space, so the results for words are cached.
Source: Tesseract src/training/unicharset/{validator,normstrngs}.cpp.
"""

import re
from collections import Counter
from dataclasses import dataclass
from enum import IntEnum
from types import ModuleType

from lstmjax.charset.characters import ZWJ, ZWNJ, is_mark, script
from lstmjax.charset.normalize import normalize, strip_joiners
from lstmjax.charset.validate import grapheme, indic, javanese, khmer, myanmar
from lstmjax.charset.validate.walk import PAGE, Walk, run


class NormMode(IntEnum):
    """The unit into which text is divided.

    Attributes:
      GRAPHEMES: a character with all marks that combine with it, in Indic scripts a syllable.
      GLYPHS: in Indic scripts a part that looks like one sign, elsewhere a single character.
      CHARACTERS: single characters.
    """

    GRAPHEMES = 1
    GLYPHS = 2
    CHARACTERS = 3


@dataclass(frozen=True)
class Segmented:
    """A text taken apart.

    Attributes:
      units: the pieces, white space among them.
      valid: whether no rule is broken; if one is, Tesseract does not use the text.
      messages: Tesseract's messages about errors and corrections.
    """

    units: tuple[str, ...]
    valid: bool
    messages: tuple[str, ...] = ()


_NO_SCRIPT = 0
_FIRST, _LAST = "\u0900", "\ua9df"
_BUCKETS = 13  # size of the hash table that decides between scripts with equal counts
_KEPT_WORDS = 50_000
_RULES: dict[int, ModuleType] = {
    **dict.fromkeys(range(indic.DEVANAGARI, indic.SINHALA + 1, PAGE), indic),
    myanmar.MYANMAR: myanmar,
    khmer.KHMER: khmer,
    javanese.JAVANESE: javanese,
}
_SPACES = re.compile(" +|[^ ]+")
_PLAIN_BLOCKS = re.compile("[^\u0900-\u0dff\u0e00-\u0e7f\u1000-\u11ff\u1780-\u17ff\ua960-\uaa7f]")


def is_plain(char: str) -> bool:
    """Whether a character is a unit of its own in every mode, in a line of such characters."""
    return (
        bool(_PLAIN_BLOCKS.match(char))
        and char not in (ZWJ, ZWNJ)
        and not is_mark(char)
        and normalize(char) == char
    )


def virama_script(text: str) -> int:
    """Return the first code point of the script whose rules apply, 0 if there is none.

    The block with the most characters decides, if it is one of a script with viramas. Between
    equal counts Tesseract takes the first one of its hash table: the block seen last, but in
    front of the first block of the same bucket.
    """
    counts: dict[int, int] = {}
    order: list[int] = []  # of the blocks in Tesseract's hash table
    for char, number in Counter(text).items():
        page = _page(char)
        if page is None:
            continue
        if page not in counts:
            # As a chained hash table: before the first block of the same bucket, or to the front.
            places = (i for i, other in enumerate(order) if (other - page) % _BUCKETS == 0)
            order.insert(next(places, 0), page)
        counts[page] = counts.get(page, 0) + number
    if not counts:
        return _NO_SCRIPT
    # max takes the first of equals, which is that of Tesseract's loop.
    start = max(order, key=counts.__getitem__) * PAGE
    return start if start in _RULES else _NO_SCRIPT


def _page(char: str) -> int | None:
    """Return the number of the block that a character counts for, if any."""
    if char < _FIRST:
        return None
    name = script(char)
    if name == "Myanmar":
        return myanmar.MYANMAR // PAGE
    return ord(char) // PAGE if char <= _LAST and name != "Common" else None


@dataclass(frozen=True)
class _Word:
    """The results for a word, or for spaces; Tesseract checks all graphemes of a line first."""

    units: tuple[str, ...]
    valid: bool
    grapheme_messages: tuple[str, ...]
    script_messages: tuple[str, ...]


class Segmenter:
    """Takes lines of text apart, and caches the results for words.

    Args:
      mode: unit into which texts are divided.
    """

    def __init__(self, mode: NormMode):
        self.mode = mode
        self._known: dict[tuple[int, str], _Word] = {}

    def segment(self, text: str) -> Segmented:
        """Normalise a text and take it apart.

        Where a rule changes the text (drops or adds a joiner), the result is taken apart again.
        """
        cleaned = strip_joiners(normalize(text))
        result = self._segment(cleaned)
        changed = "".join(result.units)
        # Once more, not until nothing changes, as in the original.
        if result.valid and changed != cleaned:
            again = self._segment(changed)
            return Segmented(again.units, again.valid, result.messages + again.messages)
        return result

    def _segment(self, text: str) -> Segmented:
        script_start = virama_script(text)
        words = [self._word(script_start, word) for word in _split(text)]
        if not all(word.valid for word in words):
            # After a broken rule Tesseract goes on in the middle of a word, and across spaces.
            words = [_segment_word(script_start, text, self.mode)]
        messages = [message for word in words for message in word.grapheme_messages]
        messages += [message for word in words for message in word.script_messages]
        return Segmented(
            tuple(unit for word in words for unit in word.units),
            all(word.valid for word in words),
            tuple(messages),
        )

    def _word(self, script_start: int, text: str) -> _Word:
        word = self._known.get((script_start, text))
        if word is None:
            word = _segment_word(script_start, text, self.mode)
            if len(self._known) >= _KEPT_WORDS:
                self._known.clear()
            self._known[script_start, text] = word
        return word


def _split(text: str) -> list[str]:
    """Split at spaces, but never inside a grapheme, which can hold a space.

    A mark after a space belongs to the space, and a space after a virama or a joiner to that.
    """
    pieces: list[str] = []
    for piece in _SPACES.findall(text):
        inside = pieces and (
            grapheme.classify_char(piece[0]) in "cH"
            or pieces[-1][-1] in (ZWJ, ZWNJ)
            or grapheme.classify_char(pieces[-1][-1]) == "H"
        )
        if inside:
            pieces[-1] += piece
        else:
            pieces.append(piece)
    return pieces


def _segment_word(script_start: int, text: str, mode: NormMode) -> _Word:
    walk = Walk(text, script_start, grapheme.classify_char)
    valid = run(walk, grapheme.consume)
    if script_start == _NO_SCRIPT:
        # Without a virama script, glyphs are single characters, as in the original.
        units = walk.parts if mode == NormMode.GRAPHEMES else walk.output
        return _Word(tuple(units), valid, tuple(walk.messages), ())
    rules = _RULES[script_start]
    classify = rules.classify(script_start)
    units = []
    messages: list[str] = []
    for part in walk.parts:
        syllables = Walk(part, script_start, classify)
        valid &= run(syllables, rules.consume)
        messages += syllables.messages
        match mode:
            case NormMode.GRAPHEMES:
                units.append("".join(syllables.output))
            case NormMode.GLYPHS:
                units += syllables.parts
            case NormMode.CHARACTERS:
                units += syllables.output
    return _Word(tuple(units), valid, tuple(walk.messages), tuple(messages))
