"""An output folder is for one model and one source of lines; another is refused or reported."""

from dataclasses import replace

import pytest

from lstmjax.errors import LstmjaxError
from lstmjax.pipeline.origin import check_origin, record_origin
from lstmjax.pipeline.plan import Plan, Rendering
from lstmjax.pipeline.state import Done, State
from lstmjax.pipeline.steps import train
from lstmjax.pipeline.training import TrainingRequest

STEPS = ("lines", "network", "training")


@pytest.fixture
def used(tmp_path):
    """A plan for a folder in which some steps are done, and the messages of a call."""
    folder = tmp_path / "way"
    folder.mkdir()
    plan = Plan("mine", str(folder / "out"), lang="fra", ground_truth=str(folder / "lines"))
    (folder / "out").mkdir()
    state = State.load(plan.output_dir)
    for step in STEPS:
        state.do(step, {}, Done, lambda text: None)
    record_origin(plan, state)
    return plan


def check(plan):
    """The messages of a call, and the steps that still count as done."""
    said: list[str] = []
    state = State.load(plan.output_dir)
    check_origin(plan, state, said.append)
    return said, [step for step in STEPS if step in state.steps]


def drawn(plan, text):
    return replace(plan, ground_truth="", rendering=Rendering(text, ("A",)))


def test_the_same_call_goes_on(used):
    assert check(used) == ([], list(STEPS))


def test_another_name_is_refused(used):
    with pytest.raises(LstmjaxError) as caught:
        check(replace(used, name="other"))
    assert str(caught.value) == (
        f"{used.output_dir}: was made with --model_name mine, not with --model_name other; give "
        "another --output_dir, or --overwrite to use this one all the same"
    )


def test_another_name_trains_anew_where_it_may(used):
    said, done = check(replace(used, name="other", overwrite=True))
    assert "made with --model_name mine, not with --model_name other" in said[0]
    assert done == ["lines"]


@pytest.mark.parametrize("kind", ["folder", "text"])
def test_lines_from_elsewhere_are_refused(used, tmp_path, kind):
    place = str(tmp_path / "elsewhere")
    other = drawn(used, place) if kind == "text" else replace(used, ground_truth=place)
    flag = "--training_text" if kind == "text" else "--ground_truth"
    message = f"with lines of --ground_truth .*/lines, not with lines of {flag} {place}; give"
    with pytest.raises(LstmjaxError, match=message):
        check(other)
    said, done = check(replace(other, overwrite=True))
    assert "not with lines of" in said[0]
    assert done == list(STEPS)  # what was made of other files is done anew by its own record


def test_another_language_is_said(used):
    said, done = check(replace(used, lang="deu"))
    assert said == ["--lang was fra and is deu now: what depends on it is done anew"]
    assert done == list(STEPS)


def test_folder_and_lines_may_move_together(used, tmp_path):
    (tmp_path / "way").rename(tmp_path / "moved")
    moved = replace(
        used,
        output_dir=str(tmp_path / "moved" / "out"),
        ground_truth=str(tmp_path / "moved" / "lines"),
    )
    assert check(moved) == ([], list(STEPS))


def test_the_last_use_is_what_counts(used, tmp_path):
    other = replace(used, ground_truth=str(tmp_path), lang="deu", overwrite=True)
    state = State.load(used.output_dir)
    record_origin(other, state)
    assert check(replace(other, overwrite=False))[0] == []
    assert State.load(used.output_dir).steps["origin"]["notes"]["lang"] == "deu"


def test_a_folder_of_an_earlier_version_is_said(used):
    state = State.load(used.output_dir)
    state.forget("origin")
    said, done = check(replace(used, name="other"))
    (text,) = said
    assert "there is no record of the model and the lines it was made for" in text
    assert done == list(STEPS)


def test_a_new_folder_says_nothing(tmp_path):
    assert check(Plan("a", str(tmp_path), ground_truth="b")) == ([], [])


def test_recipe_tesseract_keeps_the_learning_rate_of_a_run(tmp_path, monkeypatch):
    base = tmp_path / "checkpoints" / "m"

    def fake(*arguments, **options):
        del arguments, options
        base.parent.mkdir(exist_ok=True)
        (tmp_path / "checkpoints" / "m_checkpoint").write_bytes(b"")

    monkeypatch.setattr("lstmjax.pipeline.steps.training.train", fake)
    (tmp_path / "t").write_bytes(b"")
    state = State.load(tmp_path)
    said: list[str] = []

    def call(rate, recipe="tesseract", iterations=10):
        settings = (("learning_rate", rate), ("max_iterations", iterations))
        request = TrainingRequest(
            str(tmp_path / "t"), "", "", str(base), "[]", recipe=recipe, settings=settings
        )
        train(state, request, {"digest": "x"}, said.append, None)

    call(0.002)
    call(0.002, iterations=20)
    message = r"began with, 0\.002; this call has 0\.001\. Leave --learning_rate"
    with pytest.raises(LstmjaxError, match=message):
        call(0.001)
    call(0.002, "fast")
    call(0.001, "fast")  # there the flag is honoured
    assert [text for text in said if text.startswith("==")] == ["== training"] * 4
