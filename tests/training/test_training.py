"""Whole runs of the command on the lines that the repository carries."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from helpers import run_lstmjax, run_real
from training.small import EXAMPLES, flags

from lstmjax.formats import checkpoint, lstm, traineddata
from lstmjax.formats.checkpoint import TrainerRecord
from lstmjax.training.save import without_training

ENVIRON = {k: v for k, v in os.environ.items() if not k.startswith("JAX_NUMPY_")}
ENVIRON["LSTMJAX_NO_REEXEC"] = "1"


def run(*arguments):
    return run_lstmjax(*arguments, env=ENVIRON)


def start(*arguments):
    """A command whose log can be read while it runs."""
    command = [sys.executable, "-m", "lstmjax", *map(str, arguments)]
    process = subprocess.Popen(command, env=ENVIRON, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    return process, process.stderr


def read(path) -> TrainerRecord:
    record = checkpoint.unpack(path.read_bytes())
    assert isinstance(record, TrainerRecord)
    return record


def weights(path):
    network = read(path).recognizer.network
    return [
        array
        for node in network.walk()
        for matrix in node.matrices
        for array in (matrix.weights, matrix.updates, matrix.dw_sq_sum)
    ]


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A run of 400 lines, with evaluation."""
    output = tmp_path_factory.mktemp("run") / "m"
    result = run(*flags(output, "--eval_listfile", EXAMPLES / "eval.list", iterations=400))
    assert result.returncode == 0, result.stderr
    return output, result.stderr


def test_log_has_the_lines_that_plot_scripts_parse(finished):
    _, log = finished
    assert "Built network:[1,12,0,1[C3,3Ft4]Mp3,2TxyLfys8Lfx12Fc76]" in log
    found = re.findall(
        r"At iteration (\d+)/(\d+)/(\d+), Mean rms=\d+\.\d{6}%, delta=\d+\.\d{6}%, "
        r"BCER train=\d+\.\d{6}%, BWER train=\d+\.\d{6}%, skip ratio=0\.000000%, ",
        log,
    )
    assert [int(t) for _, t, _ in found] == [112, 208, 304, 400]
    assert "wrote checkpoint." in log
    assert re.search(r"BCER eval=\d+\.\d+, BWER eval=\d+\.\d+", log)
    assert "\nFinished! Selected model with minimal evaluation error rate (CER) = " in log


def test_the_end_says_how_to_make_a_model_of_the_best_state(finished, tmp_path):
    output, log = finished
    finish, note, text, command = log.splitlines()[-4:]
    found = re.fullmatch(r"Finished! .* \(CER\) = ([\d.]+) at iteration 400", finish)
    assert found
    assert note.startswith(f"{output}: best state, iteration 400: evaluation CER {found[1]} %, ")
    assert text == "To make a model of it:"
    words = shlex.split(command)
    assert words[:2] == ["lstmjax", "lstmtraining"]
    assert words[-2:] == ["--model_output", f"{output}.traineddata"]
    result = run(*words[1:-1], tmp_path / "m.traineddata")
    assert result.stderr == f"Loaded file {output}_best.checkpoint, unpacking...\n{note}\n"
    made = traineddata.load(tmp_path / "m.traineddata").components["lstm"]
    best = read(output.with_name("m_best.checkpoint")).recognizer
    assert made == lstm.pack(without_training(best))


def test_metrics_are_json_lines(finished):
    output, _ = finished
    text = output.with_name("m.metrics.jsonl").read_text()
    records = [json.loads(line) for line in text.splitlines()]
    train = [r for r in records if r["event"] == "train"]
    assert [r["training_iteration"] for r in train] == [112, 208, 304, 400]
    assert all(np.isfinite(r["loss"]) and r["lines_per_second"] > 0 for r in train)
    assert train[-1]["bcer"] < train[0]["bcer"]  # the loss is of one batch, wide or narrow
    assert [r["training_iteration"] for r in records if r["event"] == "eval"] == [400]


def test_run_stopped_half_way_ends_with_the_same_weights(finished, tmp_path):
    output, _ = finished
    evaluation = ("--eval_listfile", EXAMPLES / "eval.list", "--checkpoint_seconds", "0")
    process, stderr = start(*flags(tmp_path / "m", *evaluation, iterations=400))
    with stderr:
        for line in stderr:
            if "/208/208," in line:
                process.send_signal(signal.SIGKILL)
    process.wait()
    assert process.returncode == -signal.SIGKILL
    again = run(*flags(tmp_path / "m", *evaluation, iterations=400))
    assert again.returncode == 0, again.stderr
    assert "Successfully restored trainer from" in again.stderr
    for one, two in zip(
        weights(tmp_path / "m_checkpoint"), weights(output.with_name("m_checkpoint")), strict=True
    ):
        np.testing.assert_array_equal(one, two)
    best, whole = tmp_path / "m_best.checkpoint", output.with_name("m_best.checkpoint")
    assert best.read_bytes() == whole.read_bytes()


def test_interrupt_saves_and_says_how_to_go_on(tmp_path):
    process, stderr = start(*flags(tmp_path / "m", iterations=6000))
    log = []
    for line in stderr:
        log.append(line)
        if "At iteration" in line:
            time.sleep(0.1)
            process.send_signal(signal.SIGINT)
            break
    with stderr:
        log.append(stderr.read())
    assert process.wait(60) == 130
    assert "Run the same command again to go on" in log[-1]
    assert "Traceback" not in "".join(log)
    assert read(tmp_path / "m_checkpoint").recognizer.training_iteration >= 100


