"""The fonts of some folders: found by name, listed, and searched for one that has a character.

Names and styles are cached in the user's cache directory, by path, size and date of each file.
"""

import difflib
import json
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from lstmjax.cache import cache_directory, entries
from lstmjax.errors import DataError, FormatError
from lstmjax.formats.files import PathLike, read_bytes
from lstmjax.render.description import STRETCHES, Description, parse
from lstmjax.render.face import Face, Hinting, open_blob

_SIGNATURES = (b"\0\1\0\0", b"OTTO", b"true", b"ttcf")
_FALLBACKS = ("Noto Sans", "DejaVu Sans", "Liberation Sans", "FreeSans")
_VERSION = 2
_MAX_FONTS = 256
"""Most fonts of one collection that are read."""
_MAX_FILE = 1 << 28


@dataclass(frozen=True)
class FontEntry:
    """A font in a file.

    Attributes:
      path: path of the file.
      index: number of the font in a collection, from 0.
      family: preferred family name.
      names: all full and family names, for looking up.
      weight: weight as in `Description`.
      style: style as in `Description`.
      stretch: stretch as in `Description`.
    """

    path: str
    index: int
    family: str
    names: tuple[str, ...]
    weight: int
    style: str
    stretch: str

    @property
    def description(self) -> Description:
        """The font's name in parts."""
        return Description(self.family, self.weight, self.style, self.stretch)


class FontCatalog:
    """The fonts below some folders.

    Attributes:
      fonts: the fonts, sorted by name and then by path.
      problems: files that look like fonts and cannot be read, with the reason.
      hinting: hinting of these fonts: "slight", the usual setting of a system, for its own
        folders; "full" for folders that were named, for which the original has no setting.
    """

    def __init__(self, folders: Sequence[PathLike] | None = None):
        """Search folders and those below them; the system's font folders by default.

        Raises:
          DataError: a folder does not exist.
        """
        self.hinting: Hinting = "slight" if folders is None else "full"
        self.problems: list[str] = []
        self.folders = [Path(folder) for folder in (folders or system_folders())]
        if folders is not None:
            for folder in self.folders:
                if not folder.is_dir():
                    raise DataError(f"{folder}: no such folder; --fonts_dir names one with fonts")
        found = _scan(self.folders, self.problems)
        self.fonts = sorted(found, key=lambda font: (str(font.description), font.path, font.index))

    def find(self, name: str) -> FontEntry | None:
        """The font of a name, None if there is none.

        A name is one of `list_names`, a full name as in the file, or the path of a file, with
        `:index` at its end for a font in a collection.
        """
        # The exact name first, then names in the files, then a path.
        asked = parse(name)
        for font in self.fonts:
            if font.description.key == asked.key:
                return font
        plain = name.strip().rstrip(",").casefold()
        for font in self.fonts:
            if plain in font.names:
                return font
        return _from_path(name)

    def suggest(self, name: str) -> str | None:
        """The name of the font that is most similar."""
        asked = parse(name)
        same = [f for f in self.fonts if f.family.casefold() == asked.family.casefold()]
        if same:
            return str(min(same, key=lambda font: _distance(font.description, asked)).description)
        names = self.list_names()
        near = difflib.get_close_matches(name, names, n=1, cutoff=0.0)
        return near[0] if near else None

    def list_names(self) -> list[str]:
        """The names of all fonts, in byte order."""
        return sorted(str(font.description) for font in self.fonts)

    def fallback_for(self, character: str) -> FontEntry | None:
        """A font that has a character: common and plain fonts first, others by name."""
        return next((font for font in self._plain_first() if _has(font, character)), None)

    def _plain_first(self) -> list[FontEntry]:
        def rank(font: FontEntry) -> tuple[int, bool, bool, bool]:
            known = _FALLBACKS.index(font.family) if font.family in _FALLBACKS else len(_FALLBACKS)
            return known, font.weight != 400, font.style != "", font.stretch != ""

        return sorted(self.fonts, key=rank)

    def open(self, entry: FontEntry, pixels: float) -> Face:
        """Open a font at a size in pixels."""
        return Face(entry.path, pixels, index=entry.index, hinting=self.hinting)


