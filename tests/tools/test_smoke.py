"""What the smoke test looks for, and which Pythons and versions it chooses."""

import sys
import tomllib
from pathlib import Path

import helpers
import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


@pytest.fixture
def tool():
    return helpers.load_tool("checks/smoke")


def test_every_dependency_has_a_lowest_version_that_is_tested(tool):
    constraints = tool.lowest(PROJECT["dependencies"])
    assert len(constraints) == len(PROJECT["dependencies"]) > 20
    assert tool.lowest(["jax[cuda12]>=0.10,<0.13", "python-bidi>=0.6.3"]) == [
        "jax==0.10",
        "python-bidi==0.6.3",
    ]
    for unbounded in ("numba", "numba<1", "numba>0.61", "numba~=0.63"):
        with pytest.raises(tool.SmokeError, match=f"no lower bound for {unbounded}"):
            tool.lowest([unbounded])


def test_jax_has_the_same_bounds_everywhere():
    extras = PROJECT["optional-dependencies"]
    given = [*PROJECT["dependencies"], *extras["cuda12"], *extras["cuda13"]]
    bounds = {
        text.partition(">=")[2] for text in given if text.startswith(("jax>", "jaxlib", "jax["))
    }
    assert len(bounds) == 1


def pythons(tool, *found):
    return [tool.Python(Path(path), version) for path, version in found]


def test_one_python_of_each_minor_version_is_tested_and_the_oldest_twice(tool):
    found = pythons(
        tool,
        ("/pyenv/3.13.0", (3, 13, 0)),
        ("/pyenv/3.13.2", (3, 13, 2)),
        ("/pyenv/3.11.7", (3, 11, 7)),
        ("/usr/bin/python3.11", (3, 11, 2)),
    )
    chosen = tool.choose(found, default=Path("/pyenv/3.11.7"))
    assert [(str(python.path), versions) for python, versions in chosen] == [
        ("/usr/bin/python3.11", "lowest"),
        ("/usr/bin/python3.11", "newest"),
        ("/pyenv/3.13.2", "newest"),
    ]


def test_a_single_python_is_tested_although_it_is_the_default(tool):
    (only,) = pythons(tool, ("/usr/bin/python3.11", (3, 11, 2)))
    assert tool.choose([only], default=only.path) == [(only, "lowest"), (only, "newest")]
    assert tool.choose([], default=only.path) == []


def test_pythons_are_looked_for_in_pyenv_and_on_the_path(tool, tmp_path):
    paths = [
        tmp_path / "pyenv" / "versions" / "3.12.1" / "bin" / "python3",
        tmp_path / ".pyenv" / "versions" / "3.13.0" / "bin" / "python3",
        tmp_path / "bin" / "python3.14",
    ]
    for path in (*paths, tmp_path / "bin" / "python3.14-config"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    environ = {"PYENV_ROOT": str(tmp_path / "pyenv"), "PATH": f"{tmp_path / 'bin'}:relative"}
    found = tool.candidates(environ, tmp_path)
    assert [path for path in found if tmp_path in path.parents] == paths


def test_a_python_says_what_it_is(tool, tmp_path):
    itself = tool.describe(Path(sys.executable))
    assert itself.version == sys.version_info[:3]
    assert tool.describe(itself.path) == itself  # not the virtual environment
    broken = tmp_path / "python3"
    broken.write_text("#!/bin/sh\nexit 127\n")
    broken.chmod(0o755)
    assert tool.describe(broken) is None
    assert tool.describe(tmp_path / "nothing") is None


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("Traceback (most recent call last):", True),
        ("Exception ignored in: <function f>", True),
        ("/x/numpy/core.py:12: FutureWarning: this will change", True),
        ("Warning: given outputs 1 not equal to unicharset of 75.", False),
        ("At iteration 12: BCER train=1.2", False),
    ],
)
def test_complaints_of_python_are_noticed(tool, line, complaint):
    assert tool.complaints(f"before\n{line}\nafter") == (line if complaint else "")


def place(tool, tmp_path):
    return tool.Place(Path(sys.executable).parent, tmp_path, tool.clean_environ({}, tmp_path))


