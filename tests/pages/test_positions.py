import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstmjax.pages.positions import character_boxes

HEIGHT = 20


def draw(*letters: tuple[int, int], width: int = 100) -> np.ndarray:
    """Bars of ink from one column to another."""
    pixels = np.full((HEIGHT, width), 255, np.uint8)
    for left, right in letters:
        pixels[4:16, left:right] = 0
    return pixels


def columns(boxes) -> list[tuple[int, int]]:
    return [(left, right) for left, _, right, _ in boxes]


def test_boxes_are_the_ink_near_the_spikes():
    letters = [(5, 15), (18, 22), (40, 55)]
    spans = np.array([[12, 15], [20, 23], [43, 46]])
    boxes = character_boxes(draw(*letters), spans)
    assert columns(boxes) == letters
    assert all((bottom, top) == (4, 16) for _, bottom, _, top in boxes)


def test_parts_of_a_letter_stay_together():
    letters = [(5, 15), (20, 23), (25, 28), (40, 50)]  # the middle two are one letter
    spans = np.array([[9, 12], [22, 25], [44, 47]])
    assert columns(character_boxes(draw(*letters), spans)) == [(5, 15), (20, 28), (40, 50)]


def test_letters_that_touch_are_cut_where_ink_is_thin():
    pixels = draw((5, 15), (16, 26))
    pixels[10, 15] = 0
    boxes = columns(character_boxes(pixels, np.array([[9, 12], [20, 23]])))
    assert boxes[0][0] == 5
    assert boxes[0][1] == boxes[1][0] in (15, 16)
    assert boxes[1][1] == 26


def test_without_ink_boxes_have_the_full_height():
    boxes = character_boxes(np.full((HEIGHT, 50), 9, np.uint8), np.array([[10, 13], [30, 33]]))
    assert all((bottom, top) == (0, HEIGHT) for _, bottom, _, top in boxes)
    assert boxes[0][2] == boxes[1][0]


def test_no_characters():
    assert character_boxes(draw((5, 15)), np.zeros((0, 2))) == []


SPANS = st.lists(st.tuples(st.integers(-20, 120), st.integers(0, 9)), min_size=1, max_size=12)


@given(SPANS, st.integers(1, 90), st.integers(0, 5))
def test_any_steps_give_boxes_on_the_image(spans, width, seed):
    random = np.random.default_rng(seed)
    pixels = np.where(random.random((12, width)) < 0.3, 0, 255).astype(np.uint8)
    starts = sorted(start for start, _ in spans)
    ends = [start + size for start, (_, size) in zip(starts, spans, strict=True)]
    boxes = character_boxes(pixels, np.array([starts, ends]).T)
    assert len(boxes) == len(spans)
    for left, bottom, right, top in boxes:
        assert 0 <= left < right <= width
        assert 0 <= bottom < top <= 12


@pytest.mark.parametrize("shift", [-4, 0, 4])
def test_spikes_may_be_off_the_centre(shift):
    letters = [(4 + 12 * i, 13 + 12 * i) for i in range(7)]
    spans = np.array([[(a + b) / 2 - 1 + shift, (a + b) / 2 + 2 + shift] for a, b in letters])
    assert columns(character_boxes(draw(*letters), spans)) == letters
