"""What a run is refused before anything is loaded, in the words of whoever asks."""

import optax
import pytest

from lstmjax.errors import UsageError
from lstmjax.training.check import check, check_config
from lstmjax.training.config import make_config
from lstmjax.training.request import Request
from lstmjax.training.tesseract.check import check_settings


def request(**asked):
    return Request("t", "m", "l", **asked)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"append_index": 2, "net_spec": "[O1c1]"}, "Must set --continue_from for appending!"),
        ({"append_index": 2, "continue_from": "x"}, "--append_index needs --net_spec"),
        (
            {
                "append_index": 2,
                "continue_from": "x",
                "net_spec": "[O1c1]",
                "old_traineddata": "y",
            },
            "leave one of the two out",
        ),
        ({"reset_learning_rate": True}, "--reset_learning_rate needs --continue_from"),
        ({"old_traineddata": "y"}, "--old_traineddata needs --continue_from"),
        ({"allow_int_start": True}, "--allow_int_start needs --continue_from"),
    ],
    ids=str,
)
def test_changes_of_a_model_need_one(asked, message):
    with pytest.raises(UsageError, match=message):
        check(request(**asked), make_config("fast"))
    with pytest.raises(UsageError, match=message.replace("--", "")):
        check(request(**asked), make_config("fast"), named=lambda name: name)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"net_mode": 64, "muon": True}, "add 128 to --net_mode"),
        ({"momentum": 1.0}, "must be below 1"),
        ({"adam_beta": 1.5}, "must be below 1"),
        ({"net_mode": 1}, "--net_mode 1: only 0, 64, 128 and 192"),
        ({"augment": "noise=9"}, "found '9'"),
    ],
    ids=str,
)
def test_settings_without_a_meaning_are_refused(settings, message):
    with pytest.raises(UsageError, match=message):
        check_config(make_config("fast", **settings))


@pytest.mark.parametrize("recipe", ["fast", "tesseract"])
def test_defaults_and_usual_requests_pass(recipe):
    check(request(), make_config(recipe))
    check(request(continue_from="x", reset_learning_rate=True), make_config(recipe, net_mode=0))
    check(request(continue_from="x", append_index=0, net_spec="[O1c1]"), make_config(recipe))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("batch", 2),
        ("muon", True),
        ("devices", 2),
        ("optimizer", optax.identity()),
        ("augment", 1.0),
        ("eval_interval", 100),
        ("precision", "float32"),
        ("seed", 3),
    ],
)
def test_recipe_tesseract_has_only_what_the_original_has(name, value):
    check_settings(make_config("tesseract"), str)
    with pytest.raises(UsageError, match=rf"recipe=tesseract.*\b{name}$"):
        check_settings(make_config("tesseract", **{name: value}), str)
