"""What surrounds the code is true: commands in the documentation, links, flags, scripts."""

import doctest
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import helpers
import pytest

from lstmjax.cli.main import TOOLS

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
SCRIPTS = [ROOT / name for name in ("tools/setup-venv", "tools/test", "tools/demo", ".ci/run")]
MATCHES = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


class Example(NamedTuple):
    """A command of a page, or a piece of Python, and what it should print ("" for anything)."""

    command: list[str]
    expected: str


def examples(page: Path) -> list[Example]:
    """What the blocks tagged `console test` and `python test` of a page say."""
    found = []
    for language, body in re.findall(r"^```(\w+) test\n(.*?)^```$", page.read_text(), re.M | re.S):
        if language == "python":
            found.append(Example([sys.executable, "-c", body], ""))
            continue
        for part in re.split(r"^\$ ", body, flags=re.M)[1:]:
            command, _, expected = part.partition("\n")
            found.append(Example(["bash", "-c", f"{{ {command}; }} 2>&1"], expected))
    return found


def names(path: Path) -> str:
    return path.name


@pytest.mark.slow
@pytest.mark.parametrize("page", [page for page in PAGES if examples(page)], ids=names)
def test_documented_commands_work(page, tmp_path):
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    (tmp_path / "out").mkdir()
    # Strict promotion is for our own code in tests; users run without it.
    env = {name: text for name, text in os.environ.items() if not name.startswith("JAX_NUMPY_")}
    env["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{env['PATH']}"
    for example in examples(page):
        done = subprocess.run(
            example.command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=300
        )
        shown = f"{example.command[-1]}\n{done.stdout}{done.stderr}"
        assert done.returncode == 0, shown
        assert doctest.OutputChecker().check_output(example.expected, done.stdout, MATCHES) or (
            not example.expected
        ), f"{shown}\nexpected:\n{example.expected}"


def test_examples_are_found():
    assert sum(len(examples(page)) for page in PAGES) >= 6


@pytest.mark.parametrize("page", [*PAGES, ROOT / "examples" / "README.md"], ids=names)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text()):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), target


def test_the_index_lists_every_page():
    index = (ROOT / "docs" / "index.md").read_text()
    missing = [p.name for p in PAGES[1:] if p.name != "index.md" and f"({p.name})" not in index]
    assert not missing


def tools_of(page: Path) -> list[str]:
    """The tools that the heading of a page names."""
    heading = page.read_text().partition("\n")[0].removeprefix("# ")
    return [name.removeprefix("lstmjax ") for name in heading.split(", ") if name != "lstmjax"]


TOOL_PAGES = [page for page in PAGES[1:] if set(tools_of(page)) & set(TOOLS)]


def test_every_tool_has_a_page():
    assert sorted(tool for page in TOOL_PAGES for tool in tools_of(page)) == sorted(TOOLS)


@pytest.mark.parametrize("page", TOOL_PAGES, ids=names)
def test_every_flag_is_documented_and_no_other(page):
    text = page.read_text()
    listing = "".join(helpers.run_lstmjax(tool, "--help").stdout for tool in tools_of(page))
    flags = re.findall(r"^  (--\w+)  ", listing, re.M) + re.findall(r"[ \[](-[a-z]) ", listing)
    missing = [flag for flag in flags if not re.search(rf"[` \[]{flag}\b", text)]
    assert set(missing) <= {"-v"}
    documented = re.findall(r"^\| `(--\w+)`", text, re.M)
    assert [flag for flag in documented if not re.search(rf"[ \[]{flag}[ \]]", listing)] == []


def test_the_readme_names_every_tool():
    text = (ROOT / "README.md").read_text()
    assert [tool for tool in TOOLS if f"`{tool}`" not in text] == []


@pytest.mark.parametrize("script", SCRIPTS, ids=names)
def test_scripts_can_run(script):
    assert os.access(script, os.X_OK)
    subprocess.run(["bash", "-n", script], check=True)


def run_setup(tmp_path: Path, python: Path) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHON": str(python), "LSTMJAX_VENV": str(tmp_path / "venv")}
    return subprocess.run(
        [ROOT / "tools" / "setup-venv"], env=env, capture_output=True, text=True, timeout=60
    )


def test_setup_refuses_an_old_python(tmp_path):
    old = tmp_path / "python3.8"
    old.write_text('#!/bin/sh\n[ "$1" = --version ] && echo Python 3.8.1 || exit 1\n')
    old.chmod(0o755)
    done = run_setup(tmp_path, old)
    assert done.returncode == 1
    assert "needs Python 3.11 or later, found Python 3.8.1" in done.stderr
    assert not (tmp_path / "venv").exists()


def test_setup_says_that_python_is_missing(tmp_path):
    done = run_setup(tmp_path, tmp_path / "nowhere")
    assert done.returncode == 1
    assert "found no " in done.stderr
