import struct

import helpers
import numpy as np
import pytest
from formats.format_samples import TINY_DAWG as TINY

from lstmjax.errors import FormatError
from lstmjax.formats import dawg, traineddata, unicharset
from lstmjax.formats.dawg import BACKWARD, LAST, WORD_END, Dawg


def test_tiny_dawg():
    graph = dawg.unpack(TINY)
    assert graph.unichar_ids.tolist() == [3, 4, 6, 4, 6]
    assert graph.flags.tolist() == [4, 0, 1, 5, 5]
    assert graph.next_nodes.tolist() == [3, 4, 3, 0, 0]
    assert list(dawg.iterate_words(graph)) == [(3,), (3, 4), (4, 6), (6, 4)]
    assert dawg.pack(graph) == TINY
    edges = dawg.make_edges(10, graph.unichar_ids, graph.flags, graph.next_nodes)
    np.testing.assert_array_equal(edges, graph.edges)


def test_big_endian():
    data = struct.pack(">hiiQ", 42, 10, 1, 0x56)
    assert list(dawg.iterate_words(dawg.unpack(data, swap=True))) == [(6,)]
    with pytest.raises(FormatError, match=r"magic number 10752.*big-endian"):
        dawg.unpack(data)


REAL = {
    "lstm-punc-dawg": (171, 174),
    "lstm-word-dawg": (84227, 70171),
    "lstm-number-dawg": (161, 129),
}


@pytest.mark.parametrize("component", REAL)
def test_real_dawgs_round_trip(component):
    trained = traineddata.load(helpers.testdata("tessdata_best/heb.traineddata"))
    data = trained.components[component]
    graph = dawg.unpack(data)
    assert dawg.pack(graph) == data
    assert (len(graph.edges), sum(1 for _ in dawg.iterate_words(graph))) == REAL[component]


@pytest.mark.reference
@pytest.mark.parametrize("component", REAL)
def test_word_order_is_that_of_dawg2wordlist(component, tmp_path):
    trained = traineddata.load(helpers.testdata("tessdata_best/heb.traineddata"))
    charset = trained.components["lstm-unicharset"]
    (tmp_path / "u").write_bytes(charset)
    (tmp_path / "d").write_bytes(trained.components[component])
    helpers.run_real("dawg2wordlist", tmp_path / "u", tmp_path / "d", tmp_path / "w")
    texts = [row.unichar for row in unicharset.unpack(charset).rows]
    words = dawg.iterate_words(dawg.load(tmp_path / "d"))
    ours = "".join("".join(texts[i] for i in word) + "\n" for word in words)
    assert ours.encode() == (tmp_path / "w").read_bytes()


def graph(*edges: tuple[int, int, int], size: int = 10) -> bytes:
    ids, flags, targets = (np.array(column) for column in zip(*edges, strict=True))
    return dawg.pack(Dawg(size, dawg.make_edges(size, ids, flags, targets)))


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"\x2b\x00", "magic number 43, expected 42"),
        (struct.pack("<hii", 42, 0, 1), "unicharset size 0"),
        (struct.pack("<hii", 42, 9, 0), "no edges"),
        (struct.pack("<hii", 42, 9, -1), "4294967295 edges need"),
        (TINY[:-1], "5 edges need at least 40 bytes, 39 remain"),
        (TINY + b"x", "1 unexpected bytes"),
        (graph((12, LAST, 0)), "byte 0xa: edge 0 holds an id outside"),
        (graph((1, LAST | BACKWARD, 0)), "backward edge"),
        (graph((1, LAST, 1)), "leads beyond the last edge"),
        (graph((1, 0, 1), (2, LAST, 0)), "edge 0 leads into the middle of a node"),
        (graph((1, LAST, 0), (2, 0, 0)), "byte 0x12: edge 1 is the last of all"),
        (struct.pack("<hiiQ", 42, 10, 1, 2**64 - 2**7 + 2**4), "leads beyond"),
    ],
    ids=[
        "magic",
        "size",
        "none",
        "negative",
        "short",
        "trailing",
        "id",
        "backward",
        "target",
        "middle",
        "open",
        "slot",
    ],
)
def test_damaged_dawgs_are_refused(data, problem):
    with pytest.raises(FormatError, match=problem):
        dawg.unpack(data)


def test_endless_graphs_end():
    cyclic = dawg.unpack(graph((1, LAST, 1), (2, LAST | WORD_END, 1)))
    with pytest.raises(FormatError, match="longer than 1000 unichars: the graph is cyclic"):
        list(dawg.iterate_words(cyclic))
    with pytest.raises(FormatError, match="more than 5 words"):
        list(dawg.iterate_words(cyclic, max_words=5))


def test_shared_nodes_without_words_end():
    # 2 ^ 60 paths through 60 nodes of two edges each, and not a single word.
    chain = [edge for i in range(1, 61) for edge in ((1, 0, 2 * i), (2, LAST, 2 * i))]
    shared = dawg.unpack(graph(*chain, (1, LAST, 0)))
    with pytest.raises(FormatError, match="no word within 1000 steps"):
        list(dawg.iterate_words(shared, max_words=10))
