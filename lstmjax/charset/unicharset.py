"""A unicharset in use: unichar ids, and text as a sequence of them.

Source: tesseract src/ccutil/unicharset.cpp.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

from lstmjax.charset.failures import UnencodableError
from lstmjax.errors import CharsetError
from lstmjax.formats import unicharset as unicharset_format
from lstmjax.formats.unicharset import UnicharsetTable

SPACE = 0
"""unichar_id of the space."""

LIGATURES = {"\ue003": "ct", "\ue006": "ſh", "\ue007": "ſi", "\ue008": "ſl", "\ue009": "ſſ"}
"""Private-use characters that stand for ligatures in Tesseract -> the letters."""

_CLEANUP = str.maketrans({"\u0640": None, "\ufb01": "fi", "\ufb02": "fl"})


@dataclass(frozen=True, eq=False)
class Unicharset:
    """The unichars of a model, by unichar_id.

    Raises: CharsetError: the table is empty, or the first unichar is not the space.
    """

    table: UnicharsetTable

    def __post_init__(self) -> None:
        if not len(self):
            raise CharsetError("the unicharset is empty, expected at least the space")
        if self.unichar(SPACE) != " ":
            raise CharsetError(
                f"unichar 0 is {self.unichar(SPACE)!r}, expected NULL (the space); "
                "build the unicharset with unicharset_extractor"
            )

    @classmethod
    def unpack(cls, data: bytes) -> "Unicharset":
        """Read the text of a unicharset.

        Raises: FormatError: the data is no unicharset. CharsetError: it is empty, or its first
          unichar is not the space.
        """
        return cls(unicharset_format.unpack(data))

    def __len__(self) -> int:
        return len(self.table.rows)

    @cached_property
    def ids(self) -> Mapping[str, int]:
        """Each unichar with its unichar_id."""
        return MappingProxyType({row.unichar: i for i, row in enumerate(self.table.rows)})

    @property
    def has_special_codes(self) -> bool:
        """Whether ids 1 and 2 are `Joined` and `|Broken|0|1`, which stand for no character."""
        return self.table.has_special_codes

    def unichar(self, unichar_id: int) -> str:
        """Return the text of a unichar_id."""
        return self.table.rows[unichar_id].unichar

    def printed(self, unichar_id: int) -> str:
        """Return the text that the tesseract program prints for a unichar_id."""
        text = self.unichar(unichar_id)
        return LIGATURES.get(text, text)

    def normed(self, unichar_id: int) -> str:
        """Return the text that the training tools compare and print for a unichar_id."""
        return " " if self.is_space(unichar_id) else self.table.rows[unichar_id].normed

    @staticmethod
    def is_space(unichar_id: int) -> bool:
        """Say whether a unichar_id is the space."""
        return unichar_id == SPACE

    @staticmethod
    def cleanup(text: str) -> str:
        """Drop the Arabic tatweel and take the ligatures fi and fl apart."""
        return text.translate(_CLEANUP)

    def encode(self, text: str) -> tuple[int, ...]:
        """Split a text into unichars.

        The text is cleaned first, even if the unicharset itself holds a ligature, as in
        Tesseract. The split is the first one found by a depth-first search that tries short
        unichars first. Dead ends are remembered, so the time is linear in the length of the text.

        Raises: UnencodableError: no split reaches the end.
        """
        cleaned = self.cleanup(text)
        ids: list[int] = []
        # Depth first, shortest first, as in Tesseract; `dead` keeps the time from exploding.
        paths = [self._matches(cleaned, 0)]  # one iterator of (end, id) for each id, and one more
        places = [0]
        dead: set[int] = set()
        furthest = 0
        while places[-1] < len(cleaned):
            for end, unichar_id in paths[-1]:
                furthest = max(furthest, end)
                if end not in dead:
                    ids.append(unichar_id)
                    places.append(end)
                    paths.append(self._matches(cleaned, end))
                    break
            else:
                if not ids:
                    raise UnencodableError(text, cleaned, furthest)
                ids.pop()
                paths.pop()
                dead.add(places.pop())
        return tuple(ids)

    def _matches(self, text: str, start: int) -> Iterator[tuple[int, int]]:
        """Yield (end, unichar_id) of the unichars at a place of a text, shortest first."""
        for length in self._lengths.get(text[start : start + 1], ()):
            unichar_id = self.ids.get(text[start : start + length])
            if unichar_id is not None and start + length <= len(text):
                yield start + length, unichar_id

    @cached_property
    def _lengths(self) -> dict[str, tuple[int, ...]]:
        """Lengths of the unichars that begin with a character, in ascending order."""
        lengths: dict[str, set[int]] = {}
        for unichar in self.ids:
            lengths.setdefault(unichar[0], set()).add(len(unichar))
        return {first: tuple(sorted(found)) for first, found in lengths.items()}
