"""The server of --view as a process: told, heard, and no harm when it is gone."""

import json
import os
import signal
import threading
import time
import urllib.request

import pytest
from view.conftest import taken

from lstmjax.errors import UsageError
from lstmjax.view.live import LiveServer
from lstmjax.view.settings import ServerSettings


@pytest.fixture
def output(tmp_path):
    (tmp_path / "m.metrics.jsonl").touch()
    return str(tmp_path / "m")


@pytest.fixture
def said():
    return []


@pytest.fixture
def live(output, said):
    with LiveServer(ServerSettings(), output, said.append) as server:
        yield server


def never() -> int:
    return 0


def waiting(url):
    with urllib.request.urlopen(f"{url}api/runs", timeout=20) as answer:
        return json.load(answer)["waiting"]


def press(url, how, iteration):
    """Press Next as soon as the page says that the training waits for it."""
    while waiting(url) != iteration:
        time.sleep(0.02)
    request = urllib.request.Request(
        f"{url}api/next?how={how}", headers={"X-Lstmjax": "next"}, method="POST"
    )
    urllib.request.urlopen(request, timeout=20).close()


def test_training_waits_for_next_until_run_on(live, said):
    for iteration, how in ((3, "one"), (4, "all")):
        clicker = threading.Thread(target=press, args=(live.url, how, iteration))
        clicker.start()
        live.pause(iteration, never)
        clicker.join()
    live.pause(5, never)
    assert said == [f"Iteration {n}: waiting for Next on {live.url}" for n in (3, 4)]
    assert waiting(live.url) is None


def test_signal_ends_the_waiting(live):
    since = time.monotonic()
    live.pause(1, lambda: int(time.monotonic() - since > 0.5))
    assert time.monotonic() - since < 10


def test_server_that_dies_keeps_nobody_waiting(live):
    process = live._process
    threading.Timer(0.5, lambda: os.kill(process.pid, signal.SIGKILL)).start()
    live.pause(1, never)
    live.pause(2, never)


def test_server_ends_with_its_owner(output, said):
    with LiveServer(ServerSettings(), output, said.append) as server:
        process = server._process
    assert process.returncode == 0


def test_taken_port_stops_the_run_before_it_trains(output, said):
    with taken() as port, pytest.raises(UsageError, match=f"port {port} at 127.0.0.1 is taken"):
        LiveServer(ServerSettings(port=port), output, said.append)


def test_host_that_does_not_exist(output, said):
    with pytest.raises(UsageError, match="--host"):
        LiveServer(ServerSettings("no.such.host.invalid"), output, said.append)
