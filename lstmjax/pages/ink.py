"""Telling ink from paper in the image of a line."""

import numpy as np
from jaxtyping import Bool
from numpy.typing import NDArray

from lstmjax.pages.crop import Rect


def ink_mask(pixels: NDArray[np.uint8]) -> Bool[np.ndarray, "h w"]:
    """Tell ink from paper by the threshold that separates their levels best.

    Args:
      pixels: [h, w] grey or [h, w, 3] colour.
    Returns: True for ink, which is the minority; all False if the image has one level only.
    Source: N. Otsu, A threshold selection method from gray-level histograms, 1979.
    """
    grey = pixels if pixels.ndim == 2 else pixels.mean(2).astype(np.uint8)
    counts = np.bincount(grey.ravel(), minlength=256).astype(np.float64)
    share = np.cumsum(counts) / grey.size  # share of the pixels up to each level
    mean = np.cumsum(counts * np.arange(256)) / grey.size
    parted = (share > 0) & (share < 1)
    if not parted.any():
        return np.zeros(grey.shape, np.bool_)
    # Otsu: the threshold at which the two means are furthest apart, weighted by both shares.
    between = np.zeros(256)
    part = share[parted]
    between[parted] = (mean[-1] * part - mean[parted]) ** 2 / (part * (1 - part))
    dark = grey <= between.argmax()
    return dark if 2 * np.count_nonzero(dark) <= dark.size else ~dark


def ink_bounds(mask: Bool[np.ndarray, "h w"]) -> Rect | None:
    """Left, bottom, right, top of the ink, origin at the bottom left; None without ink."""
    columns, rows = np.flatnonzero(mask.any(0)), np.flatnonzero(mask.any(1))
    if not len(rows):
        return None
    height = len(mask)
    return (
        int(columns[0]),
        height - 1 - int(rows[-1]),
        int(columns[-1]) + 1,
        height - int(rows[0]),
    )
