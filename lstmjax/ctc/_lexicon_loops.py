"""The loops of the beam search with a dictionary; `lexicon_beam` says what they compute.

Source: tesseract src/lstm/recodebeam.cpp, ContinueContext, ContinueDawg, ExtractBestPaths.
"""

from typing import NamedTuple

import numpy as np

from lstmjax.ctc._beams import (
    ANY,
    NO_DUP,
    NUM_CONTINUATIONS,
    NUM_LENGTHS,
    ONLY_DUP,
    Beams,
    free_node,
    make_beams,
    next_step,
)
from lstmjax.ctc._codes import (
    ALSO_RAN,
    MIN_CERTAINTY,
    TOP_TWO,
    Codes,
    are_two_best,
    certainty_of,
    list_edges,
    make_codes,
    rank_codes,
)
from lstmjax.ctc._lexicon_nodes import (
    DICTIONARY,
    DUPLICATE,
    END_OF_WORD,
    INITIAL_DAWGS,
    INVALID,
    NO_DAWGS,
    NUM_BEAMS,
    START_OF_DAWG,
    START_OF_WORD,
    New,
    Search,
    insert,
    is_full,
    push,
    push_start,
)
from lstmjax.ctc._lexicon_plans import plan_in_dictionary, plan_nothing, plan_plain
from lstmjax.ctc._lexicon_walk import (
    NO_PERM,
    SPACE,
    TOP_CHOICE_PERM,
    initial_positions,
)
from lstmjax.simd.borrow import always_inline, borrowed
from lstmjax.simd.compile import inner, kernel

FULL = -2  # returned when there is no room for positions left


class Room(NamedTuple):
    """Memory for the search of a line, which the caller keeps: inner loops only borrow it."""

    beams: Beams
    has_start: np.ndarray
    codes: Codes


def make_room(num_codes: int, num_states: int, num_edges: int) -> Room:
    """Memory for lines of a character set."""
    return Room(
        make_beams(NUM_BEAMS, 3),
        np.empty(NUM_CONTINUATIONS, np.bool_),
        make_codes(num_codes, num_states, num_edges),
    )


@inner
def _offset_certainty(prob, weights):
    always_inline()
    # Added in double precision, then float32 again, as in the original.
    return np.float32(np.float64(certainty_of(prob)) + weights.offset)


@inner
def _continue_unichar(s, in_dictionary, code, unichar, certainty, continuation, previous):
    """Go on with a complete unichar or a null; False if out of room."""
    always_inline()
    if not in_dictionary:
        plan = plan_plain(s, unichar, certainty)
    elif certainty > s.weights.worst:
        plan = plan_in_dictionary(s, unichar, certainty, continuation, previous)
    else:
        plan = plan_nothing(certainty, True)
    # The dictionary first, as in the original: the order decides ties.
    for half in (DICTIONARY, 0):
        if not (plan.dictionary if half else plan.plain):
            continue
        new = New(
            code, 0, unichar, plan.permuter, plan.flags, plan.certainty, previous,
            plan.dawgs if half else NO_DAWGS, plan.num_dawgs,
        )  # fmt: skip
        # Positions are in use only if the node that points to them got into its beam.
        if push(s, half + continuation * NUM_LENGTHS, new) and half:
            s.beams.counters[2] += plan.num_dawgs
    if plan.start:
        flags = plan.flags | START_OF_DAWG
        new = New(
            code, 0, unichar, plan.start_permuter, flags, plan.start_certainty, previous,
            INITIAL_DAWGS, 0,
        )  # fmt: skip
        push_start(s, continuation, new)
    return plan.has_room


@inner
def _push_part(s, in_dictionary, beam, is_duplicate, code, state, unichar, certainty, previous):
    """Go on with a repeated code, a null inside a unichar, or a part of one."""
    always_inline()
    if in_dictionary:
        # Not certain enough to count as in the dictionary: this path ends here.
        if not certainty > s.weights.worst:
            return
        beam += DICTIONARY
    else:
        certainty = np.float32(certainty * s.weights.dict_ratio)
        # Nulls are kept, however uncertain.
        if certainty < MIN_CERTAINTY and code != s.edges.null_char:
            return
    # Parts have the permuter of the path so far.
    if previous >= 0:
        permuter = s.nodes[previous].permuter
    else:
        permuter = NO_PERM if in_dictionary else TOP_CHOICE_PERM
    flags = DUPLICATE if is_duplicate else 0
    push(s, beam, New(code, state, unichar, permuter, flags, certainty, previous, NO_DAWGS, 0))


