"""Pages and books, told from names."""

import pytest

from lstmjax.pipeline.groups import are_believable, book_of, page_of

NAMES = [  # path of a line, its page, its book
    ("b/hoffmann_0012_010002.bin.png", "b/hoffmann_0012", "b/hoffmann"),
    ("0001_000003.png", "0001", ""),
    ("b/alexis_ruhe01_1852_0018_022.tif", "b/alexis_ruhe01_1852_0018", "b/alexis_ruhe01_1852"),
    ("book/0001/010001.bin.png", "book/0001", "book"),
    ("Bodmer_168__0037__010024.png", "Bodmer_168__0037", "Bodmer_168"),
    ("a01-000u-00.lstmf", "a01-000u", "a01"),
    ("b/FILE_0001_region0002_line0003.png", "b/FILE_0001", "b"),
    ("b/page_12_r1_l3.jpg", "b/page_12", "b"),
    ("b/img_0001_region_3_line_4.png", "b/img_0001", "b"),
    ("gt/1488-DieBibel/00012.nrm.png", "gt/1488-DieBibel", "gt/1488-DieBibel"),
    ("x/egger_00d4d36a2e81f14c.png", "x/egger", "x/egger"),
    ("x/astro1912_00d4d36a2e81f14c.png", "x/astro1912", "x/astro1912"),
    ("x/line_12.png", "x", "x"),
    ("x/title.png", "x", "x"),
    ("x/a_title.png", "x", "x"),
    ("...png", "", ""),
    ("é_٣_٤.png", "é_٣", "é"),
]


@pytest.mark.parametrize(("path", "page", "book"), NAMES, ids=[path for path, _, _ in NAMES])
def test_names_of_lines_show_page_and_book(path, page, book):
    assert page_of(path) == page
    assert book_of(page) == book


def test_a_whole_page_is_a_page_whatever_its_name():
    assert page_of("b/hoffmann_0012.lstmf", whole=True) == "b/hoffmann_0012"
    assert book_of("b/hoffmann_0012") == "b/hoffmann"


@pytest.mark.parametrize(
    ("groups", "expected"),
    [("aabb", True), ("aaaa", False), ("abcd", False), ("aabc", True), ("aabcde", False)],
)
def test_groups_are_believed_if_most_lines_share_theirs(groups, expected):
    assert are_believable(dict(zip("123456", groups, strict=False))) == expected
