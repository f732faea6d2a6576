"""The pipeline on a few lines: run once, continued, and repeated where inputs have changed."""

import json
import shutil
from dataclasses import replace

import jax
import pytest
from pipeline.pipeline_samples import write_image

from lstmjax.errors import LstmjaxError
from lstmjax.formats import lstmf, traineddata
from lstmjax.pipeline.plan import Plan
from lstmjax.pipeline.tesstrain import run

NET_SPEC = "[1,16,0,1 Ct3,3,4 Mp3,3 Lfys8 O1c1]"
STEPS = ["lines", "character set", "check", "training", "models", "evaluation"]


def plan(folder, iterations: int = 40, **changes) -> Plan:
    settings = (("max_iterations", iterations), ("learning_rate", 0.002))
    return Plan(
        changes.pop("name", "mine"), str(folder / "out"), ground_truth=str(folder / "lines"),
        net_spec=NET_SPEC, settings=settings, ratio_train=0.75, **changes,
    )  # fmt: skip


def done(said: list[str]) -> list[str]:
    """The steps that were run, not skipped."""
    return [
        text.removeprefix("== ")
        for text in said
        if text.startswith("== ") and not text.endswith("nothing has changed")
    ]


@pytest.fixture(scope="module", autouse=True)
def _loose_promotion():
    """Optax promotes types; users run without the strict settings of tests."""
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        yield


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    folder = tmp_path_factory.mktemp("way")
    for i in range(12):
        write_image(folder / "lines" / f"{i:02d}.png", "two words" if i % 2 else "no more")
    (folder / "lines" / "11.gt.txt").write_text("")
    said: list[str] = []
    report = run(plan(folder), said.append, live=False)
    return folder, report, said


def test_everything_is_made(first):
    folder, report, said = first
    assert done(said) == STEPS
    assert report["lines"] == {"train": 8, "eval": 3}
    for kind in ("best", "fast"):
        model = traineddata.load(folder / "out" / f"tessdata_{kind}" / "mine.traineddata")
        assert "lstm" in model.components
        assert report["evaluation"][kind]["lines"] == 3
    ((path, reason),) = report["problems"]
    assert path.endswith("11.png")
    assert "empty" in reason


def test_the_report_is_written_and_shown(first):
    folder, report, said = first
    stored = json.loads((folder / "out" / "report.json").read_text())
    assert stored == json.loads(json.dumps(report))
    text = (folder / "out" / "report.txt").read_text()
    assert "mine: 8 lines for training, 3 for evaluation" in text
    assert "11.png" in text
    assert text.rstrip("\n").splitlines() == "\n".join(said).rstrip("\n").splitlines()[-len(
        text.rstrip("\n").splitlines()):]  # fmt: skip


def test_a_second_call_does_nothing(first):
    folder, report, _ = first
    said: list[str] = []
    assert run(plan(folder), said.append, live=False) == report
    assert done(said) == []


def test_another_model_or_other_lines_are_refused(first, tmp_path):
    folder, report, _ = first
    elsewhere = replace(plan(folder), ground_truth=str(tmp_path))
    for other, flag in ((plan(folder, name="other"), "--model_name"), (elsewhere, "lines of")):
        with pytest.raises(LstmjaxError, match=f"made with {flag} .*, not with {flag} .*; give"):
            run(other, lambda text: None, live=False)
    assert run(plan(folder), lambda text: None, live=False) == report


def test_more_iterations_go_on_from_the_checkpoint(first):
    folder, _, _ = first
    said: list[str] = []
    report = run(plan(folder, iterations=60), said.append, live=False)
    assert report["training"]["iterations"] == 60
    assert done(said)[0] == "training"
    assert not (folder / "out" / "checkpoints.1").exists()


def test_lines_alone_are_enough_if_asked_for(first, tmp_path):
    folder, _, _ = first
    said: list[str] = []
    shutil.copytree(folder / "lines", tmp_path / "lines")
    run(plan(tmp_path, data_only=True), said.append)
    assert done(said) == STEPS[:2]
    assert (tmp_path / "out" / "mine" / "mine.traineddata").exists()


def test_a_folder_with_other_files_is_refused(tmp_path):
    write_image(tmp_path / "lines" / "a.png", "words")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.tex").write_text("")
    with pytest.raises(LstmjaxError, match=r"files of another origin \(thesis\.tex\)"):
        run(plan(tmp_path), lambda text: None)


def test_documents_keep_the_text_of_their_lines(first):
    folder, _, _ = first
    (page,) = lstmf.load(folder / "out" / "documents" / "03.lstmf")
    assert page.transcription == "two words"


def test_corrected_lines_are_trained_on_anew(first):  # the last test: it changes what others share
    folder, _, _ = first
    (folder / "lines" / "11.gt.txt").write_text("no more")
    said: list[str] = []
    report = run(plan(folder), said.append, live=False)
    assert report["lines"] == {"train": 9, "eval": 3}
    assert report["problems"] == []
    assert done(said) == STEPS
    assert (folder / "out" / "checkpoints.1" / "mine_checkpoint").exists()
