"""The beams of both searches: heaps of the best paths, one for each kind of path.

Source: Tesseract src/lstm/recodebeam.h and recodebeam.cpp.
"""

from typing import NamedTuple

import numpy as np

from lstmjax.simd.borrow import always_inline
from lstmjax.simd.compile import inner, kernel

ANY, ONLY_DUP, NO_DUP = 0, 1, 2  # continuations: what may follow a path
NUM_CONTINUATIONS = 3
NUM_LENGTHS = 10  # a character takes at most 9 codes
NUM_PLAIN_BEAMS = NUM_CONTINUATIONS * NUM_LENGTHS
"""A beam without a dictionary is number continuation * NUM_LENGTHS + codes read of a character."""
BEAM_WIDTHS = np.array([5, 10, 16, 16, 16, 16, 16, 16, 16, 16], np.int64)
MAX_WIDTH = 16


class Beams(NamedTuple):
    """The beams of one time step, and of the step before.

    Attributes:
      heaps: [beams, MAX_WIDTH + 1] nodes, the worst of a beam first.
      sizes: [beams] nodes of each beam.
      counters: [2 or more] the number of nodes used, and a node dropped at this step (or -1), to
        be used again.
      old_heaps: [beams, MAX_WIDTH + 1] nodes of the step before.
      old_sizes: [beams] nodes of each beam at the step before.
    """

    heaps: np.ndarray
    sizes: np.ndarray
    counters: np.ndarray
    old_heaps: np.ndarray
    old_sizes: np.ndarray


def make_beams(num_beams: int, num_counters: int) -> Beams:
    """Memory for the beams of two steps."""
    shape = (num_beams, MAX_WIDTH + 1)
    return Beams(
        np.empty(shape, np.int64),
        np.empty(num_beams, np.int64),
        np.empty(num_counters, np.int64),
        np.empty(shape, np.int64),
        np.empty(num_beams, np.int64),
    )


@inner
def next_step(beams):
    """Make the beams those of the step before, and begin with empty ones."""
    always_inline()
    # Copied, since the members of a tuple cannot be exchanged.
    for beam in range(len(beams.sizes)):
        size = beams.sizes[beam]
        for slot in range(size):
            beams.old_heaps[beam, slot] = beams.heaps[beam, slot]
        beams.old_sizes[beam] = size
        beams.sizes[beam] = 0
    beams.counters[1] = -1


@inner
def free_node(counters):
    """Return the number of a node to be used: the one dropped last, or a new one."""
    always_inline()
    node = counters[1]
    if node >= 0:
        counters[1] = -1
        return node
    counters[0] += 1
    return counters[0] - 1


@kernel
def extend_history(history, code, num_codes):
    """Hash one more code into a history; code 0 at the start changes nothing, as in the C++."""
    always_inline()
    n = np.uint64(num_codes)
    # What overflows 64 bits comes back at the low end.
    carry = ((history >> np.uint64(32)) * n) >> np.uint64(32)
    return history * n + carry + np.uint64(code)
