"""Tesseract's beam search over codes, without a dictionary.

A path chooses one code for each time step such that the codes, with repeats merged and nulls
removed, spell whole characters. Its score is the sum of the steps' certainties. Paths are kept
in small heaps, one for each pair of

* a continuation: what may follow. After `ANY` anything, after `ONLY_DUP` only the same code,
  after `NO_DUP` anything but the same code. The last two stand for "this code or the null".
* the number of codes already read of a character that takes several.

Scores are float32, and ties are broken as the C++ breaks them (by the order inside its heaps),
so that results are the same to the last code.

Source: Tesseract src/lstm/recodebeam.cpp (RecodeBeamSearch), src/ccutil/genericheap.h.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float32, Int, Int32

from lstmjax.charset.prefixes import BeamTables
from lstmjax.ctc._beam_loops import Edges, make_room, search_lines


@dataclass(frozen=True, eq=False)
class Decoded:
    """A line as read: codes with repeats merged and nulls removed, and where they were read.

    Attributes:
      codes: [L] int32.
      starts: [L] int32, the first time step of each code.
      ends: [L] int32, the time step after the last one of each code.
      certainty: [L] float32, the lowest certainty of a code's time steps, -20 to about 0.
    """

    codes: Int32[np.ndarray, " L"]
    starts: Int32[np.ndarray, " L"]
    ends: Int32[np.ndarray, " L"]
    certainty: Float32[np.ndarray, " L"]


def beam_search(probs: Float32[np.ndarray, "T K"], tables: BeamTables, null_char: int) -> Decoded:
    """Return the best reading of one line.

    Args:
      probs: [T, K] softmax outputs of the network.
      tables: the codes of the character set, from `Codec.beam_tables`.
      null_char: the code of the null.
    Returns: an empty reading if no path ends with a whole character.
    Raises: ValueError: arrays that do not fit together.
    """
    probs = np.asarray(probs, np.float32)
    if probs.ndim != 2:
        raise ValueError(f"expected probs [T, K], found shape {probs.shape}")
    return beam_search_batch(probs[:, None], np.array([len(probs)]), tables, null_char)[0]


def beam_search_batch(
    probs: Float32[np.ndarray, "T B K"],
    lengths: Int[np.ndarray, " B"],
    tables: BeamTables,
    null_char: int,
) -> list[Decoded]:
    """Return the best reading of every line of a batch; other threads may run meanwhile.

    Args:
      probs: [T, B, K] softmax outputs of the network.
      lengths: [B] true lengths in time steps, at most T.
      tables: the codes of the character set, from `Codec.beam_tables`.
      null_char: the code of the null.
    Raises: ValueError: arrays that do not fit together.
    """
    # Loops are compiled afresh for read-only arrays, such as those of JAX: copy them.
    probs = np.require(probs, np.float32, ["C", "W"])
    lengths = np.require(lengths, np.int64, ["C", "W"])
    _check(probs, lengths, null_char)
    T, B, K = probs.shape
    edges = _edges(tables, K)
    codes, starts, ends = (np.empty((B, T), np.int32) for _ in range(3))
    certainty = np.empty((B, T), np.float32)
    counts = np.zeros(B, np.int64)
    room = make_room(T, K, edges)
    search_lines(
        probs, lengths, edges, int(null_char), room, codes, starts, ends, certainty, counts
    )
    # Copies, so that a reading does not keep the arrays of its batch in memory.
    return [
        Decoded(*(field[b, :n].copy() for field in (codes, starts, ends, certainty)))
        for b, n in enumerate(counts)
    ]


@lru_cache(maxsize=8)
def _edges(tables: BeamTables, num_codes: int) -> Edges:
    """The tables as the loops want them, which cannot reach beyond an array with them."""
    starts, codes, next_states = (
        np.array(array, np.int64) for array in (tables.starts, tables.codes, tables.next_states)
    )
    # A null is final, too: the tables have it among the codes that complete a character.
    is_final = np.asarray(tables.unichar_ids) >= 0
    num_states = len(starts) - 1
    sizes = {len(codes), len(next_states), len(is_final)}
    # Loops do not look at bounds, so all of the tables is checked here.
    if num_states < 1 or sizes != {int(starts[-1])} or starts[0] or (np.diff(starts) < 0).any():
        raise ValueError("beam tables are broken: the edges of the states do not fit together")
    for name, values, limit in (("code", codes, num_codes), ("state", next_states, num_states)):
        if len(values) and not 0 <= values.min() <= values.max() < limit:
            raise ValueError(
                f"beam tables do not fit the network: {name}s go from {values.min()} to "
                f"{values.max()}, expected 0 to {limit - 1}; use the tables of the network's model"
            )
    return Edges(starts, codes, next_states, is_final, int(codes.max(initial=-1)) + 1)


def _check(probs, lengths, null_char: int) -> None:
    """Make sure that no loop can reach beyond an array."""
    if probs.ndim != 3 or lengths.shape != probs.shape[1:2]:
        raise ValueError(
            f"expected probs [T, B, K] and lengths [B], found {probs.shape} and {lengths.shape}"
        )
    T, B, K = probs.shape
    if B and not 0 <= lengths.min() <= lengths.max() <= T:
        raise ValueError(f"lengths must lie in 0..{T}, found {lengths.tolist()}")
    if not 0 <= null_char < K:
        raise ValueError(f"null {null_char} is not one of the network's {K} outputs")
