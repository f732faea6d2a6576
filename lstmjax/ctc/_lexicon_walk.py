"""The loops that follow words through the dawgs of a dictionary.

Source: tesseract src/dict/dict.cpp, def_letter_is_okay, default_dawgs.
"""

from typing import NamedTuple

import numpy as np

from lstmjax.simd.borrow import always_inline
from lstmjax.simd.compile import inner

SPACE = 0
NONE = -1  # no edge, no dawg
PUNC, WORD, NUMBER = 0, 1, 2
# What a path or word comes from; of several sources the greatest counts.
NO_PERM, PUNC_PERM, TOP_CHOICE_PERM, NUMBER_PERM, SYSTEM_PERM = 0, 1, 2, 6, 8


class Lexicon(NamedTuple):
    """A dictionary, see `charset.dictionary.Dictionary`; `exists` is false without any dawg."""

    letters: np.ndarray
    nodes: np.ndarray
    last: np.ndarray
    word_ends: np.ndarray
    roots: np.ndarray
    present: np.ndarray
    digits: np.ndarray
    delimited: np.ndarray
    through_punc: bool
    space_delimited: bool
    exists: bool


# A place in the dictionary: the dawg of the word (NONE: still before it) and the last edge taken
# there, the last edge taken in the punctuation dawg (and whether that is in use), and whether the
# word is over.
POSITION = np.dtype(
    [
        ("dawg", np.int32),
        ("has_punc", np.int32),
        ("edge", np.int32),
        ("punc_edge", np.int32),
        ("is_over", np.int32),
    ],
    align=True,
)


class Found(NamedTuple):
    """The positions a letter leads to in the dictionary; none if `number` is 0, with NO_PERM."""

    number: int
    permuter: int
    is_end: bool


@inner
def _edge(lexicon, dawg, last_edge, letter):
    """The edge of a letter after `last_edge` (NONE: from the root of a dawg), or NONE."""
    always_inline()
    # Roots are a table by letter; the edges of other nodes follow each other.
    if last_edge == NONE:
        return lexicon.roots[dawg, letter]
    edge = lexicon.nodes[last_edge]
    if edge == NONE:
        return NONE
    while lexicon.letters[edge] != letter:
        if lexicon.last[edge]:
            return NONE
        edge += 1
    return edge


@inner
def _letter_for(lexicon, dawg, unichar):
    always_inline()
    # The number dawg has a space in place of every digit.
    return SPACE if dawg == NUMBER and lexicon.digits[unichar] else unichar


@inner
def _permuter_of(dawg):
    always_inline()
    return SYSTEM_PERM if dawg == WORD else NUMBER_PERM


@inner
def _add(positions, start, number, dawg, edge, has_punc, punc_edge, is_over):
    """Add a position unless it is there already; return how many there are."""
    always_inline()
    for i in range(start, start + number):
        old = positions[i]
        if (
            old.dawg == dawg
            and old.edge == edge
            and old.has_punc == has_punc
            and old.punc_edge == punc_edge
            and old.is_over == is_over
        ):
            return number
    new = positions[start + number]
    new.dawg, new.edge = dawg, edge
    new.has_punc, new.punc_edge, new.is_over = has_punc, punc_edge, is_over
    return number + 1


@inner
def initial_positions(lexicon, positions, start):
    """Write down where words begin."""
    always_inline()
    number = 0
    if lexicon.present[PUNC]:
        number = _add(positions, start, number, NONE, NONE, 1, NONE, 0)
    for dawg in (WORD, NUMBER):
        if lexicon.present[dawg] and not lexicon.through_punc:
            number = _add(positions, start, number, dawg, NONE, 0, NONE, 0)
    return number


@inner
def _before_word(lexicon, positions, place, unichar, start, found):
    """Go on from a position in front of the word: begin the word, or more punctuation."""
    always_inline()
    number, permuter, is_end = found.number, found.permuter, found.is_end
    punc_edge = positions[place].punc_edge
    # In the punctuation dawg a space stands for the word.
    to_word = _edge(lexicon, PUNC, punc_edge, SPACE)
    if to_word != NONE:
        for dawg in (WORD, NUMBER):
            if not lexicon.present[dawg]:
                continue
            edge = lexicon.roots[dawg, _letter_for(lexicon, dawg, unichar)]
            if edge == NONE:
                continue
            number = _add(positions, start, number, dawg, edge, 1, to_word, 0)
            permuter = max(permuter, _permuter_of(dawg))
            # Both must be able to end: the word and the punctuation around it.
            if lexicon.word_ends[edge] and lexicon.word_ends[to_word]:
                is_end = True
    edge = _edge(lexicon, PUNC, punc_edge, unichar)
    if edge != NONE:
        number = _add(positions, start, number, NONE, NONE, 1, edge, 0)
        permuter = max(permuter, PUNC_PERM)
        is_end = is_end or lexicon.word_ends[edge]
    return Found(number, permuter, is_end)


@inner
def _in_word(lexicon, positions, place, unichar, start, found):
    """Go on from a position in or after the word: punctuation, or more of the word."""
    always_inline()
    number, permuter, is_end = found.number, found.permuter, found.is_end
    old = positions[place]
    dawg, last_edge, has_punc, punc_edge = old.dawg, old.edge, old.has_punc, old.punc_edge
    is_over = old.is_over
    if has_punc and last_edge != NONE and lexicon.word_ends[last_edge]:
        edge = _edge(lexicon, PUNC, punc_edge, unichar)
        if edge != NONE:
            # After punctuation the word cannot go on: it is over.
            number = _add(positions, start, number, dawg, last_edge, 1, edge, 1)
            permuter = max(permuter, _permuter_of(dawg))
            is_end = is_end or lexicon.word_ends[edge]
    if is_over:
        return Found(number, permuter, is_end)
    edge = _edge(lexicon, dawg, last_edge, _letter_for(lexicon, dawg, unichar))
    if edge != NONE:
        permuter = max(permuter, _permuter_of(dawg))
        if lexicon.word_ends[edge] and (not has_punc or lexicon.word_ends[punc_edge]):
            is_end = True
        number = _add(positions, start, number, dawg, edge, has_punc, punc_edge, 0)
    return Found(number, permuter, is_end)


@inner
def look_up(lexicon, positions, begin, count, unichar, start):
    """Write down from `start` on where a letter leads to from some positions."""
    always_inline()
    found = Found(0, NO_PERM, False)
    for place in range(begin, begin + count):
        if positions[place].dawg == NONE:
            found = _before_word(lexicon, positions, place, unichar, start, found)
        else:
            found = _in_word(lexicon, positions, place, unichar, start, found)
    return found
