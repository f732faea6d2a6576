"""One small run that is watched in every way, and a server in a thread."""

import asyncio
import os
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest
from helpers import run_lstmjax
from training.small import EXAMPLES, flags

from lstmjax.view.server import Served, Site, listen

ENVIRON = {**os.environ, "LSTMJAX_NO_REEXEC": "1"}


@pytest.fixture(scope="session")
def watched(tmp_path_factory) -> Path:
    """The --model_output of a run with evaluation, pages, pictures and TensorBoard."""
    output = tmp_path_factory.mktemp("watched") / "m"
    more = "--eval_listfile", EXAMPLES / "eval.list", "--debug_interval", 100
    result = run_lstmjax(*flags(output, *more, "--view", "--tensorboard"), env=ENVIRON)
    assert result.returncode == 0, result.stderr
    assert "Live view: http://127.0.0.1:" in result.stderr
    assert "training goes on" not in result.stderr
    return output


@pytest.fixture
def serve():
    """A function that answers for a site until the test ends, and gives its address."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    started: list[Served] = []

    async def start(site: Site) -> str:
        started.append(listen(site))
        return started[-1].url

    async def close() -> None:
        for served in started:
            await served.close()
        await asyncio.sleep(0.01)  # what was closed is told to whoever answers

    def run(task):
        return asyncio.run_coroutine_threadsafe(task, loop).result(20)

    yield lambda site: run(start(site))
    run(close())
    loop.call_soon_threadsafe(loop.stop)
    thread.join(20)
    loop.close()


@contextmanager
def taken(port: int = 0):
    """A port that another program listens at."""
    import socket

    with socket.create_server(("127.0.0.1", port)) as listener:
        yield listener.getsockname()[1]
