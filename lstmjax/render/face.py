"""A font at one size: glyph bitmaps, their extents, and shaping of text into glyphs.

Bitmaps are hinted and placed on whole pixels as by Cairo 1.16 on an image surface; advances are
whole pixels, offsets are not. A unit of length is 1/1024 of a pixel.
"""

import ctypes
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib import import_module
from typing import Any, Literal

import numpy as np

from lstmjax.errors import FormatError
from lstmjax.formats.files import PathLike, read_bytes

UNITS = 1024
"""Units in a pixel."""
MAX_PIXELS = 4096
"""Largest size of a font in pixels."""
DOTTED_CIRCLE = "\u25cc"
EMPTY = 0xFFFFFFF
"""Glyph number of characters that are not drawn."""

Hinting = Literal["slight", "full", "none"]


@dataclass(frozen=True, eq=False)
class Glyph:
    """A rastered glyph, relative to its origin on the baseline; y grows downwards.

    Attributes:
      ink: left, top, width, height in pixels; width 0 without ink.
      left: place of the bitmap's first column.
      top: place of the bitmap's first row.
      bitmap: [H, W] uint8, 255 where the ink covers a pixel completely.
    """

    ink: tuple[int, int, int, int]
    left: int
    top: int
    bitmap: np.ndarray


@dataclass
class GlyphRun:
    """Shaped text, in visual order.

    Attributes:
      glyphs: [n] glyph numbers, EMPTY for characters that are not drawn.
      clusters: [n] index of the first character each glyph stands for.
      widths: [n] advance in units.
      x: [n] offset to the right in units.
      y: [n] offset downwards in units.
    """

    glyphs: list[int]
    clusters: list[int]
    widths: list[int]
    x: list[int]
    y: list[int]

    @property
    def width(self) -> int:
        """Sum of the advances in units."""
        return sum(self.widths)


