"""The loops over pixels of `augment`, compiled by `lstmjax.simd.compile`."""

import math
from typing import NamedTuple

import numpy as np

_INK = 48  # a pixel counts as ink if it differs from the paper by this many grey levels
_BYTES_DEVIATION = np.float32(1 / 147.8)  # reciprocal standard deviation of four random bytes
_BYTES_MEAN = np.float32(510.0)  # mean of their sum


class Look(NamedTuple):
    """The changes to the pixels of one line; neutral are 1 for `height` and `ink`, 0 for the rest.

    Attributes:
      slant: columns that a row is moved by for each row above the middle.
      height: source rows for each target row.
      paper: grey level of areas that come in from outside.
      thicken: weight of the darkest (negative: the lightest) of the four neighbours in each pixel.
      soften: weight of each neighbour, along rows and then along columns.
      grain: standard deviation of the noise in grey levels.
      crisp: whether the noise comes after the blur.
      ink: factor on the distance from the paper.
      fade: amount by which `ink` grows from the middle to the right end, and falls to the left.
      shadow_x: grey levels by which the right end is lighter than the middle.
      shadow_y: grey levels by which the bottom is lighter than the middle.
      key: seed of the noise.
    """

    slant: float
    height: float
    paper: float
    thicken: float
    soften: float
    grain: float
    crisp: bool
    ink: float
    fade: float
    shadow_x: float
    shadow_y: float
    key: int


def measure(image: np.ndarray) -> tuple[int, int, int, int]:
    """Return the levels of paper and ink, and the first and last column with ink (0, -1 if none).

    Ink is the extreme level that is further from the paper, so lines may be light on dark.
    """
    height, width = image.shape
    paper = _paper(image)
    lightest, darkest = 0, 255
    for i in range(height):
        for j in range(width):
            value = int(image[i, j])
            lightest = max(lightest, value)
            darkest = min(darkest, value)
    ink = darkest if paper - darkest >= lightest - paper else lightest
    first, last = 0, width - 1
    while first < width and _column_is_blank(image, first, paper):
        first += 1
    if first == width:
        return paper, ink, 0, -1
    while _column_is_blank(image, last, paper):
        last -= 1
    return paper, ink, first, last


def _paper(image: np.ndarray) -> int:
    """Return the median of the pixels on the border of the image."""
    height, width = image.shape
    counts = np.zeros(256, np.int64)
    for j in range(width):
        counts[image[0, j]] += 1
        counts[image[height - 1, j]] += 1
    for i in range(height):
        counts[image[i, 0]] += 1
        counts[image[i, width - 1]] += 1
    below, level = 0, 0
    # The border has 2 * (width + height) entries: corners count twice, which does no harm.
    while below + counts[level] < width + height:
        below += counts[level]
        level += 1
    return level


def _column_is_blank(image: np.ndarray, column: int, paper: int) -> bool:
    most = 0
    for i in range(image.shape[0]):
        most = max(most, abs(int(image[i, column]) - paper))
    return most < _INK


def spoil(
    source: np.ndarray,
    target: np.ndarray,
    across: np.ndarray,
    down: np.ndarray,
    look: Look,
    spots: np.ndarray,
) -> None:
    """Bend and degrade a line.

    Args:
      source: [h, w] uint8.
      target: [h, w] uint8, written.
      across: [w] float32, the source column of each target column in the middle row.
      down: [w] float32, rows that the source lies below the target.
      look: all other changes.
      spots: [n, 4] float32, row, column, radius and grey level of specks.
    """
    # The order is that of the real thing: print, specks and grain of the paper, then the blur of
    # a lens, the light, and last the grain of a sensor, which stays crisp.
    image = np.empty(source.shape, np.float32)
    scratch = np.empty(source.shape, np.float32)
    _warp(source, image, across, down, look)
    if look.thicken != 0.0:
        _thicken(image, scratch, np.float32(look.thicken))
        image, scratch = scratch, image
    for k in range(len(spots)):
        _spot(image, spots[k, 0], spots[k, 1], spots[k, 2], spots[k, 3])
    if look.grain > 0.0 and not look.crisp:
        _grain(image, look.key, np.float32(look.grain))
    if look.soften > 0.0:
        _soften(image, scratch, np.float32(look.soften))
    if look.ink != 1.0 or look.fade != 0.0 or look.shadow_x != 0.0 or look.shadow_y != 0.0:
        _shade(image, look)
    if look.grain > 0.0 and look.crisp:
        _grain(image, look.key, np.float32(look.grain))
    _round(image, target)


