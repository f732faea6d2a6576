import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstmjax.errors import DataError
from lstmjax.pages import ground_truth
from lstmjax.pages.ground_truth import box_texts, same_text, visual_order

HEBREW = "(\u05e9\u05dc\u05d5\u05dd) abc 12"


def test_marks_stay_with_their_letter():
    assert box_texts("a b", "characters") == ("a", " ", "b")
    assert box_texts("x\u0323\u0307y", "characters") == ("x\u0323\u0307", "y")
    assert box_texts("\u0301a", "characters") == ("\u0301", "a")


def test_right_to_left_texts_are_put_in_the_order_of_the_image():
    shown = "abc 12 (\u05dd\u05d5\u05dc\u05e9)"
    assert box_texts(HEBREW, "auto") == box_texts(HEBREW, "wordstr") == (shown,)
    assert box_texts("abc", "wordstr") == ("abc",)
    assert "".join(box_texts(HEBREW, "characters")) == HEBREW


def test_other_texts_stay():
    assert visual_order("naïve (x)") == "naïve (x)"


@given(st.text("aé\u0301 x", min_size=1))
def test_labels_make_up_the_text(text):
    assert "".join(box_texts(text, "auto")) == text


def test_texts_may_differ_in_order_and_marks():
    assert same_text(HEBREW, visual_order(HEBREW))
    assert same_text("x\u0323\u0307", "x\u0323\u0323\u0307")
    assert not same_text("abc", "abd")
    assert not same_text("abc", "abcc")


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"plain\n", "plain"),
        (b"\xef\xbb\xbf  e\xcc\x81 \r\n\n", "\u00e9"),
    ],
    ids=["plain", "signature-blanks-nfc"],
)
def test_reading(tmp_path, content, text):
    (tmp_path / "x.gt.txt").write_bytes(content)
    assert ground_truth.read_text(str(tmp_path / "x.gt.txt")) == text


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b"one\ntwo\n", "has 2 lines, expected one"),
        (b"ab\xff", "not UTF-8: byte 0xff at byte 2"),
        (b"a\tb", "tab"),
        (b"a" * 70000, "more than 65536 bytes"),
    ],
    ids=["empty", "blank", "two-lines", "not-utf8", "tab", "long"],
)
def test_bad_texts_are_named(tmp_path, content, message):
    (tmp_path / "x.gt.txt").write_bytes(content)
    with pytest.raises(DataError, match=rf"x\.gt\.txt.*{message}"):
        ground_truth.read_text(str(tmp_path / "x.gt.txt"))


def test_a_missing_text_is_named(tmp_path):
    with pytest.raises(DataError, match="cannot be read: No such file"):
        ground_truth.read_text(str(tmp_path / "x.gt.txt"))
