"""Word lists as dawgs: the smallest graph whose paths are the words.

First the words are merged into a tree, level by level, all words at once. Then nodes with the
same endings are found by a hash of their subtrees, computed from the leaves up, and merged. The
merged nodes are compared edge by edge, so the result does not depend on luck. Everything is an
array: tens of bytes for each node of the tree, no Python object for a word.

Tesseract's own graphs (src/dict/trie.cpp) come from a reduction that does not find all equal
nodes; they hold the same words with up to half as many edges more.
"""

from dataclasses import dataclass

import numpy as np

from lstmjax.charset.wordlist import WordIds
from lstmjax.errors import CharsetError
from lstmjax.formats.dawg import LAST, WORD_END, Dawg, make_edges

_SALTS = (0x9E3779B97F4A7C15, 0xD1342543DE82EF95, 0xA0761D6478BD642F)


@dataclass(frozen=True, eq=False)
class _Tree:
    """All beginnings of words; node 0 is the empty one, and nodes are ordered by depth.

    Attributes:
      letters: [n] unichar_id that leads to each node.
      ends: [n] whether a word ends at each node.
      first: [n] first child; children lie side by side in ascending order of letters.
      counts: [n] number of children.
      levels: [depths + 1] first node of each depth.
    """

    letters: np.ndarray
    ends: np.ndarray
    first: np.ndarray
    counts: np.ndarray
    levels: np.ndarray

    def children(self, start: int, stop: int) -> slice:
        """The children of the nodes of a level, or a part of it."""
        last = stop - 1
        return slice(int(self.first[start]), int(self.first[last] + self.counts[last]))


def build_dawg(words: WordIds, unicharset_size: int) -> Dawg:
    """Make the smallest dawg of the words; their order and repeats make no difference.

    Raises: CharsetError: there is no word.
    """
    if not len(words):
        raise CharsetError("no word is left, and a dawg without words cannot be written")
    tree = _build_tree(words, unicharset_size)
    for salt in _SALTS:
        classes, representatives = _classes(tree, salt)
        if _are_equal(tree, classes, representatives):
            return _pack(tree, classes, representatives, unicharset_size)
    raise AssertionError("three hash functions in a row collided")


def _build_tree(words: WordIds, unicharset_size: int) -> _Tree:
    """Merge common beginnings, one level after the other."""
    at = words.starts  # place of the next letter of the words that go on
    stops = words.ends
    node = np.zeros(len(words), np.int64)  # node that each of these words has reached
    letters, ends = [np.zeros(1, words.ids.dtype)], [np.zeros(1, bool)]
    firsts, counts = [], []
    levels, size = [0], 1
    while len(at):
        base = levels[-1]
        width = size - base
        # A child is a pair of parent and letter; sorted keys put the children of a node side by
        # side in the order of their letters.
        keys = (node - base) * unicharset_size + words.ids[at]
        unique, node = np.unique(keys, return_inverse=True)
        parents, letter = np.divmod(unique, unicharset_size)
        count = np.bincount(parents, minlength=width)
        firsts.append(size + np.cumsum(count) - count)
        counts.append(count.astype(np.int32))
        letters.append(letter.astype(words.ids.dtype))
        at = at + 1
        done = at == stops
        end = np.zeros(len(unique), bool)
        end[node[done]] = True
        ends.append(end)
        levels.append(size)
        at, stops, node = at[~done], stops[~done], node[~done] + size
        size += len(unique)
    firsts.append(np.full(size - levels[-1], size))
    counts.append(np.zeros(size - levels[-1], np.int32))
    return _Tree(
        np.concatenate(letters),
        np.concatenate(ends),
        np.concatenate(firsts),
        np.concatenate(counts),
        np.array([*levels, size]),
    )


def _mix(values: np.ndarray) -> np.ndarray:
    """Scatter 64-bit values; the last steps of splitmix64."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def _classes(tree: _Tree, salt: int) -> tuple[np.ndarray, np.ndarray]:
    """Number the classes of nodes with equal subtrees.

    Returns: [n] class of each node, 0 for those without children; [classes] the first node of
      each class, in ascending order from class 1 on (entry 0 is not used).
    """
    hashes = np.zeros(len(tree.letters), np.uint64)
    # From the leaves up, so that the hashes of children are there; leaves keep 0.
    for level in range(len(tree.levels) - 3, -1, -1):
        start, stop = int(tree.levels[level]), int(tree.levels[level + 1])
        below = tree.children(start, stop)
        edges = _mix(
            _mix(hashes[below] + np.uint64(salt))
            + (tree.letters[below].astype(np.uint64) << np.uint64(1))
            + tree.ends[below]
        )
        # The hash of a node is the sum over its edges, here a difference of running sums.
        # Overflow does no harm: sums and their differences are modulo 2**64.
        sums = np.append(np.uint64(0), np.cumsum(edges, dtype=np.uint64))
        begin = tree.first[start:stop] - below.start
        hashes[start:stop] = sums[begin + tree.counts[start:stop]] - sums[begin]
    inner = np.flatnonzero(tree.counts)
    _, index, inverse = np.unique(hashes[inner], return_index=True, return_inverse=True)
    order = np.argsort(index)  # in order of first appearance: the root comes first
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    classes = np.zeros(len(tree.letters), np.int64)
    classes[inner] = rank[inverse] + 1
    return classes, np.append(0, inner[index[order]])


def _are_equal(tree: _Tree, classes: np.ndarray, representatives: np.ndarray) -> bool:
    """Check that every node has the edges of the first node of its class."""
    for level in range(len(tree.levels) - 2):
        start, stop = int(tree.levels[level]), int(tree.levels[level + 1])
        inner = np.flatnonzero(tree.counts[start:stop]) + start
        example = representatives[classes[inner]]
        counts = tree.counts[inner]
        if (counts != tree.counts[example]).any():
            return False
        below = tree.children(start, stop)
        shift = np.repeat(tree.first[example] - tree.first[inner], counts)
        other = np.arange(below.start, below.stop) + shift
        for field in (tree.letters, tree.ends, classes):
            if (field[below] != field[other]).any():
                return False
    return True


def _pack(
    tree: _Tree, classes: np.ndarray, representatives: np.ndarray, unicharset_size: int
) -> Dawg:
    """Write down the edges of one node of each class, the root first."""
    nodes = representatives[1:]
    counts = tree.counts[nodes].astype(np.int64)
    starts = np.cumsum(counts) - counts
    children = np.arange(counts.sum()) + np.repeat(tree.first[nodes] - starts, counts)
    flags = tree.ends[children] * WORD_END
    flags[starts + counts - 1] |= LAST
    targets = np.append(0, starts)[classes[children]]
    edges = make_edges(unicharset_size, tree.letters[children], flags, targets)
    return Dawg(unicharset_size, edges)
