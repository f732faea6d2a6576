"""Settings that depend on the language of a model.

Source: tesstrain's language_specific.py (tesseract-ocr/tesstrain, src/tesstrain).
"""

from dataclasses import dataclass

_RTL = frozenset(("ara", "div", "fas", "pus", "snd", "syr", "uig", "urd", "kur_ara", "heb", "yid"))
_GLYPHS = frozenset((
    "asm", "ben", "bih", "hin", "mar", "nep", "guj", "kan", "mal", "tam", "tel", "pan", "dzo",
    "sin", "san", "bod", "ori", "khm", "mya", "tha", "lao", "jav_java",
))  # fmt: skip
_LIGATURES = frozenset(("enm", "frm", "ita_old", "spa_old"))
_SPACED = frozenset(("kan", "mal", "tam", "tel"))
_ALL_EXPOSURES = frozenset(("lat", "grc"))
_LEADING, _LEADING_OF = 32, {"tha": 48}


@dataclass(frozen=True)
class LanguageSettings:
    """How texts of a language are rendered and split into unichars.

    Attributes:
      norm_mode: unichars of unicharset_extractor: 1 graphemes, 2 glyphs of Indic scripts, 3
        characters.
      rtl: whether the language is written from right to left.
      pass_through: whether every unichar is its own code.
      leading: space between lines, in pixels.
      ligatures: whether ligatures are drawn.
      char_spacing: extra space between characters, in ems.
      exposures: darkness levels of pages; each makes one document.
    """

    norm_mode: int = 1
    rtl: bool = False
    pass_through: bool = False
    leading: int = _LEADING
    ligatures: bool = False
    char_spacing: float = 0.0
    exposures: tuple[int, ...] = (0,)


def language_settings(lang: str) -> LanguageSettings:
    """The settings of a language, by Tesseract's name for it; unknown ones are treated as Latin."""
    norm_mode = 2 if lang in _RTL | _GLYPHS else 1
    return LanguageSettings(
        norm_mode=norm_mode,
        rtl=lang in _RTL,
        pass_through=norm_mode >= 2,
        leading=_LEADING_OF.get(lang, _LEADING),
        ligatures=lang in _LIGATURES,
        char_spacing=0.5 if lang in _SPACED else 0.0,
        exposures=tuple(range(-3, 4)) if lang in _ALL_EXPOSURES else (0,),
    )
