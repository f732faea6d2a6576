"""The nodes of the beam search with a dictionary, and how they get into beams.

Source: tesseract src/lstm/recodebeam.cpp, PushHeapIfBetter, PushInitialDawgIfBetter.
"""

from typing import NamedTuple

import numpy as np

from lstmjax.ctc._beams import (
    BEAM_WIDTHS,
    NUM_CONTINUATIONS,
    NUM_LENGTHS,
    NUM_PLAIN_BEAMS,
    Beams,
    extend_history,
    free_node,
)
from lstmjax.ctc._heaps import pop, sift_down, sift_up
from lstmjax.ctc._lexicon_walk import NONE, Lexicon
from lstmjax.simd.borrow import always_inline
from lstmjax.simd.compile import inner

DICTIONARY = NUM_PLAIN_BEAMS  # the first of the beams for words of the dictionary
NUM_BEAMS = 2 * DICTIONARY
INVALID = -1  # no unichar, or not yet
START_OF_DAWG, START_OF_WORD, END_OF_WORD, DUPLICATE = 1, 2, 4, 8  # flags of a node
NO_DAWGS, INITIAL_DAWGS = -1, -2  # `dawgs` of nodes that have no positions of their own


def max_nodes(longest: int) -> int:
    """The most nodes of a time step.

    Args:
      longest: most codes that begin a unichar without completing it.
    """
    # One more than fits, while a full heap takes a new node.
    return 2 * NUM_CONTINUATIONS * int(BEAM_WIDTHS[: longest + 1].sum()) + 1


class Edges(NamedTuple):
    """A character set's prefix automaton; the null is no unichar (-1)."""

    starts: np.ndarray
    codes: np.ndarray
    next_states: np.ndarray
    unichar_ids: np.ndarray
    is_final: np.ndarray
    num_codes: int
    null_char: int


class Weights(NamedTuple):
    """How certainties become scores.

    Attributes:
      dict_ratio: float32, factor for everything that is not in the dictionary.
      offset: float64, added to every certainty.
      worst: float32, certainty below which nothing counts as in the dictionary.
    """

    dict_ratio: np.float32
    offset: np.float64
    worst: np.float32


# A node: one time step of a path, see `_beam_loops.NODE`. `unichar` is set where one is complete,
# `before` is the last node (this one or earlier) at which one was completed and not repeated,
# `dawgs` and `num_dawgs` say which positions in the dictionary it leads to.
NODE = np.dtype(
    [
        ("history", np.uint64),
        ("score", np.float32),
        ("certainty", np.float32),
        ("code", np.int64),
        ("state", np.int64),
        ("unichar", np.int64),
        ("permuter", np.int64),
        ("flags", np.int64),
        ("dawgs", np.int64),
        ("num_dawgs", np.int64),
        ("before", np.int64),
        ("previous", np.int64),
    ],
    align=True,
)


class Search(NamedTuple):
    """All that the search of a line works with.

    Attributes:
      nodes: [n] nodes of all steps of the line, see `NODE`.
      positions: [n] places in the dictionary that nodes lead to, see `_lexicon_walk.POSITION`.
      edges: codes of the character set.
      lexicon: dictionary of the model.
      weights: factors of the scores.
      beams: beams of a step; the third of their counters is the number of positions used.
      has_start: [3] for each continuation, whether the node of this number is one at which a word
        may begin; it is the best of the step.
      num_initial: number of positions, the first ones, that words can begin from.
    """

    nodes: np.ndarray
    positions: np.ndarray
    edges: Edges
    lexicon: Lexicon
    weights: Weights
    beams: Beams
    has_start: np.ndarray
    num_initial: int


class New(NamedTuple):
    """The contents of a node to be made."""

    code: int
    state: int
    unichar: int
    permuter: int
    flags: int
    certainty: np.float32
    previous: int
    dawgs: int
    num_dawgs: int


@inner
def score_of(nodes, certainty, previous):
    always_inline()
    if previous >= 0:
        return np.float32(certainty + nodes[previous].score)
    return np.float32(certainty)


@inner
def _set_node(s, node, new):
    always_inline()
    record, previous = s.nodes[node], new.previous
    record.history = s.nodes[previous].history if previous >= 0 else np.uint64(0)
    record.before = s.nodes[previous].before if previous >= 0 else NONE
    # A repeat adds neither a code nor a unichar.
    if not new.flags & DUPLICATE:
        if new.code != s.edges.null_char:
            record.history = extend_history(record.history, new.code, s.edges.num_codes)
        if new.unichar != INVALID:
            record.before = node
    record.certainty, record.score = new.certainty, score_of(s.nodes, new.certainty, previous)
    record.code, record.state, record.unichar = new.code, new.state, new.unichar
    record.permuter, record.flags, record.previous = new.permuter, new.flags, previous
    record.dawgs, record.num_dawgs = new.dawgs, new.num_dawgs


@inner
def insert(s, beam, node):
    """Put a finished node into a beam; keep one of each code, history, permuter and kind.

    Returns: True if the node got in; otherwise it is free again.
    """
    always_inline()
    nodes, beams = s.nodes, s.beams
    heap, size = beams.heaps[beam], beams.sizes[beam]
    new = nodes[node]
    for slot in range(size):
        old = nodes[heap[slot]]
        if (
            # Paths that differ in these will go on differently, so both are kept.
            old.code == new.code
            and old.history == new.history
            and old.permuter == new.permuter
            and old.flags & START_OF_DAWG == new.flags & START_OF_DAWG
        ):
            if not new.score > old.score:
                beams.counters[1] = node
                return False
            # The worse node of the two is free to be used again.
            beams.counters[1] = heap[slot]
            hole = sift_down(heap, size, slot, node, nodes.score)
            heap[sift_up(heap, hole, node, nodes.score)] = node
            return True
    heap[sift_up(heap, size, node, nodes.score)] = node
    size += 1
    if size > BEAM_WIDTHS[beam % NUM_LENGTHS]:
        beams.counters[1] = pop(heap, size, nodes.score)
        size -= 1
    beams.sizes[beam] = size
    return True


@inner
def is_full(s, beam, score):
    """Whether a beam has no use for a node of this score."""
    always_inline()
    width = BEAM_WIDTHS[beam % NUM_LENGTHS]
    return s.beams.sizes[beam] >= width and not score > s.nodes[s.beams.heaps[beam, 0]].score


@inner
def push(s, beam, new):
    """Put a node into a beam if it is good enough; return whether it got in."""
    always_inline()
    if is_full(s, beam, score_of(s.nodes, new.certainty, new.previous)):
        return False
    node = free_node(s.beams.counters)
    _set_node(s, node, new)
    return insert(s, beam, node)


@inner
def push_start(s, continuation, new):
    """Remember the best node of the step after which a word may begin."""
    always_inline()
    score = score_of(s.nodes, new.certainty, new.previous)
    if not s.has_start[continuation] or score > s.nodes[continuation].score:
        s.has_start[continuation] = True
        _set_node(s, continuation, new)
