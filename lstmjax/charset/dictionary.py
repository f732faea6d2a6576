"""The word, punctuation and number dawgs of a model as flat arrays, ready for compiled decoders.

A word as printed is a path through the punctuation dawg in which one edge, that of the space,
stands for a whole path through the word or the number dawg. In the number dawg the space stands
for any digit.

Source: tesseract src/dict/dict.cpp (LoadLSTM, default_dawgs, def_letter_is_okay).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int64

from lstmjax.charset.unicharset import SPACE, Unicharset
from lstmjax.errors import FormatError, naming
from lstmjax.formats import dawg as dawg_format
from lstmjax.formats.dawg import LAST, WORD_END, Dawg
from lstmjax.formats.traineddata import TrainedData
from lstmjax.formats.unicharset import DIGIT

PUNC, WORD, NUMBER = 0, 1, 2
"""Rows of `Dictionary.roots`, in the order in which Tesseract asks the dawgs."""

COMPONENTS = ("lstm-punc-dawg", "lstm-word-dawg", "lstm-number-dawg")

NONE = -1
"""No edge, no node."""

_UNDELIMITED = frozenset({"Han", "Thai", "Hangul", "Hiragana", "Katakana"})
_UNDELIMITED_LANGUAGES = ("Han", "Katakana", "Thai")


@dataclass(frozen=True, eq=False)
class Dictionary:
    """All dawgs of a model. Edges of all dawgs are numbered through; a node is its first edge.

    Attributes:
      letters: [edges] unichar_id of each edge.
      nodes: [edges] node that each edge leads to, NONE where words end.
      last: [edges] whether the edge is the last of its node.
      word_ends: [edges] whether a word ends with the edge.
      roots: [3, unichars] edge that a unichar takes from the root of each dawg, or NONE.
      through_punc: whether words and numbers are reached through the punctuation dawg only.
      present: [3] whether the model has each dawg.
      digits: [unichars] whether the unichar is a digit.
      delimited: [unichars] whether words in its script are delimited by spaces.
      space_delimited: whether words of the language are delimited by spaces.
    """

    letters: Int64[np.ndarray, " edges"]
    nodes: Int64[np.ndarray, " edges"]
    last: Bool[np.ndarray, " edges"]
    word_ends: Bool[np.ndarray, " edges"]
    roots: Int64[np.ndarray, "3 unichars"]
    through_punc: bool
    present: Bool[np.ndarray, " 3"]
    digits: Bool[np.ndarray, " unichars"]
    delimited: Bool[np.ndarray, " unichars"]
    space_delimited: bool


def from_traineddata(trained: TrainedData, unicharset: Unicharset) -> Dictionary:
    """Read the dictionary of a model; it may be without words.

    Raises: FormatError: a dawg is damaged or was made with another unicharset.
    """
    dawgs: dict[int, Dawg] = {}
    for kind, name in enumerate(COMPONENTS):
        data = trained.components.get(name)
        if data:
            with naming(component=name):
                dawgs[kind] = dawg_format.unpack(data, swap=trained.swapped)
                if dawgs[kind].unicharset_size != len(unicharset):
                    raise FormatError(
                        f"made with a unicharset of {dawgs[kind].unicharset_size} unichars, but "
                        f"the model's has {len(unicharset)}; make it again with its unicharset"
                    )
    return build_dictionary(dawgs, unicharset)


def build_dictionary(dawgs: Mapping[int, Dawg], unicharset: Unicharset) -> Dictionary:
    """Put dawgs together.

    Args:
      dawgs: PUNC, WORD, NUMBER -> dawg; any of them may be missing, or all.
      unicharset: the unicharset that all dawgs were made with.
    """
    rows = unicharset.table.rows
    scripts = {row.script for row in rows}
    roots = np.full((3, len(rows)), NONE, np.int64)
    letters, nodes, flags = ([np.empty(0, np.int64)] for _ in range(3))
    offset = 0
    for kind, graph in sorted(dawgs.items()):
        # Node 0 of each dawg is its root, to which no edge leads; target 0 is the end.
        targets = graph.next_nodes
        letters.append(graph.unichar_ids)
        flags.append(graph.flags)
        nodes.append(np.where(targets > 0, targets + offset, NONE))
        size = int((graph.flags & LAST != 0).argmax()) + 1  # edges of the root
        edges = np.arange(size)[::-1]  # so that the first of equal letters is written last
        roots[kind, graph.unichar_ids[edges]] = edges + offset
        offset += len(graph.edges)
    all_flags = np.concatenate(flags)
    word_ends = all_flags & WORD_END != 0
    whole_word = roots[PUNC, SPACE]
    return Dictionary(
        np.concatenate(letters),
        np.concatenate(nodes),
        all_flags & LAST != 0,
        word_ends,
        roots,
        bool(whole_word != NONE and word_ends[whole_word]),
        np.array([kind in dawgs for kind in (PUNC, WORD, NUMBER)]),
        np.array([row.properties & DIGIT != 0 for row in rows]),
        np.array([row.script not in _UNDELIMITED for row in rows]),
        not any(script in scripts for script in _UNDELIMITED_LANGUAGES),
    )
