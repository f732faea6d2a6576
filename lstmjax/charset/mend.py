"""Changes that can make a text fit a unicharset and leave its meaning as it is."""

import re
import unicodedata
from collections.abc import Callable

from lstmjax.charset.characters import is_white_space
from lstmjax.charset.failures import UnencodableError
from lstmjax.charset.normalize import FOLDED_SINCE_5_4, fold
from lstmjax.charset.unicharset import Unicharset

_INVISIBLE = re.compile("[\u0000-\u001f\u007f-\u009f\u00ad\u200b-\u200f\u202a-\u202e\u2060\ufeff]+")
_NEWER = str.maketrans(FOLDED_SINCE_5_4)


class Mender:
    """Finds the change that makes a text encodable.

    Args:
      unicharset: the unicharset that is to spell the text.
    """

    def __init__(self, unicharset: Unicharset):
        self._unicharset = unicharset
        # Reversed, so that of several equal quotes or dashes the first of the unicharset stays.
        self._equals = {
            _class(text): text for text in reversed(list(unicharset.ids)) if len(text) == 1
        }
        self._ways: tuple[tuple[str, Callable[[str], str]], ...] = (
            ("NFC", lambda text: unicodedata.normalize("NFC", text)),
            ("plain spaces", _plain_spaces),
            ("no invisible characters", lambda text: _INVISIBLE.sub("", text)),
            ("other quotes or dashes", self._fold),
            ("NFKC", lambda text: unicodedata.normalize("NFKC", text)),
        )

    def mend(self, text: str) -> tuple[str, str] | None:
        """Look for the least change after which a text can be encoded.

        Each way is tried alone, then all together in order.

        Args:
          text: text that cannot be encoded.

        Returns: name of the change and the changed text, or None if nothing helps.
        """
        # Alone first: the least change that helps is the one to name.
        for name, change in self._ways:
            changed = change(text)
            if changed != text and self._fits(changed):
                return name, changed
        names = []
        for name, change in self._ways:
            changed = change(text)
            if changed != text:
                names.append(name)
                text = changed
        return (" + ".join(names), text) if names and self._fits(text) else None

    def _fold(self, text: str) -> str:
        """Replace quotes and dashes by those of the same kind that the unicharset has."""
        ids = self._unicharset.ids
        return "".join(c if c in ids else self._equals.get(_class(c), c) for c in text)

    def _fits(self, text: str) -> bool:
        if not text.strip():
            return False
        try:
            self._unicharset.encode(text)
        except UnencodableError:
            return False
        return True


def _class(char: str) -> str:
    """Return the character that represents all quotes or dashes of a kind."""
    return fold(char.translate(_NEWER))


def _plain_spaces(text: str) -> str:
    return "".join(" " if is_white_space(char) else char for char in text)
