"""Tesseract's beam search with a dictionary, as `tesseract --psm 13` reads a line.

There are two sets of the beams of `beam`: one for paths of any characters, whose certainties are
multiplied by `dict_ratio`, and one for paths that are within a word of the dictionary. A path
changes over at a space, or between characters of scripts that do without spaces. A dictionary path
carries the places in the punctuation, word and number dawgs that its letters lead to.

Scores are float32 and ties are broken as in the C++. A constant is added to all certainties;
therefore, and because of the factor, even with an empty dictionary the result is that of
Tesseract's recogniser, and can differ from `beam`'s, which is that of its trainer.

Source: Tesseract src/lstm/recodebeam.cpp, src/dict/dict.cpp, src/lstm/lstmrecognizer.cpp.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Int32

from lstmjax.charset.dictionary import Dictionary
from lstmjax.charset.prefixes import BeamTables
from lstmjax.ctc import beam
from lstmjax.ctc._beams import NUM_CONTINUATIONS
from lstmjax.ctc._lexicon_loops import FULL, make_room, search_line
from lstmjax.ctc._lexicon_nodes import (
    INVALID,
    NODE,
    Edges,
    Weights,
    max_nodes,
)
from lstmjax.ctc._lexicon_walk import POSITION, TOP_CHOICE_PERM, Lexicon

DICT_RATIO = 2.25
CERTAINTY_OFFSET = -0.085
CERTAINTY_SCALE = 7.0
"""Certainties of words are printed multiplied by this."""
WORST_CERTAINTY = -25.0 / CERTAINTY_SCALE

_FIRST_POSITIONS = 4  # words begin at up to three
_POSITIONS_PER_STEP, _MAX_POSITIONS = 256, 1 << 26


@dataclass(frozen=True, eq=False)
class Read:
    """A line as read.

    Attributes:
      unichar_ids: [N] int32, spaces included.
      starts: [N] int32, the first time step of each unichar.
      ends: [N] int32, the time step after its last one.
      certainty: [N] float32, the lowest certainty of a unichar's time steps.
      words: (start, end) of the words, indices into the arrays above. Words of the dictionary in
        scripts without spaces follow each other directly.
      in_dictionary: flags of the words that are in the dictionary.
    """

    unichar_ids: Int32[np.ndarray, " N"]
    starts: Int32[np.ndarray, " N"]
    ends: Int32[np.ndarray, " N"]
    certainty: Float32[np.ndarray, " N"]
    words: tuple[tuple[int, int], ...]
    in_dictionary: tuple[bool, ...]


def lexicon_search(
    probs: Float32[np.ndarray, "T K"],
    tables: BeamTables,
    null_char: int,
    dictionary: Dictionary,
) -> Read:
    """Return the best reading of one line; other threads may run meanwhile.

    Args:
      probs: [T, K] softmax outputs of the network.
      tables: the codes of the character set, from `Codec.beam_tables`.
      null_char: the code of the null.
      dictionary: words of the model; there may be none.
    Returns: an empty reading if no path ends with a whole character.
    Raises: ValueError: arrays that do not fit together.
    """
    probs = np.require(probs, np.float32, ["C", "W"])
    edges, lexicon = _edges(tables, null_char), _lexicon(dictionary)
    _check(probs, tables, edges, null_char, dictionary)
    T = len(probs)
    ratio, worst = np.float32(DICT_RATIO), np.float32(WORST_CERTAINTY)
    weights = Weights(ratio, np.float64(CERTAINTY_OFFSET), worst)
    # The first three are for starts of words, see `Search.has_start`.
    nodes = np.empty(NUM_CONTINUATIONS + max_nodes(int(tables.lengths.max())) * T, NODE)
    unichars, starts, ends, permuters = (np.empty(T, np.int32) for _ in range(4))
    certainty, begins = np.empty(T, np.float32), np.empty(T, np.bool_)
    room = make_room(probs.shape[1], len(edges.starts) - 1, len(edges.codes))
    arrays = (unichars, starts, ends, certainty, begins, permuters)
    size = _FIRST_POSITIONS + _POSITIONS_PER_STEP * T
    while True:
        # How many positions a line needs is not known before: on failure there is more room.
        positions = np.empty(size, POSITION)
        count = search_line(probs, edges, lexicon, weights, nodes, positions, room, *arrays)
        if count != FULL:
            break
        if size > _MAX_POSITIONS:
            raise ValueError("the dawgs lead to too many places at once: they are no dictionary")
        size *= 4
    unichars, begins, permuters = unichars[:count].copy(), begins[:count], permuters[:count]
    words = _words(unichars, begins, permuters, ~dictionary.delimited[unichars])
    # The last unichar's permuter says where the word comes from.
    known = tuple(int(permuters[end - 1]) not in (0, TOP_CHOICE_PERM) for _, end in words)
    times = starts[:count].copy(), ends[:count].copy()
    return Read(unichars, *times, certainty[:count].copy(), words, known)


def _words(
    unichars: Int32[np.ndarray, " N"],
    begins: Bool[np.ndarray, " N"],
    permuters: Int32[np.ndarray, " N"],
    undelimited: Bool[np.ndarray, " N"],
) -> tuple[tuple[int, int], ...]:
    """Divide a reading into words: at spaces, at dictionary words, between ideographs.

    The space after a word is skipped; a further one becomes part of the next word.
    """
    words = []
    start, count = 0, len(unichars)
    while start < count:
        end = start + 1
        # Unichars that need no space, such as ideographs, stand alone outside the dictionary.
        while end < count and unichars[end] != 0 and not begins[end]:
            alone = undelimited[end] or undelimited[end - 1]
            if permuters[end] == TOP_CHOICE_PERM and alone:
                break
            end += 1
        words.append((start, end))
        start = end + 1 if end < count and unichars[end] == 0 else end  # the space is skipped
    return tuple(words)


def _edges(tables: BeamTables, null_char: int) -> Edges:
    starts, codes, next_states, unichar_ids = (
        np.array(array, np.int64)
        for array in (tables.starts, tables.codes, tables.next_states, tables.unichar_ids)
    )
    is_final = unichar_ids >= 0
    from_start = np.arange(len(codes)) < starts[1]
    # A null at the start of a character is no unichar to the dictionary.
    unichar_ids[from_start & is_final & (codes == null_char)] = INVALID
    num_codes = int(codes.max(initial=-1)) + 1
    return Edges(starts, codes, next_states, unichar_ids, is_final, num_codes, int(null_char))


def _lexicon(d: Dictionary) -> Lexicon:
    return Lexicon(
        d.letters, d.nodes, d.last, d.word_ends, d.roots, d.present, d.digits, d.delimited,
        d.through_punc, d.space_delimited, bool(d.present.any()),
    )  # fmt: skip


def _check(
    probs: np.ndarray, tables: BeamTables, edges: Edges, null_char: int, dictionary: Dictionary
) -> None:
    """Make sure that no loop can reach beyond an array."""
    if probs.ndim != 2:
        raise ValueError(f"expected probs [T, K], found shape {probs.shape}")
    # The checks of `beam` hold here, too.
    beam._check(probs[:, None], np.array([len(probs)]), null_char)
    beam._edges(tables, probs.shape[1])
    highest, size = edges.unichar_ids.max(initial=0), len(dictionary.delimited)
    if highest >= size:
        raise ValueError(
            f"the codes spell unichar {highest}, but the dictionary's unicharset has {size}; both "
            "must be of the same model"
        )
