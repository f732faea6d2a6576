"""Error rates from Python."""

from pathlib import Path

import jax
import pytest

import lstmjax
from lstmjax.errors import FormatError
from lstmjax.training.api import train

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    with jax.numpy_dtype_promotion("standard"):  # optax mixes integers and floats
        return train(
            traineddata=EXAMPLES / "demo.traineddata", train_listfile=EXAMPLES / "train.list",
            net_spec="[1,12,0,1 Ct3,3,4 Mp3,2 Lfys8 Lfx12 O1c1]", max_iterations=8, show="nothing",
            model_output=tmp_path_factory.mktemp("m") / "m",
        )  # fmt: skip


def test_model_by_path_and_loaded(trained):
    lines = [EXAMPLES / "samples" / f"sample-{i}.png" for i in (1, 2)]
    seen = []
    by_path = lstmjax.evaluate(
        trained.checkpoint, lines, traineddata=trained.traineddata, on_line=seen.append
    )
    loaded = lstmjax.evaluate(trained.load(best=False), lines)
    assert [reading.text for reading in seen] == [reading.text for reading in loaded.readings]
    assert by_path.cer.rate == loaded.cer.rate > 0
    assert {reading.line.path for reading in seen} == {str(path) for path in lines}


def test_checkpoint_needs_its_traineddata(trained):
    with pytest.raises(FormatError, match="name the traineddata"):
        lstmjax.evaluate(trained.checkpoint, EXAMPLES / "eval.list")
