"""The loops of the beam search; `beam` says what they compute."""

from typing import NamedTuple

import numpy as np

from lstmjax.simd.borrow import always_inline, borrowed
from lstmjax.simd.compile import inner, kernel

MIN_CERTAINTY = np.float32(-20)
MIN_PROB = np.exp(MIN_CERTAINTY)

ANY, ONLY_DUP, NO_DUP = 0, 1, 2
NUM_LENGTHS = 10  # a character takes at most 9 codes
NUM_BEAMS = 3 * NUM_LENGTHS  # beam = continuation * NUM_LENGTHS + codes already read
BEAM_WIDTHS = np.array([5, 10, 16, 16, 16, 16, 16, 16, 16, 16], np.int64)
MAX_WIDTH = 16
MAX_NODES = 3 * int(BEAM_WIDTHS.sum()) + 1  # of a step; one more while a full heap takes a new one
TOP_N = 5
TOP_TWO, TOP_FIVE, ALSO_RAN = 0, 1, 2  # ranks of codes at a step


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


class _Beams(NamedTuple):
    """The beams of one time step.

    Attributes:
      heaps: [NUM_BEAMS, MAX_WIDTH + 1] nodes, the worst of a beam first.
      sizes: [NUM_BEAMS].
      counters: [2] the number of nodes used, and a node dropped at this step (or -1), to be reused.
      worst: [NUM_BEAMS] the score of the worst node of each full beam, which a new one must exceed.
      old_heaps: those of the step before.
      old_sizes: likewise.
    """

    heaps: np.ndarray
    sizes: np.ndarray
    counters: np.ndarray
    worst: np.ndarray
    old_heaps: np.ndarray
    old_sizes: np.ndarray


class _Step(NamedTuple):
    """What extending the nodes of one time step works with.

    Attributes:
      ranks: [K] the rank of each code at this step.
      best: [2] the best and the second best code.
      alone: [K] certainty of each of the `TOP_TWO`.
      or_null: [K] certainty of each of them or the null.
      listed: [states, 3] for which step and rank the edges of a state were listed last, and
        where in `listing`: most nodes are in the same state and want the same few edges.
      listing: [edges].
      top: [TOP_N + 1] room to rank codes.
    """

    ranks: np.ndarray
    best: np.ndarray
    alone: np.ndarray
    or_null: np.ndarray
    listed: np.ndarray
    listing: np.ndarray
    top: np.ndarray


class Room(NamedTuple):
    """Memory for a search: `nodes` of all steps of a line, and what one step needs."""

    nodes: np.ndarray
    beams: _Beams
    step: _Step


def make_room(num_steps: int, num_codes: int, edges: Edges) -> Room:
    """For lines of up to so many steps."""
    sizes = (NUM_BEAMS, MAX_WIDTH + 1)
    beams = _Beams(
        np.empty(sizes, np.int64),
        np.empty(NUM_BEAMS, np.int64),
        np.empty(2, np.int64),
        np.empty(NUM_BEAMS, np.float32),
        np.empty(sizes, np.int64),
        np.empty(NUM_BEAMS, np.int64),
    )
    step = _Step(
        np.empty(num_codes, np.int8),
        np.empty(2, np.int64),
        np.empty(num_codes, np.float32),
        np.empty(num_codes, np.float32),
        np.empty((len(edges.starts) - 1, 3), np.int64),
        np.empty(len(edges.codes), np.int64),
        np.empty(TOP_N + 1, np.int64),
    )
    return Room(np.empty(MAX_NODES * num_steps, NODE), beams, step)


@inner
def _sift_up(heap, hole, node, keys):
    """Move a hole towards the root until the node may fill it; return where it is."""
    always_inline()
    while hole > 0:
        parent = (hole + 1) // 2 - 1
        if not keys[node] < keys[heap[parent]]:
            break
        heap[hole] = heap[parent]
        hole = parent
    return hole


@inner
def _sift_down(heap, size, hole, node, keys):
    """Move a hole towards the leaves until the node may fill it; return where it is."""
    always_inline()
    while True:
        child = 2 * hole + 1
        if child >= size:
            break
        if child + 1 < size and keys[heap[child + 1]] < keys[heap[child]]:
            child += 1
        if not keys[heap[child]] < keys[node]:
            break
        heap[hole] = heap[child]
        hole = child
    return hole


@inner
def _pop(heap, size, keys):
    """Take the least node off a heap of `size` nodes and return it."""
    always_inline()
    least, last = heap[0], heap[size - 1]
    heap[_sift_down(heap, size - 1, 0, last, keys)] = last
    return least


