"""A second process that loads lines, which leaves Python's global lock to the threads that read."""

import gc
import json
import math
import os
import signal
import struct
import sys
import threading
import warnings
from collections.abc import Callable, Sequence
from typing import NoReturn

import numpy as np

from lstmjax.cores import usable_cores

Parts = dict[str, np.ndarray] | None
Work = Callable[[Sequence[int]], list[Parts]]

_LENGTH = struct.Struct("<q")


class Helper:
    """A process that was forked from this one; make it with `start`. Threads may share it.

    When it fails, `ask` gives None, and the caller does the work itself, which raises the error if
    there is one for the caller to see. That is counted, and said once on stderr when the helper
    stops, because a helper that always fails would only make the program slower, unseen.

    Attributes:
      failed: number of requests that were not answered.
    """

    def __init__(self, process: int, requests: int, answers: int):
        """Take over a process and the pipes to and from it."""
        self.failed = 0
        self._process = process
        self._requests, self._answers = requests, answers
        self._alive = True
        self._lock = threading.Lock()

    @classmethod
    def start(cls, work: Work) -> "Helper | None":
        """Fork a process that does `work` for lists of numbers.

        Returns: None where that is not safe or would not help: not on Linux, with a single core, or
          if other threads of Python or JAX run, as a fork would copy locks they hold.
        """
        if not can_fork():
            return None
        requests, answers = os.pipe(), os.pipe()
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        try:
            with warnings.catch_warnings():
                # Newer Pythons warn of threads of numerical libraries, which are idle here.
                warnings.simplefilter("ignore", DeprecationWarning)
                process = os.fork()
        except OSError:  # no memory, or too many processes
            for end in (*requests, *answers):
                os.close(end)
            return None
        if process == 0:
            os.close(requests[1])
            os.close(answers[0])
            _serve(work, requests[0], answers[1])
        # Each side closes the ends of the other, or neither would ever see the end of its pipe.
        os.close(requests[0])
        os.close(answers[1])
        return cls(process, requests[1], answers[0])

    def ask(self, numbers: Sequence[int]) -> list[Parts] | None:
        """Results of `work` for numbers; None if the process has failed."""
        # One request and its answer at a time: an answer does not say whose it is.
        with self._lock:
            answer = self._answer(numbers) if self._alive else None
            if answer is None:
                self._alive = False
                self.failed += 1
                return None
        # Outside the lock: another thread may ask meanwhile.
        return _unpack(answer)

    def _answer(self, numbers: Sequence[int]) -> bytearray | None:
        try:
            _send(self._requests, np.array(numbers, np.int64).tobytes())
            return _receive(self._answers)
        except (OSError, EOFError):
            return None

    def stop(self) -> None:
        """End the process."""
        self._alive = False
        os.close(self._requests)  # which tells it to leave
        os.close(self._answers)
        # Or it would remain in the table of processes.
        os.waitpid(self._process, 0)
        if self.failed:
            requests = "1 request was" if self.failed == 1 else f"{self.failed} requests were"
            print(
                f"Warning: the process that loads lines failed; {requests} answered without it, "
                "more slowly.",
                file=sys.stderr,
            )


def can_fork() -> bool:
    """Whether a fork of this process would be safe, and of use."""
    return (
        sys.platform == "linux"
        and usable_cores() > 1
        and threading.active_count() == 1
        and "jax" not in sys.modules
    )


def _serve(work: Work, requests: int, answers: int) -> NoReturn:
    """Answer until there are no more requests; never returns."""
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides
        gc.freeze()  # a collection would touch, and so copy, the inherited memory
        while True:
            numbers = np.frombuffer(_receive(requests), np.int64)
            _send(answers, _pack(work(numbers.tolist())))
    finally:
        # Whatever happened, the parent sees it as the end of the answers. Its own exit handlers
        # must not run here.
        os._exit(0)


def _send(pipe: int, data: bytes | bytearray) -> None:
    for part in (_LENGTH.pack(len(data)), data):
        view = memoryview(part)
        while view:
            view = view[os.write(pipe, view) :]


def _receive(pipe: int) -> bytearray:
    """One message. Raises: EOFError: the other process is gone."""
    (length,) = _LENGTH.unpack(_read(pipe, _LENGTH.size))
    return _read(pipe, length)


def _read(pipe: int, size: int) -> bytearray:
    data = bytearray(size)
    view = memoryview(data)
    while view:
        # `readv` fills the memory in place; a pipe gives as little as it likes at a time.
        count = os.readv(pipe, [view])
        if not count:
            raise EOFError
        view = view[count:]
    return data


def _pack(answers: list[Parts]) -> bytearray:
    """The kinds and shapes of all arrays as JSON, then their bytes."""
    heads = [
        None if parts is None else {name: [a.dtype.str, a.shape] for name, a in parts.items()}
        for parts in answers
    ]
    text = json.dumps(heads).encode()
    data = bytearray(_LENGTH.pack(len(text)) + text)
    for parts in answers:
        for array in (parts or {}).values():
            data += array.tobytes()
    return data


def _unpack(data: bytearray) -> list[Parts]:
    """The arrays are views of the data."""
    (length,) = _LENGTH.unpack_from(data)
    place = _LENGTH.size + length
    answers: list[Parts] = []
    for head in json.loads(data[_LENGTH.size : place]):
        parts: dict[str, np.ndarray] = {}
        for name, (kind, shape) in (head or {}).items():
            parts[name] = np.frombuffer(data, kind, math.prod(shape), place).reshape(shape)
            place += parts[name].nbytes
        answers.append(None if head is None else parts)
    return answers
