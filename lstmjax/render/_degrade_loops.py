"""The loops over pixels of `degrade`, compiled by `lstmjax.simd.compile`.

Values are rounded in the order of the original.

Source: Leptonica src/convolve.c, src/rotateam.c, src/graymorph.c; Tesseract
src/training/degradeimage.cpp.
"""

import math

import numpy as np

from lstmjax.constants import MINSTD_MODULUS, MINSTD_MULTIPLIER

_RAND_MAX = np.float32(2147483647.0)
_SRAND_MULTIPLIER = 16807  # of the C library, which seeds its table with a generator of its own
_EDGES = np.float32(1.5)


def blur(source: np.ndarray, target: np.ndarray) -> None:
    """Write the mean of 3 x 3 pixels; at the edges, of the pixels that the original looks at."""
    height, width = source.shape
    columns = np.zeros(width + 2, np.int32)  # sums of three rows, with a zero on either side
    for i in range(height):
        # The running sums of the original leave the first row and column out of windows that
        # touch the edge.
        if i == 0:
            for j in range(width):
                columns[j + 1] = source[1, j]
        elif i == 1:
            for j in range(width):
                columns[j + 1] = np.int32(source[1, j]) + source[2, j]
        elif i == height - 1:
            for j in range(width):
                columns[j + 1] = np.int32(source[i - 1, j]) + source[i, j]
        else:
            for j in range(width):
                columns[j + 1] = np.int32(source[i - 1, j]) + source[i, j] + source[i + 1, j]
        columns[1] = 0
        for j in range(width):
            # Equal to the original's int(sum * float32(1 / 9) + 0.5) for every possible sum.
            total = columns[j] + columns[j + 1] + columns[j + 2]
            target[i, j] = (2 * total + 9) // 18
    _mend_edges(target)


def _mend_edges(target: np.ndarray) -> None:
    """Scale the pixels near the edges up, for the neighbours that they lack."""
    height, width = target.shape
    for i in range(height):
        down = _edge_factor(i, height)
        for j in range(width):
            if down == 1.0 and j == 2 and width > 3:
                break  # the factor is 1 up to the last column, which follows below
            across = _edge_factor(j, width)
            value = np.float32(target[i, j]) * down * across
            target[i, j] = int(min(value, np.float32(255.0)))
        if down == 1.0 and width > 3:
            value = np.float32(target[i, width - 1]) * _EDGES
            target[i, width - 1] = int(min(value, np.float32(255.0)))


def _edge_factor(place: int, size: int) -> np.float32:
    if place == 0:
        return np.float32(3.0)
    if place == 1 or place == size - 1:
        return _EDGES
    return np.float32(1.0)


def darken(source: np.ndarray, target: np.ndarray) -> None:
    """Write the minimum of 3 x 3 pixels; outside of the image there is white."""
    height, width = source.shape
    for i in range(height):
        for j in range(width):
            least = 255
            for k in range(max(i - 1, 0), min(i + 2, height)):
                for m in range(max(j - 1, 0), min(j + 2, width)):
                    if source[k, m] < least:
                        least = source[k, m]
            target[i, j] = least


def rotate(source: np.ndarray, target: np.ndarray, sine: np.float32, cosine: np.float32) -> None:
    """Rotate about the centre by bilinear interpolation in sixteenths of a pixel.

    White comes in from outside.

    Args:
      source: [H, W] uint8.
      target: [H, W] uint8, written.
      sine: sine of the angle, times 16.
      cosine: cosine of the angle, times 16.
    """
    height, width = source.shape
    x_centre, y_centre = width // 2, height // 2
    for i in range(height):
        dy = np.float32(y_centre - i)
        for j in range(width):
            dx = np.float32(x_centre - j)
            # The place in the source, in sixteenths from the centre.
            x = int(-dx * cosine - dy * sine)
            y = int(-dy * cosine + dx * sine)
            column, row = x_centre + (x >> 4), y_centre + (y >> 4)
            if column < 0 or row < 0 or column > width - 2 or row > height - 2:
                target[i, j] = 255
                continue
            x &= 15  # what the shifts by 4 above cut off, so 0 to 15 for negative places, too
            y &= 15
            a, b = np.int32(source[row, column]), np.int32(source[row, column + 1])
            c, d = np.int32(source[row + 1, column]), np.int32(source[row + 1, column + 1])
            if a == b == c == d:  # true for most of a page, and faster
                target[i, j] = a
                continue
            target[i, j] = (
                (16 - x) * (16 - y) * a + x * (16 - y) * b + (16 - x) * y * c + x * y * d + 128
            ) >> 8