def _warp(
    source: np.ndarray, target: np.ndarray, across: np.ndarray, down: np.ndarray, look: Look
) -> None:
    """Fill the target by bilinear interpolation; outside of the image there is paper."""
    height, width = source.shape
    # One row and column of paper before the image, two after it, so that the four neighbours of
    # a clamped place always exist.
    framed = np.full((height + 3, width + 3), np.float32(look.paper), np.float32)
    framed[1 : height + 1, 1 : width + 1] = source
    lowest, rightmost = np.float32(height + 1), np.float32(width + 1)
    middle = np.float32(0.5 * (height - 1))
    slant, squeeze = np.float32(look.slant), np.float32(look.height)
    one, zero = np.float32(1), np.float32(0)
    for i in range(height):
        above = np.float32(i) - middle
        shift, row = one + slant * above, one + middle + above * squeeze
        for j in range(width):
            y = min(max(row + down[j], zero), lowest)
            x = min(max(across[j] + shift, zero), rightmost)
            top, left = np.int32(y), np.int32(x)
            part = x - np.float32(left)
            upper, lower = framed[top], framed[top + 1]
            first = upper[left] + part * (upper[left + 1] - upper[left])
            second = lower[left] + part * (lower[left + 1] - lower[left])
            target[i, j] = first + (y - np.float32(top)) * (second - first)


def _thicken(source: np.ndarray, target: np.ndarray, part: np.float32) -> None:
    """Mix each pixel with the darkest (`part` below 0: the lightest) of it and its neighbours."""
    height, width = source.shape
    sign = np.float32(1) if part > 0 else np.float32(-1)  # makes the lightest the least
    part *= sign
    for i in range(height):
        above, below = max(i - 1, 0), min(i + 1, height - 1)
        for j in range(width):
            left, right = max(j - 1, 0), min(j + 1, width - 1)
            here = sign * source[i, j]
            least = min(here, sign * source[above, j], sign * source[below, j])
            least = min(least, sign * source[i, left], sign * source[i, right])
            target[i, j] = sign * (here + part * (least - here))


def _soften(image: np.ndarray, scratch: np.ndarray, part: np.float32) -> None:
    """Blur: mix `part` of both neighbours into each pixel, along rows, then along columns."""
    height, width = image.shape
    # In two passes, the first into the scratch image: pixels not yet blurred must not be lost.
    kept = 1 - 2 * part
    for i in range(height):
        for j in range(width):
            beside = image[i, max(j - 1, 0)] + image[i, min(j + 1, width - 1)]
            scratch[i, j] = kept * image[i, j] + part * beside
    for i in range(height):
        above, below = max(i - 1, 0), min(i + 1, height - 1)
        for j in range(width):
            image[i, j] = kept * scratch[i, j] + part * (scratch[above, j] + scratch[below, j])


def _grain(image: np.ndarray, key: int, deviation: np.float32) -> None:
    """Add roughly normal noise: the sum of the four bytes of a hash of each pixel's place."""
    height, width = image.shape
    scale = deviation * _BYTES_DEVIATION
    for i in range(height):
        for j in range(width):
            # "lowbias32", an integer hash by Chris Wellons
            x = np.uint32(np.uint32(key) + np.uint32(i * width + j))
            x ^= x >> np.uint32(16)
            x = np.uint32(x * np.uint32(0x7FEB352D))
            x ^= x >> np.uint32(15)
            x = np.uint32(x * np.uint32(0x846CA68B))
            x ^= x >> np.uint32(16)
            # Add the four bytes, two at a time.
            low = (x & np.uint32(0x00FF00FF)) + ((x >> np.uint32(8)) & np.uint32(0x00FF00FF))
            total = np.uint32(low & np.uint32(0xFFFF)) + np.uint32(low >> np.uint32(16))
            image[i, j] += scale * (np.float32(total) - _BYTES_MEAN)


def _shade(image: np.ndarray, look: Look) -> None:
    """Vary the strength of the ink along the line, and light the paper unevenly."""
    height, width = image.shape
    paper = np.float32(look.paper)
    for i in range(height):
        lower = np.float32(look.shadow_y * (2 * i - height + 1) / height)
        for j in range(width):
            place = np.float32(2 * j - width + 1) / np.float32(width)  # nearly -1 to 1
            ink = np.float32(look.ink) + np.float32(look.fade) * place
            light = np.float32(look.shadow_x) * place + lower
            image[i, j] = paper + ink * (image[i, j] - paper) + light


def _spot(image: np.ndarray, row: float, column: float, radius: float, level: float) -> None:
    """Draw a speck with a soft rim one pixel wide."""
    height, width = image.shape
    for i in range(max(int(row - radius), 0), min(int(row + radius) + 2, height)):
        for j in range(max(int(column - radius), 0), min(int(column + radius) + 2, width)):
            distance = math.sqrt((i - row) ** 2 + (j - column) ** 2)
            part = np.float32(min(max(radius + 0.5 - distance, 0.0), 1.0))
            image[i, j] += part * (np.float32(level) - image[i, j])


def _round(image: np.ndarray, target: np.ndarray) -> None:
    height, width = image.shape
    for i in range(height):
        for j in range(width):
            target[i, j] = np.uint8(min(max(image[i, j], np.float32(0)), np.float32(255)) + 0.5)
