"""Augmentation: lines as if printed, photographed and scanned in another way at each visit.

`augment` bends and degrades a scaled line inside its own width and height, so that the shapes of
batches, for which steps are compiled, stay the same. The result is a pure function of the line,
the seed and the serial number of the sample in the run: it does not depend on the batch, the
devices, or the lines loaded before.
"""

import math
from functools import lru_cache

import numpy as np
from jaxtyping import Float32
from numpy.typing import NDArray

from lstmjax.data._augment_loops import Look
from lstmjax.data.augmentation import Augmentation
from lstmjax.data.scale import Pixels
from lstmjax.simd.compile import compiled

_LOOPS = "lstmjax.data._augment_loops"
_DRAWS = 40
_GOLDEN = 0x9E3779B97F4A7C15
_MASK = (1 << 64) - 1


def augment(pixels: Pixels, settings: Augmentation, seed: int, sample: int) -> Pixels:
    """Bend and degrade one line; the same arguments give the same pixels.

    Args:
      pixels: [h, w] or [h, w, 3] uint8, scaled for the network; dark on light or light on dark.
        All three colours are changed in the same way.
      settings: strength of each kind of change.
      seed: seed of the run.
      sample: serial number of the line in the run.
    Returns: an image of the same shape; `pixels` itself if no kind is on.
    """
    if not settings.on or not pixels.size:
        return pixels
    draws = _Draws(seed, sample)
    if pixels.ndim == 2:
        return _augment_grey(pixels, settings, draws)
    # The same draws for each channel, or edges would get coloured rims.
    channels = [_augment_grey(pixels[..., i], settings, draws.again()) for i in range(3)]
    return np.stack(channels, axis=-1)


class _Draws:
    """Random numbers that depend on seed and sample only, taken one by one."""

    def __init__(self, seed: int, sample: int):
        self.key = _mixed(_mixed(seed) + sample)
        steps = np.uint64(self.key) + _golden_steps()
        self._numbers = (_mixed_array(steps) >> np.uint64(11)).astype(np.float64) * 2.0**-53
        self._iterator = iter(self._numbers.tolist())

    def again(self) -> "_Draws":
        """Start over with the first number."""
        self._iterator = iter(self._numbers.tolist())
        return self

    def between(self, low: float, high: float) -> float:
        """A number from `low` to `high`."""
        return low + (high - low) * next(self._iterator)

    def signed(self, most: float) -> float:
        """A number from -`most` to `most`."""
        return self.between(-most, most)

    def coin(self) -> bool:
        """True with a chance of one half."""
        return next(self._iterator) < 0.5


@lru_cache(maxsize=1)
def _golden_steps() -> NDArray[np.uint64]:
    return np.arange(1, _DRAWS + 1, dtype=np.uint64) * np.uint64(_GOLDEN)


def _mixed(value: int) -> int:
    """The finalizer of SplitMix64. Source: Steele, Lea, Flood 2014, section 4."""
    value = (value + _GOLDEN) & _MASK
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _MASK
    return value ^ (value >> 31)


