"""Which state of a run a name stands for."""

import json

import pytest
from formats.format_samples import recognizer, record

from lstmjax.errors import FormatError, LstmjaxError
from lstmjax.formats import checkpoint, lstm
from lstmjax.formats.checkpoint import FULL, NO_BEST
from lstmjax.infer.states import best_state, better_than, find_state, name_of
from lstmjax.run_paths import RunPaths


def state(iteration: int, amount: int = NO_BEST, **changes) -> bytes:
    trained = recognizer(training_iteration=iteration, sample_iteration=iteration)
    return checkpoint.pack(record(amount, recognizer=trained, **changes))


BEST, NEWER, LAST = state(400), state(600), state(1000, FULL)


@pytest.fixture
def paths(tmp_path):
    return RunPaths(str(tmp_path / "m"))


def write(path: str, data: bytes) -> None:
    with open(path, "wb") as file:
        file.write(data)


def figures(paths: RunPaths, *records: object) -> None:
    write(paths.metrics, "".join(f"{json.dumps(one)}\n" for one in records).encode())


def evaluation(iteration: int, cer: object) -> dict:
    return {"event": "eval", "training_iteration": iteration, "cer": cer}


def test_a_run_stands_for_its_best_state(paths):
    write(paths.best, BEST)
    write(paths.checkpoint, state(1000, FULL, best_trainer=BEST))
    figures(paths, evaluation(400, 9.5), evaluation(400, 9.21), evaluation(1000, 16.2))
    found = find_state(paths.model_output)
    assert (found.source, found.data) == (paths.best, BEST)
    assert found.note == (
        f"{paths.model_output}: best state, iteration 400: evaluation CER 9.21 %, "
        f"training BCER 3.25 % ({paths.best})"
    )


@pytest.mark.parametrize(
    ("inside", "taken"), [(NEWER, "checkpoint"), (state(200), "best")], ids=["newer", "older"]
)
def test_the_newer_best_of_file_and_checkpoint_is_taken(paths, inside, taken):
    """The real lstmtraining goes on without the file; a kill leaves a checkpoint behind it."""
    write(paths.best, BEST)
    write(paths.checkpoint, state(1000, FULL, best_trainer=inside))
    found = best_state(paths)
    assert found.source == getattr(paths, taken)
    assert found.data == (inside if taken == "checkpoint" else BEST)


def test_a_run_of_the_real_tool_has_its_best_in_the_checkpoint(paths):
    write(paths.checkpoint, state(1000, FULL, best_trainer=BEST))
    found = find_state(paths.model_output)
    assert (found.source, found.data) == (paths.checkpoint, BEST)
    assert "best state, iteration 400: training BCER 3.25 %" in found.note


def test_a_run_without_a_best_state_stands_for_its_last(paths):
    write(paths.checkpoint, LAST)
    found = find_state(paths.model_output)
    assert (found.source, found.data) == (paths.checkpoint, LAST)
    assert "no best state yet; the last state, iteration 1000: training BCER 3.25 %" in found.note


def test_a_plain_network_can_stand_for_a_run(paths):
    write(paths.checkpoint, lstm.pack(recognizer(training_iteration=7)))
    assert "the last state, iteration 7 (" in find_state(paths.model_output).note


def test_files_stand_for_themselves(paths):
    write(paths.best, BEST)
    write(paths.checkpoint, LAST)
    for path in (paths.best, paths.checkpoint):
        assert find_state(path).source == path
        assert find_state(path).note == ""
    write(paths.model_output, b"of the same name")
    assert find_state(paths.model_output).data == b"of the same name"


def test_a_folder_with_the_name_of_a_run_is_not_in_the_way(paths, tmp_path):
    write(paths.best, BEST)
    (tmp_path / "m").mkdir()
    assert find_state(paths.model_output).data == BEST
    assert name_of(paths) == paths.model_output


def test_a_run_can_be_named_where_a_file_has_its_name(paths):
    write(paths.model_output, b"of the same name")
    write(paths.checkpoint, LAST)
    assert name_of(paths) == paths.checkpoint
    write(paths.best, BEST)
    assert find_state(name_of(paths)).data == BEST


def test_what_is_not_there_is_named(paths):
    with pytest.raises(FormatError, match=r"m: cannot be read: No such file"):
        find_state(paths.model_output)
    with pytest.raises(LstmjaxError, match="there is no checkpoint; train first"):
        best_state(paths)


def test_damaged_files(paths):
    write(paths.best, BEST)
    write(paths.checkpoint, LAST[:-9])
    assert best_state(paths).data == BEST
    write(paths.best, BEST[:-9])
    with pytest.raises(FormatError, match=r"m_best\.checkpoint: byte"):
        best_state(paths)


@pytest.mark.parametrize(
    "line",
    [
        b"[1]\n", b"\xff\n", b"{", b"[" * 100_000 + b"\n", b"x" * (3 << 20),
        b'{"event": "eval", "training_iteration": 400, "cer": "9"}\n',
        b'{"event": "eval", "training_iteration": 400, "cer": 1e999}\n',
        b'{"event": "eval", "training_iteration": 400, "cer": 1' + b"0" * 400 + b"}\n",
        b'{"event": "eval", "training_iteration": 400}\n',
    ],
    ids=["list", "bytes", "cut", "deep", "long", "text", "infinite", "large", "missing"],
)  # fmt: skip
def test_damaged_figures_are_not_known(paths, line):
    write(paths.best, BEST)
    write(paths.metrics, line)
    assert "iteration 400: training BCER" in best_state(paths).note


def test_who_takes_the_last_state_hears_of_the_best(paths):
    write(paths.checkpoint, state(1000, FULL, best_trainer=BEST))
    assert better_than(paths.checkpoint) == (
        f"{paths.checkpoint} is the last state, iteration 1000; --continue_from "
        f"{paths.model_output} takes the best one, iteration 400: training BCER 3.25 %"
    )
    assert better_than(paths.best) == ""
    write(paths.checkpoint, state(400, FULL, best_trainer=BEST))
    assert better_than(paths.checkpoint) == ""
    write(paths.checkpoint, LAST)
    assert better_than(paths.checkpoint) == ""
