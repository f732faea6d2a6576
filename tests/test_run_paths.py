"""The names of a run's files."""

import pytest

from lstmjax.run_paths import RunPaths, run_of_checkpoint, run_of_metrics


def test_names_are_those_of_tesseract():
    paths = RunPaths("out/m")
    assert paths.checkpoint == "out/m_checkpoint"
    assert paths.numbered_best(3.25, 1100, 1200) == "out/m_3.250000_1100_1200.checkpoint"


def test_numbered_best_states_are_found(tmp_path):
    for name in ("a[1]_9.5_80_90.checkpoint", "a[1]_3.25_900_1000.checkpoint", "a[1]_checkpoint",
                 "a[1]_best.checkpoint", "a[1]_x_1_2.checkpoint", "a1_1.0_1_1.checkpoint",
                 "a[1]_2_1.5_1_2.checkpoint"):  # fmt: skip
        (tmp_path / name).touch()
    found = sorted(RunPaths(str(tmp_path / "a[1]")).numbered_bests())
    assert [one[1:] for one in found] == [(3.25, 900, 1000), (9.5, 80, 90)]
    assert found[0].path == str(tmp_path / "a[1]_3.25_900_1000.checkpoint")
    assert list(RunPaths(str(tmp_path / "missing" / "m")).numbered_bests()) == []


@pytest.mark.parametrize(
    ("path", "expected"),
    [("out/m_checkpoint", "out/m"), ("out/m.checkpoint", None), ("out/_checkpoint", None)],
)
def test_run_of_a_last_state(path, expected):
    found = run_of_checkpoint(path)
    assert (found and found.model_output) == expected


def test_run_of_figures():
    assert run_of_metrics(RunPaths("out/m").metrics) == RunPaths("out/m")
    assert run_of_metrics("out/m") == RunPaths("out/m")
