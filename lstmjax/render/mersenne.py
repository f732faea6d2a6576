"""The shuffle of n-grams: `std::shuffle` of GNU libstdc++ with a Mersenne twister.

Source: the behaviour of libstdc++ (seed_seq, mt19937, uniform_int_distribution, shuffle).
"""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

T = TypeVar("T")
_SIZE = 624
_MASK = 0xFFFFFFFF


def shuffled(values: Sequence[T], seed: int) -> list[T]:
    """Shuffle as `std::shuffle` does with a generator seeded through `seed_seq{seed}`."""
    result = list(values)
    if len(result) < 2:
        return result
    draws = _Draws(seed)
    count = len(result)
    i = 1
    if _MASK // count < count:  # too many to draw two places at once
        while i < count:
            j = draws.below(i + 1)
            result[i], result[j] = result[j], result[i]
            i += 1
        return result
    # Two places are drawn at once, which leaves a first one over for even numbers of values.
    if count % 2 == 0:
        j = draws.below(2)
        result[i], result[j] = result[j], result[i]
        i += 1
    while i < count:
        both = draws.below((i + 1) * (i + 2))
        first, second = divmod(both, i + 2)
        result[i], result[first] = result[first], result[i]
        result[i + 1], result[second] = result[second], result[i + 1]
        i += 2
    return result


class _Draws:
    """Random numbers of 32 bits."""

    def __init__(self, seed: int):
        self._twister = np.random.MT19937()
        key = np.array(_seed_sequence([seed & _MASK], _SIZE), np.uint32)
        # A seed of all zeros would give only zeros; the C++ standard sets this bit.
        if key[0] & 0x80000000 == 0 and not key[1:].any():
            key[0] = 0x80000000
        self._twister.state = {"bit_generator": "MT19937", "state": {"key": key, "pos": _SIZE}}

    def below(self, limit: int) -> int:
        """A number from 0 to `limit` - 1 by multiplication (Lemire's method)."""
        product = self._draw() * limit
        low = product & _MASK
        # Rejected, or small numbers would be a little more likely.
        if low < limit:
            least = (1 << 32) % limit
            while low < least:
                product = self._draw() * limit
                low = product & _MASK
        return product >> 32

    def _draw(self) -> int:
        return int(self._twister.random_raw())


def _seed_sequence(seeds: list[int], size: int) -> list[int]:
    """Spread seeds over `size` numbers of 32 bits (C++ standard, rand.util.seedseq)."""
    state = [0x8B8B8B8B] * size
    count = len(seeds)
    lag = 11 if size >= 623 else 7 if size >= 68 else 5 if size >= 39 else 3 if size >= 7 else 1
    p = (size - lag) // 2
    q = p + lag
    rounds = max(count + 1, size)

    def mix(value: int) -> int:
        return value ^ (value >> 27)

    for k in range(rounds):
        added = 1664525 * mix(state[k % size] ^ state[(k + p) % size] ^ state[(k - 1) % size])
        added &= _MASK
        other = count if k == 0 else k % size + seeds[k - 1] if k <= count else k % size
        state[(k + p) % size] = (state[(k + p) % size] + added) & _MASK
        state[(k + q) % size] = (state[(k + q) % size] + added + other) & _MASK
        state[k % size] = (added + other) & _MASK
    for k in range(rounds, rounds + size):
        summed = state[k % size] + state[(k + p) % size] + state[(k - 1) % size]
        taken = 1566083941 * mix(summed & _MASK) & _MASK
        other = (taken - k % size) & _MASK
        state[(k + p) % size] ^= taken
        state[(k + q) % size] ^= other
        state[k % size] = other
    return state
