"""Steps run once, and again if their inputs or outputs have changed."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lstmjax.errors import DataError, LstmjaxError
from lstmjax.pipeline.state import Done, State, digest_files


class Step:
    """A step that counts its runs and copies a file."""

    def __init__(self, folder):
        self.folder, self.runs = folder, 0
        (folder / "in.txt").write_text("text")

    def run(self) -> Done:
        self.runs += 1
        (self.folder / "out.txt").write_text((self.folder / "in.txt").read_text().upper())
        return Done((self.folder / "out.txt",), {"runs": self.runs})

    def do(self, **settings):
        said: list[str] = []
        inputs = {"in": digest_files([self.folder / "in.txt"]), **settings}
        notes = State.load(self.folder).do("copy", inputs, self.run, said.append)
        return notes["runs"], said[0]


@pytest.fixture
def step(tmp_path):
    return Step(tmp_path)


def test_a_step_is_not_done_twice(step):
    assert step.do() == (1, "== copy")
    assert step.do() == (1, "== copy: nothing has changed")
    assert step.runs == 1


def test_a_changed_input_does_it_again(step):
    step.do()
    (step.folder / "in.txt").write_text("other")
    assert step.do() == (2, "== copy")


def test_a_changed_setting_does_it_again(step):
    step.do(seed=1)
    assert step.do(seed=2)[0] == 2


@pytest.mark.parametrize("damage", ["removed", "changed"])
def test_a_lost_output_does_it_again(step, damage):
    step.do()
    if damage == "removed":
        (step.folder / "out.txt").unlink()
    else:
        (step.folder / "out.txt").write_text("someone else's")
    assert step.do()[0] == 2
    assert (step.folder / "out.txt").read_text() == "TEXT"


def test_a_step_that_fails_is_not_done(step):
    step.do()
    state = State.load(step.folder)

    def fail() -> Done:
        raise LstmjaxError("no")

    with pytest.raises(LstmjaxError, match="no"):
        state.do("copy", {"in": 0}, fail, lambda text: None)
    assert "copy" not in State.load(step.folder).steps


def test_a_touched_file_is_the_same(step):
    step.do()
    (step.folder / "in.txt").write_text("text")
    assert step.do()[0] == 1


def test_the_folder_can_be_moved(step, tmp_path_factory):
    step.do()
    moved = tmp_path_factory.mktemp("moved") / "there"
    step.folder.rename(moved)
    step_there = State.load(moved)
    fingerprint = step_there.steps["copy"]["inputs"]
    assert step_there.is_done("copy", fingerprint)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not the JSON"),
        ("[" * 100_000, "not the JSON"),
        ("[]", "version None"),
        ('{"version": 7, "steps": {}}', "version 7, expected 1"),
        ('{"version": 1, "steps": []}', "steps are not"),
        ('{"version": 1, "steps": {"a": {"inputs": ""}}}', "steps are not"),
        ('{"version": 1, "steps": {"a": {"inputs": "", "outputs": {"b": 1}, "notes": 0}}}',
         "steps are not"),
    ],
    ids=["empty", "deep", "list", "version", "steps", "step", "outputs"],
)  # fmt: skip
def test_a_damaged_file_is_refused(tmp_path, text, message):
    (tmp_path / "state.json").write_text(text)
    with pytest.raises(DataError, match=message) as caught:
        State.load(tmp_path)
    assert "move it away" in str(caught.value)


NOTES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(notes=NOTES)
def test_notes_come_back_as_they_were(tmp_path, notes):
    state = State.load(tmp_path)
    state.forget("any")
    first = state.do("any", {}, lambda: Done(notes=notes), lambda text: None)
    again = State.load(tmp_path).do("any", {}, lambda: Done(notes=0), lambda text: None)
    assert json.dumps(first) == json.dumps(again) == json.dumps(notes)