@inner
def _repeat(s, probs, codes, rank, node, beam):
    """Extend a node by its own code once more, and a half read character by a null."""
    always_inline()
    old, null_char = s.nodes[node], s.edges.null_char
    code, state, unichar = old.code, old.state, old.unichar
    continuation = (beam // NUM_LENGTHS) % NUM_CONTINUATIONS
    length = beam % NUM_LENGTHS
    is_null, has_rank = code == null_char, codes.ranks[code] == rank
    for way in range(3):
        prob, new_continuation, new_code, is_duplicate = probs[code], ANY, code, True
        if way == 0:
            wanted = has_rank and continuation != NO_DUP
        elif way == 1:
            wanted = has_rank and continuation == ANY and rank == TOP_TWO and not is_null
            prob, new_continuation = np.float32(probs[code] + probs[null_char]), NO_DUP
        else:
            wanted = continuation != ONLY_DUP and not is_null and length > 0
            wanted = wanted and codes.ranks[null_char] == rank
            prob, new_code, is_duplicate, unichar = probs[null_char], null_char, False, INVALID
        if wanted:
            certainty = _offset_certainty(prob, s.weights)
            new_beam = new_continuation * NUM_LENGTHS + length
            _push_part(
                s, beam >= DICTIONARY, new_beam, is_duplicate, new_code, state, unichar, certainty,
                node,
            )  # fmt: skip


@inner
def _either_prob(s, probs, codes, code, before, continuation):
    """Probability of a code or the null, or of the two best codes in turn."""
    always_inline()
    prob = np.float32(probs[code] + probs[s.edges.null_char])
    alternate = are_two_best(codes, code, before)
    if alternate and continuation == ANY and before >= 0 and before != s.edges.null_char:
        prob = np.float32(prob + probs[before])
    return prob


@inner
def _go_on(s, probs, codes, rank, node, beam, begin, end):
    """Extend a node (-1: the start of the line) by the codes of edges; False if out of room."""
    always_inline()
    in_dictionary, length = beam >= DICTIONARY, beam % NUM_LENGTHS
    continuation = (beam // NUM_LENGTHS) % NUM_CONTINUATIONS
    before = s.nodes[node].code if node >= 0 else -1
    for i in range(begin, end):
        edge = codes.listing[i]
        code, is_final = s.edges.codes[edge], s.edges.is_final[edge]
        if code == before or (not is_final and length + 1 >= NUM_LENGTHS):
            continue
        is_null = code == s.edges.null_char
        certainty = _offset_certainty(probs[code], s.weights)
        if is_final and certainty < MIN_CERTAINTY and not is_null:
            continue
        for new_continuation in (ANY, ONLY_DUP):
            if new_continuation == ONLY_DUP:
                if rank != TOP_TWO or is_null:
                    break
                prob = _either_prob(s, probs, codes, code, before, continuation)
                certainty = _offset_certainty(prob, s.weights)
            if not is_final:
                new_beam, state = new_continuation * NUM_LENGTHS, s.edges.next_states[edge]
                _push_part(
                    s, in_dictionary, new_beam + length + 1, False, code, state, INVALID,
                    certainty, node,
                )  # fmt: skip
            elif not _continue_unichar(
                s, in_dictionary, code, s.edges.unichar_ids[edge], certainty, new_continuation, node
            ):
                return False
    return True


@inner
def _num_free_to_go_on(sizes):
    """Number of paths after which anything may follow."""
    always_inline()
    total = 0
    for half in (0, DICTIONARY):
        for length in range(NUM_LENGTHS):
            total += sizes[half + ANY * NUM_LENGTHS + length]
    return total


@inner
def _extend_all(s, probs, codes, t):
    """Extend every path by codes of falling rank until there is something; False if no room."""
    always_inline()
    # At the first step the original tries the likeliest codes only.
    for rank in range(ALSO_RAN + 1 if t > 0 else TOP_TWO + 1):
        listed_edges = 0
        for beam in range(NUM_BEAMS):
            only_duplicates = (beam // NUM_LENGTHS) % NUM_CONTINUATIONS == ONLY_DUP
            # Ties: the same order as in the original.
            for slot in range(s.beams.old_sizes[beam] - 1, -1, -1):
                node = s.beams.old_heaps[beam, slot]
                state = 0
                if node >= 0:
                    state = s.nodes[node].state
                    _repeat(s, probs, codes, rank, node, beam)
                if only_duplicates:
                    continue
                begin, end, listed_edges = list_edges(s.edges, state, rank, t, codes, listed_edges)
                if not _go_on(s, probs, codes, rank, node, beam, begin, end):
                    return False
        if _num_free_to_go_on(s.beams.sizes) > 0:
            break
    return True


@inner
def _push_starts(s):
    """Put the best nodes after which words may begin into their beams, if good enough."""
    always_inline()
    for continuation in range(NUM_CONTINUATIONS):
        beam = DICTIONARY + continuation * NUM_LENGTHS
        # The first three nodes are kept for these; what goes into a beam is a copy.
        if s.has_start[continuation] and not is_full(s, beam, s.nodes[continuation].score):
            node = free_node(s.beams.counters)
            s.nodes[node] = s.nodes[continuation]
            # The copy is where its unichar is complete, not the node it was copied from.
            s.nodes[node].before = node
            insert(s, beam, node)


@inner
def _best_end(s):
    """The last node of the best path, or -1; a dictionary path must end a word."""
    always_inline()
    best = -1
    # Beams of length 0 only: a unichar that is half read is no reading.
    for continuation in (ANY, NO_DUP):
        for half in (0, DICTIONARY):
            beam = half + continuation * NUM_LENGTHS
            for slot in range(s.beams.sizes[beam]):
                node = s.beams.heaps[beam, slot]
                if half == DICTIONARY:
                    before = s.nodes[node].before
                    if before < 0:
                        continue
                    ends = s.nodes[before].flags & END_OF_WORD != 0
                    if not ends and s.nodes[before].unichar != SPACE:
                        continue
                if best < 0 or s.nodes[node].score > s.nodes[best].score:
                    best = node
    return best


@inner
def _search_line(probs, edges, lexicon, weights, nodes, positions, room):
    """Run the search; return the last node of the best path, -1 for none, or FULL."""
    always_inline()
    T = len(probs)
    num_initial = initial_positions(lexicon, positions, 0)
    beams, codes = room.beams, room.codes
    s = Search(nodes, positions, edges, lexicon, weights, beams, room.has_start, num_initial)
    beams.counters[0] = NUM_CONTINUATIONS  # the first nodes are those of words to be
    beams.counters[1], beams.counters[2] = -1, num_initial
    # Lists of the line before may have the same step and rank.
    beams.sizes[:], codes.listed[:] = 0, -1
    # The line begins with the path of no codes, outside the dictionary and in it.
    for beam in (0, DICTIONARY):
        beams.heaps[beam, 0] = -1
        beams.sizes[beam] = 1 if beam == 0 or lexicon.exists else 0
    for t in range(T):
        next_step(beams)
        s.has_start[:] = False
        rank_codes(probs[t], edges.null_char, codes)
        if not _extend_all(s, probs[t], codes, t):
            return FULL
        # Not at the first step, as in the original.
        if t > 0:
            _push_starts(s)
    return _best_end(s) if T else -1


@inner
def _read_path(nodes, path, unichars, starts, ends, certainties, begins, permuters):
    """Write down the unichars of a path; return how many there are.

    Certainties of nulls count for the unichar that follows; in front of a space of a dictionary
    path, and at the end, for the one before.
    """
    count, t, T = 0, 0, len(path)
    while t < T:
        certainty = 0.0
        # Nulls and parts before a unichar.
        while t < T and nodes[path[t]].unichar == INVALID:
            certainty = min(certainty, np.float64(nodes[path[t]].certainty))
            t += 1
        if t == T:
            if count > 0 and certainty < certainties[count - 1]:
                certainties[count - 1] = certainty
            break
        node = nodes[path[t]]
        if node.unichar == SPACE and count > 0 and node.permuter != NO_PERM:
            certainties[count - 1] = min(np.float64(certainties[count - 1]), certainty)
            certainty = 0.0
        unichars[count], starts[count] = node.unichar, t
        begins[count] = node.flags & START_OF_WORD != 0
        permuters[count] = node.permuter
        while True:
            own = np.float64(nodes[path[t]].certainty)
            from_plain = node.unichar == SPACE and nodes[path[t]].permuter == NO_PERM
            if own < certainty or from_plain:
                certainty = own
            t += 1
            # Repeats of the unichar belong to it.
            if t == T or not nodes[path[t]].flags & DUPLICATE:
                break
        ends[count], certainties[count] = t, certainty
        count += 1
    return count


@kernel
def search_line(
    probs, edges, lexicon, weights, nodes, positions, room, unichars, starts, ends, certainties,
    begins, permuters,
):  # fmt: skip
    """Read one line; return the number of unichars, or FULL.

    Whoever calls this keeps all arrays, so that loops need not count references to them.
    """
    node = _search_line(
        borrowed(probs), borrowed(edges), borrowed(lexicon), weights, borrowed(nodes),
        borrowed(positions), borrowed(room),
    )  # fmt: skip
    if node == FULL:
        return FULL
    if node < 0:
        return 0
    path = np.empty(len(probs), np.int64)
    for t in range(len(probs) - 1, -1, -1):
        path[t] = node
        node = nodes[node].previous
    return _read_path(nodes, path, unichars, starts, ends, certainties, begins, permuters)