def round_units(value: int) -> int:
    """Round units to whole pixels, halves upwards."""
    return (value + UNITS // 2) & -UNITS


@lru_cache(maxsize=2)
def _library(name: str) -> Any:
    """FreeType or HarfBuzz, imported when first used; neither declares its types."""
    return import_module(name)


@lru_cache(maxsize=16)
def open_blob(path: str, index: int) -> tuple[bytes, Any]:
    """Read a font file once.

    Raises:
      FormatError: the file cannot be read or is no font.
    """
    uharfbuzz = _library("uharfbuzz")

    data = read_bytes(path)
    face = uharfbuzz.Face(data, index)
    if not face.glyph_count:
        raise FormatError(f"is no font, or has no font number {index}", file=path)
    return data, face


class Face:
    """A font at a size; its rastered glyphs are cached.

    Attributes:
      path: path of the font file.
      index: number of the font in a collection.
      pixels: size of the em square in pixels.
      ascent: pixels above the baseline.
      descent: pixels below the baseline.
      middle: pixels above the baseline of characters that stand in vertical lines.
    """

    def __init__(
        self, path: PathLike, pixels: float, *, index: int = 0, hinting: Hinting = "slight"
    ):
        """Open a font.

        Args:
          path: path of the font file: TrueType, OpenType, or a collection of them.
          pixels: size of the em square, more than 0 up to `MAX_PIXELS`.
          index: number of the font in a collection.
          hinting: "slight" moves outlines vertically (FreeType's light mode), "full" runs the
            font's own hinting program.

        Raises:
          FormatError: the file cannot be read, or is no scalable font.
          ValueError: the size is out of range.
        """
        freetype = _library("freetype")
        uharfbuzz = _library("uharfbuzz")

        if not 0 < pixels <= MAX_PIXELS:
            raise ValueError(f"a font can be up to {MAX_PIXELS} pixels high, found {pixels:g}")
        self.path, self.index, self.pixels, self.hinting = str(path), index, pixels, hinting
        data, face = open_blob(self.path, index)
        self._hb = uharfbuzz.Font(face)
        # HarfBuzz works in units of 1/1024 pixel, FreeType in 1/64.
        scale = int(pixels * UNITS)
        self._hb.scale = (scale, scale)
        self._data = data
        try:
            self._ft = freetype.Face.from_bytes(data, index)
            size = int(pixels * 64 + 0.5)
            self._ft.set_char_size(size, size, 0, 0)
        except freetype.FT_Exception as err:
            raise FormatError(f"is no font that can be used: {err}", file=self.path) from err
        if not self._ft.is_scalable:
            raise FormatError("is a bitmap font, expected one with outlines", file=self.path)
        self._flags = _load_flags(hinting)
        # Pango takes these from HarfBuzz and rounds them outwards.
        extents = self._hb.get_font_extents("ltr")
        self.ascent = -(-extents.ascender // UNITS)
        self.descent = -(extents.descender // UNITS)
        self.middle = round_units((extents.ascender - extents.descender) // 2) // UNITS
        self._glyphs: dict[int, Glyph] = {}
        self._nominal: dict[str, int] = {}

    @cached_property
    def underline(self) -> tuple[int, int]:
        """Units from the baseline down to the underline, and its thickness in units."""
        tags = _library("uharfbuzz").OTMetricsTag
        size = self._hb.get_metric_position_with_fallback(tags.UNDERLINE_SIZE)
        place = self._hb.get_metric_position_with_fallback(tags.UNDERLINE_OFFSET)
        return -place, max(1, size)

    def glyph_of(self, character: str) -> int:
        """The glyph number of a character, 0 if the font lacks it."""
        number = self._nominal.get(character)
        if number is None:
            number = self._hb.get_nominal_glyph(ord(character)) or 0
            self._nominal[character] = number
        return number

    def glyph(self, number: int) -> Glyph:
        """The bitmap and extents of a glyph; a broken glyph is empty."""
        found = self._glyphs.get(number)
        if found is None:
            found = self._raster(number)
            self._glyphs[number] = found
        return found

    def _raster(self, number: int) -> Glyph:
        freetype = _library("freetype")

        empty = Glyph((0, 0, 0, 0), 0, 0, np.zeros((0, 0), np.uint8))
        if number == EMPTY:
            return empty
        try:
            self._ft.load_glyph(number, self._flags)
            slot: Any = self._ft.glyph
            metrics = slot.metrics
            # Outwards to whole pixels.
            left = metrics.horiBearingX >> 6
            right = -((-metrics.horiBearingX - metrics.width) >> 6)
            top = -metrics.horiBearingY >> 6
            bottom = -((metrics.horiBearingY - metrics.height) >> 6)
            if slot.format != freetype.FT_GLYPH_FORMAT_BITMAP:
                slot.render(freetype.FT_RENDER_MODE_NORMAL)
        except freetype.FT_Exception:
            return empty
        bitmap = _bitmap(slot.bitmap)
        ink = (left, top, right - left, bottom - top)
        if not metrics.width or not metrics.height:
            ink = (0, 0, 0, 0)
        return Glyph(ink, slot.bitmap_left, -slot.bitmap_top, bitmap)

    def advance(self, number: int) -> int:
        """The hinted advance of a single glyph in pixels, 0 for a broken one."""
        freetype = _library("freetype")

        try:
            self._ft.load_glyph(number, self._flags)
        except freetype.FT_Exception:
            return 0
        return (self._ft.glyph.metrics.horiAdvance + 32) >> 6

    def shape(
        self, text: str, start: int, length: int, *, level: int = 0, script: str = "Zyyy",
        features: tuple[tuple[str, bool], ...] = (), vertical: bool = False,
    ) -> GlyphRun:  # fmt: skip
        """Turn part of a text into glyphs, in no particular language.

        Args:
          text: whole text; letters beyond the part decide how letters at its ends join.
          start: index of the first character of the part.
          length: number of characters in the part.
          level: embedding level; odd means from right to left.
          script: ISO 15924 tag.
          features: font features that are turned on or off.
          vertical: whether the characters stand below each other.
        """
        hb = _library("uharfbuzz")

        buffer = hb.Buffer()
        buffer.cluster_level = hb.BufferClusterLevel.MONOTONE_CHARACTERS
        # More context than HarfBuzz looks at.
        context = max(0, start - 8)
        part = text[context : start + length + 8]
        buffer.add_str(part, start - context, length)
        buffer.direction = "ttb" if vertical else "rtl" if level % 2 else "ltr"
        buffer.script = script
        buffer.language = "c"  # that of a program without a locale
        buffer.flags = hb.BufferFlags.BOT | hb.BufferFlags.EOT
        buffer.invisible_glyph = EMPTY
        wanted = dict(features)
        if script == "Hang":  # off in HarfBuzz before 7; some fonts widen spaces with it
            wanted.setdefault("calt", False)
        hb.shape(self._hb, buffer, wanted)
        return _read_glyphs(buffer, context, vertical)


def _read_glyphs(buffer: Any, context: int, vertical: bool) -> GlyphRun:
    infos, places = buffer.glyph_infos, buffer.glyph_positions or []
    run = GlyphRun([], [], [], [], [])
    for info, place in zip(infos, places, strict=True):
        advance, _, dx, dy = place.x_advance, place.y_advance, place.x_offset, -place.y_offset
        if vertical:
            advance, dx, dy = -place.y_advance, -place.y_offset, -place.x_offset
        if advance < 0:
            advance = -advance
            dx += advance
        run.glyphs.append(info.codepoint)
        run.clusters.append(info.cluster + context)
        run.widths.append((advance + UNITS // 2) & -UNITS)
        run.x.append(dx)
        run.y.append(dy)
    return run


def _load_flags(hinting: Hinting) -> int:
    freetype = _library("freetype")

    return {
        "slight": freetype.FT_LOAD_TARGET_LIGHT,
        "full": freetype.FT_LOAD_TARGET_NORMAL,
        "none": freetype.FT_LOAD_NO_HINTING,
    }[hinting]


def _bitmap(source: Any) -> np.ndarray:
    """Copy FreeType's bitmap: [H, W] uint8."""
    freetype = _library("freetype")

    raw = source._FT_Bitmap
    rows, width, pitch = source.rows, source.width, source.pitch
    if not rows or not width:
        return np.zeros((0, 0), np.uint8)
    data = ctypes.string_at(raw.buffer, rows * abs(pitch))
    lines = np.frombuffer(data, np.uint8).reshape(rows, abs(pitch))
    # Bottom-up bitmaps have a negative pitch.
    if pitch < 0:
        lines = lines[::-1]
    if source.pixel_mode == freetype.FT_PIXEL_MODE_MONO:
        return np.unpackbits(lines, axis=1)[:, :width] * np.uint8(255)
    return lines[:, :width].copy()
