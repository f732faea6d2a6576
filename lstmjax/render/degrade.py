"""Degradations of clean page images: as if printed, copied and scanned.

Functions on arrays, which return new images and do not change their arguments. From the same image
and random state they give the same result as Tesseract 5.3.0.
Source: Tesseract src/training/degradeimage.cpp.
"""

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lstmjax.data.random import MinStd
from lstmjax.render.settings import SEED
from lstmjax.simd.compile import compiled

LARGEST_ANGLE = 0.02
"""Largest angle by which an image is turned, in radians."""
NOISE_DEVIATION = 8.0
"""Standard deviation of noise in grey levels."""

_LOOPS = "lstmjax.render._degrade_loops"
_MIN_ANGLE = np.float32(0.001)
_EXPOSURE_STEP = 16
_RAMP_SIZE = 1000
_MAX_EXPOSURE = 1000

Image = NDArray[np.uint8]


@dataclass
class NoiseState:
    """The state of random numbers, which go on from page to page.

    Attributes:
      draws: generator of uniform numbers.
      spare: [2] float32 1 and a normally distributed number left over, or 0 and anything.
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
      state: state of the random numbers, which is advanced.
      exposure: exposure of the copier; positive is darker, -3 to 3 make sense.
      rotate: whether the image is turned about its centre.
      angle: angle in radians clockwise; drawn if it is None or 0. Ignored without `rotate`.

    Returns: the image and the angle by which it was turned.
    """
    loops = compiled(_LOOPS)

    # Beyond these bounds every pixel is black or white anyhow.
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
    # A copy: `speckle` works in place, and an unturned image may be the caller's.
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
    """Take the mean of each pixel and its eight neighbours; images below 3 x 3 do not change."""
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
    """Turn an image about its centre; white comes in. Below 0.001 radians nothing happens.

    Args:
      image: [H, W] uint8.
      angle: angle in radians clockwise.
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
      state: state of the random numbers, which is advanced.
      invert: whether black and white may be swapped.
      white_noise: whether normally distributed noise may be added.
      smooth_noise: whether such noise may be added and the image blurred afterwards.
      blurred: whether the image may be blurred.
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
    """Ink of the 1 bit image: all pixels darker than 128."""
    return image < 128
