"""Training from Python."""

import signal

import helpers
import numpy as np
import optax
import pytest
from training.small import EXAMPLES, NET_SPEC

import lstmjax
from lstmjax.errors import FormatError, LstmjaxError, UsageError
from lstmjax.formats import checkpoint, lstm, traineddata
from lstmjax.formats.files import write_atomically
from lstmjax.infer.states import best_state
from lstmjax.run_paths import RunPaths
from lstmjax.training import best_file, start
from lstmjax.training.api import train
from lstmjax.training.config import TrainConfig, tesseract_config
from lstmjax.training.fast import writer
from lstmjax.training.fast.optim import check_direction
from lstmjax.training.start import fingerprint

FILES = {
    "traineddata": EXAMPLES / "demo.traineddata",
    "train_listfile": EXAMPLES / "train.list",
    "net_spec": NET_SPEC,
}


@pytest.mark.parametrize("recipe", ["fast", "tesseract"])
def test_run_and_go_on(tmp_path, recipe, capfd):
    output = str(tmp_path / "m")
    first = train(**FILES, model_output=output, recipe=recipe, max_iterations=100)
    assert first.progress.training_iteration == 100
    assert not first.stopped
    second = train(**FILES, model_output=output, recipe=recipe, max_iterations=112)
    assert second.progress.training_iteration == 112
    record = checkpoint.unpack((tmp_path / "m_checkpoint").read_bytes())
    assert second.checkpoint == f"{output}_checkpoint"
    assert record.recognizer.training_iteration == 112
    assert "Successfully restored trainer" in capfd.readouterr().err


def test_unknown_setting_is_named(tmp_path):
    with pytest.raises(UsageError, match="no setting 'epochs'"):
        train(**FILES, model_output=str(tmp_path / "m"), epochs=3)


@pytest.mark.parametrize("recipe", ["fast", "tesseract"])
def test_who_gets_the_reports_can_stop(tmp_path, recipe, capfd):
    seen = []

    def stop_at_100(record):
        seen.append(record)
        return record["training_iteration"] >= 100

    output = tmp_path / "m"
    result = train(
        **FILES, model_output=output, recipe=recipe, max_iterations=304, show="nothing",
        on_report=stop_at_100, eval_listfile=[EXAMPLES / "samples" / "sample-1.png"],
    )  # fmt: skip
    assert result.stopped
    assert result.progress.training_iteration == (112 if recipe == "fast" else 100)
    assert [record for record in seen if record["event"] == "train"] == result.history()
    assert capfd.readouterr() == ("", "")
    again = train(**FILES, model_output=output, recipe=recipe, max_iterations=112, show="nothing")
    assert again.progress.training_iteration == 112


def test_models_of_a_run(tmp_path):
    config = TrainConfig(max_iterations=200, learning_rate=0.005, checkpoint_seconds=0)
    result = lstmjax.train(
        config, **FILES, model_output=tmp_path / "m", show="nothing", eval_interval=100,
        eval_listfile=[EXAMPLES / "samples" / f"sample-{i}.png" for i in (1, 2)],
    )  # fmt: skip
    assert len(result.history("eval")) == 2
    (tmp_path / "m_2_1.5_100_200.checkpoint").write_bytes(b"of another run, m_2")
    assert result.best in {str(path) for path in tmp_path.iterdir()}
    assert "m_2_" not in result.best
    result.write_model(tmp_path / "m.traineddata")
    result.write_model(tmp_path / "fast.traineddata", int8=True, best=False)
    assert "lstm" in traineddata.load(tmp_path / "fast.traineddata").components
    line = EXAMPLES / "samples" / "sample-1.png"
    assert result.load().recognize(line) == lstmjax.load(tmp_path / "m.traineddata").recognize(line)


def network_of(path):
    return traineddata.load(path).components["lstm"]


