"""A unicharset under construction: which entries it accepts, and how a text is looked up.

Source: Tesseract src/ccutil/unicharset.{h,cpp}.
"""

from collections.abc import Iterable

from lstmjax.charset.unicharset import Unicharset
from lstmjax.formats.stream import to_bytes
from lstmjax.formats.unicharset import BROKEN, MAX_UNICHAR

SPECIAL = (" ", "Joined", BROKEN)
"""The entries that a new unicharset begins with."""


class UnicharIndex:
    """Unichars in the order of their ids.

    Texts are cleaned (see `Unicharset.cleanup`) before they are added or looked up, until an
    entry comes in that cleaning would change, or that earlier entries could spell. Such old-style
    entries are taken from files only; from then on nothing is cleaned.

    Args:
      unichars: the first entries, exactly as in the file they are read from.
    """

    def __init__(self, unichars: Iterable[str] = SPECIAL):
        self.unichars: list[str] = []
        self.old_style = False
        self._ids: dict[str, int] = {}
        self._lengths: dict[str, list[int]] = {}
        for unichar in unichars:
            self.add_from_file(unichar)

    def __len__(self) -> int:
        return len(self.unichars)

    def find(self, text: str) -> int | None:
        """Return the id of a text, None if there is no such entry."""
        return self._ids.get(self._cleaned(text))

    def add(self, text: str) -> bool:
        """Add an entry unless it exists, or a sequence of entries spells it.

        Returns: whether it was added.
        """
        cleaned = self._cleaned(text)
        if not cleaned or cleaned in self._ids:
            return False
        if not self.old_style and self.encode(cleaned) is not None:
            return False
        self._ids[cleaned] = len(self.unichars)
        self.unichars.append(cleaned)
        # The original tries lengths in ascending order.
        lengths = self._lengths.setdefault(cleaned[0], [])
        if len(cleaned) not in lengths:
            lengths.append(len(cleaned))
            lengths.sort()
        return True

    def add_from_file(self, text: str) -> bool:
        """Add an entry of a file uncleaned, unless it exists. Returns: whether it was added."""
        if Unicharset.cleanup(text) == text and self.add(text):
            return True
        self.old_style = True
        return self.add(text)

    def encode(self, text: str) -> tuple[int, ...] | None:
        """Split a text into entries without cleaning it.

        The split is the first one found by a depth-first search that tries short entries first.

        Returns: the ids of the entries, None if there is no split.
        """
        # An explicit stack: long texts would nest too deeply for recursion.
        ids: list[int] = []
        places = [0]
        tried = [0]  # for each place, how many of the possible lengths were tried
        dead: set[int] = set()  # places from which no split reaches the end
        while places[-1] < len(text):
            start = places[-1]
            lengths = self._lengths.get(text[start], ())
            for number in range(tried[-1], len(lengths)):
                end = start + lengths[number]
                unichar_id = self._ids.get(text[start:end])
                if unichar_id is not None and end <= len(text) and end not in dead:
                    tried[-1] = number + 1
                    ids.append(unichar_id)
                    places.append(end)
                    tried.append(0)
                    break
            else:
                # Remembered, or texts with many splits that all fail would take exponential time.
                dead.add(places.pop())
                tried.pop()
                if not places:
                    return None
                ids.pop()
        return tuple(ids)

    def _cleaned(self, text: str) -> str:
        return text if self.old_style else Unicharset.cleanup(text)


def too_long(unichar: str) -> bool:
    """Whether a text has more bytes than an entry may have."""
    return len(to_bytes(unichar)) > MAX_UNICHAR
