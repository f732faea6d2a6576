import numpy as np
import pytest
from pages import page_samples
from PIL import Image

from lstmjax.errors import LstmjaxError, UsageError
from lstmjax.pages import Kind, Line, Problem, Settings, lines_of
from lstmjax.pages.sources import identify


def read(path, settings=None, **options) -> tuple[list[Line], list[Problem]]:
    problems: list[Problem] = []
    return list(lines_of(path, settings, on_problem=problems.append, **options)), problems


def test_lines_of_a_page(tmp_path):
    lines, problems = read(page_samples.write_page(tmp_path / "x.png"))
    assert problems == []
    assert [line.text for line in lines] == [text for text, _ in page_samples.LINES]
    first = lines[0]
    assert first.rect == (6, 40, 144, 74)
    assert first.box_texts == ("a", " ", "é")
    np.testing.assert_array_equal(first.boxes[0], [4, 5, 34, 30])
    page = page_samples.grey()
    np.testing.assert_array_equal(first.crop.pixels, page[80 - 74 : 80 - 40, 6:144])
    assert (first.page, first.number, lines[1].number) == (0, 0, 1)


def test_bad_lines_are_named_and_the_rest_is_kept(tmp_path):
    boxes = page_samples.BOXES + "x 500 1 510 5 0\n\t 0 0 1 1 0\nbad\n"
    lines, problems = read(page_samples.write_page(tmp_path / "x.png", boxes))
    assert len(lines) == 2
    assert [problem.place for problem in problems] == ["line 9", "page 1, line 3"]
    assert "expected a label and four whole numbers" in str(problems[0])
    assert "'x' (500 1 510 5) are empty or more than half outside the page of 150 x 80" in str(
        problems[1]
    )


def test_pages_without_boxes_are_named(tmp_path):
    image = Image.fromarray(page_samples.grey())
    name = page_samples.write_page(
        tmp_path / "x.tif", page_samples.NEXT_BOXES,
        save_all=True, append_images=[image],
    )  # fmt: skip
    lines, problems = read(name)
    assert [line.page for line in lines] == [1, 1]
    assert problems[0].place == "page 1"
    assert "has no lines for it" in problems[0].reason


@pytest.mark.parametrize(
    ("boxes", "message"),
    [("", "is empty"), ("x\n", "no usable boxes"), ("\t 0 0 1 1 0\n", "no texts, only ends")],
    ids=["empty", "bad", "tabs"],
)
def test_box_files_without_lines_are_refused(tmp_path, boxes, message):
    with pytest.raises(LstmjaxError, match=rf"x\.box: .*{message}"):
        read(page_samples.write_page(tmp_path / "x.png", boxes))


def test_vertical_lines_are_turned_upright(tmp_path):
    name = page_samples.write_page(tmp_path / "x.png")
    upright, _ = read(name)
    turned, _ = read(name, Settings(psm=5))
    assert turned[0].vertical
    np.testing.assert_array_equal(turned[0].crop.pixels, np.rot90(upright[0].crop.pixels))
    height = upright[0].crop.pixels.shape[0]
    np.testing.assert_array_equal(turned[0].boxes[0], [height - 30, 4, height - 5, 34])


@pytest.mark.parametrize(("psm", "count"), [(13, 2), (7, 2), (6, 0), (3, 0)])
def test_pages_without_ink(tmp_path, psm, count):
    blank = Image.new("L", (150, 80), 255)
    lines, problems = read(
        page_samples.write_page(tmp_path / "x.png", image=blank), Settings(psm=psm)
    )
    assert len(lines) == count
    assert bool(problems) == (count == 0)


def test_a_line_with_a_text(tmp_path):
    (line,), problems = read(page_samples.write_line(tmp_path / "x.png", "ab c"))
    assert problems == []
    assert line.box_texts == ("a", "b", " ", "c")
    assert line.boxes.tolist() == [[0, 0, 60, 20]] * 4
    assert line.crop.pixels.shape == (20, 60)


def test_a_vertical_line_with_a_text(tmp_path):
    (line,), _ = read(page_samples.write_line(tmp_path / "x.png", "ab"), Settings(psm=5))
    assert line.vertical
    assert line.crop.pixels.shape == (60, 20)
    assert line.boxes.tolist() == [[0, 0, 20, 60]] * 2


def test_a_line_with_a_text_for_several_images(tmp_path):
    page = Image.fromarray(page_samples.grey())
    page.save(tmp_path / "x.tif", save_all=True, append_images=[page])
    (tmp_path / "x.gt.txt").write_text("ab")
    with pytest.raises(LstmjaxError, match="2 pages, but"):
        read(str(tmp_path / "x.tif"))


def test_a_box_file_that_contradicts_the_text_is_refused(tmp_path):
    name = page_samples.write_line(tmp_path / "x.png", "new text")
    (tmp_path / "x.box").write_text("WordStr 0 0 60 20 0 #old text\n")
    with pytest.raises(LstmjaxError, match=r"says 'old text' and .* 'new text'; delete"):
        read(name)
    assert read(identify(name, Kind.GT))[0][0].text == "new text"
    (line,), _ = read(identify(name, Kind.BOX), Settings(check_texts=False))
    assert line.text == "old text"


def test_a_box_file_in_the_order_of_the_image_agrees(tmp_path):
    name = page_samples.write_line(tmp_path / "x.png", "(\u05d0\u05d1) a")
    (tmp_path / "x.box").write_text("WordStr 0 0 60 20 0 #a (\u05d1\u05d0)\n")
    assert read(name)[0][0].text == "a (\u05d1\u05d0)"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"psm": 0}, "--psm is 0; training data is made with one of 1, 3, 4"),
        ({"gt_boxes": "x"}, "--gt_boxes is 'x', expected auto or characters or wordstr"),
        ({"background": "red"}, "--background is 'red', expected paper or white"),
    ],
    ids=["psm", "gt_boxes", "background"],
)
def test_settings_are_checked(values, message):
    with pytest.raises(UsageError, match=message):
        Settings(**values)