def test_the_name_of_a_run_stands_for_its_best_state(tmp_path, capfd):
    """The run goes on at a rate that spoils it, so that its last state is another one."""
    known = {**FILES, "model_output": tmp_path / "m", "eval_interval": 100, "show": "nothing"}
    known["eval_listfile"] = [EXAMPLES / "samples" / f"sample-{i}.png" for i in (1, 2)]
    train(**known, max_iterations=208)
    result = train(**known, max_iterations=304, learning_rate=5.0)
    best = min(result.history("eval"), key=lambda record: record["cer"])["training_iteration"]
    assert best < 304
    charset = FILES["traineddata"]
    result.write_model(tmp_path / "best.traineddata")
    assert lstm.unpack(network_of(tmp_path / "best.traineddata")).training_iteration == best
    lstmjax.write_model(tmp_path / "m", tmp_path / "named.traineddata", traineddata=charset)
    assert network_of(tmp_path / "named.traineddata") == network_of(tmp_path / "best.traineddata")
    assert lstmjax.load(tmp_path / "m", charset).model.sample_iteration == best
    found = lstmjax.evaluate(tmp_path / "m", known["eval_listfile"], traineddata=charset)
    last = lstmjax.evaluate(result.checkpoint, known["eval_listfile"], traineddata=charset)
    assert found.cer.rate < last.cer.rate
    next_one = {"traineddata": charset, "train_listfile": FILES["train_listfile"]}
    train(**next_one, model_output=tmp_path / "n", continue_from=tmp_path / "m", max_iterations=16)
    assert f"m: best state, iteration {best}: evaluation CER " in capfd.readouterr().err
    train(**next_one, model_output=tmp_path / "n", continue_from=tmp_path / "m", max_iterations=32)
    with pytest.raises(LstmjaxError, match=r"the run .*n began with .*m, not with"):
        train(
            **next_one, model_output=tmp_path / "n", continue_from=result.checkpoint,
            max_iterations=48,
        )  # fmt: skip

    (tmp_path / "m").write_bytes(b"a file of the name")
    assert result.load().model.sample_iteration == best
    with pytest.raises(FormatError, match="neither a traineddata"):
        lstmjax.load(tmp_path / "m", charset)


def test_without_evaluation_lines_the_measure_is_that_of_training_again(tmp_path, capfd):
    known = {**FILES, "model_output": tmp_path / "m"}
    train(**known, max_iterations=112, eval_listfile=[EXAMPLES / "samples" / "sample-1.png"])
    assert "minimal evaluation error rate (CER)" in capfd.readouterr().err
    result = train(**known, max_iterations=224)
    assert result.progress.best_cer is None
    assert "minimal training error rate (BCER)" in capfd.readouterr().err
    record = checkpoint.load(result.best)
    assert record.best_error_rate == result.progress.best.rate


def test_a_run_with_evaluation_lines_has_no_best_before_it_evaluates(tmp_path):
    result = train(
        **FILES, model_output=tmp_path / "m", show="nothing", max_iterations=3000,
        eval_listfile=[EXAMPLES / "samples" / "sample-1.png"], eval_interval=2000,
        on_report=lambda record: record["training_iteration"] >= 100,
    )  # fmt: skip
    assert result.stopped
    assert result.best == result.checkpoint
    assert "no best state yet; the last state" in best_state(RunPaths(result.model_output)).note


def test_a_best_state_that_cannot_be_written_does_not_end_a_run(tmp_path, capfd, monkeypatch):
    def full(path, data):
        if path.endswith(".checkpoint"):
            raise LstmjaxError(f"{path}: cannot be written: No space left on device")
        write_atomically(path, data)

    for module in (best_file, writer):
        monkeypatch.setattr(module, "write_atomically", full)
    result = train(**FILES, model_output=tmp_path / "m", max_iterations=304)
    assert result.progress.training_iteration == 304
    assert result.progress.best.rate < 100, "else there is no best state"
    assert "m_best.checkpoint: cannot be written: No space left on device" in capfd.readouterr().err