class FallbackFaces:
    """Faces for characters that a font lacks, at its size; cached by character."""

    def __init__(self, catalog: FontCatalog, pixels: float):
        self._catalog, self._pixels = catalog, pixels
        self._known: dict[str, Face | None] = {}
        self._faces: dict[FontEntry, Face] = {}

    def __call__(self, character: str) -> Face | None:
        """A face that has the character, None if no font has it."""
        if character not in self._known:
            entry = self._catalog.fallback_for(character)
            face = None
            if entry is not None:
                face = self._faces.get(entry) or self._catalog.open(entry, self._pixels)
                self._faces[entry] = face
            self._known[character] = face
        return self._known[character]


def system_folders() -> list[Path]:
    """The system's font folders, as far as they exist."""
    home = Path(os.path.expanduser("~"))
    if sys.platform == "win32":
        folders = [Path(os.environ.get("WINDIR", "C:/Windows"), "Fonts")]
    elif sys.platform == "darwin":
        folders = [Path("/System/Library/Fonts"), Path("/Library/Fonts"), home / "Library/Fonts"]
    else:
        data = os.environ.get("XDG_DATA_HOME") or str(home / ".local/share")
        folders = [
            Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), Path(data, "fonts"),
            home / ".fonts",
        ]  # fmt: skip
    return [folder for folder in folders if folder.is_dir()]


def _from_path(name: str) -> FontEntry | None:
    """A font that was named by the path of its file."""
    path, _, number = name.rpartition(":")
    index = int(number) if path and number.isdecimal() else 0
    path = path if path and number.isdecimal() else name
    if not os.path.isfile(path):
        return None
    entries = _read_entries(path)
    if index >= len(entries):
        raise FormatError(f"has {len(entries)} fonts, no number {index}", file=path)
    return entries[index]


def _distance(font: Description, asked: Description) -> tuple[int, int, int]:
    return (
        abs(STRETCHES.index(font.stretch) - STRETCHES.index(asked.stretch)),
        int(bool(font.style) != bool(asked.style)) * 2 + int(font.style != asked.style),
        abs(font.weight - asked.weight),
    )


@lru_cache(maxsize=65536)
def _has(font: FontEntry, character: str) -> bool:
    return ord(character) in _coverage(font.path, font.index)


@lru_cache(maxsize=1024)
def _coverage(path: str, index: int) -> frozenset[int]:
    """The code points that a font has; none if it cannot be read any more."""
    try:
        return frozenset(open_blob(path, index)[1].unicodes)
    except FormatError:
        return frozenset()


def _scan(folders: Sequence[Path], problems: list[str]) -> Iterator[FontEntry]:
    """Yield the fonts of all files below the folders."""
    store = _Store()
    seen: set[str] = set()
    for folder in folders:
        for root, directories, files in os.walk(folder):
            # Sorted: of several links to one file, always the same one counts.
            directories.sort()
            for name in sorted(files):
                path = os.path.join(root, name)
                # By real path: links would list a font twice.
                real = os.path.realpath(path)
                if real not in seen:
                    seen.add(real)
                    yield from store.entries(path, problems)
    store.save()


class _Store:
    """The cache of fonts that earlier runs read."""

    def __init__(self) -> None:
        folder = cache_directory("fonts")
        self._path = folder / f"fonts-{_VERSION}" if folder else None
        self._known: dict[str, list] = {}
        self._changed = False
        content = None if self._path is None else entries.read(self._path)
        if content is not None:
            try:
                self._known = dict(json.loads(content))
            except (ValueError, TypeError):
                self._known = {}

    def entries(self, path: str, problems: list[str]) -> list[FontEntry]:
        """The fonts of a file, which is read if it is new or has changed."""
        try:
            status = os.stat(path)
        except OSError:
            return []
        stamp = [status.st_size, status.st_mtime_ns]
        try:
            known = self._known[path]
            if known[0] == stamp:
                return [_entry(path, *fields) for fields in known[1]]
        except (KeyError, IndexError, TypeError, ValueError):
            pass
        try:
            entries = _read_entries(path)
        except FormatError as err:
            problems.append(str(err))
            return []
        self._changed = True
        self._known[path] = [stamp, [_fields(entry) for entry in entries]]
        return entries

    def save(self) -> None:
        """Write the cache if anything is new."""
        if self._path is not None and self._changed:
            entries.write(self._path, json.dumps(self._known).encode())


