"""Seeded division of lines into training and evaluation.

The division by line is that of the public tesstrain Makefile: names are sorted, shuffled with the
seed as a string, and cut, so the same names give the same lists. The other division keeps groups
of lines together.
"""

import random
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from lstmjax.errors import DataError


class Split(NamedTuple):
    """Names of training lines and of evaluation lines."""

    train: list[str]
    eval: list[str]


def split(names: Iterable[str], ratio: float, seed: int) -> Split:
    """Divide names.

    Args:
      names: names of lines or documents, or texts.
      ratio: fraction for training, more than 0 and at most 1.
      seed: seed of the shuffle.
    Returns: the first `int(ratio * n)` of the shuffled names for training, the rest for evaluation.
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
    """Divide names so that every group stays in one part.

    Groups are taken for evaluation in random order, without those that are too large, until there
    are as many lines as `split` would take. If no group fits, or if one group alone comes nearer
    to that number than all that fit, that group is taken.

    Args:
      group_of: name -> name of its group.
      ratio: fraction for training, more than 0 and at most 1.
      seed: seed of the shuffle.
    Returns: both parts, in the order of `split`; and whether the evaluation part has about the size
      that `split` gives it, within a quarter of the smaller part.
    Raises: DataError: nothing is left for training, or all names are in one group.
    """
    by_line = split(group_of, ratio, seed)
    wanted = len(by_line.eval)
    room = min(wanted, len(by_line.train)) / 4
    sizes = Counter(group_of.values())
    groups = sorted(sizes)
    random.Random(str(seed)).shuffle(groups)
    taken, chosen = 0, set[str]()
    for group in groups:
        # The last group may overshoot a little; one that overshoots more is left for training.
        if taken < wanted and taken + sizes[group] <= wanted + room:
            taken += sizes[group]
            chosen.add(group)
    # A single large group may come nearer to the wanted size than the small ones together.
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
