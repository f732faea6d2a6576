"""Sorting as `std::sort` does, also with a comparison that is no order."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstmjax.render.introsort import _quicksort, introsort

SORTED = {
    6: [329, 502, 652, 882, 939, 678],
    16: [34, 91, 101, 223, 357, 514, 514, 517, 640, 672, 717, 735, 763, 763, 959, 996],
    17: [61, 274, 387, 168, 211, 311, 444, 514, 729, 555, 757, 768, 790, 960, 864, 861, 976],
    40: [
        124, 140, 161, 198, 249, 268, 301, 319, 329, 368, 370, 382, 400, 401, 412, 428, 472, 495,
        557, 609, 689, 704, 733, 743, 764, 766, 770, 780, 33, 291, 420, 621, 681, 324, 809, 839,
        862, 872, 895, 968,
    ],
    100: [
        5, 22, 47, 47, 49, 64, 68, 79, 92, 98, 111, 33, 121, 152, 164, 167, 170, 193, 213, 215,
        218, 218, 238, 248, 251, 252, 290, 302, 305, 316, 339, 350, 352, 361, 374, 386, 409, 419,
        427, 448, 488, 517, 561, 578, 607, 619, 690, 693, 615, 622, 663, 627, 447, 495, 603, 641,
        641, 649, 650, 652, 655, 662, 668, 688, 730, 778, 788, 815, 817, 817, 817, 824, 865, 899,
        899, 912, 624, 909, 594, 693, 792, 387, 522, 345, 555, 903, 300, 366, 264, 897, 864, 929,
        929, 947, 968, 968, 995, 1001, 1007, 1022,
    ],
}  # fmt: skip
"""What `std::sort` of GNU's library makes of `mixed(size)` with `before`."""


def mixed(size: int) -> list[tuple[int, int]]:
    """Pairs of a key, -1 for most, and a place, from a simple generator."""
    state, pairs = size, []
    for i in range(size):
        state = (state * 1103515245 + 12345) & 0xFFFFFFFF
        place = state >> 16 & 1023
        pairs.append((-1 if place % 3 else i, place))
    return pairs


def before(a: tuple[int, int], b: tuple[int, int]) -> bool:
    """No order: pairs with keys compare by these, backwards, all others by place."""
    return b[0] < a[0] if a[0] >= 0 and b[0] >= 0 else a[1] < b[1]


@pytest.mark.parametrize("size", SORTED)
def test_steps_are_those_of_the_library(size):
    assert [place for _, place in introsort(mixed(size), before)] == SORTED[size]


@given(st.lists(st.integers(0, 50), max_size=120))
def test_orders_are_sorted(values):
    assert introsort(values, lambda a, b: a < b) == sorted(values)


def killer(size: int) -> list[int]:
    """Values that make quicksort slow, from the adversary of McIlroy 1999.

    It decides which of two values is larger only when it is asked.
    """
    known: dict[int, int] = {}
    candidate = 0

    def less(x: int, y: int) -> bool:
        nonlocal candidate
        if x not in known and y not in known:
            known[x if x == candidate else y] = len(known)
        if x not in known or y not in known:
            candidate = y if x in known else x
        return known.get(x, size) < known.get(y, size)

    _quicksort(list(range(size)), 0, size, size, less)
    return [known.get(i, size) for i in range(size)]


def test_the_worst_case_of_quicksort_is_sorted_by_heap():
    calls, values = 0, killer(600)

    def less(a: int, b: int) -> bool:
        nonlocal calls
        calls += 1
        return a < b

    _quicksort(list(values), 0, len(values), len(values), less)
    assert calls > 100 * len(values)
    calls = 0
    assert introsort(values, less) == sorted(values)
    assert calls < 40 * len(values)


def test_any_comparison_ends():
    draws = random.Random(3)
    for size in (5, 17, 60, 300):
        values = list(range(size))
        result = introsort(values, lambda a, b: draws.random() < 0.5)
        assert sorted(result) == values


def test_the_argument_is_left_alone():
    values = [3, 1, 2]
    introsort(values, lambda a, b: a < b)
    assert values == [3, 1, 2]
