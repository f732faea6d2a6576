"""The ways a transcription can be unusable, each with the message that Tesseract prints."""

import unicodedata

from lstmjax.errors import CharsetError


class TextError(CharsetError):
    """A transcription that cannot be trained on or evaluated.

    Attributes:
      reason: a few words for tables of skipped lines.
      text: the transcription as given.
    """

    reason = "unusable text"

    def __init__(self, problem: str, text: str):
        super().__init__(problem)
        self.text = text

    def log(self, language: str = "") -> str:
        """Return the message that Tesseract prints, without the newline at the end.

        Source: tesseract src/training/unicharset/lstmtrainer.cpp, EncodeString and
        PrepareForBackward.
        """
        return f"Can't encode transcription: '{self.text}' in language '{language}'"


class EmptyTextError(TextError):
    """There is no text at all."""

    reason = "empty text"

    def __init__(self) -> None:
        super().__init__("the text is empty; give the line its transcription or drop it", "")

    def log(self, language: str = "") -> str:
        return "Empty truth string!\n" + super().log(language)


class BlankTextError(TextError):
    """The text holds nothing but spaces and characters that are deleted."""

    reason = "blank text"

    def __init__(self, text: str):
        super().__init__(f"the text {text!r} has nothing to read; drop the line", text)

    def log(self, language: str = "") -> str:
        return f"Blank transcription: {self.text}"


class UnencodableError(TextError):
    """The text holds a character that the unicharset cannot spell.

    Attributes:
      cleaned: the text that was looked up, which can differ from `text` (see `Unicharset.cleanup`).
      position: index into `cleaned` of the first character that no split gets past.
      character: the character at `position`.
    """

    reason = "character not in the unicharset"

    def __init__(self, text: str, cleaned: str, position: int):
        self.cleaned = cleaned
        self.position = position
        self.character = cleaned[position]
        problem = (
            f"{_named(self.character)} at character {position + 1} of {_excerpt(cleaned, position)}"
            " is not in the unicharset; correct the text or use a traineddata with this character"
        )
        super().__init__(problem, text)

    def log(self, language: str = "") -> str:
        rest = "".join(f" {byte:x}" for byte in _utf8(self.cleaned[self.position :]))
        return f"Encoding of string failed! Failure bytes:{rest}\n" + super().log(language)


def _named(char: str) -> str:
    """Return a character with its code point and name, as it may be invisible."""
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:  # from bytes that are not UTF-8
        return f"byte {code - 0xDC00:#04x}, which is not valid UTF-8,"
    return f"{char!r} (U+{code:04X} {unicodedata.name(char, 'without a name')})"


def _excerpt(text: str, position: int, around: int = 30) -> str:
    start, end = max(0, position - around), position + around
    left, right = "..." if start else "", "..." if end < len(text) else ""
    return f"{left + text[start:end] + right!r}"


def _utf8(text: str) -> bytes:
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")
