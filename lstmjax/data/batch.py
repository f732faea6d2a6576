"""Width buckets and padded batches, whose shapes steps are compiled for.

Every batch has one of a few shapes, so that few steps are compiled. A bucket is a width and the
longest label sequence that goes with it; buckets are fitted to the data so that little time is
spent on padding.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

_OVERFLOW_STEP = 96  # widths beyond every bucket are rounded up to a multiple of this
_LABEL_STEP = 8


class BatchShape(NamedTuple):
    """Rows, columns and label places of a batch."""

    height: int
    width: int
    labels: int


class Batch(NamedTuple):
    """Lines of one update, padded to one shape.

    Attributes:
      images: [H, W, B, D] float32, zero beyond each width.
      widths: [B] int32 true widths; 1 for an empty place.
      labels: [B, L] int32 codes without nulls.
      num_labels: [B] int32 true lengths of the labels.
      weights: [B] float32, 1 for a line, 0 for an empty place.
    """

    images: Float[np.ndarray, "H W B D"]
    widths: Int[np.ndarray, " B"]
    labels: Int[np.ndarray, "B L"]
    num_labels: Int[np.ndarray, " B"]
    weights: Float[np.ndarray, " B"]


@dataclass(frozen=True)
class Buckets:
    """Sorted widths of the batches.

    Attributes:
      widths: widths in ascending order.
      labels: number of label places for each width.
      multiple: number that all widths are multiples of.
    """

    widths: tuple[int, ...]
    labels: tuple[int, ...]
    multiple: int = 1

    def shape(self, height: int, width: int, num_labels: int) -> BatchShape:
        """The smallest batch shape that holds such lines.

        Lines wider than every bucket, or with more labels than their bucket has places, get
        shapes of their own, rounded up so that there are few of them.
        """
        i = int(np.searchsorted(self.widths, width))
        if i < len(self.widths):
            places = self.labels[i]
            bucket = self.widths[i]
        else:
            step = _OVERFLOW_STEP * self.multiple
            bucket, places = _round_up(width, step), 0
        if num_labels > places:
            places = _round_up(num_labels, 4 * _LABEL_STEP)
        return BatchShape(height, bucket, places)


def _round_up(value: int, step: int) -> int:
    return -(-value // step) * step


def fit_buckets(
    widths: Sequence[int] | np.ndarray,
    num_labels: Sequence[int] | np.ndarray,
    *,
    most: int = 6,
    multiple: int = 1,
    padding: float = 0.0,
) -> Buckets:
    """Choose at most `most` widths so that the padded area over the given lines is smallest.

    No more are chosen than it takes to pad the lines by no more than `padding`.

    Args:
      widths: scaled widths of (a sample of) the lines, at least one.
      num_labels: label counts of the same lines.
      most: greatest number of widths.
      multiple: number that bucket widths are multiples of (the network's x scale).
      padding: acceptable padding, as a fraction of the area of all lines.
    """
    order = np.argsort(np.asarray(widths), kind="stable")
    sorted_widths = _round_up_array(np.asarray(widths)[order], multiple)
    # A narrower line may have more labels, so a bucket has places for the longest so far.
    sorted_labels = np.maximum.accumulate(np.asarray(num_labels)[order])
    candidates, first = np.unique(sorted_widths, return_index=True)
    last = np.append(first[1:], len(sorted_widths)) - 1
    if len(candidates) > 128:  # quantiles are as good as all widths, and the search stays quick
        keep = np.unique(np.linspace(0, len(candidates) - 1, 128).round().astype(int))
        candidates, last = candidates[keep], last[keep]
    chosen = _cheapest_cuts(
        candidates.astype(np.float64), (last + 1).astype(np.float64), most,
        enough=(1 + padding) * float(sorted_widths.sum()),
    )  # fmt: skip
    return Buckets(
        tuple(int(candidates[i]) for i in chosen),
        tuple(_round_up(max(1, int(sorted_labels[last[i]])), _LABEL_STEP) for i in chosen),
        multiple,
    )


def _round_up_array(values: np.ndarray, step: int) -> np.ndarray:
    return -(-values // step) * step


def _cheapest_cuts(
    widths: np.ndarray, lines_up_to: np.ndarray, most: int, enough: float
) -> list[int]:
    """Choose bucket ends by dynamic programming; a bucket costs its width times its lines.

    Args:
      widths: [n] candidates in ascending order.
      lines_up_to: [n] number of lines of at most this width.
      most: greatest number of buckets.
      enough: total cost at which no further bucket is added.
    Returns: indices of the chosen candidates; the last one is always chosen.
    """
    n = len(widths)
    cost = widths * lines_up_to  # least cost of all lines up to candidate i, here with one bucket
    choice: list[np.ndarray] = []  # for each further bucket: end of the one before it, or -1
    for _ in range(min(most, n) - 1):
        if cost[-1] <= enough:
            break
        # total[j, i]: buckets end at j, then one more from j + 1 to i
        total = cost[:, None] + widths[None, :] * (lines_up_to[None, :] - lines_up_to[:, None])
        total[np.tril_indices(n)] = np.inf
        best = total.argmin(0)
        value = total[best, np.arange(n)]
        improved = value < cost
        choice.append(np.where(improved, best, -1))
        cost = np.minimum(cost, value)
    # Walk back from the last candidate.
    cuts, i = [n - 1], n - 1
    for step in reversed(choice):
        if step[i] >= 0:
            i = int(step[i])
            cuts.append(i)
    return cuts[::-1]


def pad(
    images: Sequence[np.ndarray], labels: Sequence[np.ndarray], shape: BatchShape, size: int
) -> Batch:
    """Put lines into a batch of `size` places.

    Args:
      images: [H, w, D] float32 for each line, w <= shape.width.
      labels: int32 codes for each line, at most shape.labels.
      shape: shape of the batch.
      size: number of places; those without a line have weight 0.
    """
    depth = images[0].shape[2] if images else 1
    batch = Batch(
        np.zeros((shape.height, shape.width, size, depth), np.float32),
        np.ones(size, np.int32),
        np.zeros((size, shape.labels), np.int32),
        np.zeros(size, np.int32),
        np.zeros(size, np.float32),
    )
    for i, (image, codes) in enumerate(zip(images, labels, strict=True)):
        batch.images[:, : image.shape[1], i] = image
        batch.widths[i] = image.shape[1]
        batch.labels[i, : len(codes)] = codes
        batch.num_labels[i] = len(codes)
        batch.weights[i] = 1.0
    return batch
