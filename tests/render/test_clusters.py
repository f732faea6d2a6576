"""Boxes of clusters, against the pixels that are painted."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from render.render_samples import TEXTS, sans

from lstmjax.render.clusters import _to_pixels, clip, cluster_boxes
from lstmjax.render.face import UNITS
from lstmjax.render.layout import Layout
from lstmjax.render.paint import paint
from lstmjax.render.style import LayoutStyle

SIDES = st.integers(-30, 30)


RECTS = st.tuples(
    st.integers(0, 9000), st.integers(0, 9000), st.integers(1, 5000), st.integers(1, 5000)
)


def lay_out(text, width=2000):
    return list(Layout(LayoutStyle(sans(40.0), width)).lines(text))


@given(SIDES, SIDES, st.integers(0, 40), st.integers(0, 40))
def test_clipping_keeps_the_pixels_with_coordinates(left, top, width, height):
    inside = [
        (x, y)
        for x in range(left, left + width)
        for y in range(top, top + height)
        if x >= 0 and y >= 0
    ]
    found = clip((left, top, width, height))
    if not inside:
        assert found is None
    else:
        xs, ys = zip(*inside, strict=True)
        expected = (min(xs), min(ys), max(xs) - min(xs) + 1, max(ys) - min(ys) + 1)
        assert found == expected


@given(st.lists(RECTS, min_size=1, max_size=3))
def test_all_pixels_that_rectangles_touch_are_in_the_box(rects):
    found = _to_pixels([(x, y, x + width, y + height) for x, y, width, height in rects], 0)
    columns = [x // UNITS for x, _, width, _ in rects for x in (x, x + width - 1)]
    rows = [y // UNITS for _, y, _, height in rects for y in (y, y + height - 1)]
    left, top = min(columns), min(rows)
    assert found == (left, top, max(columns) - left + 1, max(rows) - top + 1)


@pytest.mark.parametrize("script", ["eng", "rus", "heb"])
def test_labels_are_the_text_in_logical_order(script):
    text = TEXTS[script].strip()
    boxes = cluster_boxes(text, lay_out(text), 3)
    assert "".join(box.text for box in boxes) == text.replace("\n", "")
    assert {box.page for box in boxes} == {3}
    assert all((box.rect is None) == (box.text == " ") for box in boxes)


def test_a_mark_shares_the_box_of_its_letter():
    text = "xe\u0301y"
    boxes = cluster_boxes(text, lay_out(text), 0)
    assert [box.text for box in boxes] == ["x", "e\u0301", "y"]
    plain = cluster_boxes("xey", lay_out("xey"), 0)
    rect, bare = boxes[1].rect, plain[1].rect
    assert rect is not None
    assert bare is not None
    assert rect[1] < bare[1] - 5
    assert rect[1] + rect[3] == bare[1] + bare[3]


@pytest.mark.parametrize("character", list("Agjy.,;|"))
def test_a_box_holds_the_painted_ink_and_no_more_than_a_pixel_around_it(character):
    lines = lay_out(character)
    (box,) = cluster_boxes(character, lines, 0)
    assert box.rect is not None
    left, top, width, height = box.rect
    ink = paint((80, 80), lines, (0, 0)) < 255
    rows, columns = np.flatnonzero(ink.any(1)), np.flatnonzero(ink.any(0))
    assert 0 <= columns[0] - left <= 1
    assert 0 <= rows[0] - top <= 1
    assert 0 <= left + width - 1 - columns[-1] <= 1
    assert 0 <= top + height - 1 - rows[-1] <= 1


def test_padding_grows_boxes_on_all_sides_but_not_over_the_corner():
    lines = lay_out("abc")
    plain, padded = cluster_boxes("abc", lines, 0), cluster_boxes("abc", lines, 0, padding=5)
    for one, other in zip(plain, padded, strict=True):
        assert one.rect is not None
        left, top, width, height = one.rect
        assert other.rect == (max(0, left - 5), max(0, top - 5), width + 10, height + 10)


def test_a_word_joiner_has_no_box():
    text = "a\u2060b"
    assert [box.text for box in cluster_boxes(text, lay_out(text), 0)] == ["a", "b"]
