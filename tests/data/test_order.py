"""Tesseract's orders against the sequence the real tool was seen to use; the shuffled one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstmjax.data.order import Shuffled, round_length, round_robin, sequential

ORDERS = [round_robin, sequential, Shuffled(0)]
PAGES = [3, 5, 1]
NAMES = ["abc", "defgh", "i"]


@pytest.mark.parametrize(
    ("order", "expected"),
    [(round_robin, "a d i b e i c f i a g i"), (sequential, "a b c d e f i i i a b c")],
    ids=["round robin", "sequential"],
)
def test_orders_equal_the_recorded_ones(order, expected):
    documents, pages = order(np.arange(12), PAGES)
    found = [NAMES[d][p] for d, p in zip(documents, pages, strict=True)]
    assert found == expected.split()


@given(st.lists(st.integers(1, 9), min_size=1, max_size=9), st.integers(0, 10**9))
def test_every_serial_names_an_existing_page(pages, serial):
    for order in ORDERS:
        document, page = order(serial, pages)
        assert 0 <= document < len(pages)
        assert 0 <= page < pages[document]


@given(st.integers(1, 9), st.integers(1, 9))
def test_documents_of_one_length_are_visited_completely(count, length):
    for order in ORDERS:
        documents, pages = order(np.arange(count * length), [length] * count)
        assert len(set(zip(documents.tolist(), pages.tolist(), strict=True))) == count * length


def test_single_numbers_and_arrays_agree():
    serials = np.arange(40).reshape(5, 8)
    for order in ORDERS:
        documents, pages = order(serials, PAGES)
        assert documents.shape == pages.shape == (5, 8)
        assert (documents[3, 4], pages[3, 4]) == order(28, PAGES)


@pytest.mark.parametrize("pages", [[], [3, 0]], ids=["no documents", "an empty document"])
def test_nothing_to_visit_is_refused(pages):
    for order in ORDERS:
        with pytest.raises(ValueError, match="at least one page"):
            order(0, pages)


page_counts = st.lists(st.integers(1, 9), min_size=1, max_size=9)


def epoch_of(order, pages, epoch):
    """The lines of an epoch as pairs of document and page."""
    count = sum(pages)
    documents, places = order(epoch * count + np.arange(count), pages)
    return list(zip(documents.tolist(), places.tolist(), strict=True))


@given(page_counts, st.integers(0, 10**6), st.integers(0, 10**6))
def test_every_epoch_visits_every_line_once(pages, seed, epoch):
    every = [(document, page) for document, count in enumerate(pages) for page in range(count)]
    assert sorted(epoch_of(Shuffled(seed), pages, epoch)) == every


@given(page_counts, st.integers(0, 99), st.lists(st.integers(0, 10**6), min_size=1, max_size=99))
def test_a_place_means_the_same_line_whatever_else_is_asked_for(pages, seed, serials):
    order = Shuffled(seed)
    documents, places = order(serials, pages)
    for at in range(len(serials)):
        assert order(serials[at], pages) == (documents[at], places[at])


def test_epochs_and_seeds_have_orders_of_their_own():
    pages = [30, 1, 19]
    found = [epoch_of(Shuffled(seed), pages, epoch) for seed in range(4) for epoch in range(4)]
    assert len({tuple(lines) for lines in found}) == 16


def test_lines_are_spread_over_the_whole_epoch():
    # Of 2000 lines the first 250 of an epoch hold 125 +- 10 of either document.
    for epoch in range(20):
        first = epoch_of(Shuffled(0), [1000, 1000], epoch)[:250]
        assert 90 < sum(document for document, _ in first) < 160


@given(page_counts, st.integers(0, 99))
def test_a_round_meets_every_line_that_is_ever_met(pages, seed):
    for order in (round_robin, sequential, Shuffled(seed)):
        length = round_length(order, pages)
        once, more = (
            set(zip(*map(np.ndarray.tolist, order(np.arange(n), pages)), strict=True))
            for n in (length, 5 * length)
        )
        assert once == more
