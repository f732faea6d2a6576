"""Sorting with the very steps of `std::sort` of GNU libstdc++.

With a comparison that is no strict weak order, as that of the original for mixed text, only the
same steps give the same result. Source: libstdc++ bits/stl_algo.h, stl_heap.h (the behaviour).
"""

from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
_SMALL = 16


def introsort(values: list[T], before: Callable[[T, T], bool]) -> list[T]:
    """Return a sorted list.

    Args:
      values: values to sort; the list itself does not change.
      before: whether one value belongs before another.
    """
    data = list(values)
    if data:
        depth = 2 * (len(data).bit_length() - 1)
        _quicksort(data, 0, len(data), depth, before)
        _finish(data, before)
    return data


def _quicksort(
    data: list[T], first: int, last: int, depth: int, before: Callable[[T, T], bool]
) -> None:
    while last - first > _SMALL:
        if depth == 0:
            _heapsort(data, first, last, before)
            return
        depth -= 1
        # Recursion into the upper part, a loop for the lower one: as in libstdc++.
        cut = _partition(data, first, last, before)
        _quicksort(data, cut, last, depth, before)
        last = cut


def _partition(data: list[T], first: int, last: int, before: Callable[[T, T], bool]) -> int:
    """Split around the median of three values, which is put first."""
    a, b, c = first + 1, first + (last - first) // 2, last - 1
    if before(data[a], data[b]):
        middle = b if before(data[b], data[c]) else c if before(data[a], data[c]) else a
    else:
        middle = a if before(data[a], data[c]) else c if before(data[b], data[c]) else b
    data[first], data[middle] = data[middle], data[first]
    pivot = first
    low, high = first + 1, last
    # The original has no bounds here; a comparison that is no order could run past the ends.
    while True:
        while low < last and before(data[low], data[pivot]):
            low += 1
        high -= 1
        while high > first and before(data[pivot], data[high]):
            high -= 1
        if low >= high:
            return low
        data[low], data[high] = data[high], data[low]
        low += 1


def _heapsort(data: list[T], first: int, last: int, before: Callable[[T, T], bool]) -> None:
    size = last - first
    for parent in range((size - 2) // 2, -1, -1):
        _sift(data, first, parent, size, data[first + parent], before)
    for end in range(size - 1, 0, -1):
        value = data[first + end]
        data[first + end] = data[first]
        _sift(data, first, 0, end, value, before)


def _sift(
    data: list[T], first: int, hole: int, size: int, value: T, before: Callable[[T, T], bool]
) -> None:
    """Let a hole sink to the bottom of a heap, then let the value rise from there to its place."""
    top, child = hole, hole
    while child < (size - 1) // 2:
        child = 2 * (child + 1)
        if before(data[first + child], data[first + child - 1]):
            child -= 1
        data[first + hole] = data[first + child]
        hole = child
    if size % 2 == 0 and child == (size - 2) // 2:
        child = 2 * (child + 1)
        data[first + hole] = data[first + child - 1]
        hole = child - 1
    parent = (hole - 1) // 2
    while hole > top and before(data[first + parent], value):
        data[first + hole] = data[first + parent]
        hole = parent
        parent = (hole - 1) // 2
    data[first + hole] = value


def _finish(data: list[T], before: Callable[[T, T], bool]) -> None:
    """Insert the values one by one: the first sixteen with a guard, the rest without."""
    for i in range(1, len(data)):
        value = data[i]
        if i < _SMALL and before(value, data[0]):
            data[1 : i + 1] = data[:i]
            data[0] = value
            continue
        j = i
        while j > 0 and before(value, data[j - 1]):
            data[j] = data[j - 1]
            j -= 1
        data[j] = value
