"""Tesseract's random numbers, many at a time.

The generator multiplies its state by a constant, so its k-th next state is a power of that
constant times the present one, and a whole run of numbers is one array product.

Source: Tesseract src/ccutil/helpers.h, TRand.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from lstmjax.constants import MINSTD_MODULUS, MINSTD_MULTIPLIER

# Seeds of successive samples differ by this much.
_SAMPLE_STRIDE = 0x10000001


class MinStd:
    """A stream of pseudo-random numbers in 1..2147483646; drawing advances `state`."""

    def __init__(self, state: int = 1):
        if not 0 < state < MINSTD_MODULUS:
            raise ValueError(f"the state must be in 1..{MINSTD_MODULUS - 1}, found {state}")
        self.state = state

    @classmethod
    def seed(cls, value: int) -> "MinStd":
        """A stream seeded as in the original: by the remainder of the modulus, or 1 for 0."""
        return cls(value % MINSTD_MODULUS or 1)

    @classmethod
    def for_sample(cls, sample_iteration: int) -> "MinStd":
        """The stream for one line: seeded by its serial number, the first number dropped.

        Source: Tesseract src/lstm/lstmrecognizer.cpp, SetRandomSeed.
        """
        stream = cls.seed(sample_iteration * _SAMPLE_STRIDE)
        stream.skip(1)
        return stream

    def skip(self, count: int) -> None:
        """Drop `count` numbers."""
        self.state = self.state * pow(MINSTD_MULTIPLIER, count, MINSTD_MODULUS) % MINSTD_MODULUS

    def integers(self, count: int) -> NDArray[np.int64]:
        """The next `count` numbers, each in 1..2147483646."""
        if not count:
            return np.zeros(0, np.int64)
        powers = _powers(max(64, 1 << (count - 1).bit_length()))
        numbers = powers[:count] * self.state % MINSTD_MODULUS
        self.state = int(numbers[-1])
        return numbers

    def signed(self, count: int, scale: float = 1.0) -> NDArray[np.float64]:
        """The next `count` numbers spread over the open interval -scale..scale."""
        numbers = self.integers(count).astype(np.float64)
        return scale * 2.0 * numbers / MINSTD_MODULUS - scale


@lru_cache(maxsize=8)
def _powers(count: int) -> NDArray[np.int64]:
    """The first `count` powers of the multiplier, from the first; `count` is a power of two."""
    powers = np.array([MINSTD_MULTIPLIER], np.int64)
    while len(powers) < count:
        # Doubling: the second half is the first times its last power.
        powers = np.concatenate([powers, powers * powers[-1] % MINSTD_MODULUS])
    powers.flags.writeable = False
    return powers