@inner
def _rank_codes(probs, null_char, step):
    """Find the best two codes and the best five; the null always counts among the best."""
    always_inline()
    heap, size = step.top, 0
    worst = np.float32(0)
    for code in range(len(probs)):
        if size < TOP_N or probs[code] > worst:
            heap[_sift_up(heap, size, code, probs)] = code
            size += 1
            if size > TOP_N:
                _pop(heap, size, probs)
                size -= 1
            worst = probs[heap[0]]
    step.ranks[:] = ALSO_RAN
    step.best[:] = -1
    while size > 0:
        code = _pop(heap, size, probs)
        size -= 1
        step.ranks[code] = TOP_FIVE if size > 1 else TOP_TWO
        if size < 2:
            step.best[size] = code
    step.ranks[null_char] = TOP_TWO


@inner
def _note_certainties(probs, null_char, step):
    """Find out once what paths in many beams ask for."""
    always_inline()
    for code in (step.best[0], step.best[1], null_char):
        if code >= 0:
            step.alone[code] = _certainty(probs[code])
            step.or_null[code] = _certainty(probs[code] + probs[null_char])


@kernel
def _certainty(prob):
    always_inline()
    return np.log(prob) if prob > MIN_PROB else MIN_CERTAINTY


@kernel
def _extend_history(history, code, num_codes):
    """Hash one more code; code 0 at the start changes nothing, which the C++ shares."""
    always_inline()
    n = np.uint64(num_codes)
    carry = ((history >> np.uint64(32)) * n) >> np.uint64(32)
    return history * n + carry + np.uint64(code)


@inner
def _push(nodes, beams, beam, code, state, history, certainty, score, previous):
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
        node = beams.counters[1]
        if node >= 0:
            beams.counters[1] = -1
        else:
            node = beams.counters[0]
            beams.counters[0] += 1
    new = nodes[node]
    new.code, new.state, new.history, new.previous = code, state, history, previous
    new.score, new.certainty = score, certainty
    if slot < size:
        slot = _sift_down(heap, size, slot, node, nodes.score)
        heap[_sift_up(heap, slot, node, nodes.score)] = node
    else:
        heap[_sift_up(heap, size, node, nodes.score)] = node
        size += 1
        if size > width:
            beams.counters[1] = _pop(heap, size, nodes.score)
            size -= 1
        beams.sizes[beam] = size
    if size == width:
        beams.worst[beam] = nodes[heap[0]].score


@inner
def _list_edges(edges, state, rank, t, step, listed_edges):
    """Return where in `listing` the edges of a state with codes of a rank are; list them once."""
    always_inline()
    token = 3 * t + rank
    if step.listed[state, 0] != token:
        step.listed[state, 0] = token
        step.listed[state, 1] = listed_edges
        for edge in range(edges.starts[state], edges.starts[state + 1]):
            if step.ranks[edges.codes[edge]] == rank:
                step.listing[listed_edges] = edge
                listed_edges += 1
        step.listed[state, 2] = listed_edges
    return step.listed[state, 1], step.listed[state, 2], listed_edges


@inner
def _repeat(probs, null_char, rank, step, nodes, beams, node, beam):
    """Extend a node by its own code once more, and a half read character by a null."""
    always_inline()
    code, state, history = nodes[node].code, nodes[node].state, nodes[node].history
    continuation, length = beam // NUM_LENGTHS, beam % NUM_LENGTHS
    before = nodes[node].score
    if step.ranks[code] == rank:
        if continuation != NO_DUP:
            certainty = step.alone[code] if rank == TOP_TWO else _certainty(probs[code])
            score = certainty + before
            if score > beams.worst[length]:
                _push(nodes, beams, length, code, state, history, certainty, score, node)
        if continuation == ANY and rank == TOP_TWO and code != null_char:
            no_dup = NO_DUP * NUM_LENGTHS + length
            score = step.or_null[code] + before
            if score > beams.worst[no_dup]:
                either = step.or_null[code]
                _push(nodes, beams, no_dup, code, state, history, either, score, node)
    if continuation == ONLY_DUP:
        return
    if code != null_char and length > 0 and step.ranks[null_char] == rank:
        certainty = step.alone[null_char]
        score = certainty + before
        if score > beams.worst[length]:
            _push(nodes, beams, length, null_char, state, history, certainty, score, node)


