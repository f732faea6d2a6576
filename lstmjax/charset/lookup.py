"""Words of a dawg: whether one is there, and all of them as text.

Source: tesseract src/dict/dawg.cpp, match_words, iterate_words.
"""

from collections.abc import Iterator, Sequence
from functools import cached_property

import numpy as np

from lstmjax.charset.unicharset import Unicharset
from lstmjax.errors import FormatError
from lstmjax.formats.dawg import LAST, WORD_END, Dawg, iterate_words
from lstmjax.formats.files import PathLike


def check_unicharset(graph: Dawg, unicharset: Unicharset, path: PathLike) -> None:
    """Make sure that a dawg was made with a unicharset of this size.

    Raises: FormatError: it was not; names the dawg by its path.
    """
    if graph.unicharset_size != len(unicharset):
        raise FormatError(
            f"made with a unicharset of {graph.unicharset_size} unichars, but the one given has "
            f"{len(unicharset)}; use the unicharset it was made with",
            file=str(path),
        )


def words_as_text(graph: Dawg, unicharset: Unicharset) -> Iterator[str]:
    """Yield the words in the order of `iterate_words`; reversed words are left reversed.

    Raises: FormatError: see `iterate_words`.
    """
    texts = [unicharset.printed(unichar_id) for unichar_id in range(len(unicharset))]
    for word in iterate_words(graph):
        yield "".join([texts[unichar_id] for unichar_id in word])


class WordLookup:
    """The words of a dawg as a container of unichar id sequences.

    Args:
      graph: the dawg.
      wildcard: unichar_id that matches any one unichar of the dawg's words; None for no wildcard.
    """

    def __init__(self, graph: Dawg, wildcard: int | None = None):
        self._graph = graph
        self._wildcard = wildcard
        self._flags, self._targets = graph.flags.tolist(), graph.next_nodes.tolist()

    @cached_property
    def _edges(self) -> dict[tuple[int, int], int]:
        """(node, unichar_id) -> edge."""
        last = self._graph.flags & LAST != 0
        starts = np.flatnonzero(np.append(True, last[:-1]))
        nodes = np.repeat(starts, np.diff(np.append(starts, len(last))))
        keys = zip(nodes.tolist(), self._graph.unichar_ids.tolist(), strict=True)
        return {key: edge for edge, key in enumerate(keys)}

    def __contains__(self, word: Sequence[int]) -> bool:
        """Whether the word, or with wildcards any word like it, is in the dawg."""
        nodes = {0}  # with wildcards, several paths can match at once
        for place, unichar_id in enumerate(word):
            edges = set()
            for node in nodes:
                edge = self._edges.get((node, unichar_id))
                if edge is not None:
                    edges.add(edge)
                if unichar_id == self._wildcard:
                    edges.update(self._run(node))
            if place == len(word) - 1:
                return any(self._flags[edge] & WORD_END for edge in edges)
            nodes = {self._targets[edge] for edge in edges} - {0}
        return False

    def _run(self, node: int) -> range:
        """The edges of a node."""
        stop = node
        while not self._flags[stop] & LAST:
            stop += 1
        return range(node, stop + 1)
