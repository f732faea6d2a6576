"""The codes of one time step: their certainties, their ranks, and the edges that have them.

Source: Tesseract src/lstm/recodebeam.cpp, ComputeTopN, ComputeSecTopN, ProbToCertainty.
"""

from typing import NamedTuple

import numpy as np

from lstmjax.ctc._heaps import pop, sift_up
from lstmjax.simd.borrow import always_inline
from lstmjax.simd.compile import inner, kernel

MIN_CERTAINTY = np.float32(-20)
MIN_PROB = np.exp(MIN_CERTAINTY)

TOP_N = 5
TOP_TWO, TOP_FIVE, ALSO_RAN = 0, 1, 2  # ranks of codes at a step


class Codes(NamedTuple):
    """Ranks of the codes of one time step, and the edges with codes of a rank.

    Attributes:
      ranks: [K] rank of each code at this step.
      best: [2] the best and the second best code.
      listed: [states, 3] for which step and rank the edges of a state were listed last, and
        where in `listing`: most nodes are in the same state and want the same few edges.
      listing: [edges] edges listed at this step.
      top: [TOP_N + 1] scratch heap to rank codes with.
    """

    ranks: np.ndarray
    best: np.ndarray
    listed: np.ndarray
    listing: np.ndarray
    top: np.ndarray


def make_codes(num_codes: int, num_states: int, num_edges: int) -> Codes:
    """Memory for the codes of a step, for a character set of so many states and edges."""
    return Codes(
        np.empty(num_codes, np.int8),
        np.empty(2, np.int64),
        np.empty((num_states, 3), np.int64),
        np.empty(num_edges, np.int64),
        np.empty(TOP_N + 1, np.int64),
    )


@kernel
def certainty_of(prob):
    """The logarithm of a probability, not below `MIN_CERTAINTY`."""
    always_inline()
    return np.log(prob) if prob > MIN_PROB else MIN_CERTAINTY


@inner
def rank_codes(probs, null_char, codes):
    """Find the best two codes and the best five; the null always counts among the best."""
    always_inline()
    heap, size = codes.top, 0
    worst = np.float32(0)
    for code in range(len(probs)):
        # The first five get in whatever their probability.
        if size < TOP_N or probs[code] > worst:
            heap[sift_up(heap, size, code, probs)] = code
            size += 1
            if size > TOP_N:
                pop(heap, size, probs)
                size -= 1
            worst = probs[heap[0]]
    # The heap gives the worst first, so the last two to leave it are the best.
    codes.ranks[:] = ALSO_RAN
    codes.best[:] = -1
    while size > 0:
        code = pop(heap, size, probs)
        size -= 1
        codes.ranks[code] = TOP_FIVE if size > 1 else TOP_TWO
        if size < 2:
            codes.best[size] = code
    codes.ranks[null_char] = TOP_TWO


@inner
def list_edges(edges, state, rank, t, codes, listed_edges):
    """Return where in `listing` the edges of a state with codes of a rank are; list them once."""
    always_inline()
    # A number for each step and rank, so that nothing has to be cleared between them.
    token = 3 * t + rank
    if codes.listed[state, 0] != token:
        codes.listed[state, 0] = token
        codes.listed[state, 1] = listed_edges
        for edge in range(edges.starts[state], edges.starts[state + 1]):
            if codes.ranks[edges.codes[edge]] == rank:
                codes.listing[listed_edges] = edge
                listed_edges += 1
        codes.listed[state, 2] = listed_edges
    return codes.listed[state, 1], codes.listed[state, 2], listed_edges


@inner
def are_two_best(codes, code, before):
    """Whether a code and the one before it are the best two of the step, in any order."""
    always_inline()
    best, second = codes.best[0], codes.best[1]
    return (before == best and code == second) or (code == best and before == second)
