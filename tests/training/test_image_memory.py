"""--max_image_MB bounds the images of training and of evaluation together."""

from types import SimpleNamespace

import pytest
from data.documents import page, png, save

from lstmjax.data.image import InputShape
from lstmjax.data.lines import build_index
from lstmjax.data.store import size_of_all
from lstmjax.training.config import TrainConfig, tesseract_config
from lstmjax.training.run import _memory_shares

MODEL = SimpleNamespace(input_shape=InputShape(36, 0, 1))


@pytest.fixture
def lines(tmp_path):
    return build_index([save(tmp_path / "a.lstmf", *[page("x", png(900, 36))] * 50)])


@pytest.mark.parametrize("megabytes", [0, 1, 3, 4, 10, 6000])
@pytest.mark.parametrize("make", [TrainConfig, tesseract_config])
def test_all_shares_together_stay_within_the_bound(lines, make, megabytes):
    train, evaluation = _memory_shares(make(max_image_mb=megabytes), lines, MODEL)
    users = 2 if make is tesseract_config else 1
    assert train + users * evaluation == megabytes << 20
    assert train >= users * evaluation
    if megabytes >= 10:
        assert evaluation == size_of_all(lines, MODEL.input_shape)


def test_without_evaluation_training_has_everything():
    assert _memory_shares(TrainConfig(max_image_mb=5), None, MODEL) == (5 << 20, 0)
