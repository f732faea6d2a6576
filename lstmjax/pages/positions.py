"""The places of the characters of a line, from the time steps of a network and the ink.

The outputs of a network trained with CTC are spikes somewhere inside a character. A column to cut
the line at is chosen between any two characters, all cuts at once: a cut should pass through
little ink, near the middle between the two spikes, and the ink between two cuts should be centred
on its spike and not much narrower than the space that its neighbours leave. A character's box is
the ink between its cuts.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from jaxtyping import Bool, Float, Int

from lstmjax.pages.crop import Rect
from lstmjax.pages.ink import ink_bounds, ink_mask

# Weights of these criteria, with lengths in units of half the height of the line; fitted to
# English lines in five fonts and confirmed on Hebrew ones.
_INK_COST = 20.0  # for a cut through ink as high as the line
_MIDDLE_COST = 0.3
_CENTRE_COST = 0.3
_NARROW_COST = 1.0  # for the squared logarithm of the factor by which ink is narrower than allowed
_NARROW = 4.5  # a full stop or an i is narrower than its room by this factor, which is allowed
_EMPTY_COST = 50.0  # no ink for a character
_DISORDER_COST = 1e6


def character_boxes(pixels: np.ndarray, spans: Float[np.ndarray, "n 2"]) -> list[Rect]:
    """Find the boxes of the characters of a line.

    Args:
      pixels: [h, w] grey or [h, w, 3] colour uint8.
      spans: first and last column of the time steps of each character but spaces, from the left.
    Returns: left, bottom, right, top of each character, origin at the bottom left of the image;
      the whole height and at least one column where there is no ink.
    """
    mask = ink_mask(pixels)
    if not len(spans):
        return []
    cuts = find_cuts(mask, np.clip(np.asarray(spans, np.float64), 0, mask.shape[1]))
    return [_box(mask, left, right) for left, right in pairwise(cuts)]


def _box(mask: Bool[np.ndarray, "h w"], left: int, right: int) -> Rect:
    """The ink between two columns."""
    left = min(left, mask.shape[1] - 1)
    right = max(right, left + 1)
    bounds = ink_bounds(mask[:, left:right])
    if bounds is None:
        return left, 0, right, len(mask)
    return left + bounds[0], bounds[1], left + bounds[2], bounds[3]


def find_cuts(mask: Bool[np.ndarray, "h w"], spans: Float[np.ndarray, "n 2"]) -> list[int]:
    """Choose the columns that divide a line into characters.

    Args:
      mask: True for ink.
      spans: first and last column of the time steps of each character; n >= 1.
    Returns: n + 1 columns, 0 and the width included; a character begins at its own cut.
    """
    width = mask.shape[1]
    rows = np.flatnonzero(mask.any(1))
    height = int(rows[-1] - rows[0]) + 1 if len(rows) else len(mask)
    ink = mask.sum(0)
    middles = np.clip((spans[:-1, 1] + spans[1:, 0]) / 2, 1, max(width - 1, 1))
    places = [np.zeros(1, np.int64)]
    for middle in middles:
        first, last = max(1, int(middle) - height), min(width - 1, int(middle) + height)
        places.append(np.arange(first, max(last, first) + 1))
    places.append(np.array([width]))
    costs = [_cut_costs(ink, at, m, height) for at, m in zip(places[1:-1], middles, strict=True)]
    costs.append(np.zeros(1))
    return _cheapest(places, costs, spans.mean(1), _Ink(ink), height / 2)


def _cut_costs(
    ink: Int[np.ndarray, " w"], at: Int[np.ndarray, " c"], middle: float, height: int
) -> Float[np.ndarray, " c"]:
    away = (at - middle) / (height / 2)
    return _INK_COST * ink[np.minimum(at, len(ink) - 1)] / height + _MIDDLE_COST * away**2


class _Ink:
    """For each column, the first column with ink from there on and the end of ink before it."""

    def __init__(self, ink: Int[np.ndarray, " w"]) -> None:
        columns = np.arange(len(ink))
        following = np.append(np.where(ink > 0, columns, len(ink)), len(ink))
        self.following = np.minimum.accumulate(following[::-1])[::-1]
        self.before = np.append(0, np.maximum.accumulate(np.where(ink > 0, columns + 1, 0)))


def _cheapest(
    places: Sequence[Int[np.ndarray, " c"]],
    costs: Sequence[Float[np.ndarray, " c"]],
    centres: Float[np.ndarray, " n"],
    ink: _Ink,
    unit: float,
) -> list[int]:
    """Find the cuts with the least total cost by dynamic programming over the characters.

    Args:
      places: candidates for each cut, the two ends of the line included.
      costs: cost of each candidate, from the first cut after a character on.
      centres: middle of the time steps of each character.
      ink: table of the columns with ink.
      unit: half the height of the line.
    """
    total = np.zeros(1)  # least cost up to each candidate of the last cut
    chosen = []  # for each cut: best candidate of the cut before it
    for i, (centre, room) in enumerate(zip(centres, _rooms(centres, 2 * unit), strict=True)):
        start, end = places[i][:, None], places[i + 1][None]
        # [places before, places after]: the ink of a character for each pair of cuts.
        left, right = ink.following[start], ink.before[end]
        shape_cost = _CENTRE_COST * (((left + right) / 2 - centre) / unit) ** 2
        shape_cost += (
            _NARROW_COST * np.log(np.maximum(room / _NARROW / _width(left, right), 1)) ** 2
        )
        step = np.where(right <= left, _EMPTY_COST, shape_cost)
        # Cuts in the wrong order are allowed at a price, so that there is always a solution.
        step = total[:, None] + step + _DISORDER_COST * (end <= start) + costs[i][None]
        best = step.argmin(0)
        chosen.append(best)
        total = step[best, np.arange(step.shape[1])]
    cuts, at = [int(places[-1][0])], 0
    for i in reversed(range(len(centres))):
        at = int(chosen[i][at])
        cuts.append(int(places[i][at]))
    return cuts[::-1]


def _width(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    return np.maximum(right - left, 1)


def _rooms(centres: Float[np.ndarray, " n"], most: float) -> Float[np.ndarray, " n"]:
    """Half the distance between the spikes around each character, at most `most`."""
    if len(centres) < 2:
        return np.ones(len(centres))
    first, last = 2 * centres[0] - centres[1], 2 * centres[-1] - centres[-2]
    around = np.concatenate([[first], centres, [last]])
    return np.clip((around[2:] - around[:-2]) / 2, 1, most)
