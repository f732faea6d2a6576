"""Documents become lists for training and evaluation; every line is in one of them."""

import numpy as np
import pytest
from pipeline.pipeline_samples import write_document, write_image

from lstmjax.data.lines import build_index
from lstmjax.data.listing import read_list
from lstmjax.errors import DataError, LstmjaxError
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