def test_a_step_fails_by_status_output_or_time(tool, tmp_path):
    here = place(tool, tmp_path)
    assert here.python("print('well')") == "well\n"
    with pytest.raises(tool.SmokeError, match="exit status 3"):
        here.python("raise SystemExit(3)")
    with pytest.raises(tool.SmokeError, match="printed 'Traceback"):
        here.python("print('Traceback (most recent call last):')")
    with pytest.raises(tool.SmokeError, match="has not ended after 1 s"):
        here.run(sys.executable, "-c", "import time; time.sleep(60)", seconds=1)


def test_an_editable_install_is_not_the_wheel(tool, tmp_path, monkeypatch):
    monkeypatch.setattr(tool, "clean_environ", lambda *_: {"PYTHONPATH": str(ROOT)})
    with pytest.raises(tool.SmokeError, match=f"was imported from {ROOT}"):
        tool.import_wheel(place(tool, tmp_path))


def test_rates_are_numbers_that_were_printed(tool):
    assert tool.rate("CER eval=", "CER eval=99.5, WER\nCER eval=12.25, WER") == 12.25
    assert tool.rate(r"\bCER eval=", "CER eval=12.25, BCER eval=40") == 12.25
    with pytest.raises(tool.SmokeError, match="no number"):
        tool.rate("CER eval=", "CER eval=nan")


def test_nothing_of_the_checkout_decides_what_runs(tool, tmp_path):
    given = {"PYTHONPATH": "/checkout", "JAX_PLATFORMS": "cpu", "NUMBA_OPT": "0", "HOME": "/home"}
    assert tool.clean_environ(given, tmp_path) == {
        "HOME": "/home",
        "PYTHONNOUSERSITE": "1",
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
    }


def test_failures_come_to_the_table_and_the_status(tool, tmp_path, monkeypatch, capsys):
    def bad(place):
        raise tool.SmokeError("wrong number")

    python = tool.Python(Path(sys.executable), (3, 11, 7))
    monkeypatch.setattr(tool, "install", lambda *_: place(tool, tmp_path))
    monkeypatch.setattr(tool, "versions", lambda _: {"jax": "0.10.0"})
    monkeypatch.setattr(tool, "build_wheel", lambda _: tmp_path / "x.whl")
    monkeypatch.setattr(tool, "requested", lambda *_: [tool.Target(python, "lowest")])
    for steps, status, result, closing in (
        ((), 0, "ok", "smoke: 1 passed, 0 failed"),
        ((bad,), 1, "bad failed", "smoke: 0 passed, 1 failed"),
    ):
        monkeypatch.setattr(tool, "STEPS", steps)
        monkeypatch.setattr(sys, "argv", ["smoke.py", "--python", sys.executable])
        assert tool.main() == status
        lines = capsys.readouterr().out.splitlines()
        assert lines[-1] == closing
        row = next(line for line in lines if line.startswith("3.11.7"))
        assert row.split()[1:3] == ["lowest", "0.10.0"]
        assert row.endswith(result)


def test_what_cannot_be_tested_is_named(tool, tmp_path, monkeypatch, capsys):
    old, new, bare = pythons(tool, ("/a", (3, 11, 7)), ("/b", (3, 12, 1)), ("/c", (3, 13, 0)))
    monkeypatch.setattr(tool, "run_all", lambda *_: [])
    monkeypatch.setattr(sys, "argv", ["smoke.py", "--versions", "lowest"])
    lines = {}
    for name, found in (("one", [old]), ("two", [old, new])):
        targets = tool.choose(found, old.path)
        monkeypatch.setattr(tool, "find_targets", lambda targets=targets: (targets, [bare]))
        assert tool.main() == 1  # nothing was tested
        lines[name] = capsys.readouterr().out.splitlines()
    assert (
        "smoke: passed over, cannot make virtual environments: Python 3.13.0 (/c)" in lines["two"]
    )
    assert lines["two"][-1] == "smoke: 0 passed, 0 failed, 1 skipped"
    alone = "smoke: only one minor version of Python is at hand; others are not tested"
    assert alone in lines["one"]
    assert alone not in lines["two"]