PARALLEL = "[1,12,0,1 Ct3,3,4 Mp3,2 Lfys8 Lbx6 O1c1]"


def test_a_network_with_parallel_layers_is_resumed_exactly(tmp_path, capfd):
    """Its native checkpoint is read, and the run ends with the bytes of one without a stop."""
    settings = {**FILES, "net_spec": PARALLEL, "max_iterations": 208, "batch": 8}
    train(**settings, model_output=tmp_path / "whole")
    half = train(
        **settings, model_output=tmp_path / "m",
        on_report=lambda record: record["training_iteration"] >= 100,
    )  # fmt: skip
    assert half.stopped
    train(**settings, model_output=tmp_path / "m")
    err = capfd.readouterr().err
    assert f"Successfully restored trainer from {tmp_path}/m.ckpt" in err
    assert "cannot be used" not in err
    one, two = (tmp_path / f"{name}_checkpoint" for name in ("whole", "m"))
    assert one.read_bytes() == two.read_bytes()


def test_a_model_taken_further(tmp_path):
    first = train(**FILES, model_output=tmp_path / "m", max_iterations=20, show="nothing")
    first.write_model(tmp_path / "m.traineddata")
    lines = lstmjax.read_lines(EXAMPLES / "train.list")
    outputs = lstmjax.make_starter([*lines.texts, "àéî"], tmp_path / "more.traineddata")
    kept = {
        "train_listfile": [EXAMPLES / "samples" / "sample-1.png"],
        "show": "nothing",
        "max_iterations": 8,
    }
    exchanged = train(
        traineddata=tmp_path / "more.traineddata", continue_from=tmp_path / "m.traineddata",
        model_output=tmp_path / "n", freeze_below=3, **kept,
    )  # fmt: skip
    assert exchanged.load().model.root.num_out == outputs
    cut = train(
        traineddata=FILES["traineddata"], continue_from=tmp_path / "m.traineddata",
        append_index=3, net_spec="[Lfx6 O1c1]", model_output=tmp_path / "o", **kept,
    )  # fmt: skip
    assert "Lfx6" in cut.load().model.root.children[-2].name


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"append_index": 3}, "Must set continue_from for appending!"),
        ({"append_index": 3, "continue_from": "x", "net_spec": ""}, "append_index needs net_spec"),
        (
            {"append_index": 3, "continue_from": "x", "old_traineddata": "x"},
            "leave one of the two out",
        ),
        ({"old_traineddata": "x"}, "old_traineddata needs continue_from"),
        ({"allow_int_start": True}, "allow_int_start needs continue_from"),
        ({"reset_learning_rate": True}, "reset_learning_rate needs continue_from"),
        ({"recipe": "tesseract", "optimizer": optax.identity()}, "takes no optimizer"),
        ({"recipe": "tesseract", "augment": 1}, "leave out augment"),
        ({"augment": "noise=9"}, "found '9'"),
        ({"config": TrainConfig(), "recipe": "tesseract"}, "config is of recipe fast"),
        ({"optimizer": optax.adam(1e-3)}, "own negative learning rate"),
    ],
    ids=lambda case: "-".join(case) if isinstance(case, dict) else "",
)
def test_what_makes_no_sense_is_refused(tmp_path, arguments, problem):
    with pytest.raises(UsageError, match=problem):
        train(**{**FILES, "model_output": tmp_path / "m", "show": "nothing"} | arguments)


def test_config_of_recipe_tesseract(tmp_path):
    result = train(
        tesseract_config(max_iterations=100), **FILES, model_output=tmp_path / "m", show="nothing"
    )
    assert not (tmp_path / "m.ckpt" / "100").exists()
    assert result.progress.training_iteration == 100


