"""How wrong a reading is: Tesseract's training measures and true edit-distance rates.

All rates are fractions: 0.05 is 5 %. Tesseract's BCER and BWER ignore order, so they are rough
but cheap; `char_counts` and `word_counts` give the rates to compare models by.
"""

import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64, Int
from rapidfuzz.distance import Levenshtein

from lstmjax.constants import WRONG_BY_HALF


def delta_error(deltas: Float[np.ndarray, "T K"]) -> float:
    """Return the number of deltas of at least a half for each time step; it may exceed 1.

    Source: Tesseract src/training/unicharset/lstmtrainer.cpp, ComputeWinnerError.
    """
    deltas = np.asarray(deltas)
    return float(np.count_nonzero(np.abs(deltas) >= WRONG_BY_HALF) / max(len(deltas), 1))


def bcer(truth: Int[np.ndarray, " L"], read: Int[np.ndarray, " M"], null_char: int) -> float:
    """Return the share of a line's codes that were not read; see `bcer_batch`."""
    surplus = Counter(np.asarray(truth).tolist())
    del surplus[null_char]
    size = surplus.total()
    surplus.subtract(Counter(np.asarray(read).tolist()))
    del surplus[null_char]
    if min(surplus, default=0) < 0:
        raise ValueError(f"codes cannot be negative, found {min(surplus)}")
    errors = sum(map(abs, surplus.values()))
    # More errors than codes count as all wrong, since a substitution counts twice.
    if errors >= size:
        return 1.0 if errors else 0.0
    return errors / size


def bcer_batch(
    truths: Sequence[Int[np.ndarray, " L"]], reads: Sequence[Int[np.ndarray, " M"]], null_char: int
) -> Float64[np.ndarray, " B"]:
    """Compare the codes of lines as multisets: their order is ignored, a substitution counts 2.

    Args:
      truths: the codes of each line, with or without nulls.
      reads: the codes read of each line, with or without nulls.
      null_char: the code of the null, which does not count.
    Returns: [B] rates, at most 1; an empty truth gives 0 or 1.
    Raises: ValueError: different numbers of lines, or negative codes.
    Source: Tesseract src/training/unicharset/lstmtrainer.cpp, ComputeCharError.
    """
    truth_lines, truth_codes = _flatten(truths, null_char)
    read_lines, read_codes = _flatten(reads, null_char)
    B = len(truths)
    if len(reads) != B:
        raise ValueError(f"expected a reading for each of {B} lines, found {len(reads)}")
    # Codes of the truth count +1, those of the reading -1.
    codes = np.concatenate([truth_codes, read_codes])
    if codes.size and codes.min() < 0:
        raise ValueError(f"codes cannot be negative, found {codes.min()}")
    # Codes may be any numbers, so they are numbered afresh: a table of [B, distinct codes].
    distinct, columns = np.unique(codes, return_inverse=True)
    cells = np.concatenate([truth_lines, read_lines]) * len(distinct) + columns
    signs = np.repeat([1, -1], [len(truth_codes), len(read_codes)])
    surplus = np.bincount(cells, signs, B * len(distinct)).reshape(B, len(distinct))
    errors = np.abs(surplus).sum(axis=1)
    sizes = np.bincount(truth_lines, minlength=B)
    all_wrong = np.where(errors > 0, 1.0, 0.0)
    return np.where(errors >= sizes, all_wrong, errors / np.maximum(sizes, 1))


def _flatten(lines: Sequence[np.ndarray], null_char: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the line and the code of every code that is not null."""
    arrays = [np.asarray(line, np.int64) for line in lines]
    codes = np.concatenate([np.empty(0, np.int64), *arrays])
    numbers = np.repeat(np.arange(len(arrays)), [len(array) for array in arrays])
    keep = codes != null_char
    return numbers[keep], codes[keep]


def bwer(truth: str, read: str) -> float:
    """Return the share of a line's words that are missing in the reading, wherever they stood.

    Words are what single spaces separate; no other white space does. Without words the rate is 0.

    Source: Tesseract src/training/unicharset/lstmtrainer.cpp, ComputeWordError.
    """
    words = Counter(word for word in truth.split(" ") if word)
    missing = words - Counter(word for word in read.split(" ") if word)
    return missing.total() / max(words.total(), 1)


def reported_percent(mean: float) -> float:
    """Return a rate as Tesseract reports and compares it: percent, rounded to a thousandth."""
    scaled = 100000.0 * mean
    # Half away from zero, as in the original; `round` goes to even numbers.
    return float(np.trunc(scaled + np.copysign(0.5, scaled)) / 1000.0)


@dataclass(frozen=True)
class ErrorCounts:
    """Edits that turn readings into truths, and the lengths of the truths; lines add up."""

    edits: int = 0
    length: int = 0

    def __add__(self, other: "ErrorCounts") -> "ErrorCounts":
        return ErrorCounts(self.edits + other.edits, self.length + other.length)

    @property
    def rate(self) -> float:
        """Edits by length. With nothing to read: 0, or infinity if something was read."""
        if self.length:
            return self.edits / self.length
        return float("inf") if self.edits else 0.0


def char_counts(truth: str, read: str) -> ErrorCounts:
    """Return insertions, deletions and substitutions of code points, both texts in NFC."""
    truth, read = (unicodedata.normalize("NFC", text) for text in (truth, read))
    return ErrorCounts(Levenshtein.distance(truth, read), len(truth))


def word_counts(truth: str, read: str) -> ErrorCounts:
    """Return insertions, deletions and substitutions of words between white space, in NFC."""
    words, read_words = (unicodedata.normalize("NFC", text).split() for text in (truth, read))
    return ErrorCounts(Levenshtein.distance(words, read_words), len(words))
