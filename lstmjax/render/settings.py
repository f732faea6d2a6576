"""Settings of rendered pages: one frozen record, checked when it is made."""

from dataclasses import dataclass
from typing import Literal

from lstmjax.errors import UsageError
from lstmjax.render.face import MAX_PIXELS

WritingMode = Literal["horizontal", "vertical", "vertical-upright"]
WRITING_MODES: tuple[WritingMode, ...] = ("horizontal", "vertical", "vertical-upright")

MAX_SIDE = 32000
"""Largest side of a page in pixels: box files hold no larger coordinates."""
MAX_AREA = 400_000_000
"""Largest page in pixels."""

SEED = 0x18273645
"""Seed of text2image's random numbers."""


@dataclass(frozen=True)
class Degradation:
    """The degradations of clean pages.

    Attributes:
      degrade: whether pages are blurred, darkened and speckled.
      rotate: whether pages are turned by up to 0.02 radians; only with `degrade`.
      exposure: exposure of the copier; positive is darker.
      distort: whether noise, blur and inversion are applied at random, as the next fields say.
      invert: whether a page may be inverted.
      white_noise: whether noise may be added.
      smooth_noise: whether blurred noise may be added.
      blur: whether a page may be blurred.
      both_ways: whether every page is rendered a second time, turned the other way.
      seed: seed of the random numbers.
    """

    degrade: bool = True
    rotate: bool = True
    exposure: int = 0
    distort: bool = False
    invert: bool = True
    white_noise: bool = True
    smooth_noise: bool = True
    blur: bool = True
    both_ways: bool = False
    seed: int = SEED


@dataclass(frozen=True)
class Settings:
    """How text is put on pages; the defaults are those of text2image.

    Attributes:
      width: width of a page in pixels.
      height: height of a page in pixels.
      resolution: pixels per inch.
      point_size: size of the font in points.
      margin: pixels on all four sides.
      leading: pixels between lines.
      char_spacing: space between characters in ems.
      writing_mode: direction of lines, and whether narrow characters stand in vertical lines.
      box_padding: pixels added to boxes on each side.
      ligatures: whether to use optional ligatures.
      strip_unrenderable_words: whether to leave out words that the font cannot show.
      underline_start: probability that a word starts an underline.
      underline_continuation: probability that an underline goes on to the next word.
      word_boxes: whether boxes are of words.
      max_pages: greatest number of pages; 0 for no limit.
      degradation: degradations of the pages.

    Raises:
      UsageError: a value is out of range.
    """

    width: int = 3600
    height: int = 4800
    resolution: int = 300
    point_size: float = 12
    margin: int = 100
    leading: int = 12
    char_spacing: float = 0.0
    writing_mode: WritingMode = "horizontal"
    box_padding: int = 0
    ligatures: bool = False
    strip_unrenderable_words: bool = True
    underline_start: float = 0.0
    underline_continuation: float = 0.0
    word_boxes: bool = False
    max_pages: int = 0
    degradation: Degradation = Degradation()

    def __post_init__(self) -> None:
        for name, side in (("xsize", self.width), ("ysize", self.height)):
            if not 1 <= side <= MAX_SIDE:
                raise UsageError(f"--{name} must be from 1 to {MAX_SIDE} pixels, found {side}")
        if self.width * self.height > MAX_AREA:
            raise UsageError(
                f"a page of {self.width} x {self.height} pixels is too large: expected up to "
                f"{MAX_AREA // 1_000_000} million pixels"
            )
        if not 0 < self.pixels <= MAX_PIXELS:
            raise UsageError(
                f"--ptsize {self.point_size:g} at --resolution {self.resolution} makes letters "
                f"{self.pixels:.0f} pixels high; expected more than 0, up to {MAX_PIXELS}"
            )
        if not 0 <= 2 * self.margin < min(self.width, self.height):
            raise UsageError(
                f"--margin {self.margin} leaves no room on a page of {self.width} x {self.height} "
                "pixels; twice the margin must be less than either side"
            )
        if abs(self.leading) > MAX_SIDE or abs(self.letter_spacing) > MAX_SIDE:
            raise UsageError(f"--leading and --char_spacing can be up to {MAX_SIDE} pixels")
        if not 0 <= self.box_padding <= MAX_SIDE:
            raise UsageError(f"--box_padding must be from 0 to {MAX_SIDE}")
        if self.writing_mode not in WRITING_MODES:
            raise UsageError(f"Invalid writing mode: {self.writing_mode}")

    @property
    def pixels(self) -> float:
        """Size of the em square in pixels."""
        return self.point_size * self.resolution / 72

    @property
    def letter_spacing(self) -> int:
        """Pixels between characters."""
        return int(self.char_spacing * self.point_size)

    @property
    def vertical(self) -> bool:
        """Whether lines run from top to bottom."""
        return self.writing_mode != "horizontal"

    @property
    def line_width(self) -> int:
        """Room for a line in pixels."""
        return (self.height if self.vertical else self.width) - 2 * self.margin

    @property
    def block_height(self) -> int:
        """Room for the lines of a page in pixels."""
        return (self.width if self.vertical else self.height) - 2 * self.margin