def _entry(
    path: str, index: int, family: str, names: list[str], weight: int, style: str, stretch: str
) -> FontEntry:
    return FontEntry(path, int(index), str(family), tuple(names), int(weight), style, stretch)


def _fields(entry: FontEntry) -> list:
    return [
        entry.index, entry.family, list(entry.names), entry.weight, entry.style, entry.stretch
    ]  # fmt: skip


def _read_entries(path: str) -> list[FontEntry]:
    """Read the fonts of a file; none if it is no font file.

    Raises:
      FormatError: the file begins like a font and is broken.
    """
    from fontTools.ttLib import TTFont

    try:
        with open(path, "rb") as file:
            head = file.read(12)
        if head[:4] not in _SIGNATURES or os.path.getsize(path) > _MAX_FILE:
            return []
    except OSError as err:
        raise FormatError(f"cannot be read: {err.strerror or err}", file=path) from err
    # The number in the header of a hostile collection may be anything.
    count = min(int.from_bytes(head[8:12], "big"), _MAX_FONTS) if head[:4] == b"ttcf" else 1
    entries = []
    for index in range(count):
        try:
            with open(path, "rb") as file, TTFont(file, fontNumber=index, lazy=True) as font:
                entry = _describe(font, path, index)
        except FormatError:
            raise
        except Exception as err:  # fontTools raises whatever a bad table leads to
            raise FormatError(f"is a broken font: {err}", file=path) from err
        if entry is not None:
            entries.append(entry)
    return entries


def _describe(font, path: str, index: int) -> FontEntry | None:
    """Read the names and the style of an open font; None for one without outlines."""
    if not {"glyf", "CFF ", "CFF2"} & set(font.keys()):
        return None
    table = font["name"]
    family = table.getBestFamilyName() or table.getDebugName(1) or ""
    if not family:
        raise FormatError("is a font without a name", file=path)
    styles = [name for number in (17, 2) if (name := table.getDebugName(number))]
    plain = {table.getDebugName(4)}
    for family_id, style_id in ((1, 2), (16, 17)):
        own_family, own_style = table.getDebugName(family_id), table.getDebugName(style_id)
        if own_family:
            plain.add(f"{own_family} {own_style or ''}".strip())
            if (own_style or "Regular") in ("Regular", "Book", "Normal", "Roman"):
                plain.add(own_family)
    weight, stretch = 400, ""
    if "OS/2" in font:
        weight = _nearest_weight(font["OS/2"].usWeightClass)
        stretch = STRETCHES[min(max(font["OS/2"].usWidthClass, 1), 9) - 1]
    elif font["head"].macStyle & 1:
        weight = 700
    return FontEntry(
        path, index, family, tuple(sorted(name.casefold() for name in plain if name)), weight,
        _slant(styles, bool(font["head"].macStyle & 2)), stretch,
    )  # fmt: skip


def _slant(styles: list[str], marked: bool) -> str:
    joined = " ".join(styles).lower()
    if "oblique" in joined and "italic" not in (styles or [""])[0].lower():
        return "Oblique"
    return "Italic" if marked or "italic" in joined or "kursiv" in joined else ""


def _nearest_weight(value: int) -> int:
    """Pango's weight for one of OpenType, whose old fonts have weights from 1 to 9."""
    if 0 < value < 10:
        value *= 100
    known = (100, 200, 300, 350, 380, 400, 500, 600, 700, 800, 900, 1000)
    return min(known, key=lambda one: abs(one - value)) if value else 400


def read_font_list(text: str) -> list[str]:
    """Split a list of font names at commas or plus signs, or read the file of that name.

    A file has a name in each line; empty lines and those that begin with `#` are left out.
    """
    if os.path.isfile(text) and read_bytes(text)[:4] not in _SIGNATURES:
        lines = read_bytes(text).decode("utf-8", "replace").splitlines()
        return [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    return [name.strip() for name in text.replace("+", ",").split(",") if name.strip()]