def test_finished_run_started_again_only_says_so(finished):
    output, _ = finished
    before = output.with_name("m_checkpoint").read_bytes()
    result = run(*flags(output, iterations=400))
    assert result.returncode == 0
    assert "Finished!" in result.stderr
    assert output.with_name("m_checkpoint").read_bytes() == before


@pytest.mark.parametrize("as_int", [False, True], ids=["float", "int8"])
def test_checkpoint_becomes_a_model_that_reads(finished, tmp_path, as_int):
    output, _ = finished
    model = tmp_path / "m.traineddata"
    flag = ["--convert_to_int"] if as_int else []
    result = run(
        "lstmtraining", "--stop_training", *flag, "--continue_from", f"{output}_checkpoint",
        "--traineddata", EXAMPLES / "demo.traineddata", "--model_output", model,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    recognizer = lstm.unpack_from(traineddata.load(model))
    assert recognizer.int_mode is as_int
    assert recognizer.training_iteration == 400


@pytest.mark.reference
@pytest.mark.parametrize("state", ["_checkpoint", "_best.checkpoint"])
@pytest.mark.parametrize("as_int", [False, True], ids=["float", "int8"])
def test_real_tool_makes_the_same_model_of_our_checkpoint(finished, tmp_path, as_int, state):
    output, _ = finished
    flag = ["--convert_to_int"] if as_int else []
    common = [
        "--stop_training", *flag, "--continue_from", f"{output}{state}",
        "--traineddata", EXAMPLES / "demo.traineddata", "--model_output",
    ]  # fmt: skip
    assert run("lstmtraining", *common, tmp_path / "ours").returncode == 0
    assert run_real("lstmtraining", *common, tmp_path / "real").returncode == 0
    ours, real = (traineddata.load(tmp_path / name) for name in ("ours", "real"))
    if not as_int:
        assert ours == real
        return
    one, two = (lstm.unpack_from(each).network.walk() for each in (ours, real))
    for mine, theirs in zip(one, two, strict=True):
        for a, b in zip(mine.matrices, theirs.matrices, strict=True):
            np.testing.assert_array_equal(a.weights, b.weights)
            np.testing.assert_array_equal(a.row_scales, b.row_scales)


@pytest.mark.reference
def test_real_tool_reads_with_our_best_state(finished):
    output, _ = finished
    common = [
        "--model", output.with_name("m_best.checkpoint"), "--traineddata",
        EXAMPLES / "demo.traineddata", "--eval_listfile", EXAMPLES / "eval.list", "--verbosity", 0,
    ]  # fmt: skip
    real, mine = run_real("lstmeval", *common, cwd=EXAMPLES), run("lstmeval", *common)
    assert real.returncode == mine.returncode == 0, real.stderr + mine.stderr
    found = [
        re.findall(r"BCER eval=[\d.]+, BWER eval=[\d.]+", each.stderr) for each in (real, mine)
    ]
    assert found[0]
    assert found[0] == found[1]


@pytest.mark.reference
@pytest.mark.parametrize("state", ["_checkpoint", "_best.checkpoint"])
def test_real_tool_goes_on_from_our_checkpoint(finished, tmp_path, state):
    output, _ = finished
    result = run_real(
        "lstmtraining", "--continue_from", f"{output}{state}", "--model_output", tmp_path / "r",
        "--traineddata", EXAMPLES / "demo.traineddata", "--train_listfile", EXAMPLES / "train.list",
        "--max_iterations", 100, cwd=EXAMPLES,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert "At iteration" in result.stderr


@pytest.mark.reference
def test_we_go_on_from_a_checkpoint_of_the_real_tool(tmp_path):
    arguments = [str(a) for a in flags(tmp_path / "m", iterations=100)[1:]]
    real = run_real("lstmtraining", *arguments, cwd=EXAMPLES)
    assert real.returncode == 0, real.stderr
    ours = run(*flags(tmp_path / "m", iterations=200))
    assert ours.returncode == 0, ours.stderr
    assert f"Successfully restored trainer from {tmp_path / 'm'}_checkpoint" in ours.stderr
    assert re.search(r"At iteration \d+/200/200", ours.stderr)
    fresh = run(
        *flags(tmp_path / "n", "--continue_from", tmp_path / "m_checkpoint", iterations=100)
    )
    assert fresh.returncode == 0, fresh.stderr
    assert "Continuing from" in fresh.stderr


@pytest.mark.slow
def test_a_small_network_learns_to_read(tmp_path):
    """One font, 80 lines: after some passes most characters are right."""
    train_list = tmp_path / "one.list"
    train_list.write_text(f"{EXAMPLES / 'train' / 'DejaVuSans.lstmf'}\n")
    result = run(
        "lstmtraining", "--traineddata", EXAMPLES / "demo.traineddata", "--net_spec",
        "[1,24,0,1 Ct3,3,16 Mp3,3 Lfys32 Lbx64 O1c1]", "--model_output", tmp_path / "m",
        "--train_listfile", train_list, "--learning_rate", "0.004", "--max_iterations", 4000,
        "--batch", 2,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert read(tmp_path / "m_checkpoint").error_rates[checkpoint.CHAR] < 30
