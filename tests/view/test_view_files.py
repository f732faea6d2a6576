"""Reading the files of a run that somebody is writing."""

import json

import pytest
from formats.format_samples import recognizer, record

from lstmjax.errors import DataError
from lstmjax.formats import checkpoint, lstm
from lstmjax.formats.checkpoint import NO_BEST
from lstmjax.view.files import RunFiles, find_runs, finite, read_object, read_records


@pytest.fixture
def run(tmp_path):
    (tmp_path / "m.metrics.jsonl").write_text('{"event": "train"}\n')
    (tmp_path / "m.view" / "lines").mkdir(parents=True)
    (tmp_path / "m.view" / "lines" / "7.png").write_bytes(b"png")
    return RunFiles(tmp_path / "m")


def test_half_written_line_is_read_when_it_is_whole(tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_text('{"a": 1}\n{"a": ')
    records, offset, more = read_records(path, 0)
    assert (records, offset, more) == ([{"a": 1}], 9, True)
    assert read_records(path, offset) == ([], 9, False)
    path.write_text('{"a": 1}\n{"a": 2}\n')
    assert read_records(path, offset) == ([{"a": 2}], 18, False)


@pytest.mark.parametrize(
    "line",
    [b"\xff\xfe", b"", b"[1]", b"nul", b"{", b'"' + b"[" * 5000, b"[" * 5000 + b"]" * 5000],
    ids=["not UTF-8", "empty", "list", "word", "cut", "string", "deep"],
)
def test_damaged_lines_are_left_out(tmp_path, line):
    path = tmp_path / "x.jsonl"
    path.write_bytes(b'{"a": 1}\n' + line + b'\n{"a": 2}\n')
    assert read_records(path, 0)[0] == [{"a": 1}, {"a": 2}]


def test_shorter_file_is_read_from_the_start(tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_text('{"a": 1}\n')
    assert read_records(path, 100) == ([], 0, True)


def test_endless_line_is_passed_over(tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_bytes(b"x" * (1 << 20) + b'x\n{"a": 1}\n')
    _, offset, more = read_records(path, 0)
    assert more
    assert read_records(path, offset)[0] == [{"a": 1}]


def test_large_files_come_in_parts(tmp_path):
    path = tmp_path / "x.jsonl"
    line = json.dumps({"a": "x" * 1000}) + "\n"
    path.write_text(line * 3000)
    count, offset, more = 0, 0, True
    while more:
        records, offset, more = read_records(path, offset)
        count += len(records)
    assert count == 3000
    assert offset == path.stat().st_size


def test_missing_file_has_no_records(tmp_path):
    assert read_records(tmp_path / "x", 0) == ([], 0, False)
    assert read_object(tmp_path / "x") is None


def test_json_lacks_infinities():
    assert finite({"a": [float("nan"), 1.5], "b": float("inf")}) == {"a": [None, 1.5], "b": None}


@pytest.mark.parametrize("content", [b"{", b"\xff", b"9" * (2 << 20)], ids=["cut", "bytes", "big"])
def test_damaged_small_file_is_none(tmp_path, content):
    (tmp_path / "x.json").write_bytes(content)
    assert read_object(tmp_path / "x.json") is None


@pytest.mark.parametrize(
    "name",
    [
        "../m.metrics.jsonl", "lines/../../m.metrics.jsonl", "/etc/passwd", "lines/7.png\n",
        "lines/x.png", "lines/%2e%2e/7.png", "debug/1/..-x.png", "lines//7.png", "",
    ],
    ids=repr,
)  # fmt: skip
def test_only_pictures_are_served(run, name):
    assert run.picture(name) is None
    assert run.picture("lines/7.png") is not None


def test_link_out_of_the_folder_is_not_followed(run, tmp_path):
    (tmp_path / "secret").write_text("x")
    (run.view / "lines" / "8.png").symlink_to(tmp_path / "secret")
    assert run.picture("lines/8.png") is None


@pytest.mark.parametrize("name", ["m", "m.metrics.jsonl", "."], ids=["base", "metrics", "folder"])
def test_ways_to_name_a_run(run, monkeypatch, tmp_path, name):
    monkeypatch.chdir(tmp_path)
    assert [found.metrics.resolve() for found in find_runs(name)] == [run.metrics]


def test_names_of_no_run(tmp_path):
    with pytest.raises(DataError, match="no run in this folder"):
        find_runs(str(tmp_path))
    with pytest.raises(DataError, match=r"x\.metrics\.jsonl does not exist"):
        find_runs(str(tmp_path / "x"))


def test_saved_states_are_found_by_their_names(tmp_path):
    run = RunFiles(tmp_path / "m")
    for name in ("m_3.25_900_1000.checkpoint", "m_9.5_80_90.checkpoint"):
        (tmp_path / name).touch()
    assert run.saved() == [
        {"iteration": 90, "bcer": 9.5, "file": "m_9.5_80_90.checkpoint"},
        {"iteration": 1000, "bcer": 3.25, "file": "m_3.25_900_1000.checkpoint"},
    ]


def test_the_best_state_is_that_of_the_run(tmp_path):
    run, path = RunFiles(tmp_path / "m"), tmp_path / "m_best.checkpoint"
    assert run.best() is None
    path.write_bytes(b"damaged")
    assert run.best() is None
    path.write_bytes(lstm.pack(recognizer()))
    assert run.best() is None
    path.write_bytes(checkpoint.pack(record(NO_BEST)))
    assert run.best() == {"iteration": 10, "bcer": 3.25, "file": "m_best.checkpoint"}


def test_only_finished_pictures_are_listed(run):
    for name in ("5", "12", "x"):
        (run.view / "debug" / name).mkdir(parents=True)
    (run.view / "debug" / "12" / "line.json").write_text("{}")
    assert run.debug_iterations() == [12]
