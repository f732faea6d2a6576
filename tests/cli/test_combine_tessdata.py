import os

import helpers
import pytest
from formats.format_samples import UNICHARSET, NetworkMaker, recoder_of, recognizer

from lstmjax.cli import combine_tessdata
from lstmjax.formats import lstm, recoder, traineddata
from lstmjax.formats.traineddata import TrainedData
from lstmjax.nn.quantize import to_int

FIVE_CODES = TrainedData({
    "lstm": lstm.pack(recognizer()),
    "lstm-unicharset": UNICHARSET,
    "lstm-recoder": recoder.pack(recoder_of(5)),
    "version": b"test",
})  # fmt: skip


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    traineddata.save(FIVE_CODES, "x.traineddata")
    (tmp_path / "new.config").write_bytes(b"a 1\n")
    (tmp_path / "empty.config").write_bytes(b"")
    (tmp_path / "x.foo").write_bytes(b"z")
    return tmp_path


def run(capsys, *argv):
    try:
        status = combine_tessdata.main(list(argv))
    except SystemExit as leaving:
        status = leaving.code
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def test_unpacking_and_combining_gives_the_same_file(folder, capsys):
    assert run(capsys, "-u", "x.traineddata", "out.")[0] == 0
    status, out, err = run(capsys, "out")
    assert (status, out) == (
        0, "Combining tessdata files\nOutput out.traineddata created successfully.\n",
    )  # fmt: skip
    assert err.startswith("Version:test\n17:lstm:size=")
    assert (folder / "out.traineddata").read_bytes() == (folder / "x.traineddata").read_bytes()


def test_overwriting_keeps_the_old_file_beside(folder, capsys):
    before = (folder / "x.traineddata").read_bytes()
    status, _, err = run(capsys, "-o", "x.traineddata", "new.config", "x.foo")
    assert status == 0
    assert "0:config:size=4, offset=192" in err
    assert "Skipping x.foo" in err
    assert (folder / "x.traineddata.__tmp__").read_bytes() == before
    assert traineddata.load("x.traineddata").components["config"] == b"a 1\n"


def test_converting_to_int8(folder, capsys):
    status, _, err = run(capsys, "-c", "x.traineddata")
    assert status == 0
    assert err.startswith("Version:test\n")
    model = lstm.unpack_from(traineddata.load("x.traineddata"))
    assert (model.training_flags, model.network.training) == (65, 0)
    wanted = to_int(recognizer().network)
    assert lstm.pack(recognizer(wanted)) == lstm.pack(model)
    once = (folder / "x.traineddata").read_bytes()
    assert run(capsys, "-c", "x.traineddata")[0] == 0
    assert (folder / "x.traineddata").read_bytes() == once


def test_embedded_charsets_survive_conversion(folder, capsys):
    model = recognizer(NetworkMaker().dense(2, 5), unicharset=UNICHARSET, recoder=recoder_of(5))
    traineddata.save(TrainedData({"lstm": lstm.pack(model)}), "e.traineddata")
    assert run(capsys, "-c", "e.traineddata")[0] == 0
    small = traineddata.load("e.traineddata")
    assert small.version == "Pre-4.0.0"
    assert lstm.unpack_from(small).unicharset == UNICHARSET


FAILURES = {
    "unreadable": (["-d", "nope"], "Failed to read nope\nnope: cannot be read: No such file"),
    "not a container": (["-l", "x.foo"], "Failed to read x.foo\nx.foo: byte 0x0"),
    "absent": (["-e", "x.traineddata", "a.config"], "Not extracting a.config, since this"),
    "unknown suffix": (["-e", "x.traineddata", "a.foo"], "Not extracting a.foo: its suffix"),
    "unwritable": (
        ["-e", "x.traineddata", "no/a.lstm"],
        "Error, could not extract no/a.lstm: No such file or directory",
    ),
    "unwritable prefix": (["-u", "x.traineddata", "no/a"], "could not extract no/a.lstm: No such"),
    "nothing to combine": (["nothing"], "Error combining tessdata files into nothing.traineddata"),
    "empty part": (["empty"], "Load of file empty.config failed!"),
    "overwrite nothing": (["-o", "nope", "new.config"], "Failed to read nope"),
    "overwrite by nothing": (
        ["-o", "x.traineddata", "nope.config"],
        "Failed to read component file:nope.config",
    ),
    "no flag": (["-e", "x.traineddata"], "Usage for combining"),
    "no file": (["-l"], "Usage for combining"),
    "nothing": ([], "Usage for combining"),
}


