"""The loops of the beam search without a dictionary; `beam` says what they compute."""

from typing import NamedTuple

import numpy as np

from lstmjax.ctc._beams import (
    ANY,
    BEAM_WIDTHS,
    NO_DUP,
    NUM_LENGTHS,
    NUM_PLAIN_BEAMS,
    ONLY_DUP,
    Beams,
    extend_history,
    free_node,
    make_beams,
    next_step,
)
from lstmjax.ctc._codes import (
    ALSO_RAN,
    TOP_TWO,
    Codes,
    are_two_best,
    certainty_of,
    list_edges,
    make_codes,
    rank_codes,
)
from lstmjax.ctc._heaps import pop, sift_down, sift_up
from lstmjax.simd.borrow import always_inline, borrowed
from lstmjax.simd.compile import inner, kernel

MAX_NODES = 3 * int(BEAM_WIDTHS.sum()) + 1  # of a step; one more while a full heap takes a new one


class Edges(NamedTuple):
    """A character set's prefix automaton; `num_codes` is the highest code and one."""

    starts: np.ndarray
    codes: np.ndarray
    next_states: np.ndarray
    is_final: np.ndarray
    num_codes: int


# A node: one time step of a path. The nodes of all steps of a line lie in one array, and a node
# is an index into it. `history` is a hash of the non-null codes so far without repeats, as the
# C++ computes it.
NODE = np.dtype(
    [
        ("history", np.uint64),
        ("score", np.float32),
        ("certainty", np.float32),
        ("code", np.int64),
        ("state", np.int64),
        ("previous", np.int64),
    ],
    align=True,
)


class Room(NamedTuple):
    """Memory for a search.

    Attributes:
      nodes: [MAX_NODES * T] nodes of all steps of a line.
      beams: beams of a step.
      worst: [NUM_PLAIN_BEAMS] score of the worst node of each full beam, which a new one must
        exceed.
      codes: codes of a step.
      alone: [K] certainty of each of the `TOP_TWO` codes.
      or_null: [K] certainty of each of them or the null.
    """

    nodes: np.ndarray
    beams: Beams
    worst: np.ndarray
    codes: Codes
    alone: np.ndarray
    or_null: np.ndarray


class _Search(NamedTuple):
    """All that the search of a line works with, see `Room`."""

    edges: Edges
    null_char: int
    nodes: np.ndarray
    beams: Beams
    worst: np.ndarray
    codes: Codes
    alone: np.ndarray
    or_null: np.ndarray


def make_room(num_steps: int, num_codes: int, edges: Edges) -> Room:
    """Memory for lines of up to so many steps."""
    return Room(
        np.empty(MAX_NODES * num_steps, NODE),
        make_beams(NUM_PLAIN_BEAMS, 2),
        np.empty(NUM_PLAIN_BEAMS, np.float32),
        make_codes(num_codes, len(edges.starts) - 1, len(edges.codes)),
        np.empty(num_codes, np.float32),
        np.empty(num_codes, np.float32),
    )


@inner
def _note_certainties(s, probs):
    """Compute the certainties once that paths in many beams ask for."""
    always_inline()
    for code in (s.codes.best[0], s.codes.best[1], s.null_char):
        if code >= 0:  # -1: a network with fewer than two classes
            s.alone[code] = certainty_of(probs[code])
            s.or_null[code] = certainty_of(probs[code] + probs[s.null_char])


