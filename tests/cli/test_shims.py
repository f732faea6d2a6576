"""`lstmjax shims`: usage, report, errors."""

import helpers


def test_it_tells_what_was_written_and_how_to_use_it(tmp_path):
    done = helpers.run_lstmjax("shims", tmp_path / "bin")
    assert done.returncode == 0
    assert done.stdout.startswith(f"11 executables in {tmp_path / 'bin'}: lstmtraining lstmeval")
    assert f"PATH={tmp_path / 'bin'}:$PATH" in done.stdout


def test_without_a_folder_it_prints_its_usage():
    done = helpers.run_lstmjax("shims")
    assert done.returncode == 0
    assert done.stdout.startswith("Usage: lstmjax shims DIR")


def test_more_than_one_argument_is_refused():
    done = helpers.run_lstmjax("shims", "one", "two")
    assert done.returncode == 1
    assert "expected one folder, found one two" in done.stderr