@pytest.mark.parametrize("name", FAILURES)
def test_failures_exit_with_1_and_lose_nothing(name, folder, capsys):
    argv, text = FAILURES[name]
    before = {path: (folder / path).read_bytes() for path in os.listdir(folder)}
    status, out, err = run(capsys, *argv)
    assert status == 1
    assert text in out + err
    assert {path: (folder / path).read_bytes() for path in os.listdir(folder)} == before


def test_damaged_networks_are_reported(folder, capsys):
    damaged = FIVE_CODES.with_component("lstm", FIVE_CODES.components["lstm"][:-1])
    traineddata.save(damaged, "d.traineddata")
    for flag in ("-l", "-ld", "-c"):
        status, out, err = run(capsys, flag, "d.traineddata")
        assert (status, out) == (1, "")
        assert err.startswith("Failed to deserialize LSTM in d.traineddata!\nd.traineddata: lstm: ")
    status, _, err = run(capsys, "-dl", "d.traineddata")
    assert status == 1
    assert err.startswith("Version:test\n")


def test_a_container_without_network(folder, capsys):
    traineddata.save(TrainedData({"version": b"v"}), "v.traineddata")
    assert run(capsys, "-l", "v.traineddata") == (0, "", "")
    status, _, err = run(capsys, "-c", "v.traineddata")
    assert (status, err) == (1, "No LSTM Component found in v.traineddata!\n")


SAME = {
    "list": ["-d", "x.traineddata"],
    "report": ["-l", "x.traineddata"],
    "both": ["-ld", "x.traineddata"],
    "both-too": ["-dl", "x.traineddata"],
    "unpack": ["-u", "x.traineddata", "out"],
    "extract": ["-e", "x.traineddata", "a.lstm", "b.version"],
    "extract-absent": ["-e", "x.traineddata", "a.lstm", "b.config"],
    "extract-nowhere": ["-e", "x.traineddata", "no/a.lstm"],
    "unpack-nowhere": ["-u", "x.traineddata", "no/a"],
    "overwrite": ["-o", "x.traineddata", "new.config"],
    "usage": ["-e", "x.traineddata"],
    "bare": [],
}
MODELS = ["tessdata_best/heb", "tessdata_fast/fra", "tesseract-test/deu.starter"]


@pytest.mark.reference
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("name", SAME)
def test_texts_streams_and_files_are_those_of_the_real_tool(
    model, name, tmp_path, capsys, monkeypatch
):
    results = []
    for side in ("real", "ours"):
        here = tmp_path / side
        here.mkdir()
        monkeypatch.chdir(here)
        source = helpers.testdata(f"{model}.traineddata").read_bytes()
        (here / "x.traineddata").write_bytes(source)
        (here / "new.config").write_bytes(b"a 1\n")
        if side == "real":
            done = helpers.run_real("combine_tessdata", *SAME[name])
            usage = done.stdout.replace(done.args[0], "lstmjax combine_tessdata")
            texts = (done.returncode, usage, done.stderr)
        else:
            texts = run(capsys, *SAME[name])
        results.append((texts, {path: (here / path).read_bytes() for path in os.listdir(here)}))
    assert results[0] == results[1]


@pytest.mark.reference
def test_combined_files_are_those_of_the_real_tool(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    source = helpers.testdata("tessdata_best/heb.traineddata")
    run(capsys, "-u", str(source), "p")
    os.remove("p.version")
    done = helpers.run_real("combine_tessdata", "p")
    real = (tmp_path / "p.traineddata").read_bytes()
    os.remove("p.traineddata")
    assert run(capsys, "p.") == (0, done.stdout, done.stderr)
    assert (tmp_path / "p.traineddata").read_bytes() == real


@pytest.mark.reference
def test_converted_models_run_in_the_real_tool(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    source = helpers.testdata("tessdata_best/heb.traineddata").read_bytes()
    for side in ("real", "ours"):
        (tmp_path / side).write_bytes(source)
    helpers.run_real("combine_tessdata", "-c", "real")
    assert run(capsys, "-c", "ours")[0] == 0
    reports = [helpers.run_real("combine_tessdata", "-l", side).stdout for side in ("real", "ours")]
    assert reports[0] == reports[1]
    assert "int_mode=1" in reports[0]
