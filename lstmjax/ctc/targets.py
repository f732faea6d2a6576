"""Tesseract's soft targets: what a line's network outputs should have been.

Not the gradient of the textbook CTC loss: each label's occupancy is normalised over time, labels
of one class are combined by their maximum, and rows are renormalised over classes. The widths of
the numbers (float32 here, float64 there) follow the C++, so that results agree with it.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float32, Int

from lstmjax.ctc._target_kernels import normalise_rows, targets_of_lines


class BatchTargets(NamedTuple):
    """Targets of a batch of lines.

    Attributes:
      targets: [T, B, K] float32; 0 beyond a line's length and for lines that failed.
      found: [B] bool, False where a line is too short for its labels.
    """

    targets: Float32[np.ndarray, "T B K"]
    found: Bool[np.ndarray, " B"]


def normalise_probs(probs: Float32[np.ndarray, "*rows K"]) -> Float32[np.ndarray, "*rows K"]:
    """Make every row sum to 1 with no probability below 1e-12.

    A row of noise, with a sum below 1e-6, is scaled by 1e6 only.

    Source: Tesseract src/training/common/ctc.cpp, NormalizeProbs.
    """
    rows = np.array(probs, np.float32, order="C")  # a copy, to be changed in place
    if rows.ndim < 1:
        raise ValueError("probabilities need at least one axis, the classes; found none")
    if rows.size:
        normalise_rows(rows.reshape(-1, rows.shape[-1]))
    return rows


def ctc_targets(
    probs: Float32[np.ndarray, "T K"], labels: Int[np.ndarray, " L"], null_char: int
) -> Float32[np.ndarray, "T K"] | None:
    """Return a line's soft targets, or None when it is too short for its labels.

    Args:
      probs: [T, K] network outputs, after `normalise_probs`.
      labels: [L] codes with the nulls between and around them.
      null_char: the code of the null.
    Returns: [T, K] float32 rows that sum to 1.
    Raises: ValueError: shapes that do not fit, or a code that is not in 0..K-1.
    Source: Tesseract src/training/common/ctc.cpp, ComputeCTCTargets.
    """
    probs, labels = np.asarray(probs), np.asarray(labels)
    if probs.ndim != 2 or labels.ndim != 1:
        raise ValueError(
            f"expected probs [T, K] and labels [L], found shapes {probs.shape} and {labels.shape}"
        )
    batch = ctc_targets_batch(
        probs[:, None], np.array([len(probs)]), labels[None], np.array([len(labels)]), null_char
    )
    return batch.targets[:, 0] if batch.found[0] else None


def ctc_targets_batch(
    probs: Float32[np.ndarray, "T B K"],
    lengths: Int[np.ndarray, " B"],
    labels: Int[np.ndarray, "B L"],
    label_lengths: Int[np.ndarray, " B"],
    null_char: int,
) -> BatchTargets:
    """Return the soft targets of every line of a batch; other threads may run meanwhile.

    A line without any label, or with nothing but a null, counts as failed.

    Args:
      probs: [T, B, K] network outputs, after `normalise_probs`.
      lengths: [B] true lengths in time steps, at most T.
      labels: [B, L] codes with nulls, padded with anything.
      label_lengths: [B] true numbers of labels, at most L.
      null_char: the code of the null.
    Raises: ValueError: shapes that do not fit, or a code that is not in 0..K-1.
    """
    # Loops are compiled afresh for read-only arrays, such as those of JAX: copy them.
    probs = np.require(probs, np.float32, ["C", "W"])
    lengths, label_lengths = (
        np.require(array, np.int64, ["C", "W"]) for array in (lengths, label_lengths)
    )
    labels = np.require(labels, np.int32, ["C", "W"])
    _check_batch(probs, lengths, labels, label_lengths, null_char)
    targets = np.zeros_like(probs)
    found = np.zeros(len(lengths), np.bool_)
    targets_of_lines(probs, lengths, labels, label_lengths, int(null_char), targets, found)
    return BatchTargets(targets, found)


def simple_text_targets(
    labels: Int[np.ndarray, " L"], num_steps: int, num_classes: int, null_char: int
) -> Float32[np.ndarray, "T K"] | None:
    """Return one-hot targets of the labels in order, then of the null; None if they do not fit.

    Source: Tesseract src/training/unicharset/lstmtrainer.cpp, ComputeTextTargets.
    """
    labels = np.asarray(labels)
    if len(labels) > num_steps:
        return None
    if len(labels) and not 0 <= labels.min() <= labels.max() < num_classes:
        raise ValueError(
            f"labels must lie in 0..{num_classes - 1}, found {labels.min()} to {labels.max()}"
        )
    targets = np.zeros((num_steps, num_classes), np.float32)
    targets[np.arange(len(labels)), labels] = 1
    targets[len(labels) :, null_char] = 1
    return targets


def line_targets(
    probs: Float32[np.ndarray, "T K"],
    codes: Int[np.ndarray, " L"],
    null_char: int,
    *,
    simple_text: bool,
) -> Float32[np.ndarray, "T K"] | None:
    """Return Tesseract's targets of a line; None if its codes do not fit its steps.

    Args:
      probs: [T, K] network outputs, after `normalise_probs`.
      codes: [L] codes of the text, without nulls.
      null_char: code of the null.
      simple_text: whether each code takes one step, without CTC.
    """
    if simple_text:
        return simple_text_targets(codes, len(probs), probs.shape[1], null_char)
    labels = np.full(2 * len(codes) + 1, null_char, np.int32)
    labels[1::2] = codes
    return ctc_targets(probs, labels, null_char)


def _check_batch(probs, lengths, labels, label_lengths, null_char) -> None:
    if probs.ndim != 3 or labels.ndim != 2:
        raise ValueError(
            f"expected probs [T, B, K] and labels [B, L], found {probs.shape} and {labels.shape}"
        )
    T, B, K = probs.shape
    if not len(labels) == len(lengths) == len(label_lengths) == B:
        raise ValueError(
            f"expected {B} lines, found {len(lengths)} lengths, {len(labels)} rows of labels and "
            f"{len(label_lengths)} label lengths"
        )
    if B and not 0 <= lengths.min() <= lengths.max() <= T:
        raise ValueError(f"lengths must lie in 0..{T}, found {lengths.tolist()}")
    if B and not 0 <= label_lengths.min() <= label_lengths.max() <= labels.shape[1]:
        raise ValueError(
            f"label lengths must lie in 0..{labels.shape[1]}, found {label_lengths.tolist()}"
        )
    real = labels[np.arange(labels.shape[1]) < label_lengths[:, None]]
    for code in (null_char, *([real.min(), real.max()] if len(real) else [])):
        if not 0 <= code < K:
            raise ValueError(f"code {code} is not one of the network's {K} outputs")
