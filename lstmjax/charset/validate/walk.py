"""A pass over a text that takes it apart, syllable by syllable.

Source: Tesseract src/training/unicharset/validator.{h,cpp}.
"""

import re
from collections.abc import Callable

from lstmjax.charset.characters import ZWJ, ZWNJ

_VEDIC = re.compile("[\u0951-\u0954\u1cd0-\u1cff\ua8e0-\ua8f7]")
PAGE = 128
"""Characters in the block of an Indic script."""


class Walk:
    """The state of a pass: its place, the characters it let through, and the parts made of them.

    Attributes:
      script: first code point of the script's block.
      used: number of characters of the text already handled.
      output: characters let through; there can be more or fewer than in the text.
      parts: the output in pieces; behind the output until `part` is called.
      messages: complaints about the text.
    """

    def __init__(self, text: str, script: int, classify: Callable[[str], str]):
        self.text = text
        self.script = script
        self.used = 0
        self.output: list[str] = []
        self.parts: list[str] = []
        self.messages: list[str] = []
        self._classes = "".join(map(classify, text))
        self._parted = 0

    @property
    def at_end(self) -> bool:
        """Whether all characters are used."""
        return self.used >= len(self.text)

    @property
    def pending(self) -> int:
        """Characters of the output that are in no part yet."""
        return len(self.output) - self._parted

    def kind(self, ahead: int = 0) -> str:
        """Return the class of the next character, or one further ahead; "" beyond the end."""
        return self._classes[self.used + ahead : self.used + ahead + 1]

    def char(self, ahead: int = 0) -> str:
        """Return the next character, or one further ahead; "" beyond the end."""
        return self.text[self.used + ahead : self.used + ahead + 1]

    def at_joiner(self) -> bool:
        """Whether a joiner or a non-joiner is next."""
        return self.char() in (ZWJ, ZWNJ)

    def skip(self) -> None:
        """Leave a character out."""
        self.used += 1

    def take(self) -> None:
        """Let a character through."""
        self.output.append(self.char())
        self.used += 1

    def part(self, length: int) -> None:
        """Make the end of the output one part, and each pending character before it another."""
        # Never further back than the last part: characters cannot be in two.
        first = max(len(self.output) - length, self._parted)
        self.parts += self.output[self._parted : first]
        self.parts.append("".join(self.output[first:]))
        self._parted = len(self.output)

    def take_part(self, length: int = 1) -> None:
        """Let a character through and make the end of the output a part."""
        self.take()
        self.part(length)

    def complain(self, problem: str, *chars: str, separator: str = ":") -> bool:
        """Note a problem, with code points. Returns: False, for the caller to return."""
        codes = " ".join(f"{ord(char or chr(0)):#x}" for char in chars)
        self.messages.append(problem + separator + codes if chars else problem)
        return False


def run(walk: Walk, consume: Callable[[Walk], bool]) -> bool:
    """Take a whole text apart; a character that cannot be used is left out.

    Returns: whether every character could be used.
    """
    good = True
    while not walk.at_end:
        if not consume(walk):
            good = False
            walk.skip()
    return good


def is_vedic(char: str) -> bool:
    """Whether the character is a Vedic accent, which can follow any Indic syllable."""
    return bool(_VEDIC.match(char))
