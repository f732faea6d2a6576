"""What a run shows on a terminal."""

import os
import pty
import re
import select
import subprocess
import sys

import pytest
from training.small import flags

from lstmjax.training.output import duration, status_text

FIGURES = {
    "training_iteration": 400, "lines_per_second": 50.4, "learning_rate": 0.00123, "loss": 12.345,
    "bcer": 7.891, "skipped": 0,
}  # fmt: skip


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0 s"), (59, "59 s"), (61, "1 min 01 s"), (3599.9, "1 h 00 min"), (7500, "2 h 05 min")],
)
def test_durations(seconds, text):
    assert duration(seconds) == text


def test_status_has_every_figure():
    text = status_text({**FIGURES, "skipped": 3, "eval_cer": 4.2}, end=900)
    assert text == (
        "50 lines/s  10 s left  rate 0.0012  loss 12.35  BCER 7.89%  eval CER 4.20%  3 skipped"
    )


@pytest.mark.parametrize("end", [None, 400], ids=["endless", "finished"])
def test_status_without_time_left(end):
    assert status_text(FIGURES, end) == "50 lines/s  rate 0.0012  loss 12.35  BCER 7.89%"


def test_run_without_speed_yet():
    assert "left" not in status_text({**FIGURES, "lines_per_second": 0.0}, end=900)


@pytest.mark.parametrize("recipe", ["fast", "tesseract"])
def test_terminal_shows_progress_and_log(tmp_path, recipe):
    ours, theirs = pty.openpty()
    arguments = flags(tmp_path / "m", "--recipe", recipe, iterations=100)
    command = [sys.executable, "-m", "lstmjax", *map(str, arguments)]
    environ = {k: v for k, v in os.environ.items() if not k.startswith("JAX_NUMPY_")}
    environ |= {"LSTMJAX_NO_REEXEC": "1", "TERM": "xterm", "COLUMNS": "160"}
    process = subprocess.Popen(command, stdout=theirs, stderr=theirs, env=environ)
    os.close(theirs)
    shown = b""
    while select.select([ours], [], [], 120)[0]:
        try:
            chunk = os.read(ours, 65536)
        except OSError:  # the terminal is gone with the process
            break
        if not chunk:
            break
        shown += chunk
    os.close(ours)
    assert process.wait(60) == 0
    text = shown.decode()
    assert ("compiling for lines of" in text) == (recipe == "fast")
    assert re.search(r"\d+ lines/s .*rate .*loss .*BCER ", text)
    assert "At iteration" in text
    assert "Finished!" in text
    assert f"lstmjax lstmtraining --stop_training --continue_from {tmp_path / 'm'} " in text
