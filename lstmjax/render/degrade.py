"""Degradations of clean page images: as if printed, copied and scanned.

Functions on arrays: they return new images and leave what they are given alone. With the same
random state they give what Tesseract 5.3.0 gives from the same image.
Source: Tesseract src/training/degradeimage.cpp.
"""

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lstmjax.data.random import MinStd
from lstmjax.simd.compile import compiled

SEED = 0x18273645
"""What text2image starts its random numbers with."""
LARGEST_ANGLE = 0.02
"""Radians."""
NOISE_DEVIATION = 8.0
"""Grey levels."""

_LOOPS = "lstmjax.render._degrade_loops"
_MIN_ANGLE = np.float32(0.001)
_EXPOSURE_STEP = 16
_RAMP_SIZE = 1000
_MAX_EXPOSURE = 1000

Image = NDArray[np.uint8]


@dataclass
class NoiseState:
    """Randomness that goes on from page to page.

    Attributes:
      draws: the generator.
      spare: the second of two normally distributed numbers, kept for later.
    """

    draws: MinStd = field(default_factory=lambda: MinStd.seed(SEED))
    spare: NDArray[np.float32] = field(default_factory=lambda: np.zeros(2, np.float32))


def degrade(
    image: Image, state: NoiseState, *, exposure: int = 0, rotate: bool = True,
    angle: float | None = None,
) -> tuple[Image, float]:  # fmt: skip
    """Blur, turn, darken and speckle an image.

    Args:
      image: [H, W] uint8, 0 black.
      state: of the random numbers; goes on.
      exposure: of the copier: positive is darker, -3 to 3 make sense.
      rotate: turn it about its centre.
      angle: by this angle; None draws one. Ignored without `rotate`, drawn if it is 0.

    Returns: the image and the angle in radians clockwise it was turned by.
    """
    loops = compiled(_LOOPS)

    exposure = max(-_MAX_EXPOSURE, min(exposure, _MAX_EXPOSURE))
    if exposure >= 2:
        image = darken(image)
    image = blur(image)
    turned = 0.0
    if rotate:
        turned = angle or draw_angle(state)
        image = rotate_image(image, turned)
    if exposure >= 3 or exposure == 1:
        image = darken(image)
    image = np.array(image, np.uint8)
    offset = (-3 * _EXPOSURE_STEP if exposure <= 0 else 0) - exposure * _EXPOSURE_STEP
    state.draws.state = int(
        loops.speckle(image, state.draws.state, sum(image.shape) > _RAMP_SIZE, offset)
    )
    return image, turned


def draw_angle(state: NoiseState) -> float:
    """Draw an angle in radians clockwise, as a 32 bit float."""
    return float(np.float32(state.draws.signed(1, float(np.float32(LARGEST_ANGLE)))[0]))


def blur(image: Image) -> Image:
    """Take the mean of each pixel and its eight neighbours; small images stay as they are."""
    loops = compiled(_LOOPS)

    if min(image.shape) < 3:
        return image.copy()
    result = np.empty_like(image)
    loops.blur(np.ascontiguousarray(image), result)
    return result


def darken(image: Image) -> Image:
    """Take the darkest of each pixel and its eight neighbours."""
    loops = compiled(_LOOPS)

    result = np.empty_like(image)
    loops.darken(np.ascontiguousarray(image), result)
    return result


def rotate_image(image: Image, angle: float) -> Image:
    """Turn an image about its centre, white coming in; less than 0.001 radians do nothing.

    Args:
      image: [H, W] uint8.
      angle: in radians clockwise.
    """
    loops = compiled(_LOOPS)

    angle = float(np.float32(angle))
    if abs(angle) < _MIN_ANGLE:
        return image.copy()
    result = np.empty_like(image)
    sine, cosine = (np.float32(16.0 * f(float(angle))) for f in (math.sin, math.cos))
    loops.rotate(np.ascontiguousarray(image), result, sine, cosine)
    return result


def distort(
    image: Image, state: NoiseState, *, invert: bool = True, white_noise: bool = True,
    smooth_noise: bool = True, blurred: bool = True,
) -> Image:  # fmt: skip
    """Add noise, blur and invert, each with a chance of one half.

    Args:
      image: [H, W] uint8.
      state: of the random numbers; goes on.
      invert: maybe swap black and white.
      white_noise: maybe add normally distributed noise.
      smooth_noise: the same, blurred afterwards.
      blurred: maybe blur.
    """
    loops = compiled(_LOOPS)

    image = image.copy()
    if (white_noise or smooth_noise) and state.draws.signed(1)[0] > 0:
        seed = int(state.draws.integers(1)[0])
        loops.add_noise(image, seed, NOISE_DEVIATION, state.spare)
        if smooth_noise:
            image = blur(image)
    if blurred and state.draws.signed(1)[0] > 0:
        image = blur(image)
    if invert and state.draws.signed(1)[0] < 0:
        image = 255 - image
    return image


def threshold(image: Image) -> NDArray[np.bool_]:
    """What is ink in the 1 bit image: everything darker than 128."""
    return image < 128
