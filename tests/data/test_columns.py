"""Columns of lines, against lists."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from lstmjax.data.columns import ColumnsBuilder
from lstmjax.data.pairs import Header
from lstmjax.formats.lstmf_table import PageTable
from lstmjax.formats.stream import to_text

LINES = st.lists(
    st.tuples(
        st.builds(Header, st.integers(0, 2**31 - 1), st.integers(0, 2**31 - 1), st.booleans()),
        st.text(max_size=5), st.text(max_size=9),
        st.tuples(st.integers(0, 2**60), st.integers(0, 2**60)),
        st.integers(-1, 2**31 - 1), st.booleans(),
    ),
    max_size=8,
)  # fmt: skip


def built(lines):
    builder = ColumnsBuilder()
    for header, name, text, place, number, boxes in lines:
        builder.add(header, name, text, place=place, page_number=number, has_boxes=boxes)
    return builder


def rows(columns):
    return [
        (
            Header(*columns.sizes[i].tolist(), bool(columns.two_valued[i])),
            to_text(columns.string(2 * i)), to_text(columns.string(2 * i + 1)),
            tuple(columns.places[i].tolist()), int(columns.page_numbers[i]),
            bool(columns.has_boxes[i]),
        )
        for i in range(len(columns))
    ]  # fmt: skip


@settings(max_examples=40)
@given(LINES)
def test_lines_come_back(lines):
    builder = built(lines)
    assert len(builder) == len(lines)
    assert rows(builder.finish()) == lines


@settings(max_examples=40)
@given(LINES, LINES, st.data())
def test_parts_of_other_columns_are_added(lines, others, data):
    start = data.draw(st.integers(0, len(others)))
    end = data.draw(st.integers(start, len(others)))
    builder = built(lines)
    builder.extend(built(others).finish(), start, end)
    builder.add(Header(1, 2, True), "n", "t")
    last = (Header(1, 2, True), "n", "t", (0, 0), 0, False)
    assert rows(builder.finish()) == [*lines, *others[start:end], last]


def test_tables_of_pages_are_added():
    column = np.array([7, 9], np.int64)
    table = PageTable(
        offset=column, length=column + 1, width=column + 2, height=column + 3, bit_depth=column,
        color_type=column, page_number=column + 4, boxes=np.array([0, 3], np.int64),
        strings=b"abcdef", string_sizes=np.array([1, 2, 0, 3], np.int64),
    )  # fmt: skip
    builder = built([(Header(), "x", "y", (0, 0), -1, False)])
    builder.extend_by_pages(table, np.array([[10, 20, 1], [30, 40, 0]], np.int64))
    assert rows(builder.finish())[1:] == [
        (Header(10, 20, True), "a", "bc", (7, 8), 11, False),
        (Header(30, 40, False), "", "def", (9, 10), 13, True),
    ]
