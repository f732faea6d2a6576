"""One run at a time writes to a model_output."""

import os
import signal
import subprocess
import sys

import pytest
from helpers import run_lstmjax
from training.small import flags

from lstmjax.errors import TrainError
from lstmjax.training.lock import holder, locked

HOLD = (
    "import sys, time\nfrom lstmjax.training.lock import locked\n"
    "with locked(sys.argv[1]):\n    print('held', flush=True)\n    time.sleep(60)"
)


@pytest.fixture
def other_process(tmp_path):
    """A process that holds the lock of `m`."""
    command = [sys.executable, "-c", HOLD, str(tmp_path / "m")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_second_run_is_refused_with_the_process(other_process, tmp_path):
    result = run_lstmjax(*flags(tmp_path / "m"))
    assert result.returncode == 1
    assert f"another run (process {other_process.pid}) is writing to" in result.stderr
    assert "choose another --model_output" in result.stderr
    assert not (tmp_path / "m.metrics.jsonl").exists()


def test_lock_of_a_killed_run_keeps_nobody_out(other_process, tmp_path):
    output = str(tmp_path / "m")
    assert holder(output) == other_process.pid
    other_process.send_signal(signal.SIGKILL)
    other_process.wait()
    assert (tmp_path / "m.lock").exists()
    assert holder(output) is None
    with locked(output):
        assert holder(output) == os.getpid()
    assert not (tmp_path / "m.lock").exists()


@pytest.mark.parametrize("text", ["", "x", "-1", "9" * 19, "\x00"], ids=repr)
def test_damaged_lock_file_names_nobody(tmp_path, text):
    (tmp_path / "m.lock").write_text(text)
    assert holder(str(tmp_path / "m")) is None
    with locked(str(tmp_path / "m")):
        pass


def test_lock_that_cannot_be_written(tmp_path):
    with pytest.raises(TrainError, match="cannot be written"), locked(f"{tmp_path}/missing/m"):
        pass
