"""Which lines are for training and which for evaluation, decided by a seed.

The split by line is that of the public tesstrain Makefile, so that the same names give the same
lists: sorted, shuffled with the seed as a text, cut. The other one keeps groups of lines together.
"""

import random
from collections import Counter
from collections.abc import Iterable, Mapping
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


def split_groups(group_of: Mapping[str, str], ratio: float, seed: int) -> tuple[Split, bool]:
    """Divide names so that those of a group stay together.

    Groups are taken for evaluation in random order, leaving out those that are too large, until
    there are as many lines as `split` would take. If none fits, or one group alone comes nearer to
    that number than all that fit, that one is taken.

    Args:
      group_of: name -> its group.
      ratio: the part for training, more than 0 and at most 1.
      seed: another one gives another division.
    Returns: both parts in the order of `split`; and whether the part for evaluation has about the
      size it has there, give or take a quarter of the smaller part.
    Raises: DataError: nothing is left for training, or all names are of one group.
    """
    by_line = split(group_of, ratio, seed)
    wanted = len(by_line.eval)
    room = min(wanted, len(by_line.train)) / 4
    sizes = Counter(group_of.values())
    groups = sorted(sizes)
    random.Random(str(seed)).shuffle(groups)
    taken, chosen = 0, set[str]()
    for group in groups:
        if taken < wanted and taken + sizes[group] <= wanted + room:
            taken += sizes[group]
            chosen.add(group)
    nearest = min(groups, key=lambda group: abs(sizes[group] - wanted))
    is_nearer = abs(sizes[nearest] - wanted) < wanted - taken
    if wanted and (not chosen or (is_nearer and wanted - taken > room)):
        taken, chosen = sizes[nearest], {nearest}
    if taken == len(group_of):
        raise DataError("all lines are of one page or book; they can only be divided by line")
    names = [*by_line.train, *by_line.eval]
    parts = Split(
        [name for name in names if group_of[name] not in chosen],
        [name for name in names if group_of[name] in chosen],
    )
    return parts, abs(taken - wanted) <= room
