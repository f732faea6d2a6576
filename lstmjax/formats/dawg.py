"""The packed word graph (squished dawg): a magic number, two sizes and an array of 64-bit edges.

Bits of an edge from the lowest: unichar_id (as many bits as `unicharset_size` has), last edge of
its node, backward edge, word end; above them the index of the next node's first edge, 0 for none.
Source: Tesseract src/dict/dawg.cpp.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from lstmjax.errors import FormatError, naming
from lstmjax.formats.files import PathLike, read_bytes, write_atomically
from lstmjax.formats.stream import Reader, Writer

MAGIC = 42
LAST, BACKWARD, WORD_END = 1, 2, 4
"""Edge flags, as in `Dawg.flags`."""


@dataclass(frozen=True, eq=False)
class Dawg:
    """A word graph.

    Attributes:
      unicharset_size: size of the unicharset the ids belong to; sets the bit layout.
      edges: [n] uint64. The root is the run of edges from 0 to the first LAST one.
    """

    unicharset_size: int
    edges: np.ndarray

    @property
    def letter_bits(self) -> int:
        """Number of bits that hold the unichar_id."""
        return self.unicharset_size.bit_length()

    @property
    def unichar_ids(self) -> np.ndarray:
        """[n] int64 unichar_id of each edge."""
        return (self.edges & np.uint64((1 << self.letter_bits) - 1)).astype(np.int64)

    @property
    def flags(self) -> np.ndarray:
        """[n] int64 sum of LAST, BACKWARD, WORD_END of each edge."""
        return ((self.edges >> np.uint64(self.letter_bits)) & np.uint64(7)).astype(np.int64)

    @property
    def next_nodes(self) -> np.ndarray:
        """[n] int64 first edge of the node each edge leads to, 0 for none."""
        return (self.edges >> np.uint64(self.letter_bits + 3)).astype(np.int64)


def make_edges(
    unicharset_size: int, unichar_ids: np.ndarray, flags: np.ndarray, next_nodes: np.ndarray
) -> np.ndarray:
    """Put the three parts of edges together, the reverse of the properties of `Dawg`.

    Args:
      unicharset_size: size of the unicharset, which sets the bit layout.
      unichar_ids: [n] ids.
      flags: [n] sums of LAST, BACKWARD, WORD_END.
      next_nodes: [n] edge indices, 0 for none.
    Returns: [n] uint64.
    """
    # The bit length of the size, not of the largest id: 64 unichars take 7 bits.
    bits = unicharset_size.bit_length()
    upper = next_nodes.astype(np.uint64) << np.uint64(bits + 3)
    middle = flags.astype(np.uint64) << np.uint64(bits)
    return upper | middle | unichar_ids.astype(np.uint64)


def unpack(data: bytes, *, swap: bool = False) -> Dawg:
    """Read a dawg that fills `data`.

    Raises:
      FormatError: damaged, or an edge leads nowhere.
    """
    reader = Reader(data, swap=swap)
    magic = reader.i16()
    if magic != MAGIC:
        hint = " (a big-endian file)" if magic == MAGIC << 8 else ""
        raise reader.error(f"not a dawg: magic number {magic}, expected {MAGIC}{hint}", at=0)
    unicharset_size = reader.i32()
    if unicharset_size < 1:
        raise reader.error(f"unicharset size {unicharset_size}, expected 1 or more", at=2)
    number = reader.count(8, "edges")
    if number < 1:
        raise reader.error("no edges", at=6)
    dawg = Dawg(unicharset_size, reader.array("u8", number))
    reader.expect_end("dawg")
    _check(dawg)
    return dawg


def _check(dawg: Dawg) -> None:
    """Check every edge at once.

    Raises:
      FormatError: names the first bad edge by its offset.
    """
    flags, targets = dawg.flags, dawg.next_nodes
    last = flags & LAST != 0
    _refuse(dawg.unichar_ids >= dawg.unicharset_size, "holds an id outside the unicharset")
    _refuse(flags & BACKWARD != 0, "is a backward edge; files have only forward ones")
    _refuse((targets < 0) | (targets >= len(targets)), "leads beyond the last edge")
    # A node begins where the one before it ends; target 0 means none, and 0 is a start anyway.
    starts = np.concatenate([[True], last[:-1]])
    _refuse(~starts[targets], "leads into the middle of a node")
    open_end = np.zeros(len(last), bool)
    open_end[-1] = not last[-1]
    _refuse(open_end, "is the last of all but its node goes on")


def _refuse(bad: np.ndarray, problem: str) -> None:
    if bad.any():
        edge = int(bad.argmax())
        raise FormatError(f"edge {edge} {problem}", offset=10 + 8 * edge)


def pack(dawg: Dawg) -> bytes:
    """Write a dawg."""
    writer = Writer()
    writer.i16(MAGIC)
    writer.i32(dawg.unicharset_size)
    writer.i32(len(dawg.edges))
    writer.array("u8", dawg.edges)
    return writer.data


def iterate_words(
    dawg: Dawg, *, max_depth: int = 1000, max_words: int = 20_000_000
) -> Iterator[tuple[int, ...]]:
    """List the words in the order of `dawg2wordlist`: a word before its extensions.

    Args:
      dawg: the graph.
      max_depth: longest word in unichars; also the most edges visited from one word to the next,
        as in a word list every edge leads to a word.
      max_words: most words.

    Yields: tuples of unichar ids.

    Raises:
      FormatError: a limit was passed: the graph is cyclic or not a word list.
    """
    # Python's own integers are several times as fast here as those of NumPy.
    ids, flags, targets = (
        part.tolist() for part in (dawg.unichar_ids, dawg.flags, dawg.next_nodes)
    )
    words = steps = 0
    word: list[int] = []
    stack = [0]  # the edge to visit next, on every level of `word`
    while stack:
        edge = stack[-1]
        del word[len(stack) - 1 :]
        if edge < 0:  # the node is done
            stack.pop()
            continue
        stack[-1] = -1 if flags[edge] & LAST else edge + 1
        word.append(ids[edge])
        steps += 1
        if steps > max_depth:
            raise FormatError(f"no word within {max_depth} steps: the graph has dead ends")
        if flags[edge] & WORD_END:
            words, steps = words + 1, 0
            if words > max_words:
                raise FormatError(f"more than {max_words} words in a dawg of {len(ids)} edges")
            yield tuple(word)
        if targets[edge]:
            if len(word) >= max_depth:
                raise FormatError(f"a word longer than {max_depth} unichars: the graph is cyclic")
            stack.append(targets[edge])


def load(path: PathLike) -> Dawg:
    """Read a stand-alone dawg file; errors name it."""
    with naming(file=str(path)):
        return unpack(read_bytes(path))


def save(dawg: Dawg, path: PathLike) -> None:
    """Write a stand-alone dawg file."""
    write_atomically(path, pack(dawg))
