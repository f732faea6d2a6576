"""A full disk does not end a run of recipe tesseract: the report says so, and training goes on."""

from training.small import EXAMPLES, NET_SPEC

from lstmjax.errors import LstmjaxError
from lstmjax.training.api import train
from lstmjax.training.tesseract import maintenance


def test_why_a_file_cannot_be_written_is_returned(tmp_path):
    assert maintenance.written(str(tmp_path / "m"), b"state") == ""
    assert (tmp_path / "m").read_bytes() == b"state"
    problem = maintenance.written(str(tmp_path / "missing" / "m"), b"state")
    assert problem.startswith(f"{tmp_path}/missing/m: cannot be written: No such file")


def test_a_full_disk_is_said_and_training_goes_on(tmp_path, capfd, monkeypatch):
    write = maintenance.write_atomically

    def full(path, data):
        if path.endswith("_checkpoint"):
            raise LstmjaxError(f"{path}: cannot be written: No space left on device")
        write(path, data)

    monkeypatch.setattr(maintenance, "write_atomically", full)
    result = train(
        traineddata=EXAMPLES / "demo.traineddata", train_listfile=EXAMPLES / "train.list",
        net_spec=NET_SPEC, model_output=tmp_path / "m", recipe="tesseract", max_iterations=100,
    )  # fmt: skip
    err = capfd.readouterr().err
    assert result.progress.training_iteration == 100
    assert " failed to write checkpoint." in err
    assert "cannot be written: No space left on device" in err
