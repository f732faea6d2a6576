"""Documents become training and evaluation lists; every line is in exactly one of them."""

import os

import numpy as np
import pytest
from PIL import Image
from pipeline.pipeline_samples import write_document, write_image

from lstmjax.data.lines import build_index
from lstmjax.data.listing import read_list
from lstmjax.errors import DataError, LstmjaxError, UsageError
from lstmjax.pipeline.lines import all_texts, divide, write_list


def texts_of(paths) -> list[str]:
    return [line.text for line in build_index(paths)] if paths else []


def test_line_images_are_listed_as_they_are(tmp_path):
    paths = [str(write_image(tmp_path / f"{i}.png", f"text {i}")) for i in range(10)]
    lists = divide(paths, 0.8, 0, tmp_path / "copies")
    assert sorted([*lists.train, *lists.eval]) == paths
    assert (len(lists.train), len(lists.eval)) == (8, 2)
    assert not (tmp_path / "copies").exists()


def test_documents_with_lines_for_both_are_copied_in_two_parts(tmp_path):
    texts = [f"line {i}" for i in range(20)]
    path = write_document(tmp_path / "page.lstmf", texts)
    lists = divide([str(path)], 0.75, 3, tmp_path / "copies")
    train, evaluation = texts_of(lists.train), texts_of(lists.eval)
    assert (len(train), len(evaluation)) == (15, 5)
    assert sorted(train + evaluation) == sorted(texts)
    assert train == sorted(train, key=texts.index)
    assert build_index(lists.train)[0].has_boxes


def test_documents_of_one_name_in_two_folders_stay_apart(tmp_path):
    paths = []
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        texts = [f"{folder} {i}" for i in range(9)]
        paths.append(str(write_document(tmp_path / folder / "page.lstmf", texts)))
    lists = divide(paths, 0.5, 0, tmp_path / "copies")
    assert len(texts_of(lists.train)) == len(texts_of(lists.eval)) == 9


def test_a_document_all_of_whose_lines_are_for_training_is_not_copied(tmp_path):
    path = str(write_document(tmp_path / "page.lstmf", ["one", "two"]))
    assert divide([path], 1.0, 0, tmp_path / "copies").train == (path,)


def test_what_cannot_be_used_is_named(tmp_path):
    good = str(write_document(tmp_path / "good.lstmf", ["one", "two"]))
    (tmp_path / "bad.lstmf").write_bytes(b"\x01\0\0\0nothing")
    lists = divide([good, str(tmp_path / "bad.lstmf")], 1.0, 0, tmp_path)
    ((path, _),) = lists.problems
    assert path.endswith("bad.lstmf")


def test_without_a_usable_line_it_is_an_error(tmp_path):
    with pytest.raises(DataError):
        divide([str(tmp_path / "missing.lstmf")], 0.9, 0, tmp_path)


def test_a_list_comes_back(tmp_path):
    paths = [str(tmp_path / "a b.png"), str(tmp_path / "ü.lstmf")]
    write_list(paths, tmp_path / "list")
    assert read_list(tmp_path / "list") == paths
    with pytest.raises(LstmjaxError, match="a list file cannot name it"):
        write_list(["a\nb.png"], tmp_path / "list")


def test_the_texts_of_all_lines(tmp_path):
    path = write_document(tmp_path / "page.lstmf", ["één", "twee"])
    assert all_texts(build_index([str(path)])) == "één\ntwee\n".encode()


def test_pages_keep_their_pixels(tmp_path):
    path = str(write_document(tmp_path / "page.lstmf", [f"{i}" for i in range(8)]))
    lists = divide([path], 0.5, 0, tmp_path / "copies")
    whole, parts = build_index([path]), build_index([*lists.train, *lists.eval])
    images = {line.text: whole.image(line.number) for line in whole}
    assert all(images[line.text] == parts.image(line.number) for line in parts)
    assert np.array_equal(np.sort(parts.sizes, 0), np.sort(whole.sizes, 0))


def names_of(paths):
    return {os.path.basename(path) for path in paths}


@pytest.fixture
def pages(tmp_path):
    """Ten pages of five lines."""
    return [
        str(write_image(tmp_path / f"book_{page:04d}_{line:02d}.png", f"text {page} {line}"))
        for page in range(10)
        for line in range(5)
    ]


