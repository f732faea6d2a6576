"""Search spaces: what a file may say, and what is said about one that is wrong."""

from pathlib import Path

import pytest
from sweeps.space import Choice, Range, load_space

from lstmjax.data.augmentation import parse_augmentation
from lstmjax.errors import UsageError

ROOT = Path(__file__).parents[2]
GOOD = """
[data]
traineddata = "t"
train_listfile = "t"
eval_listfile = "t"
[study]
sampler = "grid"
[fixed]
net_spec = "[1,{high},0,1 Lfx{row} O1c1]"
max_iterations = 10
[search]
row = { choices = [8, 16] }
high = { low = 12, high = 36, step = 12 }
learning_rate = { low = 0.1, high = 0.3, step = 0.1 }
"""


@pytest.fixture
def write(tmp_path):
    (tmp_path / "t").write_text("")

    def write(text):
        path = tmp_path / "space.toml"
        path.write_text(text)
        return str(path)

    return write


def test_a_grid_is_every_combination(write, tmp_path):
    space = load_space(write(GOOD))
    grid = space.grid()
    assert len(grid) == 2 * 3 * 3
    assert len({tuple(point.values()) for point in grid}) == 18
    assert grid[0] == {"row": 8, "high": 12, "learning_rate": 0.1}
    settings = space.settings(grid[-1])
    assert settings == {
        "traineddata": str(tmp_path / "t"),
        "train_listfile": str(tmp_path / "t"),
        "eval_listfile": str(tmp_path / "t"),
        "net_spec": "[1,36,0,1 Lfx16 O1c1]",
        "max_iterations": 10,
        "devices": 1,
        "learning_rate": pytest.approx(0.3),
    }


@pytest.mark.parametrize(
    "values", ["{ low = 0.0, high = 2.0, step = 0.5 }", '{ choices = [0, 1, "1,noise=0"] }']
)
def test_augmentation_can_be_searched(write, values):
    text = GOOD.replace(
        "learning_rate = { low = 0.1, high = 0.3, step = 0.1 }", f"augment={values}"
    )
    space = load_space(write(text))
    assert {point["augment"] for point in space.grid()} == set(space.search["augment"].points())
    for point in space.grid():
        parse_augmentation(space.settings(point)["augment"])


def test_tables_and_lists_are_values_too(write):
    text = GOOD.replace("high = { low = 12, high = 36, step = 12 }", "")
    text = text.replace("{high}", "36").replace(
        "learning_rate = { low = 0.1, high = 0.3, step = 0.1 }",
        'optimizer = { choices = [{ name = "x", at = [1, 2] }, "none"] }',
    )
    space = load_space(write(text))
    point = space.grid()[0]
    assert isinstance(point["optimizer"], str)
    assert space.settings(point)["optimizer"] == {"name": "x", "at": [1, 2]}
    assert space.settings(space.grid()[1])["optimizer"] == "none"


def test_the_digest_tells_searches_apart(write):
    digest = load_space(write(GOOD)).digest
    assert load_space(write(GOOD + "\n# a remark")).digest == digest
    assert load_space(write(GOOD.replace("[8, 16]", "[8, 32]"))).digest != digest
    assert load_space(write(GOOD.replace("max_iterations = 10", "max_iterations = 20"))).digest != (
        digest
    )


def test_environment_variables_are_expanded(write, tmp_path, monkeypatch):
    text = GOOD.replace('traineddata = "t"', 'traineddata = "${SWEEP_DATA}/t"')
    with pytest.raises(UsageError, match="this environment variable is not set"):
        load_space(write(text))
    monkeypatch.setenv("SWEEP_DATA", str(tmp_path))
    assert load_space(write(text)).data["traineddata"] == str(tmp_path / "t")


def test_ranges_know_their_points():
    assert Range(1, 4).points() == (1, 2, 3, 4)
    assert Range(0.0, 0.3, step=0.1).points() == pytest.approx((0, 0.1, 0.2, 0.3))
    assert Choice(("a", True)).points() == ("a", True)
    assert Range(1, 4).whole
    assert not Range(1, 4.0).whole


@pytest.mark.parametrize("path", sorted(ROOT.glob("experiments/sweeps/*/space.toml")), ids=str)
def test_examples_can_be_read(path):
    space = load_space(str(path))
    assert space.search


WRONG = {
    "no TOML": ("[data", "[[", "not a TOML file"),
    "unknown table": ("[fixed]", "[fixd]", "table 'fixd' does not exist; did you mean fixed"),
    "no table": ("[data]", "search2 = 1\n[data]", "table 'search2' does not exist"),
    "missing file": ('traineddata = "t"', 'traineddata = "u"', "u does not exist"),
    "no eval list": ('eval_listfile = "t"', "", "lacks eval_listfile"),
    "unknown sampler": ('"grid"', '"gird"', "sampler 'gird' does not exist"),
    "bad seed": ("[study]", "[study]\nseed = -1", "seed must be a whole number"),
    "unknown setting": ("learning_rate =", "lerning_rate =", "did you mean learning_rate"),
    "unknown fixed": ("max_iterations = 10", "max_iteration = 10", "did you mean max_iterations"),
    "place not given": ("row = { choices = [8, 16] }", "", "net_spec has {row}"),
    "in both": ("max_iterations = 10", "max_iterations = 10\nlearning_rate = 1", "keep one"),
    "no network": ("net_spec =", "seed = 1 #", "setting 'row' does not exist"),
    "endless": ("max_iterations = 10", "", "max_iterations is needed"),
    "no choice": ("[8, 16]", "[]", "row: choices must be a list"),
    "a number": ("{ choices = [8, 16] }", "3", "row: write { choices"),
    "upside down": ("low = 12, high = 36", "low = 36, high = 12", "low (36) must be below"),
    "no numbers": ("low = 12,", 'low = "a",', "low and high must be numbers"),
    "log of zero": (
        "low = 0.1, high = 0.3, step = 0.1",
        "low = 0, high = 1, log = true",
        "above 0",
    ),
    "broken step": ("step = 12", "step = 0.5", "step must be a whole number"),
    "no step": (", step = 0.1", "", "learning_rate: needs a step or choices"),
    "huge grid": ("step = 0.1", "step = 1e-9", "too many for a grid"),
    "unknown key": ("step = 12", "steps = 12", "key 'steps' does not exist"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_said(name, write):
    old, new, problem = WRONG[name]
    assert old in GOOD
    with pytest.raises(UsageError) as error:
        load_space(write(GOOD.replace(old, new, 1)))
    assert problem in str(error.value)
    assert "space.toml: " in str(error.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UsageError, match="absent: cannot be read"):
        load_space(str(tmp_path / "absent"))