@inner
def _go_on(probs, null_char, rank, step, nodes, beams, node, beam, edges, begin, end):
    """Extend a node (-1: the start of the line) by the codes of the listed edges."""
    always_inline()
    continuation, length = beam // NUM_LENGTHS, beam % NUM_LENGTHS
    before, history, so_far = -1, np.uint64(0), np.float32(0)
    if node >= 0:
        before, history, so_far = nodes[node].code, nodes[node].history, nodes[node].score
    best, second = step.best[0], step.best[1]
    for i in range(begin, end):
        edge = step.listing[i]
        code, state = edges.codes[edge], edges.next_states[edge]
        if code == before:
            continue
        new_length = 0 if edges.is_final[edge] else length + 1
        if new_length >= NUM_LENGTHS:
            continue
        certainty = step.alone[code] if rank == TOP_TWO else _certainty(probs[code])
        score = certainty + so_far
        if score > beams.worst[new_length]:
            new_history = history
            if code != null_char:
                new_history = _extend_history(history, code, edges.num_codes)
            _push(nodes, beams, new_length, code, state, new_history, certainty, score, node)
        if rank == TOP_TWO and code != null_char:
            certainty = step.or_null[code]
            are_best = (before == best and code == second) or (code == best and before == second)
            if are_best and continuation == ANY and before >= 0 and before != null_char:
                certainty = _certainty(probs[code] + probs[null_char] + probs[before])
            only_dup = ONLY_DUP * NUM_LENGTHS + new_length
            score = certainty + so_far
            if score > beams.worst[only_dup]:
                new_history = _extend_history(history, code, edges.num_codes)
                _push(nodes, beams, only_dup, code, state, new_history, certainty, score, node)


@inner
def _extend_all(probs, null_char, t, step, nodes, beams, edges):
    """Extend every node of the step before by codes of falling rank until there is something."""
    always_inline()
    for rank in range(3):
        listed_edges = 0
        for beam in range(NUM_BEAMS):
            for slot in range(beams.old_sizes[beam] - 1, -1, -1):
                node = beams.old_heaps[beam, slot]
                _repeat(probs, null_char, rank, step, nodes, beams, node, beam)
                if beam // NUM_LENGTHS == ONLY_DUP:
                    continue
                begin, end, listed_edges = _list_edges(
                    edges, nodes[node].state, rank, t, step, listed_edges
                )
                _go_on(probs, null_char, rank, step, nodes, beams, node, beam, edges, begin, end)
        if beams.sizes[:NUM_LENGTHS].sum() > 0:  # the ANY beams
            break


@inner
def _keep_beams(beams):
    """Make the beams those of the step before, and begin new ones."""
    always_inline()
    for beam in range(NUM_BEAMS):
        size = beams.sizes[beam]
        for slot in range(size):
            beams.old_heaps[beam, slot] = beams.heaps[beam, slot]
        beams.old_sizes[beam] = size
        beams.sizes[beam] = 0
        beams.worst[beam] = -np.inf


@inner
def _search_line(probs, null_char, edges, nodes, beams, step):
    """Run the search and return the last node of the best path, or -1."""
    beams.sizes[:] = 0
    beams.counters[0] = 0
    step.listed[:] = -1
    for t in range(len(probs)):
        _keep_beams(beams)
        beams.counters[1] = -1
        _rank_codes(probs[t], null_char, step)
        _note_certainties(probs[t], null_char, step)
        if t == 0:
            begin, end, _ = _list_edges(edges, 0, TOP_TWO, 0, step, 0)
            _go_on(probs[0], null_char, TOP_TWO, step, nodes, beams, -1, 0, edges, begin, end)
        else:
            _extend_all(probs[t], null_char, t, step, nodes, beams, edges)
    best = -1
    for beam in (ANY * NUM_LENGTHS, NO_DUP * NUM_LENGTHS):
        for slot in range(beams.sizes[beam]):
            node = beams.heaps[beam, slot]
            if best < 0 or nodes[node].score > nodes[best].score:
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
            ends[count - 1] = t + 1
            certainty[count - 1] = min(certainty[count - 1], certain)
        before = code
    return count


@kernel
def search_lines(
    probs, lengths, all_edges, null_char, room, codes, starts, ends, certainty, counts
):
    edges = Edges(
        borrowed(all_edges.starts),
        borrowed(all_edges.codes),
        borrowed(all_edges.next_states),
        borrowed(all_edges.is_final),
        all_edges.num_codes,
    )
    own, own_step = room.beams, room.step
    nodes = borrowed(room.nodes)
    beams = _Beams(
        borrowed(own.heaps),
        borrowed(own.sizes),
        borrowed(own.counters),
        borrowed(own.worst),
        borrowed(own.old_heaps),
        borrowed(own.old_sizes),
    )
    step = _Step(
        borrowed(own_step.ranks),
        borrowed(own_step.best),
        borrowed(own_step.alone),
        borrowed(own_step.or_null),
        borrowed(own_step.listed),
        borrowed(own_step.listing),
        borrowed(own_step.top),
    )
    all_probs = borrowed(probs)
    for b in range(len(lengths)):
        T = lengths[b]
        node = _search_line(all_probs[:T, b], null_char, edges, nodes, beams, step)
        counts[b] = 0
        if node >= 0:
            counts[b] = _read_path(
                nodes, node, T, null_char, codes[b], starts[b], ends[b], certainty[b]
            )
