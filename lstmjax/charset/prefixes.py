"""The recoder as a prefix automaton in flat arrays, ready for compiled decoders.

Source: tesseract src/ccutil/unicharcompress.cpp, SetupDecoder.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int32

START = 0
"""State in which a new unichar begins."""


@dataclass(frozen=True, eq=False)
class BeamTables:
    """States are the beginnings of unichars' code sequences, state 0 the empty one.

    The edges of state s are `starts[s]` to `starts[s + 1]`: first the codes that complete a
    unichar, then those that lead on to a longer beginning, both in order of unichar_id. A code
    can do both. The null is among the completing codes of state 0.

    Attributes:
      starts: [states + 1] first edge of each state.
      codes: [edges] code of each edge.
      next_states: [edges] state of the longer beginning, or 0 where a unichar is complete.
      unichar_ids: [edges] the unichar completed (the last of several with the same codes; for
        the null possibly one more than the largest id of the unicharset), or -1.
      lengths: [states] number of codes already read.
    """

    starts: Int32[np.ndarray, " states_and_1"]
    codes: Int32[np.ndarray, " edges"]
    next_states: Int32[np.ndarray, " edges"]
    unichar_ids: Int32[np.ndarray, " edges"]
    lengths: Int32[np.ndarray, " states"]


def build_tables(sequences: Sequence[tuple[int, ...]]) -> BeamTables:
    """Build the automaton of a recoder.

    Args:
      sequences: codes of each unichar_id; a unichar without codes can never be recognised.
    """
    lengths = [0]
    final: list[dict[int, int]] = [{}]  # per state: code -> unichar_id
    onward: list[dict[int, int]] = [{}]  # per state: code -> state
    for unichar_id, sequence in enumerate(sequences):
        if not sequence:
            continue
        state = START
        for code in sequence[:-1]:
            if code not in onward[state]:
                onward[state][code] = len(lengths)
                lengths.append(lengths[state] + 1)
                final.append({})
                onward.append({})
            state = onward[state][code]
        # As in SetupDecoder, the last unichar with these codes counts.
        final[state][sequence[-1]] = unichar_id
    # Completing codes before continuing ones: the beam relies on this order, see the class.
    edges = [
        edge
        for ends, longer in zip(final, onward, strict=True)
        for edge in (
            *((code, START, unichar_id) for code, unichar_id in ends.items()),
            *((code, state, -1) for code, state in longer.items()),
        )
    ]
    counts = [len(ends) + len(longer) for ends, longer in zip(final, onward, strict=True)]
    codes, next_states, unichar_ids = np.array(edges, np.int32).reshape(-1, 3).T.copy()
    starts = np.cumsum([0, *counts], dtype=np.int32)
    arrays = (starts, codes, next_states, unichar_ids, np.array(lengths, np.int32))
    for array in arrays:
        array.setflags(write=False)
    return BeamTables(*arrays)
