"""A process that loads lines: what it gives back, and that its end is no loss."""

import os
import sys
import threading

import numpy as np
import pytest

from lstmjax.infer import helping
from lstmjax.infer.helping import Helper

ANSWERS = {
    0: None,
    1: {},
    2: {"a": np.arange(6, dtype=np.uint8).reshape(2, 3), "b": np.zeros(0, np.float32)},
    3: {"wide": np.arange(300_000, dtype=np.int32), "one": np.array([np.inf], np.float32)},
}

# Other tests may have started JAX, which warns of a fork; its threads are idle here.
pytestmark = pytest.mark.filterwarnings("ignore:os.fork")
forks = pytest.mark.skipif(sys.platform != "linux", reason="only Linux forks")


@pytest.fixture(autouse=True)
def _alone(monkeypatch):
    monkeypatch.setattr(helping, "can_fork", lambda: True)


def same(one, other):
    if one is None or other is None:
        return one is other
    return list(one) == list(other) and all(
        one[name].dtype == other[name].dtype and np.array_equal(one[name], other[name])
        for name in one
    )


@forks
def test_answers_come_back_whole(capfd):
    helper = Helper.start(lambda numbers: [ANSWERS[number] for number in numbers])
    assert helper is not None
    for numbers in ([2], [], [3, 0, 1, 2, 3]):
        found = helper.ask(numbers)
        assert found is not None
        assert all(same(a, ANSWERS[n]) for a, n in zip(found, numbers, strict=True))
    helper.stop()
    assert helper.ask([2]) is None
    assert capfd.readouterr().err == ""


@forks
@pytest.mark.parametrize("fault", [ValueError, KeyboardInterrupt, SystemExit, MemoryError])
def test_an_error_is_no_answer(fault, capfd):
    def fail(numbers):
        raise fault

    helper = Helper.start(fail)
    assert helper is not None
    assert helper.ask([1]) is None
    assert helper.ask([2]) is None
    helper.stop()
    said = "the process that loads lines failed; 2 requests were answered without it, more slowly"
    assert capfd.readouterr().err.count(said) == 1


@forks
def test_a_killed_process_gives_no_answer():
    helper = Helper.start(lambda numbers: os.kill(os.getpid(), 9) or [])
    assert helper is not None
    assert helper.ask([1]) is None
    helper.stop()


@forks
def test_threads_may_share_one():
    helper = Helper.start(lambda numbers: [{"n": np.full(5000, n)} for n in numbers])
    assert helper is not None
    wrong = []

    def ask(start):
        for number in range(start, start + 20):
            found = helper.ask([number, number])
            if found is None or any((each["n"] != number).any() for each in found if each):
                wrong.append(number)

    threads = [threading.Thread(target=ask, args=(start,)) for start in (0, 100, 200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    helper.stop()
    assert not wrong


def test_without_memory_there_is_none(monkeypatch):
    def fail():
        raise OSError

    monkeypatch.setattr(os, "fork", fail)
    before = os.listdir("/proc/self/fd") if sys.platform == "linux" else []
    assert Helper.start(lambda numbers: []) is None
    assert not before or os.listdir("/proc/self/fd") == before


@pytest.mark.parametrize(
    ("target", "value"),
    [
        ("sys.platform", "darwin"),
        ("lstmjax.infer.helping.usable_cores", lambda: 1),
        ("threading.active_count", lambda: 2),
    ],
    ids=["no Linux", "one core", "threads"],
)
def test_where_it_would_not_be_safe_there_is_none(target, value, monkeypatch):
    monkeypatch.undo()
    monkeypatch.setattr(target, value)
    assert Helper.start(lambda numbers: []) is None


def test_beside_jax_there_is_none(monkeypatch):
    monkeypatch.undo()
    monkeypatch.setitem(sys.modules, "jax", sys)
    assert Helper.start(lambda numbers: []) is None
