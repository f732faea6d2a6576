"""Syllables of the scripts descended from Brahmi with ISCII's order of signs.

    vowel      V D? v*
    consonant  (C N? (H | H Z | H z | Z H)?)* C N? (H | H z)? (M P?)? D? v*

These are Devanagari, Bengali, Gurmukhi, Gujarati, Oriya, Tamil, Telugu, Kannada, Malayalam and
Sinhala. Javanese shares the grammar with a few differences, which `Traits` names.
Source: Tesseract src/training/unicharset/validate_indic.cpp.
"""

from collections.abc import Callable
from dataclasses import dataclass

from lstmjax.charset.characters import ZWJ, ZWNJ
from lstmjax.charset.validate.walk import PAGE, Walk, is_vedic

DEVANAGARI, BENGALI, GURMUKHI, TAMIL = 0x900, 0x980, 0xA00, 0xB80
TELUGU, KANNADA, MALAYALAM, SINHALA = 0xC00, 0xC80, 0xD00, 0xD80

_COMMON = (
    "DDDD" + "V" * 17 + "C" * 39 + "NV" + "M" * 15 + "H" + "OO" + "V" + "MMMM" + "PPP"
    + "C" * 8 + "VVMM" + "O" * 12 + "DDDD" + "O" * 12
)  # fmt: skip
_SINHALA = (
    "DDDD" + "V" * 22 + "C" * 48 + "H" + "M" * 21 + "VVMM" + "O" * 12 + "CDDD" + "O" * 12
)  # fmt: skip


def _with(classes: str, offset: int, replacement: str) -> str:
    return classes[:offset] + replacement + classes[offset + len(replacement) :]


_PAGES = {
    DEVANAGARI: _with(_COMMON, 0x70, "O"),
    BENGALI: _with(_COMMON, 0x70, "CC"),
    GURMUKHI: _with(_COMMON, 0x72, "CC"),
    TAMIL: _with(_with(_COMMON, 0x03, "V"), 0x70, "OOOO"),
    SINHALA: _SINHALA,
}
"""Classes of the 128 characters of a block, where they are not the common ones."""


@dataclass(frozen=True)
class Traits:
    """The differences between the scripts of this grammar.

    Attributes:
      ya, ra: consonants that have special forms after a virama and a joiner.
      subscripts: whether a virama and the consonant below it are one part.
      joins_before: joiners allowed directly before a virama.
      repeated: vowel modifier that may be repeated, or "".
      repeats_after_vowel: whether any modifier may be repeated after a vowel letter.
      adds_non_joiner: whether a virama at the end of a syllable gets a non-joiner.
      piece_alone: whether pieces of matras may follow without a matra, and any number of them.
    """

    ya: str = "\u0dba"
    ra: str = "\u0dbb"
    subscripts: bool = False
    joins_before: str = ZWJ
    repeated: str = ""
    repeats_after_vowel: bool = False
    adds_non_joiner: bool = True
    piece_alone: bool = False


_PLAIN = Traits()
_SUBSCRIPTS = Traits(subscripts=True)
_TRAITS = {
    TELUGU: _SUBSCRIPTS,
    KANNADA: _SUBSCRIPTS,
    MALAYALAM: Traits(joins_before=ZWJ + ZWNJ, repeated="\u0d02", repeats_after_vowel=True),
}


def classify(script: int) -> Callable[[str], str]:
    """Return the function from a character to its class."""
    page = _PAGES.get(script, _COMMON)

    def classify_char(char: str) -> str:
        offset = ord(char) - script
        if 0 <= offset < PAGE:
            return "v" if is_vedic(char) else page[offset]
        if char == ZWNJ:
            return "z"
        return "Z" if char == ZWJ else "v" if is_vedic(char) else "O"

    return classify_char


def consume(walk: Walk) -> bool:
    """Take a syllable, or a character of no syllable."""
    return consume_syllable(walk, _TRAITS.get(walk.script, _PLAIN))


def consume_syllable(walk: Walk, traits: Traits) -> bool:
    """Take a syllable of a script with these traits."""
    kind = walk.kind()
    if kind == "C":
        return _consonants(walk, traits) and _tail(walk, traits)
    if kind in "Vv":
        walk.take_part()
        while walk.kind() == "D":
            walk.take_part()
            if not traits.repeats_after_vowel:
                break
        _vedic_marks(walk)
    elif kind in "Zz":
        walk.complain("Dropping isolated joiner", walk.char(), separator=": ")
        walk.skip()
    elif kind == "O":
        walk.take_part()
    else:
        return walk.complain(
            f"Invalid start of grapheme sequence:{kind}", walk.char(), separator="="
        )
    return True


