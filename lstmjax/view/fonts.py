"""Fonts for characters of any script, as far as this machine has them."""

import functools
import importlib.util
import shutil
import subprocess
from pathlib import Path

from fontTools.ttLib import TTFont, TTLibError
from PIL import ImageFont

_DEJAVU = Path("mpl-data", "fonts", "ttf", "DejaVuSans.ttf")
_SECONDS = 5  # timeout of fc-match


@functools.lru_cache(maxsize=64)
def font_for(character: str, size: int) -> ImageFont.FreeTypeFont | None:
    """A font that has a character; None if none is found.

    DejaVu Sans of matplotlib has most letters; fontconfig is asked for the others.
    """
    for path in filter(None, (_dejavu(), _by_fontconfig(character))):
        # fc-match names the nearest font even if it lacks the character.
        if ord(character[0]) in _characters(path):
            try:
                return ImageFont.truetype(path, size)
            except OSError:
                continue
    return None


def shown(text: str, size: int) -> tuple[str, ImageFont.FreeTypeFont | None]:
    """The text to draw and its font: the text itself, or its code points if no font has it."""
    font = font_for(text[0], size) if text.strip() else None
    if font is not None:
        return text, font
    if text == " ":
        return "␣", font_for("␣", size)
    return " ".join(f"U+{ord(character):04X}" for character in text), font_for("U", size)


@functools.cache
def _dejavu() -> str | None:
    found = importlib.util.find_spec("matplotlib")
    folders = found.submodule_search_locations if found else None
    path = Path(folders[0]) / _DEJAVU if folders else None
    return str(path) if path and path.exists() else None


@functools.lru_cache(maxsize=512)
def _by_fontconfig(character: str) -> str | None:
    program = shutil.which("fc-match")
    dejavu = _dejavu()
    # Most characters are in DejaVu: no process is started for them.
    if program is None or (dejavu and ord(character[0]) in _characters(dejavu)):
        return None
    command = [program, "-f", "%{file}", f":charset={ord(character[0]):x}"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout or None


@functools.lru_cache(maxsize=32)
def _characters(path: str) -> frozenset[int]:
    try:
        with TTFont(path, fontNumber=0, lazy=True) as font:  # the first font of a collection
            return frozenset(font.getBestCmap() or ())
    except (TTLibError, OSError, KeyError):
        return frozenset()
