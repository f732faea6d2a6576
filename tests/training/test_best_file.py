"""The file of the best state."""

import shlex

import pytest
from formats.format_samples import record

from lstmjax.formats import checkpoint
from lstmjax.formats.checkpoint import NO_BEST
from lstmjax.run_paths import RunPaths
from lstmjax.training.best_file import BestFile, next_command
from lstmjax.training.request import Request


@pytest.fixture
def paths(tmp_path):
    return RunPaths(str(tmp_path / "m"))


def test_it_is_written_when_another_state_is_the_best(paths, tmp_path):
    file = BestFile(paths)
    assert file.sync(b"") == ""
    assert list(tmp_path.iterdir()) == []
    for best in (b"one", b"two"):
        assert file.sync(best) == ""
        assert (tmp_path / "m_best.checkpoint").read_bytes() == best
    (tmp_path / "m_best.checkpoint").unlink()
    assert file.sync(b"two") == ""
    assert not (tmp_path / "m_best.checkpoint").exists()  # the same best is not written again


@pytest.mark.parametrize("found", [None, b"older"], ids=["missing", "older"])
def test_a_run_that_goes_on_writes_what_it_knows(paths, tmp_path, found):
    if found:
        (tmp_path / "m_best.checkpoint").write_bytes(found)
    assert BestFile(paths).sync(b"best") == ""
    assert (tmp_path / "m_best.checkpoint").read_bytes() == b"best"


def test_the_best_of_an_earlier_run_is_not_left_for_that_of_this_one(paths, tmp_path):
    (tmp_path / "m_best.checkpoint").write_bytes(b"other")
    assert BestFile(paths).sync(b"") == f"{paths.best}: removed; it was of an earlier run"
    assert list(tmp_path.iterdir()) == []


def test_what_keeps_it_from_being_written_is_said_and_tried_again(paths, tmp_path):
    (tmp_path / "m_best.checkpoint").mkdir()
    file = BestFile(paths)
    for _ in range(2):
        assert file.sync(b"best").startswith(f"{paths.best}: cannot be written: ")
    (tmp_path / "m_best.checkpoint").rmdir()
    assert file.sync(b"best") == ""
    assert (tmp_path / "m_best.checkpoint").read_bytes() == b"best"


@pytest.mark.parametrize(
    ("charset", "model"),
    [("demo.traineddata", "my run.traineddata"), ("my run.traineddata", "my run_best.traineddata")],
    ids=["another name", "the name of the model"],
)
def test_the_command_for_the_next_step(tmp_path, charset, model):
    request = Request(str(tmp_path / charset), str(tmp_path / "my run"), "")
    (tmp_path / "my run_best.checkpoint").write_bytes(checkpoint.pack(record(NO_BEST)))
    note, text, command = next_command(request).splitlines()
    assert "best state, iteration 10: training BCER 3.25 %" in note
    assert text == "To make a model of it:"
    assert shlex.split(command) == [
        "lstmjax", "lstmtraining", "--stop_training", "--continue_from", request.model_output,
        "--traineddata", request.traineddata, "--model_output", str(tmp_path / model),
    ]  # fmt: skip