@inner
def _push(nodes, beams, worst, beam, code, state, history, certainty, score, previous):
    """Put a node into a beam, which it is good enough for; keep one of each code and history.

    Callers compare the score with `worst` first, since most nodes are not good enough.
    """
    heap, size = beams.heaps[beam], beams.sizes[beam]
    width = BEAM_WIDTHS[beam % NUM_LENGTHS]
    slot = 0
    while slot < size:
        if nodes[heap[slot]].code == code and nodes[heap[slot]].history == history:
            break
        slot += 1
    if slot < size:
        node = heap[slot]
        if not score > nodes[node].score:
            return
    else:
        node = free_node(beams.counters)
    new = nodes[node]
    new.code, new.state, new.history, new.previous = code, state, history, previous
    new.score, new.certainty = score, certainty
    if slot < size:
        slot = sift_down(heap, size, slot, node, nodes.score)
        heap[sift_up(heap, slot, node, nodes.score)] = node
    else:
        heap[sift_up(heap, size, node, nodes.score)] = node
        size += 1
        if size > width:
            # The worst path leaves; the next new node takes its place in the array.
            beams.counters[1] = pop(heap, size, nodes.score)
            size -= 1
        beams.sizes[beam] = size
    # Only a full beam sets a bar.
    if size == width:
        worst[beam] = nodes[heap[0]].score


@inner
def _repeat(s, probs, rank, node, beam):
    """Extend a node by its own code once more, and a half read character by a null."""
    always_inline()
    old, null_char = s.nodes[node], s.null_char
    code, state, history, before = old.code, old.state, old.history, old.score
    continuation, length = beam // NUM_LENGTHS, beam % NUM_LENGTHS
    if s.codes.ranks[code] == rank:
        if continuation != NO_DUP:
            # Certainties of the likeliest codes were computed once for all beams.
            certainty = s.alone[code] if rank == TOP_TWO else certainty_of(probs[code])
            score = certainty + before
            if score > s.worst[length]:
                _push(
                    s.nodes, s.beams, s.worst, length, code, state, history, certainty, score, node
                )
        # One step of "this code or the null", after which the code may not follow again.
        if continuation == ANY and rank == TOP_TWO and code != null_char:
            no_dup = NO_DUP * NUM_LENGTHS + length
            score = s.or_null[code] + before
            if score > s.worst[no_dup]:
                either = s.or_null[code]
                _push(s.nodes, s.beams, s.worst, no_dup, code, state, history, either, score, node)
    if continuation == ONLY_DUP:
        return
    # The null always has the rank TOP_TWO, so its certainty has been noted.
    if code != null_char and length > 0 and s.codes.ranks[null_char] == rank:
        certainty = s.alone[null_char]
        score = certainty + before
        if score > s.worst[length]:
            _push(
                s.nodes, s.beams, s.worst, length, null_char, state, history, certainty, score, node
            )


@inner
def _go_on(s, probs, rank, node, beam, begin, end):
    """Extend a node (-1: the start of the line) by the codes of the listed s.edges."""
    always_inline()
    continuation, length = beam // NUM_LENGTHS, beam % NUM_LENGTHS
    before, history, so_far = -1, np.uint64(0), np.float32(0)
    if node >= 0:
        before, history, so_far = s.nodes[node].code, s.nodes[node].history, s.nodes[node].score
    null_char = s.null_char
    for i in range(begin, end):
        edge = s.codes.listing[i]
        code, state = s.edges.codes[edge], s.edges.next_states[edge]
        if code == before:  # `_repeat` has done that
            continue
        new_length = 0 if s.edges.is_final[edge] else length + 1
        if new_length >= NUM_LENGTHS:  # longer than any character
            continue
        certainty = s.alone[code] if rank == TOP_TWO else certainty_of(probs[code])
        score = certainty + so_far
        if score > s.worst[new_length]:
            new_history = history
            if code != null_char:
                new_history = extend_history(history, code, s.edges.num_codes)
            _push(
                s.nodes,
                s.beams,
                s.worst,
                new_length,
                code,
                state,
                new_history,
                certainty,
                score,
                node,
            )
        if rank == TOP_TWO and code != null_char:
            certainty = s.or_null[code]
            alternate = are_two_best(s.codes, code, before)
            # Two codes in turn: whichever of them the step shows, the path goes on.
            if alternate and continuation == ANY and before >= 0 and before != null_char:
                certainty = certainty_of(probs[code] + probs[null_char] + probs[before])
            only_dup = ONLY_DUP * NUM_LENGTHS + new_length
            score = certainty + so_far
            if score > s.worst[only_dup]:
                new_history = extend_history(history, code, s.edges.num_codes)
                _push(
                    s.nodes,
                    s.beams,
                    s.worst,
                    only_dup,
                    code,
                    state,
                    new_history,
                    certainty,
                    score,
                    node,
                )


