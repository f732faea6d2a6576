"""Decisions of the beam search with a dictionary on a complete unichar or a null.

Source: tesseract src/lstm/recodebeam.cpp, ContinueUnichar, ContinueDawg.
"""

from typing import NamedTuple

import numpy as np

from lstmjax.ctc._beams import NUM_LENGTHS
from lstmjax.ctc._lexicon_nodes import (
    DICTIONARY,
    END_OF_WORD,
    INITIAL_DAWGS,
    INVALID,
    NO_DAWGS,
    START_OF_DAWG,
    START_OF_WORD,
    is_full,
    score_of,
)
from lstmjax.ctc._lexicon_walk import NO_PERM, NONE, SPACE, TOP_CHOICE_PERM, look_up
from lstmjax.simd.borrow import always_inline
from lstmjax.simd.compile import inner


class _Plan(NamedTuple):
    """The nodes to make of a complete unichar or a null.

    Attributes:
      dictionary, plain: put a node into the beam of the dictionary, into the other beam.
      start: a word may begin after it.
      has_room: there was room to look it up.
      permuter, start_permuter, flags, certainty, start_certainty, dawgs, num_dawgs: fields of the
        new nodes.
    """

    dictionary: bool
    plain: bool
    start: bool
    has_room: bool
    permuter: int
    start_permuter: int
    flags: int
    certainty: np.float32
    start_certainty: np.float32
    dawgs: int
    num_dawgs: int


@inner
def plan_plain(s, unichar, certainty):
    """Go on with a complete unichar or a null outside the dictionary."""
    always_inline()
    scaled = np.float32(certainty * s.weights.dict_ratio)
    permuter, start_certainty = TOP_CHOICE_PERM, scaled
    # Such unichars need no space before a word.
    is_start = unichar != INVALID and not s.lexicon.delimited[unichar]
    if unichar == SPACE:
        # Its certainty counts for the word that follows, so it is not made worse; and the nulls
        # before it, which were, are to be forgotten, which NO_PERM stands for.
        is_start = is_start or certainty > s.weights.worst
        permuter, start_certainty = NO_PERM, certainty
    return _Plan(
        False, True, is_start and s.lexicon.exists, True, TOP_CHOICE_PERM, permuter, 0, scaled,
        start_certainty, NO_DAWGS, 0,
    )  # fmt: skip


@inner
def plan_nothing(certainty, has_room):
    always_inline()
    return _Plan(
        False, False, False, has_room, NO_PERM, NO_PERM, 0, certainty, certainty, NO_DAWGS, 0
    )


@inner
def _plan_letter(s, unichar, certainty, before):
    """Go on with a letter within the dictionary."""
    always_inline()
    begin, count, flags = 0, s.num_initial, START_OF_WORD
    if before >= 0:
        last, delimited = s.nodes[before], s.lexicon.delimited
        is_start = last.flags & START_OF_DAWG != 0
        if is_start and last.unichar != SPACE and delimited[last.unichar] and delimited[unichar]:
            return plan_nothing(certainty, True)  # words cannot meet without a space
        if last.dawgs == NO_DAWGS:
            return plan_nothing(certainty, True)
        if last.dawgs != INITIAL_DAWGS:
            begin, count = last.dawgs, last.num_dawgs
        flags = START_OF_WORD if is_start else 0
    start = s.beams.counters[2]
    # A position leads to three at most: a word, a number, and more punctuation.
    if start + 3 * count > len(s.positions):
        return plan_nothing(certainty, False)
    found = look_up(s.lexicon, s.positions, begin, count, unichar, start)
    if found.permuter == NO_PERM:
        return plan_nothing(certainty, True)
    flags |= END_OF_WORD if found.is_end else 0
    # Without spaces in the script anything may follow the word, in the dictionary or out.
    more = found.is_end and not s.lexicon.space_delimited
    return _Plan(
        True, more, more, True, found.permuter, found.permuter, flags, certainty, certainty,
        start, found.number,
    )  # fmt: skip


@inner
def plan_in_dictionary(s, unichar, certainty, continuation, previous):
    """Go on with a complete unichar or a null within the dictionary."""
    always_inline()
    if unichar == INVALID:
        # What may follow a null is what may follow the node that its `before` names.
        return _Plan(
            True, False, False, True, NO_PERM, NO_PERM, 0, certainty, certainty, NO_DAWGS, 0
        )
    score, plain_beam = score_of(s.nodes, certainty, previous), continuation * NUM_LENGTHS
    # Only what could get into a beam is looked up.
    if is_full(s, DICTIONARY + plain_beam, score) and is_full(s, plain_beam, score):
        return plan_nothing(certainty, True)
    before = s.nodes[previous].before if previous >= 0 else NONE
    if unichar != SPACE:
        return _plan_letter(s, unichar, certainty, before)
    # In the dictionary a space follows a whole word.
    if before < 0 or not s.nodes[before].flags & END_OF_WORD:
        return plan_nothing(certainty, True)
    permuter = s.nodes[before].permuter
    return _Plan(False, True, True, True, permuter, permuter, 0, certainty, certainty, NO_DAWGS, 0)