def speckle(image: np.ndarray, state: int, ramp: bool, offset: int) -> int:
    """Add noise, a shadow and an offset, in place.

    Args:
      image: [H, W] uint8.
      state: state of `data.random.MinStd`.
      ramp: whether to add the shadow, which grows from top left to bottom right.
      offset: grey levels to add.
    Returns: the new state.
    """
    height, width = image.shape
    for i in range(height):
        for j in range(width):
            # The remainder without a division: 2**31 is 1 modulo 2**31 - 1, so the upper bits
            # can be added to the lower ones.
            state *= MINSTD_MULTIPLIER
            state = (state & MINSTD_MODULUS) + (state >> 31)
            if state >= MINSTD_MODULUS:
                state -= MINSTD_MODULUS
            value = image[i, j] + state % 11 - 5
            if ramp:
                value -= (2 * j + i) * 32 // (height + width)
            value += offset
            image[i, j] = min(max(value, 0), 255)
    return state


def add_noise(image: np.ndarray, seed: int, deviation: float, spare: np.ndarray) -> None:
    """Add normally distributed noise made from the C library's random numbers, in place.

    Args:
      image: [H, W] uint8.
      seed: argument of `srand`.
      deviation: standard deviation in grey levels.
      spare: [2] float32: 1 and a number that was left over from an earlier call, or 0 and anything.
    """
    # `srand` of the GNU C library: 31 numbers of a simple generator, of which the first three are
    # repeated, are the history of the actual one, whose first 310 numbers are dropped.
    table = np.empty(34, np.int64)
    table[0] = seed if seed else 1
    for k in range(1, 31):
        table[k] = table[k - 1] * _SRAND_MULTIPLIER % MINSTD_MODULUS
    for k in range(31, 34):
        table[k] = table[k - 31]
    history = np.empty(31, np.uint32)
    for k in range(31):
        history[k] = table[k + 3]
    place = 0
    for _ in range(310):
        place = _next_random(history, place)
    height, width = image.shape
    for i in range(height):
        for j in range(width):
            if spare[0] != 0.0:
                spare[0] = 0.0
                drawn = spare[1]
            else:
                place = _draw_pair(history, place, spare)
                drawn = spare[0]
                spare[0] = 1.0
            value = image[i, j] + int(deviation * np.float64(drawn) + 0.5)
            image[i, j] = min(max(value, 0), 255)


def _next_random(history: np.ndarray, place: int) -> int:
    """Replace the oldest of 31 numbers by its sum with the third newest; the next place."""
    history[place] += history[(place + 28) % 31]
    return (place + 1) % 31


def _unit(history: np.ndarray, place: int) -> np.float32:
    """The newest number, scaled to the range from -1 to 1."""
    drawn = np.float32(history[(place + 30) % 31] >> 1) / _RAND_MAX
    return np.float32(2.0 * np.float64(drawn) - 1.0)


def _draw_pair(history: np.ndarray, place: int, pair: np.ndarray) -> int:
    """Draw two normally distributed numbers by Marsaglia's polar method; the next place."""
    while True:
        place = _next_random(history, place)
        x = _unit(history, place)
        place = _next_random(history, place)
        y = _unit(history, place)
        square = x * x + y * y
        if 0.0 < square < 1.0:
            break
    factor = np.float32(math.sqrt(-2.0 * math.log(np.float64(square)) / np.float64(square)))
    pair[0] = y * factor
    pair[1] = x * factor
    return place