def test_own_optimizer_is_used_and_resumed(tmp_path):
    known = {
        **FILES, "optimizer": optax.scale_by_lion(), "learning_rate": 3e-4, "show": "nothing",
        "train_listfile": [EXAMPLES / "samples" / "sample-1.png"], "decay_fraction": 0.0,
    }  # fmt: skip
    first = train(**known, model_output=tmp_path / "m", max_iterations=112)
    whole = train(**known, model_output=tmp_path / "w", max_iterations=208)
    second = train(**known, model_output=tmp_path / "m", max_iterations=208)
    assert first.history()[0]["loss"] == whole.history()[0]["loss"]
    assert second.history()[-1]["loss"] == whole.history()[-1]["loss"]
    record = checkpoint.unpack((tmp_path / "m_checkpoint").read_bytes())
    assert not any(
        matrix.updates.any()
        for node in record.recognizer.network.walk()
        for matrix in node.matrices
    )


def test_augmented_run_is_resumed_with_its_own_strength(tmp_path):
    known = {
        **FILES, "show": "nothing", "decay_fraction": 0.0,
        "train_listfile": [EXAMPLES / "samples" / "sample-1.png"],
    }  # fmt: skip
    whole = train(**known, model_output=tmp_path / "w", max_iterations=208, augment="1,blur=0")
    first = train(**known, model_output=tmp_path / "m", max_iterations=112, augment="1,blur=0")
    second = train(**known, model_output=tmp_path / "m", max_iterations=208)
    plain = train(**known, model_output=tmp_path / "p", max_iterations=112)
    assert first.history()[0]["loss"] == whole.history()[0]["loss"]
    assert first.history()[0]["loss"] != plain.history()[0]["loss"]
    assert second.history()[-1]["loss"] == whole.history()[-1]["loss"]


def test_a_checkpoint_of_another_order_of_lines_says_that_the_order_starts_anew(
    tmp_path, monkeypatch, capfd
):
    def as_before(*arguments):
        """Before lines were shuffled, `sequential` stood in the place of the order's name."""
        found = fingerprint(*arguments)
        order = [name == "sequential" if name == "shuffled" else name for name in found["order"]]
        return found | {"order": order}

    monkeypatch.setattr(start, "fingerprint", as_before)
    train(**FILES, model_output=tmp_path / "m", max_iterations=32)
    monkeypatch.undo()
    said = []
    for end in (48, 64):
        capfd.readouterr()
        train(**FILES, model_output=tmp_path / "m", max_iterations=end)
        said.append("the order of lines starts anew" in capfd.readouterr().err)
    assert said == [True, False]


def test_direction_of_an_optimizer():
    params = {"0": {"w": np.ones((2, 2), np.float32)}}
    check_direction(optax.scale_by_adam(), params)
    check_direction(optax.identity(), params)
    with pytest.raises(UsageError, match="negative learning rate"):
        check_direction(optax.sgd(0.1), params)


def test_train_is_a_plain_function():
    assert lstmjax.train is train
    assert "train" in dir(lstmjax)
    assert {name for name in dir(lstmjax) if not hasattr(lstmjax, name)} == set()


def test_interrupt_saves_and_is_an_interrupt(tmp_path):
    def interrupt(record):
        del record
        signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt, match="call train again"):
        train(
            **FILES, model_output=tmp_path / "m", max_iterations=300, show="nothing",
            on_report=interrupt,
        )  # fmt: skip
    record = checkpoint.unpack((tmp_path / "m_checkpoint").read_bytes())
    assert record.recognizer.training_iteration == 112


@pytest.mark.reference
def test_tesseract_reads_with_what_the_result_writes(tmp_path):
    result = train(**FILES, model_output=tmp_path / "m", max_iterations=20, show="nothing")
    result.write_model(tmp_path / "m.traineddata", int8=True)
    line = EXAMPLES / "samples" / "sample-4.png"
    done = helpers.run_real(
        "tesseract", line, "-", "--psm", 13, "--tessdata-dir", tmp_path, "-l", "m"
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == lstmjax.load(tmp_path / "m.traineddata").recognize(line)
