import subprocess
import sys
import time
import types

import helpers
import pytest

from lstmjax.cli import main
from lstmjax.errors import FormatError


@pytest.mark.parametrize("argv", [[], ["--help"], ["-h"]], ids=["none", "help", "h"])
def test_usage_names_every_tool(argv, capsys):
    assert main.run(argv) == 0
    out = capsys.readouterr().out
    for tool, text in main.TOOLS.items():
        assert f"{tool} " in out
        assert text in out


def test_version(capsys):
    assert main.run(["--version"]) == 0
    assert capsys.readouterr().out.startswith("lstmjax 0")


@pytest.mark.parametrize(
    ("name", "hint"),
    [("lstmtrain", "did you mean lstmtraining?"), ("zzz", "lstmjax --help lists the tools")],
)
def test_unknown_tools_get_a_hint(name, hint, capsys):
    assert main.run([name]) == 1
    assert capsys.readouterr().err == f"lstmjax: error: there is no tool {name!r}; {hint}\n"


def fake_tool(monkeypatch, run):
    monkeypatch.setitem(sys.modules, "lstmjax.cli.lstmeval", types.SimpleNamespace(main=run))


def test_arguments_and_status_are_passed_on(monkeypatch):
    fake_tool(monkeypatch, lambda argv: len(argv))
    assert main.run(["lstmeval", "--a", "b"]) == 2


def test_errors_are_told_without_a_traceback(monkeypatch, capsys):
    def fail(argv):
        raise FormatError("bad", offset=4, file="x")

    fake_tool(monkeypatch, fail)
    assert main.run(["lstmeval"]) == 1
    assert capsys.readouterr().err == "lstmjax lstmeval: error: x: byte 0x4: bad\n"


def test_an_interrupt_is_quiet(monkeypatch, capsys):
    def interrupt(argv):
        raise KeyboardInterrupt

    fake_tool(monkeypatch, interrupt)
    assert main.run(["lstmeval"]) == 130
    assert capsys.readouterr().err == ""


def test_a_closed_pipe_is_quiet():
    command = [sys.executable, "-m", "lstmjax", "combine_tessdata", "--help"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == b""
    assert process.returncode == 141


def test_starting_needs_neither_jax_nor_numba():
    code = (
        "import sys; import lstmjax.cli.main as m; m.run(['combine_tessdata', '--help']); "
        "import lstmjax.cli.flags; print({'jax', 'numba'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("set()\n")


def test_starting_is_fast():
    def once() -> float:
        start = time.perf_counter()
        assert helpers.run_lstmjax("--help").returncode == 0
        return time.perf_counter() - start

    assert min(once() for _ in range(5)) < 0.3


@pytest.mark.parametrize("status", [0, 3])
def test_leaving_without_taking_jax_down(status):
    code = f"""
import sys
import lstmjax.cli.main as program

class Late:
    def __del__(self):
        print("taken down")

sys.modules["jax"] = program
sys.late = Late()
program.run = lambda argv: print("ran") or {status}
program.main()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (status, "ran\n")
