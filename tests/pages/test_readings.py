import numpy as np
import pytest
from pages import page_samples
from PIL import Image

from lstmjax.formats import box
from lstmjax.pages import Kind, Line, Settings, lines_of
from lstmjax.pages.readings import Reading, char_box_text, lstmbox_text, wordstr_text
from lstmjax.pages.sources import identify

SYMBOLS = ("a", "b", " ", "c")
SPANS = np.array([[11, 14], [31, 34], [45, 60], [71, 74]], float)
LETTERS = ((5, 18), (25, 40), (65, 78))


@pytest.fixture
def line(tmp_path) -> Line:
    """Three bars on a page of 100 x 30, without boxes."""
    pixels = np.full((30, 100), 255, np.uint8)
    for left, right in LETTERS:
        pixels[8:22, left:right] = 0
    Image.fromarray(pixels).save(tmp_path / "x.png")
    (line,) = lines_of(identify(str(tmp_path / "x.png"), Kind.IMAGE))
    return line


def test_a_line_image_gets_the_box_of_its_ink(line):
    reading = Reading(line, SYMBOLS, SPANS, tight=True)
    assert reading.bounds() == (5, 8, 78, 22)
    assert Reading(line, SYMBOLS, SPANS).bounds() == (0, 0, 100, 30)
    assert reading.text == "ab c"


def test_the_form_of_lstmbox(line):
    place = "5 8 83 22 0"
    assert lstmbox_text([Reading(line, SYMBOLS, SPANS, tight=True)]) == (
        f"a {place}\nb {place}\n  {place}\nc {place}\n\t {place}\n"
    )


def test_the_form_of_wordstrbox(line):
    assert wordstr_text([Reading(line, SYMBOLS, SPANS, tight=True)]) == (
        "WordStr 5 8 78 22 0 #ab c \n\t 79 8 83 22 0\n"
    )


def test_boxes_of_characters(line):
    assert char_box_text([Reading(line, SYMBOLS, SPANS)]) == (
        "a 5 8 18 22 0\nb 25 8 40 22 0\n  40 8 65 22 0\nc 65 8 78 22 0\n\t 79 21 80 22 0\n"
    )


@pytest.mark.parametrize("show", [lstmbox_text, wordstr_text, char_box_text])
def test_what_is_written_can_be_trained_on(line, show):
    found = box.unpack(show([Reading(line, SYMBOLS, SPANS, tight=True)] * 2).encode())
    assert found.problems == ()
    assert [one.text.strip() for one in box.text_lines(found.boxes)] == ["ab c"] * 2


def test_lines_of_a_page_keep_their_boxes(tmp_path):
    name = page_samples.write_page(tmp_path / "x.png")
    first, _ = lines_of(name)
    assert Reading(first, SYMBOLS, SPANS).bounds() == (10, 44, 140, 70)


def test_vertical_lines_are_turned_back(tmp_path):
    name = page_samples.write_page(tmp_path / "x.png")
    first, _ = lines_of(name, Settings(psm=5))
    assert Reading(first, SYMBOLS, SPANS).bounds() == (10, 44, 140, 70)
