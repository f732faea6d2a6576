"""Pages and lines: what must hold for any font and text."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from render.render_samples import SANS, TEXTS, sans

from lstmjax.errors import DataError, UsageError
from lstmjax.render import Degradation, NoiseState, Settings, render_line, render_pages
from lstmjax.render.boxes import to_box_file
from lstmjax.render.clusters import CharBox
from lstmjax.render.layout import Layout
from lstmjax.render.pages import underlined_words
from lstmjax.render.style import LayoutStyle

CLEAN = Degradation(degrade=False)
SMALL = Settings(width=500, height=260, margin=20, degradation=CLEAN)
TEXT = "Hello world, this is a test.\nSecond line fi ffi ct 123\n"


def test_boxes_of_the_yardstick():
    options = Settings(width=1200, height=400, degradation=CLEAN)
    pages = list(render_pages(TEXT, sans(), options))
    boxes = to_box_file(pages[0].boxes, 400)
    rows = [(b.text, b.left, b.bottom, b.right, b.top) for b in boxes]
    assert rows[:2] == [("H", 104, 253, 133, 289), ("e", 140, 252, 167, 281)]
    assert ("\t", 734, 259, 735, 260) in rows
    assert "".join(b.text for b in boxes) == TEXT.strip().replace("\n", "\t")


def test_every_box_holds_ink_and_all_ink_is_boxed():
    options = Settings(width=1200, height=400, degradation=CLEAN)
    (page,) = render_pages(TEXT, sans(), options)
    left = page.image < 250
    for box in page.boxes:
        if box.rect is not None:
            x, y, width, height = box.rect
            assert left[y : y + height, x : x + width].any(), box
    for box in page.boxes:
        if box.rect is not None:
            x, y, width, height = box.rect
            left[y : y + height, x : x + width] = False
    assert not left.any()


def test_pages_split_where_they_are_full_and_lose_nothing():
    text = " ".join(TEXTS["eng"].split() * 6)
    pages = list(render_pages(text, sans(), SMALL))
    assert len(pages) > 2
    read = " ".join(page.stripped.text.strip() for page in pages)
    assert read.split() == text.split()
    assert {box.page for page in pages for box in page.boxes} == set(range(len(pages)))


@pytest.mark.parametrize("workers", [2, 3])
def test_workers_change_nothing(workers):
    options = Settings(width=500, height=261, margin=20, degradation=Degradation(distort=True))
    text = " ".join(TEXTS["eng"].split() * 4)
    alone = list(render_pages(text, sans(), options))
    together = list(render_pages(text, sans(), options, workers=workers))
    assert len(alone) == len(together)
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one.image, other.image)
        assert one.boxes == other.boxes
        assert one.angle == other.angle


def test_both_ways_mirrors_the_angles():
    options = Settings(width=500, height=260, margin=20, degradation=Degradation(both_ways=True))
    pages = list(render_pages(" ".join(TEXTS["eng"].split() * 2), sans(), options))
    half = len(pages) // 2
    assert [p.angle for p in pages[half:]] == [-p.angle for p in pages[:half]]
    assert [p.index for p in pages] == list(range(2 * half))


def test_seed_changes_the_noise():
    images = [
        next(
            render_pages("x y z", sans(), Settings(300, 260, degradation=Degradation(seed=s)))
        ).image
        for s in (1, 2, 1)
    ]
    np.testing.assert_array_equal(images[0], images[2])
    assert (images[0] != images[1]).any()


def test_words_the_font_lacks_are_left_out_and_named():
    (page,) = render_pages("good \U0001f9ff\U0001f9ff bad\u0fff", sans(), SMALL)
    assert page.stripped.words == ("\U0001f9ff\U0001f9ff", "bad\u0fff")
    options = Settings(500, 260, margin=20, strip_unrenderable_words=False, degradation=CLEAN)
    (page,) = render_pages("good bad\u0fff", sans(), options)
    assert page.stripped.characters == 1
    assert page.stripped.text == "good bad"


@pytest.mark.parametrize("mode", ["horizontal", "vertical", "vertical-upright"])
def test_text_of_boxes_in_all_writing_modes(mode):
    options = Settings(500, 400, margin=20, writing_mode=mode, degradation=CLEAN)
    face = sans(50.0)
    if mode == "vertical-upright":
        options = Settings(
            500, 400, margin=20, writing_mode=mode, degradation=CLEAN,
            strip_unrenderable_words=False,
        )  # fmt: skip
    (page,) = render_pages("(ab) c", face, options)
    if mode == "vertical-upright":
        assert page.stripped.characters == 5  # the font has no wide letters
        return
    assert "".join(b.text for b in to_box_file(page.boxes, 400)) == "(ab) c"
    down = [box.rect[1] for box in page.boxes if box.rect is not None]
    assert (down == sorted(down)) == (mode == "vertical") or mode == "horizontal"


@settings(max_examples=40, deadline=None)
@given(st.text(st.sampled_from("ab fi-.אבגمر12()\u0301\u200d\u2028\t\r\n今한ก"), max_size=50))
def test_any_text_renders(text):
    options = Settings(300, 400, margin=20, degradation=CLEAN)
    for page in render_pages(text, sans(30.0), options):
        assert page.image.shape == (400, 300)
        to_box_file(page.boxes, 400)


def test_words_wider_than_a_line_are_cut_between_letters():
    layout = Layout(LayoutStyle(sans(50.0), 200))
    lines = list(layout.lines("abcdefghijklmnop qr"))
    assert len(lines) == 3
    widths = [sum(run.glyphs.width for run in line.runs) / 1024 for line in lines]
    assert all(0 < width <= 200 for width in widths)


def test_underlines_start_and_go_on():
    assert underlined_words("a b c", 0.0, 1.0) == []
    assert underlined_words("a b  c", 1.0, 1.0) == [(0, 6)]
    assert underlined_words("a b c", 1.0, 0.0) == [(0, 1), (2, 3), (4, 5)]
    options = Settings(300, 260, margin=20, underline_start=1.0, degradation=CLEAN)
    (page,) = render_pages("aa", sans(), options)
    (plain,) = render_pages("aa", sans(), Settings(300, 260, margin=20, degradation=CLEAN))
    assert (page.image < 128).sum() > (plain.image < 128).sum() + 50


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"width": 0}, "xsize"),
        ({"height": 10**6}, "ysize"),
        ({"width": 32000, "height": 32000}, "too large"),
        ({"margin": 2000}, "margin"),
        ({"margin": -1}, "margin"),
        ({"point_size": 0}, "ptsize"),
        ({"point_size": 10**9}, "ptsize"),
        ({"resolution": -300}, "resolution"),
        ({"leading": 10**9}, "leading"),
        ({"char_spacing": 1e9}, "char_spacing"),
        ({"box_padding": -2}, "box_padding"),
        ({"writing_mode": "diagonal"}, "Invalid writing mode: diagonal"),
    ],
    ids=lambda value: str(value),
)
def test_absurd_settings_are_refused(values, message):
    with pytest.raises(UsageError, match=message):
        Settings(**values)


def test_letters_too_large_for_the_page():
    options = Settings(400, 60, margin=20, degradation=CLEAN)
    with pytest.raises(DataError, match="no line fits on a page"):
        list(render_pages("Hello", sans(50.0), options))


@pytest.mark.parametrize("text", ["Hello, world!", "שלום עולם abc", "a"], ids=["ltr", "rtl", "one"])
@pytest.mark.parametrize("degradation", [None, Degradation(), Degradation(distort=True)], ids=str)
def test_lines_are_cut_around_their_ink(text, degradation):
    line = render_line(text, sans(48.0), degradation=degradation, state=NoiseState())
    height, width = line.image.shape
    assert line.text == text
    assert 30 < height < 80
    assert width > 30
    assert min(b.left for b in line.boxes) == min(b.bottom for b in line.boxes) == 4
    assert max(b.right for b in line.boxes) == width - 4
    assert max(b.top for b in line.boxes) == height - 4
    if degradation is None:
        ink = line.image < 128
        assert not ink[:3].any()
        assert not ink[:, :3].any()
        assert ink.any()


def test_lines_in_black_and_white_repeat():
    one, other = (
        render_line("abc", sans(), degradation=Degradation(), state=NoiseState(), binary=True)
        for _ in range(2)
    )
    assert set(np.unique(one.image)) == {0, 255}
    np.testing.assert_array_equal(one.image, other.image)


@pytest.mark.parametrize("text", ["two\nlines", "", "  ", "\U0001f9ff", "W" * 3000], ids=repr)
def test_lines_that_cannot_be(text):
    with pytest.raises(DataError):
        render_line(text, sans())


def test_newlines_and_spaces_in_boxes():
    boxes = [
        CharBox(" ", None, 0), CharBox("a", (10, 10, 5, 5), 0), CharBox(" ", None, 0),
        CharBox(" ", None, 0), CharBox("b", (30, 8, 5, 9), 0), CharBox(" ", None, 0),
        CharBox("c", (8, 40, 5, 5), 0), CharBox(" ", None, 0),
    ]  # fmt: skip
    rows = [(b.text, b.left, b.bottom, b.right, b.top) for b in to_box_file(boxes, 100)]
    assert rows == [
        ("a", 10, 85, 15, 90), (" ", 15, 83, 30, 92), ("b", 30, 83, 35, 92),
        ("\t", 35, 91, 36, 92), ("c", 8, 55, 13, 60),
    ]  # fmt: skip


def test_no_boxes():
    assert to_box_file([], 100) == []
    assert SANS.exists()