def _mixed_array(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def _augment_grey(pixels: Pixels, settings: Augmentation, draws: _Draws) -> Pixels:
    loops = compiled(_LOOPS)
    pixels = np.ascontiguousarray(pixels).view()
    pixels.flags.writeable = False  # numba compiles read-only arrays separately; have one type
    height, width = pixels.shape
    paper, ink, first, last = loops.measure(pixels)
    across, squeeze = _across(draws, settings.stretch, height, width, first, last)
    down = _down(draws, settings, height, width)
    look = _look(draws, settings, float(paper), squeeze)
    spots = _spots(draws, settings.spots, height, width, (paper, ink))
    target = np.empty((height, width), np.uint8)
    loops.spoil(pixels, target, across, down, look, spots)
    return target


def _across(
    draws: _Draws, strength: float, height: int, width: int, first: int, last: int
) -> tuple[Float32[np.ndarray, " W"], float]:
    """The source column of each column, and the source rows for each row.

    Letters become narrower, or wider as far as the margins of the line allow; in addition some
    letters become narrower and others wider.
    """
    # All numbers are drawn whatever the strength is, so that later draws do not depend on it.
    ink = max(last - first + 1, 1)
    # Letters grow at most until the ink fills the line.
    least = min(1.0, max(1 - 0.12 * strength, (ink + 1) / width))
    scale = draws.between(least, 1 + 0.12 * strength)
    # The ink begins near where it did, as far as the margins allow.
    room = max(width - ink / scale, 0.0)
    shift = 0.25 * height * strength
    middle = min(max(first - 0.5 * (ink / scale - ink), 0.0), room)
    left = draws.between(max(middle - shift, 0.0), min(middle + shift, room))
    # Well below 1, where columns would change places: the wave's slope is up to 1.
    bend = min(draws.signed(0.15 * strength), 0.6)
    wave = _wave(draws, 4 * height, 16 * height, width)
    squeeze = draws.between(1 - 0.04 * strength, 1 + 0.1 * strength)
    x = np.arange(width, dtype=np.float32)
    if not strength:
        return x, 1.0
    x += np.float32(max(bend, -0.6)) * wave
    return (first + (x - np.float32(left)) * np.float32(scale)).astype(np.float32), squeeze


def _wave(draws: _Draws, shortest: float, longest: float, width: int) -> Float32[np.ndarray, " W"]:
    """A sine with a slope of at most 1, less the straight line through its two ends."""
    rate = 2 * math.pi / draws.between(shortest, longest)
    phase = draws.between(0, 2 * math.pi)
    wave = np.sin(np.arange(width) * rate + phase) / rate
    # The ends stay where they are.
    return (wave - np.linspace(wave[0], wave[-1], width)).astype(np.float32)


def _down(
    draws: _Draws, settings: Augmentation, height: int, width: int
) -> Float32[np.ndarray, " W"]:
    """Rows that the source lies below each column: a slope and an uneven baseline."""
    end = draws.signed(0.06 * settings.slope * height)
    slope = np.linspace(-end, end, width) if width > 1 else np.zeros(width)
    size = draws.between(0, 0.04 * settings.wave * height)
    rate = 2 * math.pi / draws.between(2 * height, 12 * height)
    wave = size * np.sin(np.arange(width) * rate + draws.between(0, 2 * math.pi))
    return (slope + wave).astype(np.float32)


def _look(draws: _Draws, settings: Augmentation, paper: float, squeeze: float) -> Look:
    """Draw the changes to the pixels; strokes, blur, noise and shade with a chance of 1/2 each."""
    # Drawn in any case, as in `_across`; a coin of 0 turns the change off.
    slant = draws.signed(0.15 * settings.slant)
    thicken = draws.coin() * draws.signed(min(0.5 * settings.exposure, 1.0))
    soften = draws.coin() * draws.between(0, min(0.2 * settings.blur, 1 / 3))
    grain = draws.coin() * draws.between(0, 10 * settings.noise)
    crisp = draws.coin()
    shaded, shade = draws.coin(), settings.shade
    weakest = max(1 - 0.4 * shade, 0.2)
    ink = draws.between(weakest, 1)
    fade = draws.signed(min(0.2 * shade, 0.5 * weakest))
    shadow_x, shadow_y = draws.signed(20 * shade), draws.signed(10 * shade)
    if not shaded:
        ink, fade, shadow_x, shadow_y = 1.0, 0.0, 0.0, 0.0
    return Look(
        slant, squeeze, paper, thicken, soften, grain, crisp, ink, fade, shadow_x, shadow_y,
        draws.key & 0x7FFFFFFF,
    )  # fmt: skip


def _spots(
    draws: _Draws, strength: float, height: int, width: int, levels: tuple[int, int]
) -> Float32[np.ndarray, "N 4"]:
    """Row, column, radius and level of specks: up to 0.6 per square of the line's height."""
    if not draws.coin():
        strength = 0.0
    count = int(draws.between(0, 0.6 * strength * width / height + strength))
    spots = np.empty((count, 4), np.float32)
    # Their number varies, so they have a stream of their own and leave the draws alone.
    key = _mixed(draws.key + 1)
    for spot in spots:
        numbers = []
        for _ in range(4):
            key = _mixed(key)
            numbers.append(key * 2.0**-64)
        spot[:] = (
            numbers[0] * height,
            numbers[1] * width,
            height * (0.01 + 0.03 * numbers[2]),
            levels[numbers[3] < 0.6],
        )
    return spots
