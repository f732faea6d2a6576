"""What a run settles before it starts, whoever asked for it: the learning rate of new networks."""

import optax
import pytest
from training.small import EXAMPLES, NET_SPEC
from training.starts import make_base, make_model

from lstmjax.cli import lstmtraining
from lstmjax.pipeline import training
from lstmjax.training.api import train
from lstmjax.training.config import RecipeName, TrainConfig

DEMO, LINES = EXAMPLES / "demo.traineddata", EXAMPLES / "train.list"


class Started(Exception):  # noqa: N818
    """A run came to its start."""


@pytest.fixture
def rate_of(monkeypatch):
    """The learning rate that a run starts with."""

    def stop(asked, start, *rest, **parts):
        del asked, rest, parts
        raise Started(start.config.learning_rate)

    def rate(run, *arguments, **settings) -> float:
        with pytest.raises(Started) as started:
            run(*arguments, **settings)
        return started.value.args[0]

    monkeypatch.setattr("lstmjax.training.run._assemble", stop)
    monkeypatch.setenv("LSTMJAX_NO_REEXEC", "1")
    return rate


def by_function(folder, config=None, **settings):
    train(
        config, traineddata=DEMO, train_listfile=LINES, net_spec=NET_SPEC,
        model_output=folder / "m", show="nothing", **settings,
    )  # fmt: skip


def by_command(folder, **settings):
    known = {
        "traineddata": DEMO, "train_listfile": LINES, "net_spec": NET_SPEC,
        "model_output": folder / "m",
    }  # fmt: skip
    lstmtraining.main([f"--{name}={value}" for name, value in (known | settings).items()])


def by_pipeline(folder, recipe: RecipeName = "fast", **settings):
    training.train(
        training.TrainingRequest(
            str(DEMO), str(LINES), "", str(folder / "m"), NET_SPEC, recipe=recipe,
            settings=tuple(settings.items()),
        ),
        live=False,
    )  # fmt: skip


@pytest.mark.parametrize("run", [by_function, by_command, by_pipeline])
@pytest.mark.parametrize(
    ("settings", "rate"),
    [
        ({}, 0.004),
        ({"batch": 4}, 0.004),
        ({"batch": 3}, 0.001),
        ({"batch": 2, "muon": True}, 0.004),
        ({"muon": False}, 0.001),
        ({"learning_rate": 0.002}, 0.002),
        ({"learning_rate": 0.001}, 0.001),
        ({"recipe": "tesseract"}, 0.001),
    ],
    ids=lambda case: "-".join(case) or "defaults" if isinstance(case, dict) else "",
)
def test_new_networks_get_the_rate_that_suits_them(tmp_path, rate_of, run, settings, rate):
    assert rate_of(run, tmp_path, **settings) == rate


@pytest.mark.parametrize("run", [by_function, by_command])
def test_other_networks_keep_their_own(tmp_path, rate_of, run):
    _, record = make_base(tmp_path, learning_rate=0.003)
    model, _ = make_model(tmp_path, record)
    assert rate_of(run, tmp_path, continue_from=model) == pytest.approx(0.003)


def test_a_config_of_the_user_is_taken_as_it_is(tmp_path, rate_of):
    assert rate_of(by_function, tmp_path, TrainConfig(batch=8)) == 0.001


def test_an_optimizer_of_the_user_gets_no_rate_of_muon(tmp_path, rate_of):
    assert rate_of(by_function, tmp_path, optimizer=optax.scale_by_lion()) == 0.001
