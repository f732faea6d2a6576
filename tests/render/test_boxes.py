"""Boxes on pages: moved, turned, joined to words, written to box files."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstmjax.render.boxes import merge_words, move, to_box_file, turn
from lstmjax.render.clusters import CharBox

HEIGHT = 400
RECTS = st.tuples(
    st.integers(100, 300), st.integers(100, 300), st.integers(1, 40), st.integers(1, 40)
)


def row(text, x, y, step=20):
    """Boxes of 10 x 10 pixels from left to right; spaces have none."""
    return [
        CharBox(c, None if c == " " else (x + step * i, y, 10, 10), 0) for i, c in enumerate(text)
    ]


@given(st.lists(RECTS, max_size=5), st.integers(-50, 50), st.integers(-50, 50))
def test_moving_there_and_back(rects, dx, dy):
    boxes = [CharBox("a", rect, 0) for rect in rects] + [CharBox(" ", None, 0)]
    moved = move(boxes, dx, dy)
    assert [box.rect and (box.rect[0] - dx, box.rect[1] - dy) for box in moved] == [
        box.rect and box.rect[:2] for box in boxes
    ]
    assert move(moved, -dx, -dy) == boxes


@given(RECTS, st.floats(-0.02, 0.02))
def test_turned_boxes_hold_their_turned_corners(rect, angle):
    """A small turn, as of pages: left comes from the left corners, and so on."""
    centre = (200, 200)
    (box,) = turn([CharBox("a", rect, 0)], angle, centre)
    assert box.rect is not None
    x0, y0, x1, y1 = rect[0], rect[1], rect[0] + rect[2] - 1, rect[1] + rect[3] - 1
    corners = [(x - 200, y - 200) for x in (x0, x1) for y in (y0, y1)]
    xs = [200 + x * math.cos(angle) - y * math.sin(angle) for x, y in corners]
    ys = [200 + x * math.sin(angle) + y * math.cos(angle) for x, y in corners]
    left, top, width, height = box.rect
    assert abs(left - min(xs)) <= 0.51
    assert abs(top - min(ys)) <= 0.51
    assert abs(left + width - 1 - max(xs)) <= 0.51
    assert abs(top + height - 1 - max(ys)) <= 0.51


def test_turning_by_nothing_changes_nothing():
    boxes = row("ab c", 50, 60)
    assert turn(boxes, 0.0, (10, 20)) == boxes
    assert turn([CharBox(" ", None, 0)], 1.0, (0, 0)) == [CharBox(" ", None, 0)]


def test_words_become_one_box():
    boxes = merge_words(row("ab cd", 0, 100))
    assert [(box.text, box.rect) for box in boxes] == [
        ("ab", (0, 100, 30, 10)), (" ", None), ("cd", (60, 100, 30, 10)),
    ]  # fmt: skip


def test_a_box_far_away_begins_another_word():
    boxes = merge_words([*row("ab", 300, 100), *row("cd", 0, 150)])
    assert [box.text for box in boxes] == ["ab", " ", "cd"]


LINES = st.lists(
    st.text(st.sampled_from("abbbc "), min_size=4, max_size=12).map(str.split).map(" ".join),
    min_size=1, max_size=6,
).filter(lambda lines: all(len(line) > 3 for line in lines))  # fmt: skip


@given(LINES)
def test_lines_end_in_tabs_and_nothing_leaves_the_page(lines):
    boxes = [box for i, line in enumerate(lines) for box in row(line, 10, 50 * i + 20)]
    found = to_box_file(boxes, HEIGHT)
    assert "".join(box.text for box in found).split("\t") == lines
    for box in found:
        assert 0 <= box.left < box.right
        assert 0 <= box.bottom < box.top <= HEIGHT


@pytest.mark.parametrize(("back", "lines"), [(10, 1), (9, 2)])
def test_a_line_ends_at_a_step_back_beyond_every_step_forward(back, lines):
    boxes = [*row("ab", 10, 50), CharBox("c", (back, 50, 10, 10), 0)]
    found = to_box_file(boxes, HEIGHT)
    assert [box.text for box in found].count("\t") == lines - 1


def test_rows_count_from_the_bottom():
    (box,) = to_box_file([CharBox("a", (10, 30, 5, 7), 2)], 100)
    assert (box.left, box.bottom, box.right, box.top, box.page) == (10, 63, 15, 70, 2)


def test_spaces_lie_between_their_neighbours():
    _, space, _ = to_box_file(row("a b", 0, 100), HEIGHT)
    assert (space.text, space.left, space.right) == (" ", 10, 40)


@pytest.mark.parametrize("text", ["אבג", "אב גד", "אבגד12"])
def test_right_to_left_lines_are_in_visual_order(text):
    """Boxes are placed from the right, numbers in them from the left."""
    letters = [c for c in text if not c.isdecimal()]
    boxes = [
        CharBox(c, None if c == " " else (300 - 20 * i, 50, 10, 10), 0)
        for i, c in enumerate(letters)
    ]
    digits = [c for c in text if c.isdecimal()]
    boxes += [CharBox(c, (100 + 20 * i, 50, 10, 10), 0) for i, c in enumerate(digits)]
    found = to_box_file(boxes, HEIGHT)
    lefts = [box.left for box in found]
    assert lefts == sorted(lefts)
    assert "".join(box.text for box in found) == "".join(digits) + "".join(letters)[::-1]


def test_vertical_lines_end_where_the_next_begins_above():
    columns = [("abc", 300), ("def", 250)]
    boxes = [
        CharBox(c, (x, 50 + 60 * i, 10, 10), 0) for text, x in columns for i, c in enumerate(text)
    ]
    found = to_box_file(boxes, HEIGHT)
    assert "".join(box.text for box in found) == "abc\tdef"
    assert (found[3].left, found[3].top) == (300, HEIGHT - 180)
