"""Greedy reading: the best code of every time step, repeats merged, nulls removed."""

import numpy as np
from jaxtyping import Int, Int32


def best_path(
    best: Int[np.ndarray, "T B"],
    lengths: Int[np.ndarray, " B"],
    null_char: int,
    *,
    merge_repeats: bool = True,
) -> list[Int32[np.ndarray, " L"]]:
    """Return each line's codes.

    Args:
      best: [T, B] the best code of every time step.
      lengths: [B] true lengths in time steps, at most T.
      null_char: the code of the null.
      merge_repeats: False for a network with simple text output, which has no repeats to merge.
    Returns: B arrays of int32 codes, empty ones for lines read as nulls only.
    Raises: ValueError: shapes that do not fit.
    """
    best, lengths = np.asarray(best), np.asarray(lengths)
    if best.ndim != 2 or lengths.shape != best.shape[1:]:
        raise ValueError(
            f"expected best codes [T, B] and lengths [B], found {best.shape} and {lengths.shape}"
        )
    T, B = best.shape
    if B and not 0 <= lengths.min() <= lengths.max() <= T:
        raise ValueError(f"lengths must lie in 0..{T}, found {lengths.tolist()}")
    lines = best.T.astype(np.int32)  # [B, T]
    keep = (lines != null_char) & (np.arange(T) < lengths[:, None])
    if merge_repeats:
        # Compared with the step before, nulls included: one between two equal codes keeps both.
        keep[:, 1:] &= lines[:, 1:] != lines[:, :-1]
    ends = np.cumsum(keep.sum(axis=1))
    return np.split(lines[keep], ends[:-1]) if B else []
