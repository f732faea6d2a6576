"""Training from Python."""

import pytest
from train.small import EXAMPLES, NET_SPEC

from lstmjax.errors import UsageError
from lstmjax.formats import checkpoint
from lstmjax.train.api import train

FILES = {
    "traineddata": str(EXAMPLES / "demo.traineddata"),
    "train_listfile": str(EXAMPLES / "train.list"),
    "net_spec": NET_SPEC,
}


@pytest.mark.parametrize("recipe", ["fast", "tesseract"])
def test_run_and_go_on(tmp_path, recipe, capfd):
    output = str(tmp_path / "m")
    first = train(**FILES, model_output=output, recipe=recipe, max_iterations=100)
    assert first.progress.training_iteration == 100
    second = train(**FILES, model_output=output, recipe=recipe, max_iterations=104)
    assert second.progress.training_iteration == 104
    record = checkpoint.unpack((tmp_path / "m_checkpoint").read_bytes())
    assert second.checkpoint == f"{output}_checkpoint"
    assert record.recognizer.training_iteration == 104
    assert "Successfully restored trainer" in capfd.readouterr().err


def test_unknown_setting_is_named(tmp_path):
    with pytest.raises(UsageError, match="no setting 'epochs'"):
        train(**FILES, model_output=str(tmp_path / "m"), epochs=3)
