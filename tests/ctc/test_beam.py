"""The beam search against a slow search written out plainly, and against stored C++ results."""

import math
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstmjax.charset.prefixes import build_tables
from lstmjax.ctc._beams import extend_history
from lstmjax.ctc._codes import certainty_of
from lstmjax.ctc.beam import beam_search, beam_search_batch

NULL = 11
# Space, five letters, a letter that is also the start of another, two longer ones, null.
SEQUENCES = [(0,), (11,), (11,), (1,), (2,), (3,), (4,), (5,), (6,), (6, 7), (8, 9, 10), (8, 9)]
K = 12
PLAIN = [(0,), (5,), (5,), (1,), (2,), (3,), (4,)]


class Heap:
    """A binary heap in a list, least key first, that moves items like Tesseract's."""

    def __init__(self):
        self.items = []

    def up(self, i):
        while i > 0 and self.items[i][0] < self.items[(i - 1) // 2][0]:
            parent = (i - 1) // 2
            self.items[i], self.items[parent] = self.items[parent], self.items[i]
            i = parent

    def down(self, i):
        while 2 * i + 1 < len(self.items):
            child = min(range(2 * i + 1, min(2 * i + 3, len(self.items))), key=self.key)
            if not self.items[child][0] < self.items[i][0]:
                return
            self.items[i], self.items[child] = self.items[child], self.items[i]
            i = child

    def key(self, i):
        return self.items[i][0]

    def push(self, key, value):
        self.items.append((key, value))
        self.up(len(self.items) - 1)

    def pop(self):
        least, last = self.items[0], self.items.pop()
        if self.items:
            self.items[0] = last
            self.down(0)
        return least


class SlowSearch:
    """Nodes are dicts; a beam is named by (continuation, codes read of the character)."""

    ORDER = tuple((c, n) for c in ("any", "only_dup", "no_dup") for n in range(10))

    def __init__(self, sequences, null):
        self.null, self.final, self.onward = null, {}, {}
        for sequence in sequences:
            self.final.setdefault(sequence[:-1], []).append(sequence[-1])
            for n in range(len(sequence) - 1):
                codes = self.onward.setdefault(sequence[:n], [])
                if sequence[n] not in codes:
                    codes.append(sequence[n])

    def rank(self, row):
        heap = Heap()
        for code, prob in enumerate(row):
            if len(heap.items) < 5 or prob > heap.items[0][0]:
                heap.push(prob, code)
                if len(heap.items) > 5:
                    heap.pop()
        best_last = [heap.pop()[1] for _ in range(len(heap.items))]
        ranks = dict.fromkeys(range(len(row)), 2) | dict.fromkeys(best_last, 1)
        return ranks | dict.fromkeys(best_last[-2:], 0) | {self.null: 0}, set(best_last[-2:])

    def push(self, beams, beam, node, dup, code, prefix, prob):
        certainty = np.float32(certainty_of(np.float32(prob)))
        history = node["history"] if node else ()
        if not dup and code != self.null:
            # In the C++ a hash, which zeros at the start do not change.
            history = (*history, code) if history or code else ()
        score = certainty + (node["score"] if node else np.float32(0))
        new = {"code": code, "history": history, "prefix": prefix, "score": score}
        new |= {"previous": node, "certainty": certainty}
        heap = beams.setdefault(beam, Heap())
        width = {0: 5, 1: 10}.get(beam[1], 16)
        if len(heap.items) >= width and not score > heap.items[0][0]:
            return
        for i, (old_score, old) in enumerate(heap.items):
            if old["code"] == code and old["history"] == history:
                if score > old_score:
                    heap.items[i] = (score, new)
                    heap.down(i)
                    heap.up(heap.items.index((score, new)))
                return
        heap.push(score, new)
        if len(heap.items) > width:
            heap.pop()

    def extend(self, beams, beam, node, row, ranks, two_best, rank):
        continuation, length = beam
        before, prefix = (node["code"], node["prefix"]) if node else (None, ())
        null = self.null
        if node:
            if ranks[before] == rank:
                if continuation != "no_dup":
                    self.push(beams, ("any", length), node, True, before, prefix, row[before])
                if continuation == "any" and rank == 0 and before != null:
                    prob = row[before] + row[null]
                    self.push(beams, ("no_dup", length), node, True, before, prefix, prob)
            if continuation == "only_dup":
                return
            if before != null and length > 0 and ranks[null] == rank:
                self.push(beams, ("any", length), node, False, null, prefix, row[null])
        steps = [(code, 0, ()) for code in self.final.get(prefix, [])]
        steps += [(code, length + 1, (*prefix, code)) for code in self.onward.get(prefix, [])]
        for code, new_length, new_prefix in steps:
            if ranks[code] != rank or code == before:
                continue
            self.push(beams, ("any", new_length), node, False, code, new_prefix, row[code])
            if rank == 0 and code != null:
                prob = row[code] + row[null]
                if continuation == "any" and before != null and {before, code} == two_best:
                    prob += row[before]
                self.push(beams, ("only_dup", new_length), node, False, code, new_prefix, prob)

    def search(self, probs):
        beams = {}
        for t, row in enumerate(probs):
            ranks, two_best = self.rank(row)
            old, beams = beams, {}
            for rank in range(3):
                if t == 0:
                    self.extend(beams, ("any", 0), None, row, ranks, two_best, 0)
                    break
                for beam in self.ORDER:
                    for _, node in reversed(old[beam].items if beam in old else []):
                        self.extend(beams, beam, node, row, ranks, two_best, rank)
                if any(heap.items for beam, heap in beams.items() if beam[0] == "any"):
                    break
        ends = [
            node
            for beam in (("any", 0), ("no_dup", 0))
            for _, node in (beams[beam].items if beam in beams else [])
        ]
        path, node = [], max(ends, key=lambda node: node["score"], default=None)
        while node:
            path.append(node)
            node = node["previous"]
        return self.read(path[::-1])

    def read(self, path):
        codes, starts, ends, certainty = [], [], [], []
        for t, node in enumerate(path):
            if node["code"] == self.null:
                continue
            if t == 0 or path[t - 1]["code"] != node["code"]:
                codes.append(node["code"])
                starts.append(t)
                ends.append(t + 1)
                certainty.append(node["certainty"])
            ends[-1], certainty[-1] = t + 1, min(certainty[-1], node["certainty"])
        return codes, starts, ends, certainty


def fields(decoded):
    names = ("codes", "starts", "ends", "certainty")
    return tuple(getattr(decoded, name).tolist() for name in names)


def make_probs(kind, random, T, num_codes, null):
    """Random rows of some kind that sum to 1."""
    if kind == "flat":
        weights = random.random((T, num_codes))
    elif kind == "peaky":
        weights = np.exp(random.normal(size=(T, num_codes)) * 8)
    elif kind == "tied":
        weights = random.integers(0, 4, (T, num_codes)) + 1e-30
    elif kind == "one-hot":
        weights = np.eye(num_codes)[random.integers(0, num_codes, T)] + 1e-30
    else:  # like text: runs of a code, then of the null
        weights = np.exp(random.normal(size=(T, num_codes)))
        likely = np.repeat(random.integers(0, num_codes, T), random.integers(1, 4, T))[:T]
        likely[random.random(T) < 0.3] = null
        weights[np.arange(T), likely] += random.choice([5, 50, 5000], T)
    probs = (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
    return np.maximum(probs, np.float32(1e-12)) if random.random() < 0.5 else probs


@pytest.mark.parametrize(
    ("sequences", "null"),
    [
        pytest.param(SEQUENCES, NULL, id="several-codes"),
        pytest.param(PLAIN, 5, id="one-code"),
        pytest.param([(0,), (1, 2), (1, 2, 3, 4, 5, 6, 7, 8, 3), (2, 1), (9,)], 9, id="nine-codes"),
    ],
)
@pytest.mark.parametrize("kind", ["flat", "peaky", "tied", "one-hot", "text"])
def test_equals_slow_search(sequences, null, kind):
    random = np.random.default_rng(7)
    tables, slow = build_tables(sequences), SlowSearch(sequences, null)
    num_codes = max(map(max, sequences)) + 1
    for T in (1, 2, 3, 5, 8, 13, 30):
        probs = make_probs(kind, random, T, num_codes, null)
        expected = slow.search(probs)
        got = fields(beam_search(probs, tables, null))
        assert got[:3] == expected[:3]
        np.testing.assert_array_equal(np.float32(got[3]), np.float32(expected[3]))


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_equals_slow_search_on_any_small_numbers(data):
    T = data.draw(st.integers(1, 9))
    value = st.sampled_from([0.0, 1e-12, 1e-6, 0.1, 0.25, 0.5, 1.0])
    row = st.lists(value, min_size=K, max_size=K)
    probs = np.array(data.draw(st.lists(row, min_size=T, max_size=T)), np.float32)
    expected = SlowSearch(SEQUENCES, NULL).search(probs)
    assert fields(beam_search(probs, build_tables(SEQUENCES), NULL))[:3] == expected[:3]


def spread(T, num_codes, seed, power):
    """Numbers that any machine makes alike, for results that are stored below."""
    t, k = np.arange(T)[:, None], np.arange(num_codes)
    weights = ((t * t * 31 + k * k * 17 + t * k * 7 + seed * (t // 3 + 1)) % 101 + 1) ** power
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)


# What RecodeBeamSearch of the real library, version 5.3.0, reads in `spread`, with the recoder
# SEQUENCES: (seed, power, codes, starts).
STORED = [
    (0, 2,
     "5 1 3 0 3 0 6 3 1 4 1 8 9 1 6",
     "1 2 3 4 8 9 10 11 13 14 16 17 20 21 22"),
    (1, 9,
     "5 1 3 0 3 3 0 6 3 1 4 1 6 5 0 5 4 6 7",
     "1 2 3 4 6 8 9 10 11 13 14 16 17 18 19 20 21 22 23"),
    (2, 6,
     "5 1 3 0 3 3 0 6 0 2 1 6 3 0 6 7",
     "1 2 3 4 6 8 9 10 13 14 16 17 18 19 22 23"),
    (3, 9,
     "5 1 3 0 3 3 0 2 6 8 9 2 4 5 3 6 0 3",
     "1 2 3 4 6 8 9 10 11 12 13 14 16 17 18 19 20 22"),
    (4, 2,
     "5 1 3 0 3 3 2 6 8 9 2 3 4 3 0 3",
     "1 2 3 4 6 8 9 11 12 13 14 15 16 17 21 22"),
    (5, 9,
     "5 1 2 4 3 3 2 6 8 9 4 3 0 2 5 0 5",
     "1 2 3 4 6 8 9 11 12 13 14 15 16 18 19 21 23"),
]  # fmt: skip


@pytest.mark.parametrize(("seed", "power", "codes", "starts"), STORED)
def test_reads_what_the_real_library_reads(seed, power, codes, starts):
    decoded = beam_search(spread(24, K, seed, power), build_tables(SEQUENCES), NULL)
    assert decoded.codes.tolist() == [int(code) for code in codes.split()]
    assert decoded.starts.tolist() == [int(start) for start in starts.split()]


def rows(*codes, num_codes=K, sure=0.9):
    """One row a code, which gets most of it."""
    probs = np.full((len(codes), num_codes), (1 - sure) / (num_codes - 1), np.float32)
    probs[np.arange(len(codes)), codes] = sure
    return probs


@pytest.mark.parametrize(
    ("path", "codes", "starts", "ends"),
    [
        pytest.param([1, 1, NULL, 1], [1, 1], [0, 3], [2, 4], id="null-parts-repeats"),
        pytest.param([NULL] * 4, [], [], [], id="nothing-but-nulls"),
        pytest.param([8, NULL, 9, 9, 10], [8, 9, 10], [0, 2, 4], [1, 4, 5], id="nulls-inside"),
        pytest.param([6, 7, 6, 1], [6, 7, 6, 1], [0, 1, 2, 3], [1, 2, 3, 4], id="shared-start"),
    ],
)
def test_reads_sure_paths(path, codes, starts, ends):
    decoded = beam_search(rows(*path), build_tables(SEQUENCES), NULL)
    assert fields(decoded)[:3] == (codes, starts, ends)
    np.testing.assert_allclose(decoded.certainty, math.log(0.9), rtol=1e-6)


def test_code_and_null_share_their_probability():
    # The null is best at every step, but a path that may be either at most steps beats it.
    probs = np.full((3, K), 0.01, np.float32)
    probs[:, [1, NULL]] = 0.4, 0.5
    assert beam_search(probs, build_tables(SEQUENCES), NULL).codes.tolist() == [1]


def test_half_read_character_does_not_end_a_line():
    decoded = beam_search(rows(1, 8), build_tables(SEQUENCES), NULL)
    assert decoded.codes.tolist() != [1, 8]


def test_no_path_reads_nothing():
    # The only character needs two codes, and a single step has room for one.
    decoded = beam_search(rows(1, num_codes=2), build_tables([(1, 0)]), 0)
    assert fields(decoded) == ([], [], [], [])


def test_batch_equals_lines_and_ignores_padding():
    random = np.random.default_rng(3)
    probs = np.stack([make_probs("text", random, 20, K, NULL) for _ in range(5)], axis=1)
    lengths = np.array([20, 0, 1, 7, 19])
    tables = build_tables(SEQUENCES)
    batch = beam_search_batch(probs, lengths, tables, NULL)
    noisy = probs.copy()
    for b, length in enumerate(lengths):
        noisy[length:, b] = np.nan
        assert fields(batch[b]) == fields(beam_search(probs[:length, b], tables, NULL))
    again = beam_search_batch(noisy, lengths, tables, NULL)
    assert list(map(fields, again)) == list(map(fields, batch))


def test_read_only_arrays_are_read_too():
    probs = rows(1, 2)
    probs.setflags(write=False)
    assert beam_search(probs, build_tables(SEQUENCES), NULL).codes.tolist() == [1, 2]


def test_not_a_number_does_no_harm():
    probs = np.full((6, K), np.nan, np.float32)
    assert len(beam_search(probs, build_tables(SEQUENCES), NULL).codes) <= 6


def test_threads_agree():
    random = np.random.default_rng(5)
    probs = np.stack([make_probs("flat", random, 40, K, NULL) for _ in range(16)], axis=1)
    tables, lengths, results = build_tables(SEQUENCES), np.full(16, 40), {}

    def work(name):
        results[name] = list(map(fields, beam_search_batch(probs, lengths, tables, NULL)))

    threads = [threading.Thread(target=work, args=(name,)) for name in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results[0] == results[1] == results[2]


def test_certainty_is_a_logarithm_with_a_floor():
    assert certainty_of(np.float32(0.5)) == pytest.approx(math.log(0.5), rel=1e-6)
    assert certainty_of(np.float32(1e-12)) == certainty_of(np.float32(0)) == -20


def test_history_hash_takes_64_bits():
    history, expected = np.uint64(0), 0
    for code in [0, 0, 110, 3, 7] * 8:
        carry = ((expected >> 32) * 111) >> 32
        expected = (expected * 111 + carry + code) % 2**64
        history = np.uint64(extend_history(history, code, 111))
        assert int(history) == expected


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param({"probs": np.zeros(3, np.float32)}, "expected probs", id="probs-shape"),
        pytest.param({"lengths": np.array([9])}, "lengths must lie in 0..4", id="too-long"),
        pytest.param({"lengths": np.array([-1])}, "lengths must lie in 0..4", id="negative"),
        pytest.param({"lengths": np.array([1, 2])}, r"lengths \[B\]", id="lines-differ"),
        pytest.param({"null_char": K}, "null 12 is not one of the network's 12", id="null"),
        pytest.param({"tables": build_tables([(0,), (40,)])}, "codes go from 0 to 40", id="code"),
    ],
)
def test_refuses_what_does_not_fit(changes, message):
    arguments = {
        "probs": np.zeros((4, 1, K), np.float32),
        "lengths": np.array([4]),
        "tables": build_tables(SEQUENCES),
        "null_char": NULL,
    }
    with pytest.raises(ValueError, match=message):
        beam_search_batch(**(arguments | changes))
