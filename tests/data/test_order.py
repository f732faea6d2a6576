"""The two orders against the sequence the real tool was seen to use."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstmjax.data.order import round_robin, sequential

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
    for order in (round_robin, sequential):
        document, page = order(serial, pages)
        assert 0 <= document < len(pages)
        assert 0 <= page < pages[document]


@given(st.integers(1, 9), st.integers(1, 9))
def test_documents_of_one_length_are_visited_completely(count, length):
    for order in (round_robin, sequential):
        documents, pages = order(np.arange(count * length), [length] * count)
        assert len(set(zip(documents.tolist(), pages.tolist(), strict=True))) == count * length


def test_single_numbers_and_arrays_agree():
    serials = np.arange(40).reshape(5, 8)
    for order in (round_robin, sequential):
        documents, pages = order(serials, PAGES)
        assert documents.shape == pages.shape == (5, 8)
        assert (documents[3, 4], pages[3, 4]) == order(28, PAGES)


@pytest.mark.parametrize("pages", [[], [3, 0]], ids=["no documents", "an empty document"])
def test_nothing_to_visit_is_refused(pages):
    for order in (round_robin, sequential):
        with pytest.raises(ValueError, match="at least one page"):
            order(0, pages)
