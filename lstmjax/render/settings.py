"""How pages are rendered: one frozen record, checked when it is made."""

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


@dataclass(frozen=True)
class Degradation:
    """What is done to a clean page.

    Attributes:
      degrade: blur, darken and speckle it.
      rotate: turn it by up to 0.02 radians; only with `degrade`.
      exposure: of the copier, positive is darker.
      distort: maybe add noise, blur and invert; the rest choose which.
      invert: maybe invert.
      white_noise: maybe add noise.
      smooth_noise: maybe add blurred noise.
      blur: maybe blur.
      both_ways: render every page a second time, turned the other way.
      seed: of the random numbers.
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
    seed: int = 0x18273645


@dataclass(frozen=True)
class Settings:
    """How text is put on pages; the defaults are those of text2image.

    Attributes:
      width: of a page in pixels.
      height: of a page in pixels.
      resolution: pixels per inch.
      point_size: of the font.
      margin: pixels on all four sides.
      leading: pixels between lines.
      char_spacing: between characters, in ems.
      writing_mode: direction of lines, and whether narrow characters stand in vertical ones.
      box_padding: pixels added to boxes on each side.
      ligatures: use optional ligatures.
      strip_unrenderable_words: leave words out that the font cannot show.
      underline_start: probability that a word starts an underline.
      underline_continuation: probability that an underline goes on to the next word.
      word_boxes: one box for each word.
      max_pages: stop after this many; 0 for no limit.
      degradation: what is done to the pages.

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
