"""Binary heaps of nodes, the least key first, that move nodes as Tesseract's heaps do.

Which of several nodes with one key is dropped depends on the order inside a heap, and so do the
results of a search.

Source: Tesseract src/ccutil/genericheap.h.
"""

from lstmjax.simd.borrow import always_inline
from lstmjax.simd.compile import inner


@inner
def sift_up(heap, hole, node, keys):
    """Move a hole towards the root until the node may fill it; return where it is."""
    always_inline()
    while hole > 0:
        parent = (hole + 1) // 2 - 1
        # Equal keys do not move: a strict comparison decides ties as in the original.
        if not keys[node] < keys[heap[parent]]:
            break
        heap[hole] = heap[parent]
        hole = parent
    return hole


@inner
def sift_down(heap, size, hole, node, keys):
    """Move a hole towards the leaves until the node may fill it; return where it is."""
    always_inline()
    while True:
        child = 2 * hole + 1
        if child >= size:
            break
        if child + 1 < size and keys[heap[child + 1]] < keys[heap[child]]:  # the left one of equals
            child += 1
        if not keys[heap[child]] < keys[node]:
            break
        heap[hole] = heap[child]
        hole = child
    return hole


@inner
def pop(heap, size, keys):
    """Take the least node off a heap of `size` nodes and return it."""
    always_inline()
    least, last = heap[0], heap[size - 1]
    heap[sift_down(heap, size - 1, 0, last, keys)] = last
    return least
