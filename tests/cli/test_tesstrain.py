"""`lstmjax tesstrain`: the plans made from the flags of tesstrain.sh and from its own flags."""

import helpers
import pytest

from lstmjax.cli.tesstrain import read_plan
from lstmjax.errors import UsageError

LINES = ["--model_name", "mine", "--output_dir", "out", "--ground_truth", "lines"]
TEXT = ["--lang", "eng", "--output_dir", "out", "--training_text", "text.txt"]


def test_lines_and_a_name_are_enough():
    plan = read_plan(LINES)
    assert (plan.name, plan.lang, plan.ground_truth, plan.rendering) == (
        "mine", "mine", "lines", None,
    )  # fmt: skip
    assert dict(plan.settings) == {"max_iterations": 10_000}
    assert plan.net_spec.startswith("[1,36,0,1 Ct3,3,16")
    assert (plan.ratio_train, plan.seed, plan.recipe, plan.data_only) == (0.9, 0, "fast", False)


def test_a_call_of_tesstrain_sh_is_understood():
    plan = read_plan([
        "--fonts_dir", "fonts", "--lang", "eng", "--linedata_only", "--noextract_font_properties",
        "--langdata_dir", "langdata", "--tessdata_dir", "tessdata", "--output_dir", "out",
        "--fontlist", "Impact Condensed", "DejaVu Sans", "--maxpages", "10", "--exposures", "-1",
        "0", "1", "--save_box_tiff",
    ])  # fmt: skip
    assert plan.rendering is not None
    assert plan.rendering.training_text == "langdata/eng/eng.training_text"
    assert plan.rendering.fonts == ("Impact Condensed", "DejaVu Sans")
    assert (plan.rendering.max_pages, plan.rendering.exposures) == (10, (-1, 0, 1))
    assert plan.rendering.keep_pages
    assert plan.data_only


@pytest.mark.parametrize(
    "exposures", [["-1,0,1"], ["-1", "0", "1"], ["-1,0", "1"]], ids=["commas", "blanks", "both"]
)
def test_exposures_are_numbers_not_flags(exposures):
    plan = read_plan([*TEXT, "--fontlist", "A", "--exposures", *exposures, "--ptsize", "10"])
    assert plan.rendering is not None
    assert (plan.rendering.exposures, plan.rendering.ptsize) == ((-1, 0, 1), 10)


def test_lists_may_be_given_in_pieces():
    plan = read_plan([*TEXT, "--fontlist=A B", "--fontlist", "C", "D", "--eval_fontlist", "E"])
    assert plan.rendering is not None
    assert plan.rendering.fonts == ("A B", "C", "D")
    assert plan.rendering.eval_fonts == ("E",)


def test_settings_of_training_are_passed_on(tmp_path):
    model = tmp_path / "fra.traineddata"
    model.write_bytes(b"")
    plan = read_plan([
        *LINES, "--start_model", "fra", "--tessdata_dir", str(tmp_path), "--batch", "8", "--seed",
        "3", "--max_iterations", "-2", "--ratio_train", "0.8", "--augment", "1,noise=0",
        "--split_by", "book",
    ])  # fmt: skip
    assert plan.start_model == str(model)
    assert dict(plan.settings) == {
        "augment": "1,noise=0", "batch": 8, "seed": 3, "max_iterations": -2,
        "learning_rate": 0.001,
    }  # fmt: skip
    assert (plan.seed, plan.ratio_train, plan.split_by) == (3, 0.8, "book")


def test_a_learning_rate_is_passed_on_though_it_is_the_usual_one():
    plan = read_plan([*LINES, "--learning_rate", "0.004", "--batch", "2"])
    assert dict(plan.settings)["learning_rate"] == 0.004


def test_recipe_tesseract_keeps_its_own_seed_and_rate():
    plan = read_plan([*LINES, "--recipe", "tesseract", "--seed", "3"])
    assert dict(plan.settings) == {"max_iterations": 10_000, "learning_rate": 0.002}
    assert plan.seed == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--model_name", "a", "--ground_truth", "b"], "--output_dir is missing"),
        (["--output_dir", "a", "--ground_truth", "b"], "--model_name is missing"),
        (["--output_dir", "a", "--model_name", "b"], "there is nothing to train on"),
        (TEXT, "--fontlist is missing"),
        ([*LINES, "--lang", "../eng"], r"--lang \.\./eng: expected a plain name"),
        ([*LINES, "--maxpages", "3"], "--maxpages is for drawing pages"),
        ([*LINES, "--linedata_only", "--net_spec", "[1]"], "--net_spec is for training"),
        ([*LINES, "--extract_font_properties"], "for the old engine"),
        ([*LINES, "--start_model", "nowhere"], "nowhere: there is no such file"),
        ([*LINES, "--norm_mode", "4"], "--norm_mode is 4"),
        ([*LINES, "--recipe", "tesseract", "--batch", "2"], "leave out --batch"),
        ([*LINES, "--recipe", "tesseract", "--augment", "1"], "leave out --augment"),
        ([*LINES, "--augment", "much"], "found 'much'"),
        ([*LINES, "--linedata_only", "--augment", "1"], "--augment is for training"),
        ([*TEXT, "--fontlist", "A", "--exposures", "dark"], "--exposures dark"),
        ([*TEXT, "--fontlist", "A", "--split_by", "page"], "--split_by divides ground truth"),
        ([*LINES, "word"], "what is 'word'"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_honoured_is_refused(arguments, message):
    with pytest.raises(UsageError, match=message):
        read_plan(arguments)


@pytest.mark.parametrize(
    "flag", ["--ratio_train=2", "--no_such_flag", "--maxpages=-1", "--split_by=word", "--seed=-1"]
)
def test_bad_flags_are_refused_before_anything_is_made(tmp_path, flag):
    done = helpers.run_lstmjax("tesstrain", *LINES, flag, cwd=tmp_path)
    assert done.returncode == 1
    assert not (tmp_path / "out").exists()


def test_missing_lines_are_named(tmp_path):
    done = helpers.run_lstmjax("tesstrain", *LINES, "--linedata_only", cwd=tmp_path)
    assert done.returncode == 1
    assert "lines: no such folder; --ground_truth names one with lines in it" in done.stderr
