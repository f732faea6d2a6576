"""`lstmjax view`: arguments, messages, exit statuses."""

import os
import signal
import subprocess
import sys
import urllib.request

import pytest
from helpers import run_lstmjax


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["x"], "no run with this --model_output: x.metrics.jsonl does not exist"),
        (["."], "no run in this folder"),
        (["--port", "1"], "which run?"),
        (["m", "--port", "1"], "come before the runs"),
    ],
    ids=["no run", "empty folder", "nothing", "flag behind"],
)
def test_mistakes_are_explained(tmp_path, arguments, message):
    result = run_lstmjax("view", *arguments, cwd=tmp_path)
    assert result.returncode == 1
    assert message in result.stderr


@pytest.mark.parametrize("port", ["x", "70000"])
def test_bad_ports(tmp_path, port):
    assert run_lstmjax("view", "--port", port, "m", cwd=tmp_path).returncode == 1


def test_several_runs_until_ctrl_c(tmp_path):
    for name in ("a", "b"):
        (tmp_path / f"{name}.metrics.jsonl").touch()
    command = [sys.executable, "-m", "lstmjax", "view", str(tmp_path)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=os.environ) as process:
        assert process.stderr is not None
        try:
            url = process.stderr.readline().split()[0]
            assert [process.stderr.readline().strip() for _ in range(2)] == ["a", "b"]
            with urllib.request.urlopen(url, timeout=20) as answer:
                assert b"lstmjax" in answer.read()
            process.send_signal(signal.SIGINT)
            assert process.wait(20) == 130
        finally:
            process.kill()


@pytest.mark.parametrize("flag", ["--view_port", "--view_host"])
def test_flags_of_the_page_need_the_page(flag):
    result = run_lstmjax("lstmtraining", flag, "1", "--traineddata", "x", "--train_listfile", "y")
    assert result.returncode == 1
    assert f"{flag} needs --view" in result.stderr
