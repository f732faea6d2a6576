"""Lines that cannot be learnt from, and the messages about them.

A bad line never stops a run and never vanishes: it is classified here before training, or when
its image turns out to be broken, and reported with its file, its page and the way out.
"""

import enum
import os
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from lstmjax.charset.failures import BlankTextError, EmptyTextError, UnencodableError
from lstmjax.data.image import InputShape, SizeProblem, scaled_size, size_problem
from lstmjax.data.lines import Line
from lstmjax.errors import CharsetError


class SkipReason(enum.Enum):
    """Why a line or a document is left out; the value is a sentence with the way out."""

    UNENCODABLE = (
        "The text has characters outside the character set of the traineddata; "
        "correct the text or make a traineddata that has them."
    )
    EMPTY_TEXT = "There is no text; write down what the image says."
    BLANK_TEXT = "The text consists of spaces only; write down what the image says or drop it."
    TOO_LONG = (
        "The text needs more time steps than the image has; check that text and image belong "
        "together, or use a network that scales x down less."
    )
    TOO_SMALL = "The scaled image is smaller than one time step; check how the line was cut."
    TOO_LARGE = "The scaled image is far too wide for its height; split the line."
    UNDECODABLE = "The image cannot be decoded; make it again."
    UNREADABLE = "The document cannot be read; make it again or take it off the list."


@dataclass(frozen=True)
class Skip:
    """Why one line is skipped.

    Attributes:
      reason: one of the few reasons, for counting.
      detail: particulars of this line.
      error: the error that the codec raised, if it did.
    """

    reason: SkipReason
    detail: str
    error: CharsetError | None = None

    def message(self, line: Line) -> str:
        """One line for the log; control characters in names are shown as escapes."""
        where = printable(f"{line.path}: page {line.page}")
        return f"{where}: skipped: {self.detail}. {self.reason.value}"


class Codec(Protocol):
    """The part of `charset.codec.Codec` that `classify` needs."""

    def encode(self, text: str) -> NDArray[np.int32]:
        """Turn text into codes without nulls, or raise one of `charset.failures`."""
        ...

    def min_timesteps(self, codes: NDArray[np.int32]) -> int:
        """The fewest time steps these codes fit into."""
        ...


@dataclass(frozen=True)
class Geometry:
    """How a network maps sizes of images to time steps.

    Attributes:
      shape: input shape of the network.
      min_side: product of the network's x scale factors, in pixels.
      steps: function from the width of the input in pixels to the number of time steps.
      in_grey: whether images of two values are scaled in grey, as the tesseract program does when
        it reads; its training tools scale them in black and white.
    """

    shape: InputShape
    min_side: int
    steps: Callable[[int], int]
    in_grey: bool = False

    def scaled(self, line: Line) -> tuple[int, int]:
        """The width and height of a line's scaled image, before any cutting or padding."""
        target = self.shape.target_height
        two_valued = line.two_valued and not self.in_grey
        return scaled_size(line.width, line.height, target, two_valued=two_valued)


def classify(line: Line, codec: Codec, geometry: Geometry) -> NDArray[np.int32] | Skip:
    """Encode the text of a line, or say why the line cannot be used.

    Nothing is decoded, so an image with a good header and broken pixels passes.

    Returns: [L] int32 codes without nulls, or the reason why the line is skipped.
    """
    codes = _encode(line.text, codec)
    if isinstance(codes, Skip):
        return codes
    if not (line.width and line.height):
        return Skip(SkipReason.UNDECODABLE, "the image has no readable header")
    width, height = geometry.scaled(line)
    problem = size_problem(width, height, geometry.min_side)
    if problem is SizeProblem.TOO_SMALL:
        least = geometry.min_side
        return Skip(
            SkipReason.TOO_SMALL,
            f"{width} x {height} pixels after scaling, expected {least} a side",
        )
    if problem is SizeProblem.TOO_LARGE:
        return Skip(SkipReason.TOO_LARGE, f"{width} x {height} pixels after scaling")
    # A fixed width decides how many steps there are, whatever the line's own width.
    needed, given = codec.min_timesteps(codes), geometry.steps(geometry.shape.width or width)
    if needed > given:
        return Skip(
            SkipReason.TOO_LONG,
            f"{len(codes)} codes need {needed} time steps, the image has {given}",
        )
    return codes


def _encode(text: str, codec: Codec) -> NDArray[np.int32] | Skip:
    try:
        codes = codec.encode(text)
    except EmptyTextError as err:
        return Skip(SkipReason.EMPTY_TEXT, "empty text", err)
    except BlankTextError as err:
        return Skip(SkipReason.BLANK_TEXT, "blank text", err)
    except UnencodableError as err:
        where = f"at character {err.position + 1} of the text"
        return Skip(SkipReason.UNENCODABLE, f"{named(err.character)} {where}", err)
    except CharsetError as err:
        return Skip(SkipReason.UNENCODABLE, printable(str(err)), err)
    return codes


def named(character: str) -> str:
    """Name a character for a message: itself if it can be printed, code point, Unicode name."""
    name = unicodedata.name(character, "without a name")
    shown = f"'{character}' " if character.isprintable() else ""
    return f"{shown}U+{ord(character):04X} {name}"


def printable(text: str | os.PathLike[str]) -> str:
    """Escape control characters and broken UTF-8, so that a name cannot act on a terminal."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in os.fspath(text))
