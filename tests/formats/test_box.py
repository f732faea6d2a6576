import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstmjax.errors import FormatError
from lstmjax.formats import box
from lstmjax.formats.box import Box


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("a 1 2 3 4 0", Box("a", 1, 2, 3, 4)),
        ("a 1 2 3 4", Box("a", 1, 2, 3, 4)),
        ("a 1 2 3 4 7 more", Box("a", 1, 2, 3, 4, 7)),
        ("abc -1 -2 3 4 1", Box("abc", -1, -2, 3, 4, 1)),
        ("  1 2 3 4 0", Box(" ", 1, 2, 3, 4)),
        ("\t 1 2 3 4 0", Box("\t", 1, 2, 3, 4)),
        ("a\t1\t2\t3\t4\t0\r", Box("a", 1, 2, 3, 4)),
        ("\ufeffa 1 2 3 4 0", Box("a", 1, 2, 3, 4)),
        ("# 1 2 3 4 0", Box("#", 1, 2, 3, 4)),
        ("WordStr 1 2 3 4 0 #some text #2", Box("some text #2", 1, 2, 3, 4)),
        ("WordStr 1 2 3 4 0", Box("WordStr", 1, 2, 3, 4)),
        ("ན 1 2 3 4 0", Box("ན", 1, 2, 3, 4)),
    ],
)
def test_lines(line, expected):
    assert box.unpack(line.encode() + b"\n") == box.BoxFile((expected,))


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"a 1 2 3", "expected a label and four whole numbers"),
        (b"a 1 2 x 4", "expected a label and four whole numbers"),
        (b"just some text", "expected a label and four whole numbers"),
        (b"a 5 2 3 4", "right is less than left"),
        (b"a 1 5 3 4", "top less than bottom"),
        (b"a 1 2 40000 4", "outside -32768 to 32767"),
        (b"\xff 1 2 3 4", "byte 0xff at column 1"),
        (b"WordStr 1 2 3 4 0 #", "label of 0 bytes"),
        (b"a" * 1024 + b" 1 2 3 4", "label of 1024 bytes"),
        (b"\x00 1 2 3 4", "zero byte"),
    ],
)
def test_bad_lines_are_reported_and_the_rest_kept(line, reason):
    found = box.unpack(b"x 1 2 3 4 0\n\n" + line + b"\ny 1 2 3 4 0\n")
    assert [one.text for one in found.boxes] == ["x", "y"]
    (problem,) = found.problems
    assert problem.line == 3
    assert reason in problem.reason
    assert str(problem).startswith("line 3: ")


coordinates = st.tuples(*[st.integers(-32768, 32767)] * 4).map(
    lambda c: (min(c[0], c[2]), min(c[1], c[3]), max(c[0], c[2]), max(c[1], c[3]))
)
labels = st.text(st.characters(exclude_characters="\n\r\0", codec="utf-8"), min_size=1).filter(
    lambda text: not text.startswith("\ufeff") and text != "WordStr"
)


@given(st.lists(st.builds(lambda t, c, p: Box(t, *c, p), labels, coordinates, st.integers(0, 99))))
def test_round_trip(boxes):
    assert box.unpack(box.pack(boxes)).boxes == tuple(boxes)


def test_lines_of_text():
    data = b"\t 0 0 0 0\na 5 6 7 8\n  0 0 1 1\nb 9 1 9 9\n\t 0 0 0 0 0\n\t 0 0 0 0\nc 1 2 3 4\n"
    first, second = box.text_lines(box.unpack(data).boxes)
    assert (first.text, first.bounds) == ("a b", (0, 0, 9, 9))
    assert (second.text, second.bounds) == ("c", (1, 2, 3, 4))


def test_lines_of_one_page():
    boxes = [Box("a", 0, 0, 1, 1, 0), Box("b", 0, 0, 1, 1, 1)]
    assert [line.text for line in box.text_lines(boxes, page=1)] == ["b"]
    assert [line.text for line in box.text_lines(boxes, page=None)] == ["ab"]
    assert box.text_lines([]) == ()


def test_files(tmp_path):
    box.save([Box("é", 1, 2, 3, 4)], tmp_path / "x.box")
    assert box.load(tmp_path / "x.box").boxes == (Box("é", 1, 2, 3, 4),)
    with pytest.raises(FormatError, match=r"nope\.box: cannot be read"):
        box.load(tmp_path / "nope.box")