@inner
def _extend_all(s, probs, t):
    """Extend every node of the step before by codes of falling rank until there is something."""
    always_inline()
    for rank in range(ALSO_RAN + 1):
        listed_edges = 0
        for beam in range(NUM_PLAIN_BEAMS):
            # From the last slot to the first, as in the original: ties depend on the order.
            for slot in range(s.beams.old_sizes[beam] - 1, -1, -1):
                node = s.beams.old_heaps[beam, slot]
                _repeat(s, probs, rank, node, beam)
                if beam // NUM_LENGTHS == ONLY_DUP:
                    continue
                state = s.nodes[node].state
                begin, end, listed_edges = list_edges(
                    s.edges, state, rank, t, s.codes, listed_edges
                )
                _go_on(s, probs, rank, node, beam, begin, end)
        if s.beams.sizes[:NUM_LENGTHS].sum() > 0:  # the ANY beams
            break


@inner
def _search_line(probs, s):
    """Run the search and return the last node of the best path, or -1."""
    always_inline()
    s.beams.sizes[:] = 0
    s.beams.counters[0] = 0
    # Lists of the line before may have the same step and rank.
    s.codes.listed[:] = -1
    for t in range(len(probs)):
        next_step(s.beams)
        s.worst[:] = -np.inf
        rank_codes(probs[t], s.null_char, s.codes)
        _note_certainties(s, probs[t])
        if t == 0:
            # At the first step the original tries the likeliest codes only.
            begin, end, _ = list_edges(s.edges, 0, TOP_TWO, 0, s.codes, 0)
            _go_on(s, probs[0], TOP_TWO, -1, 0, begin, end)
        else:
            _extend_all(s, probs[t], t)
    best = -1
    # Paths of length 0 only: a character that is half read is no reading.
    for beam in (ANY * NUM_LENGTHS, NO_DUP * NUM_LENGTHS):
        for slot in range(s.beams.sizes[beam]):
            node = s.beams.heaps[beam, slot]
            if best < 0 or s.nodes[node].score > s.nodes[best].score:
                best = node
    return best


@inner
def _read_path(nodes, node, T, null_char, codes, starts, ends, certainty):
    """Write down the codes of the path that ends at `node`; return how many there are."""
    path = np.empty(T, np.int64)
    for t in range(T - 1, -1, -1):
        path[t] = node
        node = nodes[node].previous
    count, before = 0, -1
    for t in range(T):
        code, certain = nodes[path[t]].code, nodes[path[t]].certainty
        if code != null_char:
            if code != before:
                codes[count], starts[count], certainty[count] = code, t, certain
                count += 1
            # The end moves on with each repeat; the lowest certainty of all of them counts.
            ends[count - 1] = t + 1
            certainty[count - 1] = min(certainty[count - 1], certain)
        before = code
    return count


@kernel
def search_lines(
    probs, lengths, all_edges, null_char, all_room, codes, starts, ends, certainty, counts
):
    """Read all lines [T, B, K]: the codes of each, their times and certainties, and how many.

    Whoever calls this keeps all arrays, so that loops need not count references to them.
    """
    room, all_probs = borrowed(all_room), borrowed(probs)
    search = _Search(
        borrowed(all_edges), null_char,
        room.nodes, room.beams, room.worst, room.codes, room.alone, room.or_null,
    )  # fmt: skip
    for b in range(len(lengths)):
        T = lengths[b]
        node = _search_line(all_probs[:T, b], search)
        counts[b] = 0
        if node >= 0:
            counts[b] = _read_path(
                room.nodes, node, T, null_char, codes[b], starts[b], ends[b], certainty[b]
            )
