"""The server of --view as the training run sees it: a process that it talks to through pipes.

The server ends with the training run, however that ends. A server that cannot start is an error of
the command line; one that dies later does not affect the run.
"""

import json
import selectors
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Any

from lstmjax.errors import Say, UsageError
from lstmjax.view.settings import ServerSettings

_START_SECONDS = 120
_POLL_SECONDS = 0.2  # how often a pause checks whether the run is stopping


class LiveServer:
    """A server for one run; a context manager that ends it."""

    def __init__(self, settings: ServerSettings, model_output: str, say: Say):
        """Start the server and wait for its address.

        Args:
          settings: address to listen at.
          model_output: base name of the run's files.
          say: prints a line of the log.
        Raises: UsageError: it cannot listen there.
        """
        self._say = say
        self._pauses = True
        self._process = subprocess.Popen(
            [sys.executable, "-m", "lstmjax.view.child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._send({"run": model_output, **settings.to_plain()})
        answer = self._receive(_START_SECONDS)
        if "url" not in answer:
            self.close()
            raise UsageError(answer.get("error", "the server of --view did not start"))
        self.url: str = answer["url"]

    def __enter__(self) -> "LiveServer":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the server."""
        # A closed stdin is what tells it to leave.
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def pause(self, iteration: int, stopping: Callable[[], int]) -> None:
        """Wait for a click on Next, the end of the run or the end of the server."""
        if not self._pauses or not self._send({"waiting": iteration}):
            return
        self._say(f"Iteration {iteration}: waiting for Next on {self.url}")
        while not stopping():
            message = self._receive(_POLL_SECONDS)
            # Without a server nobody could press Next again.
            if message.get("ended") or message.get("next") == "all":
                self._pauses = False
            if message:
                break
        # Also when the run is stopping, so that the page stops asking.
        self._send({"waiting": None})

    def _send(self, message: dict[str, Any]) -> bool:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(message) + "\n")
            self._process.stdin.flush()
        except OSError:
            return False
        return True

    def _receive(self, seconds: float) -> dict[str, Any]:
        """The next message; {} if none came in time."""
        pipe = self._process.stdout
        assert pipe is not None
        with selectors.DefaultSelector() as selector:
            selector.register(pipe, selectors.EVENT_READ)
            end = time.monotonic() + seconds
            while not selector.select(max(0.0, end - time.monotonic())):
                if time.monotonic() >= end:
                    return {}
        # The server sends one message for each pause, so none can wait unseen in the pipe's buffer.
        line = pipe.readline()
        return json.loads(line) if line else {"ended": True}