def test_line_images_are_divided_by_page_if_names_show_pages(tmp_path, pages):
    lists = divide(pages, 0.8, 0, tmp_path)
    held_out = {name[:9] for name in names_of(lists.eval)}
    assert len(held_out) == 2
    assert not held_out & {name[:9] for name in names_of(lists.train)}
    (message,) = lists.messages
    assert message.startswith("Divided by page or book, as names and layout files show them")
    assert "40 lines (8 pages or books) for training, 10 lines (2 others) for" in message
    assert divide(pages[::-1], 0.8, 0, tmp_path) == lists


def test_lines_are_divided_one_by_one_if_asked_or_if_there_are_too_few_pages(tmp_path, pages):
    by_line = divide(pages, 0.8, 0, tmp_path, split_by="line")
    assert by_line.messages == ("Divided by line: 40 lines for training, 10 for evaluation.",)
    assert {name[:9] for name in names_of(by_line.eval)} & {
        name[:9] for name in names_of(by_line.train)
    }
    few = divide(pages[:10], 0.8, 0, tmp_path)
    assert few.messages == (
        "Divided by line: 8 lines for training, 2 for evaluation; the 2 pages or books that names "
        "and layout files show are too few or too large to keep whole ones apart.",
    )
    forced = divide(pages[:10], 0.8, 0, tmp_path, split_by="page")
    assert len(forced.eval) == 5
    assert forced.train[0][:-6] != forced.eval[0][:-6]


def test_books_are_kept_whole_on_demand(tmp_path):
    paths = [
        str(write_image(tmp_path / f"{book}_{page:04d}_{line:02d}.png", f"{book} {page} {line}"))
        for book in ("first", "second", "third", "fourth")
        for page in range(3)
        for line in range(2)
    ]
    lists = divide(paths, 0.75, 0, tmp_path, split_by="book")
    (held_out,) = {name.split("_")[0] for name in names_of(lists.eval)}
    assert len(lists.eval) == 6
    assert "18 lines (3 books) for training, 6 lines (1 other)" in lists.messages[0]
    assert held_out not in {name.split("_")[0] for name in names_of(lists.train)}


def test_what_names_do_not_show_cannot_be_kept_whole(tmp_path):
    paths = [str(write_image(tmp_path / f"{i}.png", f"text {i}")) for i in range(10)]
    assert "show no pages or books" in divide(paths, 0.8, 0, tmp_path).messages[0]
    with pytest.raises(DataError, match=r"--split_by book: .* show no books .*--split_by line"):
        divide(paths, 0.8, 0, tmp_path, split_by="book")
    with pytest.raises(UsageError, match="split_by is 'word', expected one of auto, line"):
        divide(paths, 0.8, 0, tmp_path, split_by="word")


def test_documents_of_several_lines_and_pages_of_one_are_pages(tmp_path):
    paths = [str(write_document(tmp_path / f"{i}.lstmf", [f"{i} a", f"{i} b"])) for i in range(8)]
    paths += [str(write_document(tmp_path / f"{i}.lstmf", [f"{i} a"])) for i in (8, 9)]
    lists = divide(paths, 0.8, 0, tmp_path / "copies", whole_pages=paths[8:])
    assert not (tmp_path / "copies").exists()
    assert "such as 9): 13 lines (7 pages or books) for training" in lists.messages[0]


def test_copies_of_trained_images_are_not_evaluated_on(tmp_path):
    paths = [str(write_image(tmp_path / f"{i:02d}.png", f"text {i}")) for i in range(40)]
    before = divide(paths, 0.5, 0, tmp_path)
    trained, copy = before.train[0], before.eval[0]
    with Image.open(trained) as image:
        image.convert("RGB").save(copy)
    lists = divide(paths, 0.5, 0, tmp_path)
    assert lists.train == (*before.train, copy)
    assert lists.eval == before.eval[1:]
    assert lists.messages[1] == (
        "Warning: 1 of 20 lines for evaluation have the very pixels of lines for training, such as "
        f"{copy} those of {trained}; they are moved to training, which leaves 19 for evaluation."
    )


def test_copies_stay_if_nothing_else_could_be_evaluated_on(tmp_path):
    paths = [str(write_image(tmp_path / f"{i}.png", "the same")) for i in range(4)]
    lists = divide(paths, 0.5, 0, tmp_path)
    assert (len(lists.train), len(lists.eval)) == (2, 2)
    assert lists.messages[1].startswith("Warning: 2 of 2 lines for evaluation have the very pixels")
    assert lists.messages[1].endswith("they stay, but error rates measured on them are too good.")
