"""Signals are remembered while a loop runs, and handled as before afterwards."""

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest

from lstmjax.training.signals import STOP_ASKED, remembered_signals


@pytest.fixture(autouse=True)
def usual_handlers():
    """A process started in the background may ignore SIGINT; here it interrupts, as usual."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def output(stop_asked=False) -> Any:
    return SimpleNamespace(stop_asked=stop_asked)


def test_the_first_signal_is_remembered_and_the_second_does_what_it_always_did():
    before = signal.getsignal(signal.SIGINT)
    with remembered_signals(output()) as pending:
        assert pending() == 0
        os.kill(os.getpid(), signal.SIGINT)
        assert pending() == signal.SIGINT
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
        assert pending() == signal.SIGINT
    assert signal.getsignal(signal.SIGINT) is before


def test_a_receiver_of_records_can_ask_for_the_end():
    told = output()
    with remembered_signals(told) as pending:
        assert pending() == 0
        told.stop_asked = True
        assert pending() == STOP_ASKED
        os.kill(os.getpid(), signal.SIGTERM)
        assert pending() == signal.SIGTERM  # a signal counts more


def test_handlers_come_back_after_an_error():
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(ValueError, match="no"), remembered_signals(output()):
        raise ValueError("no")
    assert signal.getsignal(signal.SIGTERM) is before


def test_outside_the_main_thread_the_caller_keeps_its_own():
    def run():
        with remembered_signals(output(stop_asked=True)) as pending:
            return pending()

    before = signal.getsignal(signal.SIGINT)
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(run).result() == STOP_ASKED
    assert signal.getsignal(signal.SIGINT) is before
