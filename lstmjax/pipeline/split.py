"""Which lines are for training and which for evaluation, decided by a seed.

The split is that of the public tesstrain Makefile, so that the same names give the same lists:
sorted, shuffled with the seed as a text, cut.
"""

import random
from collections.abc import Iterable
from typing import NamedTuple

from lstmjax.errors import DataError


class Split(NamedTuple):
    """Names for training and for evaluation."""

    train: list[str]
    eval: list[str]


def split(names: Iterable[str], ratio: float, seed: int) -> Split:
    """Divide names.

    Args:
      names: of documents, or lines of text.
      ratio: the part for training, more than 0 and at most 1.
      seed: another one gives another division.
    Returns: training has the first `int(ratio * n)` of the shuffled names, evaluation the rest.
    Raises: DataError: nothing is left for training.
    """
    shuffled = sorted(names)
    random.Random(str(seed)).shuffle(shuffled)
    count = int(ratio * len(shuffled))
    if not count:
        raise DataError(
            f"of {len(shuffled)} lines none is left for training (--ratio_train {ratio:g}); "
            "add lines or raise the ratio"
        )
    return Split(shuffled[:count], shuffled[count:])
