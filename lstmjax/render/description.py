"""Font names as Pango writes them: `Family Weight Style Stretch`, such as "Open Sans Light Italic".

Source: the behaviour of pango_font_description_from_string and _to_string.
"""

from dataclasses import dataclass, replace

STRETCHES = (
    "Ultra-Condensed", "Extra-Condensed", "Condensed", "Semi-Condensed", "", "Semi-Expanded",
    "Expanded", "Extra-Expanded", "Ultra-Expanded",
)  # fmt: skip
"""Widths in the order of OpenType's width classes 1 to 9."""

_WEIGHTS = {
    "Thin": 100, "Ultra-Light": 200, "Extra-Light": 200, "Light": 300, "Semi-Light": 350,
    "Demi-Light": 350, "Book": 380, "Regular": 400, "Normal": 400, "Medium": 500,
    "Semi-Bold": 600, "Demi-Bold": 600, "Bold": 700, "Ultra-Bold": 800, "Extra-Bold": 800,
    "Heavy": 900, "Black": 900, "Ultra-Heavy": 1000, "Extra-Heavy": 1000, "Ultra-Black": 1000,
    "Extra-Black": 1000,
}  # fmt: skip
_STYLES = {"Roman": "", "Oblique": "Oblique", "Italic": "Italic"}
_OTHER_WORDS = ("Not-Rotated", "South", "Upside-Down", "North")


def _key(word: str) -> str:
    return word.replace("-", "").lower()


_WEIGHT_KEYS = {_key(name): value for name, value in _WEIGHTS.items()}
_STYLE_KEYS = {_key(name): value for name, value in _STYLES.items()}
_STRETCH_KEYS = {_key(name): name for name in STRETCHES if name}
_IGNORED = {_key(name) for name in _OTHER_WORDS}
_WEIGHT_NAMES = {
    100: "Thin", 200: "Ultra-Light", 300: "Light", 350: "Semi-Light", 380: "Book", 400: "",
    500: "Medium", 600: "Semi-Bold", 700: "Bold", 800: "Ultra-Bold", 900: "Heavy",
    1000: "Ultra-Heavy",
}  # fmt: skip


@dataclass(frozen=True)
class Description:
    """A font name in parts: family, weight, style and stretch.

    Attributes:
      family: name of the family.
      weight: 100 (thin) to 1000, 400 is normal.
      style: "", "Italic" or "Oblique".
      stretch: one of `STRETCHES`.
    """

    family: str
    weight: int = 400
    style: str = ""
    stretch: str = ""

    def __str__(self) -> str:
        words = [_weight_name(self.weight), self.style, self.stretch]
        last = self.family.rpartition(" ")[2]
        # A family that ends in a style word needs a comma, or it would be read as that style.
        comma = "," if _takes(last, None) is not None else ""
        return " ".join([self.family + comma, *filter(None, words)])

    @property
    def key(self) -> tuple[str, int, str, str]:
        """The value that is equal for two descriptions of the same font."""
        return self.family.casefold(), self.weight, self.style, self.stretch


def _weight_name(weight: int) -> str:
    return _WEIGHT_NAMES.get(weight, f"weight={weight}")


def parse(text: str) -> Description:
    """Read a font name; a number at the end, the size, is ignored.

    Words at the end that name a weight, a style or a stretch are read as such; a comma marks the
    end of a family that itself ends in such a word.
    """
    family, comma, rest = text.strip().rpartition(",")
    words = rest.split()
    if words and _is_size(words[-1]):
        words.pop()
    found = Description("")
    while words:
        # From the end: "Light" may also begin the name of a family.
        taken = _takes(words[-1], found)
        if taken is None:
            break
        found = taken
        words.pop()
    if comma:
        family = " ".join([family, *words]) if words else family
    else:
        family = " ".join(words)
    return replace(found, family=family.strip().rstrip(","))


def _is_size(word: str) -> bool:
    digits = word.removesuffix("px")
    return digits.replace(".", "", 1).isdecimal()


def _takes(word: str, found: Description | None) -> Description | None:
    """The description changed by a word; None if the word is part of the family."""
    found = found or Description("")
    key = _key(word)
    if key in _WEIGHT_KEYS:
        return replace(found, weight=_WEIGHT_KEYS[key])
    if key in _STYLE_KEYS:
        return replace(found, style=_STYLE_KEYS[key])
    if key in _STRETCH_KEYS:
        return replace(found, stretch=_STRETCH_KEYS[key])
    return found if key in _IGNORED else None
