"""--max_image_MB bounds the images of training and of evaluation together."""

from types import SimpleNamespace

import pytest
from data.documents import page, png, save

from lstmjax.data.image import InputShape
from lstmjax.data.lines import build_index
from lstmjax.data.store import size_of_all
from lstmjax.training.config import make_config
from lstmjax.training.run import RECIPES, _memory_shares

NETWORK = SimpleNamespace(input_shape=InputShape(36, 0, 1))


@pytest.fixture
def lines(tmp_path):
    return build_index([save(tmp_path / "a.lstmf", *[page("x", png(900, 36))] * 50)])


@pytest.mark.parametrize("megabytes", [0, 1, 3, 4, 10, 6000])
@pytest.mark.parametrize("recipe", ["fast", "tesseract"])
def test_all_shares_together_stay_within_the_bound(lines, recipe, megabytes):
    config = make_config(recipe, max_image_mb=megabytes)
    train, evaluation = _memory_shares(config, RECIPES[recipe], lines, NETWORK)
    users = 2 if recipe == "tesseract" else 1
    assert train + users * evaluation == megabytes << 20
    assert train >= users * evaluation
    if megabytes >= 10:
        assert evaluation == size_of_all(lines, NETWORK.input_shape)


def test_without_evaluation_training_has_everything():
    config = make_config("fast", max_image_mb=5)
    assert _memory_shares(config, RECIPES["fast"], None, NETWORK) == (5 << 20, 0)
