"""The surroundings of the code are right: commands in the documentation, links, flags, scripts."""

import doctest
import functools
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
MORE_PAGES = [ROOT / "examples" / "README.md", ROOT / "experiments" / "README.md"]
SCRIPTS = [
    ROOT / name
    for name in (
        "tools/setup-venv",
        "tools/test",
        "tools/smoke",
        "tools/demo",
        "tools/docs",
        ".ci/run",
    )
]
MATCHES = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


TESTED = re.compile(
    r"^<!-- test (?P<setup>setup): (?P<commands>.*?) -->$"
    r"|^```(?P<language>\w+) test(?P<short> short)?\n(?P<body>.*?)^```$",
    re.M | re.S,
)
SMALL_NET = "[1,12,0,1 Ct3,3,4 Mp3,2 Lfys8 Lfx12 O1c1]"


class Example(NamedTuple):
    """A command or a Python example on a page, and its expected output ("" for any)."""

    command: list[str]
    expected: str


def shortened(command: str) -> str:
    """A training command that takes seconds: few lines, a small network."""
    command = re.sub(r"--max_iterations \d+", "--max_iterations 60", command)
    return re.sub(r'--net_spec "\[1,[^"]*"', f'--net_spec "{SMALL_NET}"', command)


def examples(page: Path) -> list[Example]:
    """The examples in blocks tagged `console test`, `console test short` and `python test`.

    `<!-- test setup: COMMANDS -->` prepares what a page assumes.
    """
    found = []
    for block in TESTED.finditer(page.read_text()):
        if block["setup"]:
            found.append(Example(["bash", "-c", block["commands"]], ""))
        elif block["language"] == "python":
            found.append(Example([sys.executable, "-c", block["body"]], ""))
        else:
            body = re.sub(r" *\\\n *", " ", block["body"])  # one line for each command
            for part in re.split(r"^\$ ", body, flags=re.M)[1:]:
                command, _, expected = part.partition("\n")
                command = shortened(command) if block["short"] else command
                found.append(Example(["bash", "-c", f"{{ {command}; }} 2>&1"], expected))
    return found


class Untested(NamedTuple):
    """A command of a page that no test runs, and the reason given for it, or ""."""

    command: str
    reason: str


def untested(page: Path) -> list[Untested]:
    """Commands in code blocks without a test; `<!-- not run: REASON -->` stands before a block."""
    found, reason, in_block = [], "", False
    for line in TESTED.sub("", page.read_text()).splitlines():
        excuse = re.match(r"<!-- not run: (.+) -->$", line)
        if excuse:
            reason = excuse[1]
        elif line.startswith("```"):
            in_block = not in_block
            reason = reason if in_block else ""
        elif in_block or line.startswith("    "):
            command = re.match(r"(?:\$ )?(?:\.venv/bin/)?lstmjax (\w.*)", line.strip())
            if command and not command[1].endswith("--help"):
                found.append(Untested(command[1], reason))
        elif line.strip():
            reason = ""
    return found


def is_synopsis(command: str) -> bool:
    """Whether a command is only a synopsis, with placeholders or parts left out."""
    return bool(re.search(r"\[|\.\.\.|\b[A-Z]{2,}\b", command))


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


@pytest.mark.parametrize("page", PAGES, ids=names)
def test_every_command_runs_or_says_why_not(page):
    silent = [
        each.command for each in untested(page) if not each.reason and not is_synopsis(each.command)
    ]
    assert silent == [], "tag the block `console test` or put <!-- not run: REASON --> before it"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("    lstmjax view out/mine", [("view out/mine", "")]),
        ("<!-- not run: long -->\n\n    lstmjax view x", [("view x", "long")]),
        ("<!-- not run: long -->\n\nThen:\n\n    lstmjax view x", [("view x", "")]),
        ("```console\n$ lstmjax view x\n```", [("view x", "")]),
        ("```console test\n$ lstmjax view x\n```", []),
        ("call `lstmjax view x`", []),
    ],
)
def test_untested_commands_are_found(tmp_path, line, expected):
    page = tmp_path / "page.md"
    page.write_text(f"# Page\n\n{line}\n")
    assert untested(page) == expected


@functools.cache
def listing(tool: str) -> str:
    """The help text of a tool."""
    return helpers.run_lstmjax(tool, "--help").stdout


EVERY_TOOL = ("--help", "--flagfile")


@pytest.mark.parametrize("page", PAGES, ids=names)
def test_commands_have_flags_that_exist(page):
    """This covers commands that are not run, and synopses."""
    text = re.sub(r"\\\n\s*", " ", page.read_text())
    unknown = []
    for tool, rest in re.findall(r"lstmjax (\w+)((?: [^\n`|]*)?)", text):
        if tool in TOOLS and re.search(r" --?\w", rest):
            known = {*EVERY_TOOL, *re.findall(r"[ \[](--\w+)", listing(tool))}
            used = re.findall(r"[ \[](--\w+)", rest)
            unknown += [f"{tool} {flag}" for flag in used if flag not in known]
    assert unknown == []


@pytest.mark.parametrize("page", [*PAGES, *MORE_PAGES], ids=names)
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
    help_text = "".join(map(listing, tools_of(page)))
    flags = re.findall(r"^  (--\w+)  ", help_text, re.M) + re.findall(r"[ \[](-[a-z]) ", help_text)
    missing = [flag for flag in flags if not re.search(rf"[` \[]{flag}\b", text)]
    assert set(missing) <= {"-v"}
    documented = re.findall(r"^\| `(--\w+)`", text, re.M)
    assert [flag for flag in documented if not re.search(rf"[ \[]{flag}[ \]]", help_text)] == []


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
