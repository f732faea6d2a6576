"""Who follows the README gets the best model of the run, not the last."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import jax
import pytest
from test_project import ROOT, examples

import lstmjax
from lstmjax.formats import checkpoint, lstm, traineddata
from lstmjax.formats.checkpoint import TrainerRecord
from lstmjax.run_paths import RunPaths
from lstmjax.training.save import without_training

ENVIRON = {k: v for k, v in os.environ.items() if not k.startswith("JAX_NUMPY_")}
ENVIRON["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{ENVIRON['PATH']}"


@pytest.fixture(autouse=True)
def loose_promotion():
    """As users run."""
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        yield


def network_of(path: str) -> bytes:
    """The network of a state as it would stand in a model."""
    record = checkpoint.load(path)
    assert isinstance(record, TrainerRecord)
    return lstm.pack(without_training(record.recognizer))


@pytest.mark.slow
def test_the_model_of_the_readme_is_the_best_of_the_run(tmp_path, monkeypatch):
    """The run goes on at a rate that spoils it, so that its last state is far from its best."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "examples", "examples")
    train, make_model = (
        example.command[-1] for example in examples(ROOT / "README.md") if example.expected
    )

    def run(command: str) -> str:
        done = subprocess.run(
            ["bash", "-c", command], env=ENVIRON, capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    usual = train.replace("--max_iterations 60", "--max_iterations 208")
    spoilt = train.replace("--max_iterations 60", "--max_iterations 304 --learning_rate 5")
    assert len({train, usual, spoilt}) == 3
    for command in (usual, spoilt):
        told = run(command)
        assert f"{{ {told.splitlines()[-1].strip()}; }} 2>&1" == make_model  # word for word
    run(make_model)

    paths = RunPaths("out/mine")
    records = [json.loads(line) for line in Path(paths.metrics).read_text().splitlines()]
    evaluations = [record for record in records if record["event"] == "eval"]
    best = min(evaluations, key=lambda record: record["cer"])
    assert [best, evaluations[-1]] == evaluations
    assert f"iteration {best['training_iteration']}: evaluation CER {best['cer']:g} %" in told
    made = traineddata.load("out/mine.traineddata").components["lstm"]
    assert made == network_of(paths.best)
    assert made != network_of(paths.checkpoint)
    assert lstm.unpack(made).training_iteration == best["training_iteration"]
    measured = 100 * lstmjax.evaluate("out/mine.traineddata", "examples/eval.list").cer.rate
    assert measured == best["cer"]