def _consonants(walk: Walk, traits: Traits) -> bool:
    """Take consonants joined by viramas."""
    while True:
        _consonant(walk, traits)
        joiner = ""
        if walk.char() and walk.char() in traits.joins_before:
            # Left out for now: it counts only before a virama, for a form of the conjunct.
            joiner = walk.char()
            walk.skip()
            last = walk.output[-1]
            if walk.at_end:
                walk.complain("Skipping ending joiner", last, joiner, separator=": ")
                return True
            if walk.kind() == "H":
                walk.output.append(joiner)
            else:
                problem = "Skipping unnecessary joiner"
                walk.complain(problem, last, joiner, walk.char(), separator=": ")
                joiner = ""
        if walk.kind() != "H":
            break
        if not _virama(walk, traits, joiner, after_matra=False):
            return False
        if walk.kind() != "C":
            break
    if walk.pending:
        walk.part(1)
    return True


def _consonant(walk: Walk, traits: Traits) -> None:
    """Take a consonant and its nukta; they can complete a part that a virama began."""
    walk.take()
    output = walk.output
    special = walk.pending >= 3 and output[-1] in (traits.ya, traits.ra)
    if special and _is_virama(output[-3]) and output[-2] == ZWJ:
        walk.part(3)
    length = 2
    if walk.kind() == "N":
        walk.take()
        length = 3
    if traits.subscripts and walk.pending >= length and _is_virama(output[-length]):
        walk.part(length)


def _virama(walk: Walk, traits: Traits, joiner: str, *, after_matra: bool) -> bool:
    """Take a virama and the joiners around it.

    A virama that links is followed by a consonant, possibly after a joiner. Any other virama
    gets a non-joiner if it has none, so that there is one way to write it.

    Args:
      walk: the walk, at the virama.
      traits: traits of the script.
      joiner: the joiner before the virama, which is in the output already, or "".
      after_matra: whether vowel signs came before, after which nothing can be linked.

    Returns: whether the virama is well formed.
    """
    if joiner:
        return _joined_virama(walk, joiner)
    walk.take()
    if walk.char() == ZWJ:
        if after_matra:
            return walk.complain("ZWJ after a post-matra virama!!")
        # In Sinhala, a virama, a joiner and ya or ra are one part (yansaya, rakaransaya).
        if walk.char(-2) != traits.ra and walk.char(1) in (ZWNJ, traits.ya, traits.ra):
            walk.take()  # the consonant that follows completes the part
        else:
            walk.take_part(walk.pending + 1)  # half form
        if walk.char() == ZWNJ:
            if not walk.pending or walk.output[-walk.pending] != traits.ra:
                problem = f"Virama ZWJ ZWNJ in non-Sinhala: base={walk.script:#x}!"
                return walk.complain(problem)
            walk.take_part(4)  # a repaya that stands alone
    elif walk.kind() != "C" or after_matra:
        if not traits.adds_non_joiner and walk.at_end:
            walk.part(1)
            return True
        if traits.adds_non_joiner and walk.char() != ZWNJ:
            walk.output.append(ZWNJ)
        else:
            walk.take()
        walk.part(2)  # an explicit virama
    return True


def _joined_virama(walk: Walk, joiner: str) -> bool:
    """Take a virama after a joiner, which asks for a certain conjunct with the next consonant."""
    walk.take_part(2)
    if walk.at_end:
        return walk.complain("Invalid pre-virama joiner with no 2nd consonant!!")
    if walk.at_joiner():
        return walk.complain("JHJ!!", joiner, walk.output[-1], walk.char(), separator=": ")
    return True


def _tail(walk: Walk, traits: Traits) -> bool:
    """Take the rest of a syllable: vowel signs, modifiers, Vedic marks, a last virama."""
    if walk.kind() == "M":
        walk.take_part()
        if walk.kind() == "P":
            walk.take_part()
    while traits.piece_alone and walk.kind() == "P":
        walk.take_part()
    while walk.kind() == "D":
        walk.take_part()
        if walk.output[-1] != traits.repeated:
            break
    _vedic_marks(walk)
    if walk.kind() == "H":
        return _virama(walk, traits, "", after_matra=True)
    return True


def _vedic_marks(walk: Walk) -> None:
    while walk.kind() == "v":
        walk.take_part()


def _is_virama(char: str) -> bool:
    """Whether the character has the place of a virama in its block."""
    indic = "\u0900" <= char <= "\u0dff" and ord(char) % PAGE == 0x4D
    return indic or char in ("\u0dca", "\ua9c0", "\u1039", "\u17d2")
