"""Which settings hold: those asked for, or those of what a run goes on from."""

import pytest

from lstmjax.training.config import make_config
from lstmjax.training.fast.recipe import FastRecipe
from lstmjax.training.recipe import StoredSettings
from lstmjax.training.request import Request
from lstmjax.training.tesseract.recipe import TesseractRecipe

OWN = StoredSettings(True, 0.002, 0.75, 0.99, 64, 5, "noise=1")
OTHER = StoredSettings(False, 0.002, 0.75, 0.99, 64, 0)


def request(*given, **asked):
    return Request("t", "m", "l", given=frozenset(given), **asked)


def test_a_new_network_gets_the_rate_that_suits_it_or_the_users():
    recipe, config = FastRecipe(), make_config("fast", learning_rate=0.5)
    assert recipe.settle(make_config("fast"), request(), None).learning_rate == 4e-3
    assert recipe.settle(make_config("fast", batch=1), request(), None).learning_rate == 1e-3
    assert recipe.settle(config, request("learning_rate"), None).learning_rate == 0.5


@pytest.mark.parametrize(
    ("stored", "asked", "rate", "augment"),
    [
        (OWN, request(), 0.002, "noise=1"),
        (OWN, request("learning_rate"), 0.5, "noise=1"),
        (OWN, request("augment"), 0.002, 1.0),
        (OWN, request(reset_learning_rate=True, continue_from="x"), 0.002, "noise=1"),
        (OTHER, request(continue_from="x"), 0.002, 1.0),
        (OTHER, request("learning_rate", continue_from="x"), 0.5, 1.0),
        (OTHER, request(reset_learning_rate=True, continue_from="x"), 0.5, 1.0),
        (OTHER, request(append_index=3, continue_from="x"), 0.5, 1.0),
    ],
)
def test_recipe_fast_takes_a_rate_only_where_the_user_gave_none(stored, asked, rate, augment):
    config = make_config("fast", learning_rate=0.5, augment=1.0)
    found = FastRecipe().settle(config, asked, stored)
    assert (found.learning_rate, found.augment) == (rate, augment)
    assert (found.momentum, found.net_mode) == (config.momentum, config.net_mode)


@pytest.mark.parametrize("stored", [OWN, OTHER])
def test_recipe_tesseract_takes_what_the_file_holds(stored):
    config = make_config("tesseract", learning_rate=0.5, perfect_sample_delay=3)
    asked = request("learning_rate", "momentum", continue_from="x")
    found = TesseractRecipe().settle(config, asked, stored)
    assert (found.learning_rate, found.momentum, found.adam_beta) == (0.002, 0.75, 0.99)
    assert (found.net_mode, found.perfect_sample_delay) == (64, stored.perfect_sample_delay)
    assert found.augment == config.augment
    assert TesseractRecipe().settle(config, asked, None) == config


def test_what_a_file_does_not_hold_stays_as_asked():
    config = make_config("tesseract", perfect_sample_delay=3)
    found = TesseractRecipe().settle(config, request(), StoredSettings(False, 0.002))
    assert found.perfect_sample_delay == 3
    assert found.momentum == config.momentum
