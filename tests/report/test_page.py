"""The page is complete, safe and self-contained."""

import base64
import io
import re
from html.parser import HTMLParser

import pytest
from data.documents import page, png, save
from PIL import Image
from report.crafted import HOSTILE, reading, report_of

from lstmjax.data.lines import build_index
from lstmjax.report.page import page_bytes
from lstmjax.report.parts import marked
from lstmjax.report.pictures import picture

VOID = {"meta", "img"}


class Checker(HTMLParser):
    """A parser that fails on tags that do not match, and collects the content of the page."""

    def __init__(self):
        super().__init__()
        self.open, self.tags, self.attributes, self.text = [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def parsed(report, index, **options):
    data = page_bytes(report, lambda number: picture(index, number), **options)
    checker = Checker()
    checker.feed(data.decode())
    checker.close()
    assert checker.open == []
    return checker


@pytest.fixture
def full(tmp_path):
    truths = ["abc d", HOSTILE, "где", "skipped", "same"]
    train = ("train.list", [reading("ab", "ab"), reading("cd", "ce")])
    return report_of(
        tmp_path, truths, ["abx", "&<b>", "гда", "", "same"], ["abc d", HOSTILE, "", "", "same"],
        skipped=(3,), train=train, paths=["<b>m.traineddata", "other\x07.traineddata"],
    )  # fmt: skip


def test_a_page_has_everything_and_needs_nothing(full):
    found = parsed(*full)
    ids = [value for name, value in found.attributes if name == "id"]
    assert ids == [
        "models", "comparison", "overfitting", "groups", "lines", "confusions", "worst",
        "changed", "skipped", "about",
    ]  # fmt: skip
    assert not {"script", "link", "iframe", "object"} & set(found.tags)
    for name, value in found.attributes:
        assert not name.startswith("on")
        if name in ("src", "href"):
            assert value.startswith(("data:image/png;base64,", "#"))
    styles = [value for name, value in found.attributes if name == "style"]
    assert all("url" not in value for value in styles)


def test_texts_are_escaped_wherever_they_stand(full):
    found = parsed(*full)
    shown = "".join(found.text)
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert "\\x1b" in shown
    assert "<b>m" in shown  # as text, not as a tag
    assert "other\\x07" in shown
    assert found.tags.count("script") == 0


def test_pictures_are_inside_and_small(full):
    found = parsed(*full)
    uris = [value for name, value in found.attributes if name == "src"]
    assert len(uris) >= 3
    image = Image.open(io.BytesIO(base64.b64decode(uris[0].partition(",")[2])))
    assert image.height <= 56


@pytest.mark.parametrize(
    ("size", "expected"), [((70, 24), (70, 24)), ((400, 112), (200, 56)), ((4000, 40), (1600, 16))],
    ids=["as it is", "too high", "too wide"],
)  # fmt: skip
def test_large_pictures_are_made_smaller(size, expected, tmp_path):
    index = build_index([save(tmp_path / "a.lstmf", page("a", png(*size, two_valued=True)))])
    data = base64.b64decode(picture(index, 0).partition(",")[2])
    assert Image.open(io.BytesIO(data)).size == expected


def test_a_picture_that_is_gone_is_said_to_be(tmp_path):
    report, index = report_of(tmp_path, ["abc"], ["abd"])
    (tmp_path / "eng.Some_Font.exp0.lstmf").unlink()
    assert picture(index, 0) is None
    assert "can no longer be read" in "".join(parsed(report, index).text)


def test_a_perfect_model_has_a_page_too(tmp_path):
    report, index = report_of(tmp_path, ["abc", "de"], ["abc", "de"])
    shown = "".join(parsed(report, index).text)
    assert "Every line was read without error" in shown
    assert "m0 makes no errors" in shown
    assert "0.00 %" in shown


def test_the_number_of_worst_lines_is_a_choice(tmp_path):
    report, index = report_of(tmp_path, ["abc"] * 5, ["abd"] * 5)
    counts = [parsed(report, index, worst=worst).tags.count("img") for worst in (0, 2, 9)]
    assert counts == [0, 2, 5]


@pytest.mark.parametrize(
    ("truth", "read", "left", "right"),
    [
        ("ab", "ab", "ab", "ab"),
        ("corn", "com", "co<del>rn</del>", "co<ins>m</ins>"),
        ("ab", "a", "a<del>b</del>", "a<ins>‸</ins>"),
        ("a", "a b", "a", "a<ins>␣b</ins>"),
        ("<&", "<", "&lt;<del>&amp;</del>", "&lt;<ins>‸</ins>"),
        ("x", "x\u0316", "x", "x<ins>◌\u0316</ins>"),
    ],
    ids=["alike", "run", "lost", "space", "escaped", "lone accent"],
)
def test_differences_are_marked(truth, read, left, right):
    bare = [re.sub(r'^<span class="t">|</span>$', "", side) for side in marked(truth, read)]
    assert bare == [left, right]
